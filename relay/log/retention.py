"""Retention: whole segments go when all they hold is old, or the log is too big; nothing undelivered goes.

What refers to dropped records (verdicts, rulings, dead letters) goes with them.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable

import structlog

from relay import metrics
from relay.log.base import Log
from relay.log.config import LogConfig
from relay.log.state import SQL, State

log = structlog.get_logger()


class Retention:
    """Trims a log. `keep_from`: the first sequence that somebody still needs."""

    def __init__(self, config: LogConfig, records: Log, state: State, keep_from: Callable[[], int]) -> None:
        self.config = config
        self._log = records
        self._state = state
        self._keep_from = keep_from

    async def run(self, every_seconds: float) -> None:
        """Trim now, and again and again."""
        while True:
            try:
                await self.trim()
            except (sqlite3.Error, OSError) as error:
                log.error("retention failed, trying again", error=str(error))
            await asyncio.sleep(every_seconds)

    async def trim(self) -> None:
        """Drop what may go, once."""
        before = self._log.first
        first = await self._log.trim(
            older_than=int((time.time() - self.config.retention) * 1000),
            keep_from=await self._needed_from(),
            max_bytes=self.config.max_bytes,
        )
        metrics.LOG_HEAD.set(self._log.head)
        metrics.LOG_BYTES.set(self._log.size)
        if first > before:
            await self._state.write(lambda connection: _forget(connection, first))
            log.info("retention dropped segments", up_to_sequence=first - 1)

    async def _needed_from(self) -> int:
        if self.config.drop_undelivered:
            return self._log.head + 1
        (parked,) = await self._state.read(lambda c: c.execute(SQL["first_parked"]).fetchone())
        return min(self._keep_from(), self._log.head + 1 if parked is None else parked)


def _forget(connection: sqlite3.Connection, first: int) -> None:
    for name in ("drop_verdicts", "drop_rulings", "drop_dead_letters", "drop_parked"):
        connection.execute(SQL[name], (first,))
