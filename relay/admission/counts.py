"""What became of each source's events, counted for good: a pass's into the state database with the pass itself.

There is a row for what was admitted and one for each verdict with its reason, so the rows of a source add up to all that
came in from it. After a crash nothing is counted twice, and nothing is missing. What is due at each destination is
counted with them. A pass costs three statements, and a few lines of Python a record and an exception.
"""

import sqlite3
from collections.abc import Iterable, Sequence

import orjson

from relay.event import Event
from relay.log.state import SQL, rows_json

ADMITTED = "admitted"
SAMPLES = 10  # of a reason, the newest; count_admitted knows it too


def count_events(
    connection: sqlite3.Connection, groups: Iterable[list[Event]], exceptions: Sequence[Event]
) -> None:
    """Write down a pass, inside its transaction and before its cursor. `exceptions`: those with a verdict, in order."""
    # a pass is repeated whose commit was said to have failed: it may have been written all the same
    (written,) = connection.execute(SQL["admission_cursor"]).fetchone()
    totals: dict[str, int] = {}
    for group in groups:
        if group and group[0].sequence > written:
            source = group[0].source
            totals[source] = totals.get(source, 0) + len(group)
    if not totals:
        return
    verdicts = _verdicts(event for event in exceptions if event.sequence > written)
    admitted = dict(totals)
    for (source, _, _), places in verdicts.items():
        admitted[source] -= len(places)
    rows: list[tuple[object, ...]] = [(name, ADMITTED, "", n, "[]") for name, n in admitted.items()]
    rows += [(*key, len(places), rows_json(places[: -SAMPLES - 1 : -1])) for key, places in verdicts.items()]
    connection.execute(SQL["count_admitted"], (rows_json(rows),))
    connection.execute(SQL["count_due"], (orjson.dumps(totals).decode(),))


def _verdicts(exceptions: Iterable[Event]) -> dict[tuple[str, str, str], list[tuple[int, int]]]:
    """The places of events by source, outcome and reason."""
    found: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
    for event in exceptions:
        key = (event.source, str(event.outcome), event.reason or "")
        found.setdefault(key, []).append((event.sequence, event.index))
    return found
