"""A disk that does as it is told: SQLite connections whose statements fail, and copies as kill -9 leaves them.

A fault hits statements by their first word, either before SQLite has seen them, or after: then what was written is
on disk though its writer is told otherwise. Statements, closings and copies take turns, so that a copy is what
a process leaves that is killed at that moment.
"""

import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

IO_ERROR = "disk I/O error"
FULL = "database or disk is full"
Moment = Literal["before", "after"]


class Disk:
    """Give `connect` to whoever writes, then `break_down` and `heal`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.words: frozenset[str] = frozenset()
        self.moment: Moment = "before"
        self.error = IO_ERROR
        self.remaining = 0
        self.refused = 0  # statements
        self.writers: dict[Path, int] = {}  # open connections of each file
        self.most_writers = 0  # of one file at a time
        self.at_statement: Callable[[str], None] | None = None  # called before each

    def break_down(
        self, *words: str, moment: Moment = "before", error: str = IO_ERROR, times: int = 1_000_000
    ) -> None:
        """From now on the next `times` statements that begin with one of `words` fail (`CONNECT`: opening)."""
        self.words, self.moment, self.error, self.remaining = frozenset(words), moment, error, times

    def heal(self) -> None:
        self.remaining = 0

    def connect(self, path: Path, synchronous: str, *checkpoint_pages: int) -> sqlite3.Connection:
        """As `relay.database.connect_writer`, on this disk."""
        self.check("CONNECT", "before")
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=_Connection)
        connection.disk, connection.path = self, path
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {(*checkpoint_pages, 250)[0]}")
        except BaseException:
            connection.close()
            raise
        return connection

    def check(self, statement: str, moment: Moment) -> None:
        """Raise when it is time to."""
        word = statement.lstrip().split(maxsplit=1)[0].upper()
        if self.remaining > 0 and moment == self.moment and word in self.words:
            self.remaining -= 1
            self.refused += 1
            raise sqlite3.OperationalError(self.error)

    def opened(self, path: Path) -> None:
        with self.lock:
            self.writers[path] = self.writers.get(path, 0) + 1
            self.most_writers = max(self.most_writers, self.writers[path])

    def copy(self, source: Path, target: Path) -> None:
        """The files as they are now, as if the process had been killed."""
        with self.lock:
            shutil.copytree(source, target)


class _Connection(sqlite3.Connection):
    disk: Disk
    path: Path
    is_open = False

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if not self.is_open:
            self.is_open = True
            self.disk.opened(self.path)
        with self.disk.lock:
            if self.disk.at_statement is not None:
                self.disk.at_statement(sql)
            self.disk.check(sql, "before")
            cursor = super().execute(sql, parameters)
            try:
                self.disk.check(sql, "after")
            except sqlite3.OperationalError:
                cursor.close()  # SQLite's own failures leave none open, whose lock would outlive the connection
                raise
            return cursor

    def executescript(self, sql: str, /) -> sqlite3.Cursor:
        with self.disk.lock:
            self.disk.check("SCRIPT", "before")
            cursor = super().executescript(sql)
            self.disk.check("SCRIPT", "after")
            return cursor

    def close(self) -> None:
        with self.disk.lock:
            super().close()
            if self.is_open:
                self.is_open = False
                self.disk.writers[self.path] -= 1
