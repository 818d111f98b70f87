"""One segment: an SQLite file named by its first sequence, so that retention drops whole files.

The active segment is written by one connection; a sealed one is checkpointed, closed and only read. Bodies of
batches are compressed: what zstd costs is a tenth of what it saves in checksums and writes.
"""

import sqlite3
import sys
from collections.abc import Collection, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from relay.log.record import Record

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_COLUMNS = "sequence, received_at, source, route, client, ip, user_agent, sent_at, events, is_zstd, body"
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_MAX_ROWS = 128  # of one statement: 11 parameters each stay far under SQLite's limit
_WORTH_BYTES = 4096  # smaller bodies gain little, and cost more than writing them


def segment_path(folder: Path, first: int) -> Path:
    return folder / f"{first:020}.db"


def segment_files(folder: Path) -> list[int]:
    """First sequences of the segments in `folder`, in order."""
    return sorted(int(path.stem) for path in folder.glob("*.db") if path.stem.isdigit())


def prepare(connection: sqlite3.Connection) -> None:
    """Create the table of a new segment."""
    if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
        connection.executescript(files("relay.log").joinpath("sql/segment.sql").read_text())


@cache
def _insert(rows: int) -> str:
    return f"INSERT INTO requests ({_COLUMNS}) VALUES {', '.join([_ROW] * rows)}"  # noqa: S608  no input in it


def write(connection: sqlite3.Connection, records: Sequence[Record]) -> None:
    """Keep all the records or none, in one transaction: a single statement if they are few."""
    chunks = [records[i : i + _MAX_ROWS] for i in range(0, len(records), _MAX_ROWS)]
    if len(chunks) == 1:
        connection.execute(_insert(len(records)), _flat(records))
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for chunk in chunks:
            connection.execute(_insert(len(chunk)), _flat(chunk))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _flat(records: Sequence[Record]) -> list[object]:
    compressor = zstd.ZstdCompressor(level=1)
    flat: list[object] = []
    for r in records:
        is_zstd = len(r.body) >= _WORTH_BYTES
        flat += (
            r.sequence,
            r.received_at,
            r.source,
            r.route,
            r.client,
            r.ip,
            r.user_agent,
            r.sent_at,
            r.events,
            is_zstd,
            compressor.compress(r.body, compressor.FLUSH_FRAME) if is_zstd else r.body,
        )
    return flat


def last_of(connection: sqlite3.Connection) -> tuple[int, int] | None:
    """Sequence and received_at of the newest record, None for an empty segment."""
    row: tuple[int, int] | None = connection.execute(
        "SELECT sequence, received_at FROM requests ORDER BY sequence DESC LIMIT 1"
    ).fetchone()
    return row


def read_after(
    connection: sqlite3.Connection, after: int, upto: int, max_events: int, max_bytes: int
) -> list[Record]:
    """Records in (`after`, `upto`], in order, within both limits but at least one."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM requests WHERE sequence > ? AND sequence <= ? ORDER BY sequence",  # noqa: S608
        (after, upto),
    )
    records: list[Record] = []
    events = size = 0
    for row in rows:
        record = _record(row)
        events += record.events
        size += len(record.body)
        if records and (events > max_events or size > max_bytes):
            break
        records.append(record)
        if events >= max_events or size >= max_bytes:
            break
    rows.close()
    return records


def read_some(connection: sqlite3.Connection, sequences: Collection[int]) -> list[Record]:
    """The records of these sequences, in order."""
    marks = ", ".join("?" * len(sequences))
    return [
        _record(row)
        for row in connection.execute(
            f"SELECT {_COLUMNS} FROM requests WHERE sequence IN ({marks}) ORDER BY sequence",  # noqa: S608
            list(sequences),
        )
    ]


_Row = tuple[int, int, str, str, int, str | None, str | None, str | None, int, int, bytes]


def _record(row: _Row) -> Record:
    sequence, received_at, source, route, client, ip, user_agent, sent_at, events, is_zstd, stored = row
    body = zstd.decompress(stored) if is_zstd else stored
    return Record(received_at, source, route, bool(client), ip, user_agent, sent_at, events, body, sequence)
