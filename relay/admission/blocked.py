"""Events that plans have blocked, in a file of their own: kept for 30 days whatever becomes of the log.

An event is here as it arrived. What is here goes nowhere by itself; once a plan is mended, its events can be
released (see `releasing`). Of a log with `max_bytes` a tenth is for these; the oldest go first.
"""

import sqlite3
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import orjson

from relay.body import decode
from relay.database import CHECKPOINT_PAGES, Database, connect_writer, named_queries, open_writer, transaction
from relay.event import Event, name_of
from relay.log.state import rows_json
from relay.plans.ruling import Ruling, described
from relay.times import format_iso

SQL = named_queries("relay.log", "sql/blocked.sql")

KEPT_MS = 30 * 86_400_000  # Segment: 30 days
SHARE_OF_LOG = 10  # a tenth of the log's max_bytes
FORGOTTEN_AT_ONCE = 1000

Data = dict[str, Any]


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which blocked events: all of it must hold, and what is None holds for all. Times in ms, of reception."""

    source: str | None = None
    event: str | None = None
    reason: str | None = None
    since: int = 0
    until: int = 2**62
    up_to: int = 2**62  # when they are released, none with an id after this
    ids: tuple[int, ...] | None = None

    @property
    def parameters(self) -> tuple[Any, ...]:
        return (self.source, self.event, self.reason, self.since, self.until)


class Blocked(NamedTuple):
    """One that may be released; `place` is where the log had it."""

    id: int
    place: tuple[int, int]
    source: str
    body: bytes


class Standing(NamedTuple):
    """What has become of one; `released_at` in ms."""

    id: int
    released_at: int | None


class BlockedEvents:
    """The open file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def open(cls, path: Path) -> "BlockedEvents":
        """Open or create `path`. Commits are synced: events here may be gone from the log."""
        database = await open_writer(path, "FULL", connect_writer, CHECKPOINT_PAGES)
        try:
            await database.run(_prepare)
        except BaseException:
            await database.close()
            raise
        return cls(database)

    async def close(self) -> None:
        await self._database.close()

    async def keep(self, events: Collection[tuple[Event, Ruling, int]]) -> None:
        """Take in events as they arrived, each with its ruling and when it was received; again is the same as once."""

        def work(connection: sqlite3.Connection) -> None:  # decodes there too, which takes long for many
            with transaction(connection):
                connection.executemany(SQL["keep"], map(_row, events))

        await self._database.run(work)

    async def newest(
        self, choice: Choice, *, before: int | None, limit: int, is_released_too: bool
    ) -> list[Data]:
        """The newest first, as JSON has them, ready for orjson."""
        parameters = (*choice.parameters, 2**62 if before is None else before, is_released_too, limit)
        rows = await self._database.run(lambda c: c.execute(SQL["newest"], parameters).fetchall())
        return [_shown(*row) for row in rows]

    async def grouped(self, choice: Choice, *, limit: int, is_released_too: bool) -> list[Data]:
        """How many there are of each source, event and reason, those blocked last first."""
        parameters = (*choice.parameters, is_released_too, limit)
        rows = await self._database.run(lambda c: c.execute(SQL["grouped"], parameters).fetchall())
        return [
            {
                "source": source,
                "type": kind,
                "event": event,
                "reason": reason,
                "count": count,
                "firstBlocked": format_iso(first),
                "lastBlocked": format_iso(last),
                "newestId": newest,
            }
            for source, kind, event, reason, count, first, last, newest in rows
        ]

    async def totals(self, since: int) -> dict[str, int]:
        """How many were blocked of each source since a moment, in ms; those that were released since count too."""
        rows = await self._database.run(lambda c: c.execute(SQL["totals"], (since,)).fetchall())
        return dict(rows)

    async def at(self, place: tuple[int, int], message_id: str) -> Standing | None:
        """The one that the log has at a place; None: it is kept here no more, or not yet."""
        parameters = (*place, message_id)
        row = await self._database.run(lambda c: c.execute(SQL["at"], parameters).fetchone())
        return None if row is None else Standing(*row)

    async def releasable(self, choice: Choice, after: int, limit: int) -> list[Blocked]:
        """Those that were not released yet, the oldest first, after an id."""
        ids = None if choice.ids is None else rows_json(choice.ids)
        parameters = (*choice.parameters, after, ids, limit, choice.up_to)
        rows = await self._database.run(lambda c: c.execute(SQL["releasable"], parameters).fetchall())
        return [
            Blocked(number, (sequence, place), source, body.encode())
            for number, sequence, place, source, body in rows
        ]

    async def set_released(self, ids: Collection[int], at: int) -> None:
        """These are in the log again."""
        parameters = (at, rows_json(ids))
        await self._database.run(lambda c: c.execute(SQL["set_released"], parameters))

    async def trim(self, now: int, max_bytes: int | None) -> None:
        """Forget what is too old, and the oldest when there is too much."""
        room = None if max_bytes is None else max_bytes // SHARE_OF_LOG

        def work(connection: sqlite3.Connection) -> bool:
            with transaction(connection):
                old = connection.execute(SQL["forget_old"], (now - KEPT_MS, FORGOTTEN_AT_ONCE)).rowcount
                if room is not None and _used(connection) > room:
                    old += connection.execute(SQL["forget_oldest"], (FORGOTTEN_AT_ONCE,)).rowcount
            return old >= FORGOTTEN_AT_ONCE

        while await self._database.run(work):
            pass


def _prepare(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
        connection.executescript(f"BEGIN IMMEDIATE;\n{SQL['create']};\nPRAGMA user_version = 1;\nCOMMIT;")


def _row(kept: tuple[Event, Ruling, int]) -> tuple[Any, ...]:
    event, ruling, received_at = kept
    return (
        event.sequence,
        event.index,
        event.source,
        event.data["type"],
        name_of(event.data),
        event.message_id,
        ruling.blocked,
        rows_json(ruling.violations),
        received_at,
        event.json.decode(),
    )


def _used(connection: sqlite3.Connection) -> int:
    """Bytes of pages that hold something."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _shown(
    number: int,
    source: str,
    kind: str,
    event: str,
    message_id: str,
    reason: str,
    violations: str,
    blocked_at: int,
    released_at: int | None,
    body: str,
) -> Data:
    return {
        "id": number,
        "source": source,
        "type": kind,
        "event": event,
        "messageId": message_id,
        "reason": reason,
        "violations": described(decode(violations.encode())),
        "blockedAt": format_iso(blocked_at),
        "releasedAt": None if released_at is None else format_iso(released_at),
        "payload": orjson.Fragment(
            body
        ),  # as it is: what is nested very deep can be read, and not be written again
    }
