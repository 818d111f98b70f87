"""What was counted since the beginning, for each source and each destination, read in one transaction.

A count is of a stage, an outcome and a reason. Stages are those of a funnel:

    failed_on_ingest          admission can never accept it
    filtered_at_source        a repetition, blocked by a plan, or kept back by the source's own rules
    filtered_at_destination   not for this one
    failed_delivery           the destination refused it, or it was tried for long enough

What a destination has in hand is what was due there and has neither a fate nor a place in the retry table.
"""

import sqlite3
from collections.abc import Iterable, Mapping

import msgspec
import orjson

from relay.log.state import SQL, rows_json
from relay.outcome import Outcome

FAILED_ON_INGEST = "failed_on_ingest"
FILTERED_AT_SOURCE = "filtered_at_source"
FILTERED_AT_DESTINATION = "filtered_at_destination"
FAILED_DELIVERY = "failed_delivery"
ADMITTED = "admitted"

REFUSED, ANSWERED = "refused", "answered"  # kinds of what the gateway counts
OFF = "off"  # a destination that does not run
SOURCE, DESTINATION = "source", "destination"

Key = tuple[str, str, str]  # stage, outcome, reason
Place = tuple[int, int]
DoorRow = tuple[str, str, str, int]  # source, kind, code, count


class Count(msgspec.Struct, array_like=True, frozen=True):
    """How many events ended at a stage for one reason."""

    stage: str
    outcome: str
    reason: str
    n: int

    @property
    def key(self) -> Key:
        return self.stage, self.outcome, self.reason


class SourceTotals(msgspec.Struct, array_like=True, frozen=True):
    """`counts` add up to the events that were kept. `refused` are events, `answers` requests."""

    counts: tuple[Count, ...] = ()
    refused: dict[str, int] = {}
    answers: dict[str, int] = {}


class DestinationTotals(msgspec.Struct, array_like=True, frozen=True):
    """`counts` and `delivered` are fates; the rest of what was `due` is parked or in hand. `lag` is in requests."""

    counts: tuple[Count, ...] = ()
    delivered: int = 0
    due: int = 0
    delays: tuple[int, ...] = ()
    parked: int = 0
    dead_letters: int = 0
    lag: int = 0
    state: str = OFF

    @property
    def settled(self) -> int:
        return self.delivered + sum([count.n for count in self.counts])

    @property
    def in_hand(self) -> int:
        return self.due - self.settled - self.parked


Totals = SourceTotals | DestinationTotals
Samples = dict[tuple[str, str, Key], tuple[Place, ...]]  # of a kind, a name and a count, the newest first


class Standing(msgspec.Struct):
    """All totals at one moment."""

    sources: dict[str, SourceTotals]
    destinations: dict[str, DestinationTotals]
    samples: Samples

    def all(self) -> Iterable[tuple[str, str, Totals]]:
        """Kind, name, totals."""
        yield from ((SOURCE, name, totals) for name, totals in self.sources.items())
        yield from ((DESTINATION, name, totals) for name, totals in self.destinations.items())


def stage_of(outcome: str, *, is_verdict: bool) -> str:
    """Where an event that has this outcome ended."""
    if outcome == ADMITTED:
        return ADMITTED
    if is_verdict:
        return FAILED_ON_INGEST if outcome == Outcome.REJECTED else FILTERED_AT_SOURCE
    return FILTERED_AT_DESTINATION if outcome == Outcome.FILTERED else FAILED_DELIVERY


def read_standing(
    connection: sqlite3.Connection,
    door: Iterable[DoorRow],
    names: Iterable[str],
    states: Mapping[str, str],
) -> Standing:
    """What is written down, with what the `door` has counted since.

    `names`: the sources that there are; `states`: of the destinations that run.
    """
    samples: Samples = {}
    return Standing(
        _sources(connection, door, names, samples), _destinations(connection, states, samples), samples
    )


def _sources(
    connection: sqlite3.Connection, door: Iterable[DoorRow], names: Iterable[str], samples: Samples
) -> dict[str, SourceTotals]:
    counts: dict[str, list[Count]] = {name: [] for name in names}
    for name, outcome, reason, n, places in connection.execute(SQL["source_counts"]):
        count = Count(stage_of(outcome, is_verdict=True), outcome, reason, n)
        counts.setdefault(name, []).append(count)
        samples[SOURCE, name, count.key] = _places(places)
    at_door: dict[str, dict[str, dict[str, int]]] = {}
    for name, kind, code, n in (*connection.execute(SQL["door_counts"]), *door):
        of_kind = at_door.setdefault(name, {}).setdefault(kind, {})
        of_kind[code] = of_kind.get(code, 0) + n
    return {
        name: SourceTotals(
            tuple(counts.get(name, ())),
            *(at_door.get(name, {}).get(kind, {}) for kind in (REFUSED, ANSWERED)),
        )
        for name in counts | at_door
    }


def _destinations(
    connection: sqlite3.Connection, states: Mapping[str, str], samples: Samples
) -> dict[str, DestinationTotals]:
    counts: dict[str, list[Count]] = {}
    for name, outcome, reason, is_verdict, n, places in connection.execute(SQL["destination_counts"]):
        count = Count(stage_of(outcome, is_verdict=bool(is_verdict)), outcome, reason, n)
        counts.setdefault(name, []).append(count)
        samples[DESTINATION, name, count.key] = _places(places)
    (head,) = connection.execute(SQL["admission_cursor"]).fetchone()
    found: dict[str, DestinationTotals] = {}
    for name, cursor, delivered, due, delays, parked, dead in connection.execute(SQL["destination_totals"]):
        totals = DestinationTotals(
            tuple(counts.get(name, ())),
            delivered,
            due,
            tuple(orjson.loads(delays)),
            parked,
            dead,
            max(0, head - cursor),
            states.get(name, OFF),
        )
        found[name] = _corrected(totals)
    return found


def _corrected(totals: DestinationTotals) -> DestinationTotals:
    """Where nothing is left to do, nothing is in hand.

    It may look otherwise after a change of the destination's sources, when retention has gone past what it was behind
    with, and where an older relay did not count what is due.
    """
    if totals.in_hand != 0 and (totals.lag == 0 or totals.in_hand < 0):
        return msgspec.structs.replace(totals, due=totals.settled + totals.parked)
    return totals


def correct_due(connection: sqlite3.Connection, standing: Standing) -> None:
    """Keep what is due as it was found to be."""
    kept = {row[0]: row[3] for row in connection.execute(SQL["destination_totals"])}
    wrong = [(name, t.due) for name, t in standing.destinations.items() if kept[name] != t.due]
    if wrong:
        connection.execute(SQL["correct_due"], (rows_json(wrong),))


def _places(text: str) -> tuple[Place, ...]:
    return tuple((sequence, index) for sequence, index in orjson.loads(text))
