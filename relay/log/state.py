"""The state database: cursors, verdicts, rulings, seen ids, parked events, dead letters, counts, OAuth tokens. Never a payload.

It is not synced on every commit: what the last commits before a power cut said is found again by reading the
log once more. Admission then decides the same again, and delivery repeats at most what it had not noted.
"""

import os
import sqlite3
import sys
import threading
import uuid
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import orjson

from relay.database import Connect, Database, connect_writer, migrate, named_queries, open_writer, transaction

T = TypeVar("T")
_NICE = 5  # a third of the usual share

SQL = named_queries("relay.log", "sql/queries.sql")
MIGRATIONS = files("relay.log").joinpath("sql/migrations")


class State:
    """The open state database of a data directory."""

    def __init__(self, database: Database, log_id: str) -> None:
        self.database = database
        self.log_id = log_id  # 8 hex digits; part of derived message ids, so that two data directories differ

    @classmethod
    async def open(cls, path: Path, connect: Connect = connect_writer) -> "State":
        """Open or create `path`, brought up to today's schema."""
        database = await open_writer(path, "NORMAL", connect)
        try:
            log_id = await database.run(lambda connection: _prepare(connection, path))
        except BaseException:
            await database.close()
            raise
        return cls(database, log_id)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` inside one transaction."""

        def in_transaction(connection: sqlite3.Connection) -> T:
            with transaction(connection):
                return work(connection)

        return await self.database.run(in_transaction)

    async def write_through(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """As `write`, and on the disk when it returns: for what cannot be found again from the log."""

        def synced(connection: sqlite3.Connection) -> T:
            connection.execute("PRAGMA synchronous = FULL")
            try:
                with transaction(connection):
                    return work(connection)
            finally:
                connection.execute("PRAGMA synchronous = NORMAL")

        return await self.database.run(synced)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work`, which only reads."""
        return await self.database.run(work)

    async def close(self) -> None:
        await self.database.close()


def _prepare(connection: sqlite3.Connection, path: Path) -> str:
    _give_way()
    migrate(connection, MIGRATIONS, path)
    row = connection.execute(SQL["identity"]).fetchone()
    if row is None:
        row = (uuid.uuid4().hex[:8],)
        connection.execute(SQL["set_identity"], row)
    log_id: str = row[0]
    return log_id


def _give_way() -> None:
    """Let this thread, the state database's, come after the others when the processor is short.

    It sorts seen ids now and then; on a single busy core that would hold up every answer meanwhile.
    """
    if sys.platform == "linux":  # where a priority belongs to a thread
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def rows_json(rows: Iterable[object]) -> str:
    """Rows as one JSON parameter for json_each: any number of rows in one step."""
    return orjson.dumps(list(rows)).decode()
