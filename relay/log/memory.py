"""A log that lives as long as its process: for tests, and for trying relay without a disk."""

import asyncio
from collections.abc import Collection

from relay.errors import LogUnavailable
from relay.log.base import Waiters, take_within
from relay.log.record import Record


class MemoryLog:
    """Keeps records in a list. Retention drops from the front, record by record."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._dropped = 0
        self._size = 0
        self._waiters = Waiters()
        self._is_closed = False

    @property
    def head(self) -> int:
        return self._dropped + len(self._records)

    @property
    def first(self) -> int:
        return self._dropped + 1

    @property
    def size(self) -> int:
        return self._size

    def append(self, record: Record, *, is_own: bool = False) -> "asyncio.Future[int]":  # noqa: ARG002  this log is never full
        if self._is_closed:
            raise LogUnavailable("relay is shutting down")
        record.sequence = self.head + 1
        self._records.append(record)
        self._size += len(record.body)
        self._waiters.wake()
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        future.set_result(record.sequence)
        return future

    async def read(self, after: int, max_events: int, max_bytes: int) -> list[Record]:
        start = max(after - self._dropped, 0)
        return take_within(self._records[start : start + max_events], max_events, max_bytes)

    async def find(self, sequences: Collection[int]) -> list[Record]:
        wanted = sorted(s for s in set(sequences) if self.first <= s <= self.head)
        return [self._records[s - self.first] for s in wanted]

    async def wait(self, after: int) -> None:
        while self.head <= after:
            await self._waiters.wait()

    async def trim(self, *, older_than: int, keep_from: int, max_bytes: int | None) -> int:
        def may_go() -> bool:
            return bool(self._records) and self.first < keep_from and self._must_go(older_than, max_bytes)

        while may_go():
            self._size -= len(self._records.pop(0).body)
            self._dropped += 1
        return self.first

    def _must_go(self, older_than: int, max_bytes: int | None) -> bool:
        return self._records[0].received_at < older_than or (max_bytes is not None and self._size > max_bytes)

    async def close(self) -> None:
        self._is_closed = True
