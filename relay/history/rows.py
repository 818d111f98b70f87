"""Rows of the history in the state database: written, and read together with the totals of now."""

import sqlite3
from collections.abc import Mapping

import msgspec

from relay.history.funnel import Base
from relay.history.totals import (
    DESTINATION,
    OFF,
    SOURCE,
    DestinationTotals,
    DoorRow,
    SourceTotals,
    Standing,
    Totals,
    read_standing,
)
from relay.log.state import SQL, rows_json

MINUTE = 60_000  # ms

Name = tuple[str, str]  # kind, name


class Looked(msgspec.Struct):
    """What was read: how things are now, and rows. Of those, `before` are the beginnings, `after` the ends of steps."""

    standing: Standing
    before: list[tuple[str, str, int, int, str]]
    after: list[tuple[str, str, int, str]]

    def base(self) -> Base:
        """The totals at the beginning."""
        return {(kind, name): _decoded(kind, totals) for kind, name, _, _, totals in self.before}

    def found(self, since: int, now: int) -> dict[Name, dict[int, Totals]]:
        """Of each source and destination the totals at the beginning, or when it began, at the end of each step, and now."""
        base = {(kind, name): (at, _decoded(kind, totals)) for kind, name, _, at, totals in self.before}
        found: dict[Name, dict[int, Totals]] = {}
        for kind, name, _ in self.standing.all():
            none = SourceTotals() if kind == SOURCE else DestinationTotals()
            begins_at, totals = base.get((kind, name), (since, none))
            found[kind, name] = {max(since, begins_at): totals}
        for kind, name, at, row in self.after:
            if (kind, name) in found:
                found[kind, name][at] = _decoded(kind, row)
        for kind, name, totals in self.standing.all():
            found[kind, name][now] = totals
        return found


def look(
    connection: sqlite3.Connection,
    door: list[DoorRow],
    names: list[str],
    states: Mapping[str, str],
    span: tuple[int, int, int],
) -> Looked:
    """All in one breath. `span`: when it begins, up to where it has steps, and how long they are."""
    since, _, _ = span
    standing = read_standing(connection, door, names, states)
    before = connection.execute(SQL["history_before"], (since,)).fetchall()
    after = connection.execute(SQL["history_between"], span).fetchall()
    lately = {(kind, name) for kind, name, newest, _, _ in before if newest > since}
    return Looked(_shown(standing, lately, names), before, after)


def count_door(connection: sqlite3.Connection, door: list[DoorRow]) -> None:
    """Keep what the gateway has counted."""
    if door:
        connection.execute(SQL["count_door"], (rows_json(door),))


def there(standing: Standing, names: list[str], states: Mapping[str, str]) -> dict[tuple[str, str], Totals]:
    """The totals of what there is now."""
    return {
        (kind, name): totals
        for kind, name, totals in standing.all()
        if name in (names if kind == SOURCE else states)
    }


def _shown(standing: Standing, lately: set[tuple[str, str]], names: list[str]) -> Standing:
    """`standing`, without what is gone and was not there in the range either."""
    return Standing(
        {n: t for n, t in standing.sources.items() if n in names or (SOURCE, n) in lately},
        {n: t for n, t in standing.destinations.items() if t.state != OFF or (DESTINATION, n) in lately},
        standing.samples,
    )


def add_rows(
    connection: sqlite3.Connection, at: int, there: Mapping[tuple[str, str], Totals], *, is_first: bool
) -> None:
    """A row for each; and where there was none a minute ago, one that says how it was then: as it was last, or new."""
    marks = {(kind, name): (moment, t) for kind, name, moment, t in connection.execute(SQL["history_marks"])}
    earlier, rows = [], []
    for (kind, name), totals in there.items():
        moment, last = marks.get((kind, name), (None, None))
        if moment is None and not is_first:
            last = _encoded(SourceTotals() if kind == SOURCE else DestinationTotals())
        if last is not None and (moment is None or moment < at - MINUTE):
            earlier.append((kind, name, at - MINUTE, last))
        if moment != at:
            rows.append((kind, name, at, _encoded(totals)))
    if rows:
        connection.execute(SQL["add_history"], (rows_json(earlier + rows),))
        connection.execute(SQL["set_history_marks"], (rows_json(rows),))


def drop_gone(connection: sqlite3.Connection, names: list[str]) -> None:
    """Forget the counts of sources that are not there any more, nor in any row."""
    gone = rows_json([name for (name,) in connection.execute(SQL["gone_sources"], (rows_json(names),))])
    if gone != "[]":
        for query in ("drop_source_counts", "drop_door_counts", "drop_source_marks"):
            connection.execute(SQL[query], (gone,))


def _encoded(totals: Totals) -> str:
    return msgspec.json.encode(totals).decode()


_decode_source = msgspec.json.Decoder(SourceTotals).decode
_decode_destination = msgspec.json.Decoder(DestinationTotals).decode


def _decoded(kind: str, totals: str) -> Totals:
    return _decode_source(totals) if kind == SOURCE else _decode_destination(totals)
