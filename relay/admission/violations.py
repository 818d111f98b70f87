"""Violations of tracking plans, counted: a pass's into groups, and these into the state database with the pass itself.

A group is what somebody would mend in one go: a source, the name of an event, the kind of violation and its field. So the
tables stay small whatever comes in, and a pass costs three statements, however many of its events are in violation. They
are written in the transaction of the pass: after a crash nothing is counted twice, and nothing is missing. Repetitions of
an event are not counted, since nobody rules on them.

Of a group its newest events are remembered by their places in the log, and the counts of each hour. A source that makes up
names can have no more than MAX_GROUPS; what is beyond is counted together, as the event `(others)`.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from relay import metrics
from relay.admission.plans import Ruled
from relay.event import name_of
from relay.log.record import Record
from relay.log.state import SQL, rows_json
from relay.outcome import Outcome

MAX_GROUPS = 2000  # of a source: a plan has 2,000 rules at most, and few are broken at a time
MAX_NAME = 300  # characters of an event's name and of a field; longer ones are cut
MAX_DESCRIPTION = 1000  # characters: an `enum` may list thousands of values
SAMPLES = 3  # of a group, the newest; add_violations knows it too
OTHERS = "(others)"
HOUR = 3_600_000  # ms
KEPT_HOURS = 30 * 24

Key = tuple[str, str, str, str]  # source, event, kind, field
Counts = Mapping[Key, int]


class Group:
    """What a pass has of one group. Times in ms."""

    __slots__ = ("description", "first_seen", "hours", "last_seen", "places")

    def __init__(self, at: int) -> None:
        self.description = ""
        self.first_seen = self.last_seen = at
        self.hours: dict[int, int] = {}
        self.places: list[tuple[int, int]] = []  # the newest last

    def add(self, at: int, hour: int, place: tuple[int, int]) -> None:
        """One more, of an event that came in no earlier than those before."""
        self.last_seen = at
        self.hours[hour] = self.hours.get(hour, 0) + 1
        if self.places[-1:] != [place]:  # an event may break two patterns of one field
            self.places.append(place)

    def merge(self, other: "Group") -> None:
        """Count `other` in."""
        self.first_seen = min(self.first_seen, other.first_seen)
        self.last_seen = max(self.last_seen, other.last_seen)
        for hour, count in other.hours.items():
            self.hours[hour] = self.hours.get(hour, 0) + count
        self.places = sorted({*self.places, *other.places})[-SAMPLES:]

    @property
    def count(self) -> int:
        return sum(self.hours.values())


def event_name(data: Mapping[str, Any]) -> str:
    """What an event is called here."""
    return name_of(data)[:MAX_NAME]


def grouped(ruled: Iterable[Ruled], received: Mapping[int, int], after: int) -> dict[Key, Group]:
    """The violations of a pass, but for those of duplicates and of events up to the sequence `after`.

    `received`: when each record was, by sequence.
    """
    groups: dict[Key, Group] = {}
    for event, ruling in ruled:
        if event.outcome is Outcome.DUPLICATE or not ruling.violations or event.sequence <= after:
            continue
        source, name, at = event.source, event_name(event.data), received[event.sequence]
        hour, place = at // HOUR, (event.sequence, event.index)
        for kind, field, description in ruling.violations:
            key = (source, name, kind, field[:MAX_NAME])
            group = groups.get(key)
            if group is None:
                group = groups[key] = Group(at)
            group.add(at, hour, place)
            group.description = description[:MAX_DESCRIPTION]
    return groups


def count_violations(
    connection: sqlite3.Connection, ruled: Sequence[Ruled], records: Iterable[Record]
) -> Counts:
    """Write down the violations of a pass, inside its transaction, and return how many there were of each group."""
    if not ruled:
        return {}
    # a pass is repeated whose commit was said to have failed: it may have been written all the same
    (written,) = connection.execute(SQL["admission_cursor"]).fetchone()
    groups = grouped(ruled, {record.sequence: record.received_at for record in records}, written)
    if not groups:
        return {}
    groups = _bounded(connection, groups)
    connection.execute(SQL["add_violations"], (rows_json(_rows(groups)),))
    hours = [(*key, hour, n) for key, group in groups.items() for hour, n in group.hours.items()]
    connection.execute(SQL["add_violation_counts"], (rows_json(hours),))
    return {key: group.count for key, group in groups.items()}


def _rows(groups: Mapping[Key, Group]) -> list[tuple[object, ...]]:
    return [
        (*key, g.description, g.count, g.first_seen, g.last_seen, rows_json(g.places[: -SAMPLES - 1 : -1]))
        for key, g in groups.items()
    ]


def _bounded(connection: sqlite3.Connection, groups: dict[Key, Group]) -> dict[Key, Group]:
    """`groups`, with those in one of which their source has no room left."""
    keys = list(groups)
    known = {place for (place,) in connection.execute(SQL["known_violations"], (rows_json(keys),))}
    if len(known) == len(keys):
        return groups
    sources = rows_json({key[0] for key in keys})
    room = {source: MAX_GROUPS - n for source, n in connection.execute(SQL["count_violations"], (sources,))}
    kept: dict[Key, Group] = {}
    for place, (key, group) in enumerate(groups.items()):
        if place in known:
            kept[key] = group
        elif room[key[0]] > 0:
            room[key[0]] -= 1
            kept[key] = group
        else:
            kept.setdefault((key[0], OTHERS, "", ""), Group(group.first_seen)).merge(group)
    return kept


def forget_old(connection: sqlite3.Connection, now: int) -> None:
    """Drop the hours that are too old, and groups that were not seen since. `now` in ms."""
    hour = now // HOUR - KEPT_HOURS
    connection.execute(SQL["drop_violation_counts"], (hour,))
    connection.execute(SQL["drop_violations"], (hour * HOUR,))


def measure(ruled: Iterable[Ruled]) -> None:
    """Count what plans found in the metrics, once it is written down."""
    violations: Counter[tuple[str, str]] = Counter()
    blocked: Counter[tuple[str, str]] = Counter()
    for event, ruling in ruled:
        if event.outcome is Outcome.DUPLICATE:
            continue
        violations.update([(event.source, kind) for kind, _, _ in ruling.violations])
        if ruling.blocked is not None:
            blocked[event.source, ruling.blocked] += 1
    for (source, kind), n in violations.items():
        metrics.VIOLATIONS.labels(source, kind).inc(n)
    for (source, reason), n in blocked.items():
        metrics.BLOCKED.labels(source, reason).inc(n)
