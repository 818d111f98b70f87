"""All segments of a log but for writing: which there are, reading them, dropping the old ones."""

import asyncio
from collections.abc import Collection
from functools import partial
from pathlib import Path

from relay.database import Database, open_reader
from relay.log import segment
from relay.log.record import Record
from relay.log.tail import segment_of

_MAX_OPEN = 4  # read connections; consumers that lag are rarely in more places


class Segments:
    """The files of a log's folder. The last one is the active segment: it is read, never dropped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sealed_bytes = 0
        self._firsts: list[int] = []
        self._sizes: dict[int, int] = {}
        self._newest: dict[int, int] = {}
        self._readers: dict[int, Database] = {}
        self._opening = asyncio.Lock()

    @property
    def first(self) -> int:
        """The oldest sequence that has a file."""
        return self._firsts[0] if self._firsts else 1

    def found(self, firsts: list[int]) -> None:
        """These are the segments now, the last one active."""
        self._firsts = firsts
        self._sizes = {f: segment.segment_path(self.folder, f).stat().st_size for f in firsts[:-1]}
        self.sealed_bytes = sum(self._sizes.values())

    async def read(self, after: int, head: int, max_events: int, max_bytes: int) -> list[Record]:
        """Records in (`after`, `head`] from one segment, the first that has any."""
        first = segment_of(self._firsts, after + 1)
        for candidate in self._firsts if first is None else self._firsts[self._firsts.index(first) :]:
            reader = await self._reader(candidate)
            records = await reader.run(
                partial(
                    segment.read_after, after=after, upto=head, max_events=max_events, max_bytes=max_bytes
                )
            )
            if records:
                return records
        return []

    async def find(self, sequences: Collection[int]) -> list[Record]:
        by_segment: dict[int, list[int]] = {}
        for sequence in sorted(set(sequences)):
            first = segment_of(self._firsts, sequence)
            if first is not None:
                by_segment.setdefault(first, []).append(sequence)
        found: list[Record] = []
        for first, wanted in by_segment.items():
            reader = await self._reader(first)
            found += await reader.run(partial(segment.read_some, sequences=wanted))
        return found

    async def trim(self, *, older_than: int, keep_from: int, max_bytes: int | None) -> None:
        """Drop sealed segments from the old end, as long as all they hold is before `keep_from`."""
        while len(self._firsts) > 1 and self._firsts[1] <= keep_from:
            first = self._firsts[0]
            is_too_much = max_bytes is not None and self.sealed_bytes > max_bytes
            if not is_too_much and await self._newest_of(first) >= older_than:
                return
            await self._drop(first)

    async def forget(self, first: int) -> None:
        """Close the read connection to a segment, if there is one."""
        reader = self._readers.pop(first, None)
        if reader is not None:
            await reader.close()

    async def close(self) -> None:
        for first in list(self._readers):
            await self.forget(first)

    async def _reader(self, first: int) -> Database:
        async with self._opening:  # of many who lag in one place, the first opens it for all
            reader = self._readers.pop(first, None)
            if reader is None:
                while len(self._readers) >= _MAX_OPEN:
                    await self.forget(next(iter(self._readers)))
                reader = await open_reader(segment.segment_path(self.folder, first))
            self._readers[first] = reader  # last in, last out
            return reader

    async def _newest_of(self, first: int) -> int:
        if first not in self._newest:
            last = await (await self._reader(first)).run(segment.last_of)
            self._newest[first] = 0 if last is None else last[1]
        return self._newest[first]

    async def _drop(self, first: int) -> None:
        await self.forget(first)
        self.remove_files(first)
        self._firsts.remove(first)
        self.sealed_bytes -= self._sizes.pop(first, 0)
        self._newest.pop(first, None)

    def remove_files(self, first: int) -> None:
        """Take a segment off the disk."""
        path = segment.segment_path(self.folder, first)
        for suffix in ("-wal", "-shm", ""):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
