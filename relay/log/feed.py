"""Admitted events, shared by all consumers near the head and read again from the log by those that lag.

Near the head an event is decoded, normalised and encoded once, whoever reads it. The run of recent events is
bounded; memory does not grow with anybody's backlog. What turns a record into events, as what was decided about
them wants it, is admission's, and is handed in.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any, NamedTuple

from relay.event import Event
from relay.log.base import Log, Waiters
from relay.log.record import Record
from relay.log.state import SQL, State, rows_json
from relay.outcome import Outcome

RECENT_BYTES = 4_000_000  # of encoded events; decoded they take some six times as much
READ_BYTES = 1_000_000  # of one read from the log

Rulings = Mapping[int, str]  # what tracking plans decided about events of one record, by index
EventsOf = Callable[[Record, Rulings], list[Event]]
_NO_RULINGS: Rulings = {}


class Feed:
    """Events in the order of the log, up to admission's `cursor`, each with its verdict."""

    def __init__(
        self,
        source: Log,
        state: State,
        events_of: EventsOf,
        recent_bytes: int = RECENT_BYTES,
    ) -> None:
        self._log = source
        self._events_of = events_of
        self._state = state
        self._recent: list[_Run] = []
        self._bytes = 0
        self._recent_bytes = recent_bytes
        self._waiters = Waiters()
        self.cursor = 0

    def publish(self, cursor: int, groups: list[list[Event]]) -> None:
        """Take in what admission has just let through: the events of each record, up to `cursor`."""
        run = _Run(cursor - len(groups) + 1, groups, sum([len(e.json) for events in groups for e in events]))
        if self._recent and self._recent[-1].end != run.first:
            self._recent.clear()
            self._bytes = 0
        self._recent.append(run)
        self._bytes += run.size
        while self._bytes > self._recent_bytes and len(self._recent) > 1:
            self._bytes -= self._recent.pop(0).size
        self.cursor = cursor
        self._waiters.wake()

    async def wait(self, after: int) -> None:
        """Until `cursor` > `after`."""
        while self.cursor <= after:
            await self._waiters.wait()

    async def read(self, after: int, max_events: int) -> tuple[list[list[Event]], int]:
        """The events of each record after sequence `after`, and the sequence they reach."""
        if after >= self.cursor:
            return [], after
        if self._recent and after + 1 >= self._recent[0].first:
            return self._read_recent(after, max_events)
        records = await self._log.read(after, max_events, READ_BYTES)
        records = records[: bisect_left(records, self.cursor + 1, key=lambda r: r.sequence)]
        if not records:
            # retention went past this reader: go on where there is something
            return [], min(max(self._log.first - 1, after + 1), self.cursor)
        return await self._judged(records), records[-1].sequence

    async def first_since(self, ms: int) -> int:
        """The first sequence that was received at `ms` or later; the one after the cursor when there is none yet.

        Found by halving: the log is in the order of reception.
        """
        low, high = self._log.first, self.cursor + 1
        while low < high:
            middle = (low + high) // 2
            records = await self._log.read(middle - 1, 1, 1)
            if not records or records[0].sequence >= high or records[0].received_at >= ms:
                high = middle
            else:
                low = records[0].sequence + 1
        return low

    async def received_at(self, after: int) -> int | None:
        """When the first request after a sequence came, in ms; None when there is none."""
        found = await self._log.read(after, 1, 1)
        return found[0].received_at if found else None

    async def find(self, places: list[tuple[int, int]]) -> dict[tuple[int, int], Event]:
        """The events at (sequence, index), those of which the log still holds the record."""
        sequences = {sequence for sequence, _ in places}
        records = await self._log.find(sequences)
        of = rows_json(sequences)
        rulings = _by_record(await self._state.read(lambda c: c.execute(SQL["rulings_of"], (of,)).fetchall()))
        wanted = set(places)
        found: dict[tuple[int, int], Event] = {}
        for record in records:
            for event in self._events_of(record, rulings.get(record.sequence, _NO_RULINGS)):
                if (event.sequence, event.index) in wanted:
                    found[event.sequence, event.index] = event
            await asyncio.sleep(0)  # a record may be half a megabyte
        return found

    def _read_recent(self, after: int, max_events: int) -> tuple[list[list[Event]], int]:
        number = bisect_left(self._recent, after + 2, key=lambda run: run.end)
        run = self._recent[number]
        start = after + 1 - run.first
        groups = run.groups[start : start + max_events]
        return groups, after + len(groups)

    async def _judged(self, records: list[Record]) -> list[list[Event]]:
        """The events of `records` with the verdicts that admission wrote down."""
        span = (records[0].sequence, records[-1].sequence)
        written = ("verdicts_between", "rulings_between")
        rows, ruled = await self._state.read(lambda c: [c.execute(SQL[n], span).fetchall() for n in written])
        verdicts = {(sequence, index): (outcome, reason) for sequence, index, outcome, reason in rows}
        rulings = _by_record(ruled)
        groups = [self._events_of(record, rulings.get(record.sequence, _NO_RULINGS)) for record in records]
        for event in chain.from_iterable(groups) if verdicts else ():
            verdict = verdicts.get((event.sequence, event.index))
            if verdict is not None:
                event.outcome, event.reason = Outcome(verdict[0]), verdict[1]
        return groups


def _by_record(rows: Iterable[tuple[Any, ...]]) -> dict[int, dict[int, str]]:
    rulings: dict[int, dict[int, str]] = {}
    for sequence, index, ruling in rows:
        rulings.setdefault(sequence, {})[index] = ruling
    return rulings


class _Run(NamedTuple):
    """What one pass of admission let through: consecutive records from `first` on."""

    first: int
    groups: list[list[Event]]
    size: int

    @property
    def end(self) -> int:
        """The sequence after the last."""
        return self.first + len(self.groups)
