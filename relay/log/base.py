"""The log's promise, whatever keeps it.

A record is acknowledged after it is durable, and then it is there until retention. Sequences start at 1 and
have no gaps. `sqlite` keeps the promise on disk, `memory` only while the process lives; both pass one test
suite.
"""

import asyncio
from collections.abc import Collection
from typing import Protocol

from relay.log.record import Record


class Log(Protocol):
    """An append-only log of accepted requests."""

    @property
    def head(self) -> int:
        """The newest durable sequence; 0 when nothing was ever kept."""

    @property
    def first(self) -> int:
        """The oldest sequence still kept (head + 1 when there is none)."""

    @property
    def size(self) -> int:
        """Bytes on disk or in memory, about."""

    def append(self, record: Record, *, is_own: bool = False) -> "asyncio.Future[int]":
        """The sequence, once durable. Raises LogUnavailable when it cannot be kept now.

        What is relay's own is taken past `max_bytes` too: retention waits for what it follows from.
        """

    async def read(self, after: int, max_events: int, max_bytes: int) -> list[Record]:
        """Durable records from `after` + 1 on, in order; at least one if there is one."""

    async def find(self, sequences: Collection[int]) -> list[Record]:
        """The records of these sequences that are still kept, in order."""

    async def wait(self, after: int) -> None:
        """Until `head` > `after`."""

    async def trim(self, *, older_than: int, keep_from: int, max_bytes: int | None) -> int:
        """Drop whole pieces that are older than `older_than` (ms), or that `max_bytes` has no room for.

        Nothing from sequence `keep_from` on is dropped. Returns the new `first`.
        """

    async def close(self) -> None:
        """Finish what is pending, then stop. May be called twice."""


class Waiters:
    """Those who wait for something to move on; all are woken at once."""

    def __init__(self) -> None:
        self._futures: list[asyncio.Future[None]] = []

    def wait(self) -> "asyncio.Future[None]":
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._futures.append(future)
        return future

    def wake(self) -> None:
        futures, self._futures = self._futures, []
        for future in futures:
            if not future.done():
                future.set_result(None)


def take_within(records: list[Record], max_events: int, max_bytes: int) -> list[Record]:
    """The leading records that fit both limits, and always the first."""
    events = size = 0
    for count, record in enumerate(records):
        events += record.events
        size += len(record.body)
        if count and (events > max_events or size > max_bytes):
            return records[:count]
    return records
