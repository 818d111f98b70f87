"""SQLite files through aiosqlite, a whole transaction in one hop to the connection's thread.

One connection writes a file and checkpoints it; readers are read-only and never checkpoint, because
SQLite before 3.51.3 can corrupt a WAL when two connections checkpoint and write at once.

Inside a transaction every statement is one step (rows in bulk go in as one parameter): between steps the
thread must get the interpreter lock back, and under load that wait is longer than the step itself.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Self, TypeVar

import aiosqlite

from relay.errors import DataDirectoryError

T = TypeVar("T")
Connect = Callable[[Path, str, int], sqlite3.Connection]

_CACHE_KB = 4096
_PAGE_BYTES = 16_384  # four times SQLite's own: as many fewer system calls for a log that only grows
CHECKPOINT_PAGES = 250  # of the WAL: 4 MB. Seldom and large holds every commit up for longer


class Database(aiosqlite.Connection):
    """An aiosqlite connection that also runs a function of many statements in one hop."""

    @classmethod
    async def open(cls, connect: Callable[[], sqlite3.Connection]) -> Self:
        """Connect on a thread of its own."""
        database = cls(connect, 64)
        await database
        return database

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns, given the connection, on its own thread."""
        result: T = await self._execute(work, self._conn)  # type: ignore[no-untyped-call]
        return result


def connect_writer(
    path: Path, synchronous: str, checkpoint_pages: int = CHECKPOINT_PAGES
) -> sqlite3.Connection:
    """The one connection that writes `path`. `synchronous`: FULL syncs every commit, NORMAL checkpoints.

    `checkpoint_pages`: how long the WAL may get before a commit has to copy it into the file.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=600)
    try:
        connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {checkpoint_pages}")
    except BaseException:
        connection.close()
        raise
    return connection


async def open_writer(
    path: Path, synchronous: str, connect: Connect = connect_writer, checkpoint_pages: int = CHECKPOINT_PAGES
) -> Database:
    return await Database.open(lambda: connect(path, synchronous, checkpoint_pages))


async def open_reader(path: Path) -> Database:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)

    return await Database.open(connect)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything inside, or nothing."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def named_queries(package: str, name: str) -> dict[str, str]:
    """The statements of an .sql file, by the `-- name:` line above each."""
    text = files(package).joinpath(name).read_text()
    parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    return {key: body.strip().rstrip(";") for key, body in zip(parts[1::2], parts[2::2], strict=True)}


def migrations(folder: Traversable) -> list[str]:
    """The numbered .sql files of a folder, in order; the n-th leads to version n."""
    scripts = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [script.read_text() for script in scripts]


def migrate(connection: sqlite3.Connection, folder: Traversable, path: Path) -> None:
    """Bring a file up to today's schema, one transaction a step. A newer file is refused untouched."""
    scripts = migrations(folder)
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(scripts):
        raise DataDirectoryError(
            f"{path} was written by a newer relay (schema {version}, this one knows {len(scripts)}): "
            "start that version, or restore a backup made before the upgrade"
        )
    for number, script in enumerate(scripts[version:], version + 1):
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")


def row_to_dict(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> dict[str, Any]:
    """A row factory: column names to values."""
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}
