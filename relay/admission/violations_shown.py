"""Violations as they are shown: the groups that were counted, each with its newest events.

An event is shown as it arrived, before anything was omitted, and without its values unless the operator wants them. It is
read from the log: a sample that retention has dropped is left out. At most CHUNK requests are in memory at a time.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import msgspec
import orjson

from relay.admission.normalise import events_of
from relay.admission.violations import HOUR
from relay.event import Event
from relay.log.base import Log
from relay.log.record import Record
from relay.log.state import SQL, State, rows_json
from relay.outcome import Outcome
from relay.plans.masking import masked_event
from relay.plans.ruling import Ruling, decode_ruling
from relay.times import format_iso

CHUNK = 20  # requests of the log, of half a megabyte at most

Place = tuple[int, int]
Shown = dict[str, Any]


class Wanted(NamedTuple):
    """Which groups: None holds for all. `before`: after the group whose last was seen then, in ms, and has this id."""

    source: str | None = None
    event: str | None = None
    kind: str | None = None
    since: int | None = None
    before: tuple[int, int] = (2**62, 0)


class Group(msgspec.Struct, frozen=True):
    """One group. `count` is since what was asked for, `total` ever; times in ms; `places` of events still in the log."""

    id: int
    source: str
    event: str
    kind: str
    field: str
    description: str
    first_seen: int
    last_seen: int
    places: tuple[Place, ...]
    total: int
    count: int


class ViolationsShown:
    """Reads what admission counted. `shows_values` says whether events keep theirs."""

    def __init__(self, log: Log, state: State, shows_values: Callable[[], bool]) -> None:
        self._log = log
        self._state = state
        self._shows_values = shows_values

    async def page(self, source: str | None, event: str | None, since: int | None, limit: int) -> list[Shown]:
        """The groups seen last, of one source or all, of one event or all, seen since a moment (in ms) or ever."""
        wanted = (source, event, since, limit)
        rows = await self._state.read(lambda c: c.execute(SQL["violations"], wanted).fetchall())
        places = {row: [(sequence, index) for sequence, index in orjson.loads(row[7])] for row in rows}
        samples = await self._samples({place for some in places.values() for place in some})
        return [_shown(row, [samples[p] for p in places[row] if p in samples]) for row in rows]

    async def groups(self, wanted: Wanted, limit: int) -> list[Group]:
        """The groups seen last, with the places of their newest events instead of these."""
        hold = (wanted.source, wanted.event, wanted.kind, wanted.since, *wanted.before, limit)
        rows = await self._state.read(lambda c: c.execute(SQL["violation_groups"], hold).fetchall())
        return [_group(row, self._log.first) for row in rows]

    async def kinds(self) -> list[str]:
        """The kinds of violation that there are."""
        rows = await self._state.read(lambda c: c.execute(SQL["violation_kinds"]).fetchall())
        return [kind for (kind,) in rows]

    async def totals(self, since: int) -> dict[str, int]:
        """How many there were of each source, by whole hours from the one in which `since` (in ms) lies."""
        hour = (since // HOUR,)
        return dict(await self._state.read(lambda c: c.execute(SQL["violation_totals"], hour).fetchall()))

    async def _samples(self, places: set[Place]) -> dict[Place, Shown]:
        """Those of which the log still holds the record."""
        found: dict[Place, Shown] = {}
        sequences = sorted({sequence for sequence, _ in places})
        for start in range(0, len(sequences), CHUNK):
            some = sequences[start : start + CHUNK]
            rulings = await self._state.read(partial(_rulings, sequences=some))
            for record in await self._log.find(some):
                for event in events_of(record, self._state.log_id):
                    place = (event.sequence, event.index)
                    if place in places:
                        found[place] = self._sample(record, event, rulings.get(place, Ruling()))
                await asyncio.sleep(0)  # a record may be half a megabyte
        return found

    def _sample(self, record: Record, event: Event, ruling: Ruling) -> Shown:
        return {
            "messageId": event.message_id,
            "receivedAt": format_iso(record.received_at),
            "verdict": "admitted" if ruling.blocked is None else str(Outcome.BLOCKED),
            "reason": ruling.blocked,
            "event": event.data if self._shows_values() else masked_event(event.data),
        }


def _rulings(connection: sqlite3.Connection, sequences: Iterable[int]) -> dict[Place, Ruling]:
    rows = connection.execute(SQL["rulings_of"], (rows_json(sequences),))
    return {(sequence, place): decode_ruling(ruling) for sequence, place, ruling in rows}


def _group(row: tuple[Any, ...], first: int) -> Group:
    """`first`: of the log, which has nothing before it any more."""
    *about, samples, total, count = row
    places = tuple((sequence, index) for sequence, index in orjson.loads(samples) if sequence >= first)
    number, source, event, kind, field, description, first_seen, last_seen = about
    return Group(number, source, event, kind, field, description, first_seen, last_seen, places, total, count)


def _shown(row: tuple[Any, ...], samples: list[Shown]) -> Shown:
    source, event, kind, field, description, first_seen, last_seen, _, count = row
    return {
        "source": source,
        "event": event,
        "field": field,
        "type": kind,
        "description": description,
        "count": count,
        "firstSeen": format_iso(first_seen),
        "lastSeen": format_iso(last_seen),
        "samples": samples,
    }
