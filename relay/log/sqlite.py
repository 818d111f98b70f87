"""The log on disk: SQLite segments, group commit, recovery without restart.

All records that wait at a moment go into one transaction and one fsync; the next group forms meanwhile. A
commit that fails is answered to everyone in it; the segment is then closed, and before the next attempt
reopened and read again: whether the failed group survived is for the disk to say, so the sequence goes on
from what is there. Never a second write on a file whose fsync failed: the next group opens a new segment.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Collection, Coroutine
from pathlib import Path
from typing import Any

import structlog

from relay import metrics
from relay.database import Connect, Database, connect_writer, open_writer
from relay.errors import LogUnavailable
from relay.log import segment
from relay.log.base import Waiters
from relay.log.record import Record
from relay.log.segments import Segments
from relay.log.tail import Tail

GROUP_BYTES = 8_000_000  # of one transaction
PENDING_BYTES = 64_000_000  # beyond this nothing more waits: the disk has fallen too far behind
SEGMENT_BYTES = 128_000_000
SEGMENTS_OF_MAX = 8  # with max_bytes a segment is an eighth of it, so that there is something to drop
SEGMENT_AGE = 86_400_000  # ms: a quiet log is cut once a day, so that retention can drop its pieces
RETRY_SECONDS = 1.0  # between attempts while the disk refuses
BUSY_GROUP = 4  # records: from here on the log counts as busy
GAP_SECONDS = 0.004  # between commits of a busy log: larger groups cost less than they delay

log = structlog.get_logger()


class SqliteLog:
    """A log in a folder of segments. Open with `await SqliteLog.open(...)`."""

    def __init__(self, folder: Path, synchronous: str, clock: Callable[[], float], connect: Connect) -> None:
        self._segments = Segments(folder)
        self._synchronous = synchronous
        self._clock = clock
        self._connect = connect
        self._active: Database | None = None
        self._active_bytes = 0
        self._active_since = 0
        self._segment_bytes = SEGMENT_BYTES
        self._is_due = False  # the next group begins a new segment
        self._head = 0
        self.appended_bytes = 0  # in this process, of bodies
        self._tail = Tail()
        self._pending: list[Record] = []
        self._futures: list[asyncio.Future[int]] = []
        self._pending_bytes = 0
        self._wake = asyncio.Event()
        self._waiters = Waiters()
        self._closing = False
        self._is_full = False
        self._failed_at: float | None = None
        self._reason = ""
        self._task: asyncio.Task[None] | None = None
        self._sealing: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def open(
        cls,
        folder: Path,
        *,
        durability: str = "full",
        not_before: int = 0,
        clock: Callable[[], float] = time.time,
        connect: Connect = connect_writer,
    ) -> "SqliteLog":
        """Open or create the log in `folder`. `clock` gives seconds since 1970.

        `not_before`: a sequence that was given once, though a power cut may have taken it back; the log goes on
        after it, since consumers have passed it.
        """
        folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240  at start, nobody waits
        self = cls(folder, "FULL" if durability == "full" else "NORMAL", clock, connect)
        try:
            await self._open_active()
            if self._head < not_before:
                await self._go_on_after(not_before)
        except BaseException:
            await self._close_active()
            raise
        self._checkpoint_sealed()
        self._task = asyncio.create_task(self._commit_groups(), name="log")
        return self

    @property
    def head(self) -> int:
        return self._head

    @property
    def first(self) -> int:
        return self._segments.first

    @property
    def size(self) -> int:
        return self._segments.sealed_bytes + self._active_bytes

    @property
    def _is_troubled(self) -> bool:
        return self._closing or self._is_full or self._failed_at is not None

    @property
    def problem(self) -> str | None:
        """What keeps the log from keeping anything now, None when all is well."""
        if self._failed_at is not None:
            return self._reason
        return "the log has reached max_bytes" if self._is_full else None

    def append(self, record: Record, *, is_own: bool = False) -> "asyncio.Future[int]":
        if self._is_troubled or self._pending_bytes > PENDING_BYTES:
            self._refuse(is_own=is_own)
        future: asyncio.Future[int] = self._loop.create_future()
        if not self._pending:
            self._wake.set()
        self._pending.append(record)
        self._futures.append(future)
        self._pending_bytes += len(record.body)
        return future

    def _refuse(self, *, is_own: bool) -> None:
        """Raise what keeps a record from being taken, if it still does."""
        if self._closing:
            raise LogUnavailable("relay is shutting down", 5)
        if self._is_full and not is_own:
            raise LogUnavailable("the log has reached max_bytes", 10)
        if self._failed_at is not None and self._clock() - self._failed_at < RETRY_SECONDS:
            raise LogUnavailable(self._reason)
        if self._pending_bytes > PENDING_BYTES:
            raise LogUnavailable("the disk is too slow for what comes in")

    async def read(self, after: int, max_events: int, max_bytes: int) -> list[Record]:
        if after >= self._head:
            return []
        near = self._tail.read(after, max_events, max_bytes)
        if near is not None:
            return near
        return await self._segments.read(after, self._head, max_events, max_bytes)

    async def find(self, sequences: Collection[int]) -> list[Record]:
        return await self._segments.find([s for s in sequences if self.first <= s <= self._head])

    async def wait(self, after: int) -> None:
        while self._head <= after:
            await self._waiters.wait()

    async def trim(self, *, older_than: int, keep_from: int, max_bytes: int | None) -> int:
        if self._active_since and self._active_since < max(older_than, self._now() - SEGMENT_AGE):
            self._is_due = True
        if max_bytes is not None:
            self._segment_bytes = min(SEGMENT_BYTES, max_bytes // SEGMENTS_OF_MAX)
        room = None if max_bytes is None else max(max_bytes - self._active_bytes, 0)
        await self._segments.trim(older_than=older_than, keep_from=keep_from, max_bytes=room)
        self._is_full = max_bytes is not None and self.size > max_bytes
        return self.first

    async def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await self._task
        await self._close_active()
        await self._segments.close()
        if self._sealing:
            await asyncio.wait(self._sealing)

    def _now(self) -> int:
        return int(self._clock() * 1000)

    async def _commit_groups(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending:
                records, futures = self._take_group()
                await self._commit(records, futures)
                if len(records) >= BUSY_GROUP and not self._closing:
                    await asyncio.sleep(GAP_SECONDS)
            if self._closing:
                return

    def _take_group(self) -> tuple[list[Record], list["asyncio.Future[int]"]]:
        size = count = 0
        for record in self._pending:
            size += len(record.body)
            if count and size > GROUP_BYTES:
                size -= len(record.body)
                break
            count += 1
        records, self._pending = self._pending[:count], self._pending[count:]
        futures, self._futures = self._futures[:count], self._futures[count:]
        self._pending_bytes -= size
        return records, futures

    async def _commit(self, records: list[Record], futures: list["asyncio.Future[int]"]) -> None:
        try:
            await self._write(records)
        except Exception as error:  # noqa: BLE001  whatever it was, those who wait must hear of it
            await self._fail(error)
            for future in futures:
                if not future.done():
                    future.set_exception(LogUnavailable(self._reason))
            return
        self._recovered()
        self._head = records[-1].sequence
        self._tail.extend(records)
        metrics.LOG_COMMITS.inc()
        metrics.LOG_REQUESTS.inc(len(records))
        for record, future in zip(records, futures, strict=True):
            if not future.done():
                future.set_result(record.sequence)
        self._waiters.wake()

    async def _write(self, records: list[Record]) -> None:
        if self._active is not None and (self._is_due or self._active_bytes >= self._segment_bytes):
            self._seal_active()
            await self._open_segment(self._head + 1)
            self._segments.found(segment.segment_files(self._segments.folder))
        elif self._active is None:
            await self._open_active(fresh=True)
        assert self._active is not None
        for place, record in enumerate(records, self._head + 1):
            record.sequence = place
        await self._active.run(lambda connection: segment.write(connection, records))
        size = sum([len(r.body) for r in records])
        self.appended_bytes += size
        self._active_bytes += size + 100 * len(records)
        self._active_since = self._active_since or records[0].received_at

    async def _open_active(self, *, fresh: bool = False) -> None:
        """Open the newest segment and learn the head from it; with `fresh`, go on in a new segment."""
        await self._close_active()
        files = segment.segment_files(self._segments.folder)
        first = files[-1] if files else 1
        last = await self._open_segment(first)
        if fresh:
            if last is None:
                await self._close_active()
                self._segments.remove_files(first)
            else:
                self._seal_active()
            first = first if last is None else last + 1
            last = await self._open_segment(first)
        head = first - 1 if last is None else last
        self._segments.found(segment.segment_files(self._segments.folder))
        if head > self._head:
            # a group whose commit failed is on disk after all
            self._tail.clear()
            self._head = head
            self._waiters.wake()

    async def _go_on_after(self, sequence: int) -> None:
        await self._close_active()
        self._head = sequence
        await self._open_segment(sequence + 1)
        self._segments.found(segment.segment_files(self._segments.folder))

    def _checkpoint_sealed(self) -> None:
        """Finish what a crash interrupted: sealed segments that still have a WAL."""
        for first in segment.segment_files(self._segments.folder)[:-1]:
            path = segment.segment_path(self._segments.folder, first)
            if path.with_name(path.name + "-wal").exists():
                self._do_aside(_checkpoint(path, self._synchronous, self._connect))

    async def _open_segment(self, first: int) -> int | None:
        path = segment.segment_path(self._segments.folder, first)
        await self._segments.forget(first)
        self._active = await open_writer(path, self._synchronous, self._connect)
        await self._active.run(segment.prepare)
        last = await self._active.run(segment.last_of)
        self._is_due = False
        self._active_bytes = path.stat().st_size if last else 0
        self._active_since = 0 if last is None else last[1]
        return None if last is None else last[0]

    async def _close_active(self) -> None:
        if self._active is not None:
            active, self._active = self._active, None
            await _close(active)

    def _seal_active(self) -> None:
        """Close the active segment aside: closing copies its WAL into the file."""
        assert self._active is not None
        self._do_aside(_close(self._active))
        self._active = None

    def _do_aside(self, work: Coroutine[Any, Any, None]) -> None:
        """What no answer waits for; `close` does."""
        task = asyncio.create_task(work, name="seal")
        self._sealing.add(task)
        task.add_done_callback(self._sealing.discard)

    async def _fail(self, error: Exception) -> None:
        if self._failed_at is None:
            log.error("the log cannot be written, answering 503 until it can", error=str(error))
        self._failed_at = self._clock()
        self._reason = f"the log cannot be written: {error}"
        metrics.LOG_FAILURES.inc()
        await self._close_active()

    def _recovered(self) -> None:
        if self._failed_at is not None:
            log.warning("the log can be written again")
            self._failed_at = None


async def _close(active: Database) -> None:
    try:
        await active.close()
    except sqlite3.Error as error:
        log.warning("closing a segment failed, nothing is lost", error=str(error))


async def _checkpoint(path: Path, synchronous: str, connect: Connect) -> None:
    try:
        await (await open_writer(path, synchronous, connect)).close()
    except sqlite3.Error as error:
        log.warning("a sealed segment could not be checkpointed, nothing is lost", error=str(error))
