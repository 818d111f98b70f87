"""Which message ids were seen: exact, on disk, in bounded memory.

An id is hashed, with its source, to 128 bits. A Bloom filter in memory answers for the fresh ones, and so
for nearly all, without a look at the disk. What it cannot exclude is looked up: in a set of the newest ids,
then in sorted slices on disk. The filter may say "perhaps" for nothing; it never says "fresh" of a seen id.

On disk an id is first part of an appended row, written in the transaction that moves admission's cursor; a
full set is then sorted into a slice in one sweep. A plain B-tree of ids was tried: every random insert dirties a
page of its own, 15 to 25 µs an id where this takes 3, and it grows with the day.

Generations are a day long. The current and the last one are kept, so an id is remembered for 24 to 48
hours. A filter has room for 30 million ids a day at 2 % of needless look-ups; more ids only mean more look-ups.
"""

import sqlite3
from collections.abc import Callable, Sequence
from hashlib import blake2b
from mmap import mmap
from pathlib import Path
from struct import Struct
from struct import error as StructError  # noqa: N812

import structlog

from relay.database import named_queries

log = structlog.get_logger()

SQL = named_queries("relay.log", "sql/seen.sql")
GENERATION_MS = 86_400_000
SLICE_IDS = 32_768  # sorted into a slice in about 25 ms, for which admission waits
SAVE_EVERY = 16  # slices: what a saved filter lacks is read from them at start, in less than half a second
FILTER_BITS = 28  # 2**28 bits are 32 MB
ID_BYTES = 16

_WORDS = Struct("<2I8x").unpack
_HEADER = Struct("<8sII")  # magic, filter bits, newest slice in the filter
_MAGIC = b"relayBF1"


def digest(source: str, message_id: str) -> bytes:
    """16 bytes for an id of a source."""
    return blake2b(f"{source}\0{message_id}".encode(), digest_size=ID_BYTES).digest()


class BloomFilter:
    """A set that may claim to hold what it does not, and never denies what it holds.

    All bits of a key are in one block of 64 bytes, a line of the processor's cache: a key costs one look into main
    memory. The memory is mapped: pages that no id has touched take none.
    """

    def __init__(self, bits: int = FILTER_BITS) -> None:
        self.bits = bits
        self.bytes = mmap(-1, 1 << (bits - 3))
        self._mask = (1 << (bits - 9)) - 1  # of the blocks of 512 bits

    def add(self, key: bytes) -> bool:
        """Take `key` in. True when it may have been there before."""
        store = self.bytes
        block, bits = _WORDS(key)
        word = bits & 511, (bits >> 9) & 511, (bits >> 18) & 511
        block = (block & self._mask) << 6
        was_there = True
        for bit in word:
            place = block + (bit >> 3)
            byte = store[place]
            if not byte & (1 << (bit & 7)):
                store[place] = byte | 1 << (bit & 7)
                was_there = False
        return was_there

    def __contains__(self, key: bytes) -> bool:
        store = self.bytes
        block, bits = _WORDS(key)
        block = (block & self._mask) << 6
        for bit in (bits & 511, (bits >> 9) & 511, (bits >> 18) & 511):
            if not store[block + (bit >> 3)] & (1 << (bit & 7)):
                return False
        return True

    def save(self, path: Path, newest_slice: int) -> None:
        """Write to `path`; bits that are set meanwhile do no harm."""
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            file.write(_HEADER.pack(_MAGIC, self.bits, newest_slice))
            file.write(self.bytes)
        part.replace(path)

    def load(self, path: Path) -> int:
        """Read back from `path`. Returns the newest slice it covers, 0 when there is nothing usable."""
        try:
            with path.open("rb") as file:
                magic, bits, newest_slice = _HEADER.unpack(file.read(_HEADER.size))
                content = file.read()
        except (OSError, StructError):
            return 0
        if magic != _MAGIC or bits != self.bits or len(content) != len(self.bytes):
            return 0
        self.bytes[:] = content
        return int(newest_slice)


class Seen:
    """The index. Its state changes in two steps: `record` inside the transaction, `remember` after it."""

    def __init__(self, folder: Path, *, slice_ids: int = SLICE_IDS, filter_bits: int = FILTER_BITS) -> None:
        self._folder = folder
        self._slice_ids = slice_ids
        self._filter_bits = filter_bits
        self._recent: set[bytes] = set()
        self._filters: dict[int, BloomFilter] = {}  # by generation: the newest, and the last if it had ids
        self._newest = BloomFilter(filter_bits)
        self._last: BloomFilter | None = None
        self._current = self._recent_generation = -1  # until `load`
        self.has_old = False

    def load(self, connection: sqlite3.Connection, now_ms: int) -> None:
        """Read back what memory held. `now_ms` decides which generations still count."""
        slices: list[tuple[int, int]] = connection.execute(SQL["slices"]).fetchall()
        # a clock that was set back over midnight must not hide what came after it
        generation = max([now_ms // GENERATION_MS, *(of for _, of in slices)])
        if any(of == generation - 1 for _, of in slices):
            self._filters[generation - 1] = BloomFilter(self._filter_bits)
        self._begin_generation(generation)
        for generation, bloom in self._filters.items():
            covered = bloom.load(self._path(generation))
            for number, of in slices:
                if of == generation and number > covered:
                    self._add_slice(connection, number, bloom)
        for (ids,) in connection.execute(SQL["recent"]):
            self.remember([ids[i : i + ID_BYTES] for i in range(0, len(ids), ID_BYTES)])
        self._add_recent()

    def _add_slice(self, connection: sqlite3.Connection, number: int, bloom: BloomFilter) -> None:
        (text,) = connection.execute(SQL["ids_of_slice"], (number,)).fetchone()
        ids = bytes.fromhex(text or "")
        for i in range(0, len(ids), ID_BYTES):
            bloom.add(ids[i : i + ID_BYTES])

    def advance(self, now_ms: int) -> None:
        """Begin a new generation when its day has come."""
        generation = now_ms // GENERATION_MS
        if generation > self._current:
            if generation - self._recent_generation > 1:
                self._recent.clear()  # all of them are older than a day; the next sort clears the disk
            self._begin_generation(generation)
            # the newest ids will go into a slice of this generation, so its filter must know them
            self._add_recent()

    def _add_recent(self) -> None:
        add = self._newest.add
        for key in self._recent:
            add(key)

    def _begin_generation(self, generation: int) -> None:
        self._current = generation
        self.has_old = True  # perhaps: `forget_some` finds out
        # an id is added to the newest filter only, but looked for in both
        self._last = self._filters.get(generation - 1)
        self._newest = BloomFilter(self._filter_bits)
        self._filters = {generation: self._newest}
        if self._last is not None:
            self._filters[generation - 1] = self._last
        for stale in self._folder.glob("seen-*.bloom"):
            if stale != self._path(generation) and stale != self._path(generation - 1):
                stale.unlink(missing_ok=True)

    def is_recent(self, key: bytes) -> bool:
        """Surely seen: among the newest ids."""
        return key in self._recent

    def may_be_known(self, key: bytes) -> bool:
        """False: surely fresh. True: ask `find`. Takes the key into the filter at once: a bit too many is harmless."""
        return self._newest.add(key) or (self._last is not None and key in self._last)

    def find(self, connection: sqlite3.Connection, keys: Sequence[bytes]) -> set[bytes]:
        """Those of `keys` that stand in a slice on disk."""
        rows = connection.execute(SQL["find_seen"], (b"".join(keys), len(keys)))
        return {keys[n] for (n,) in rows.fetchall()}

    def record(self, connection: sqlite3.Connection, keys: Sequence[bytes]) -> None:
        """Write fresh keys, inside the transaction that moves the cursor."""
        if keys:
            connection.execute(SQL["add_recent"], (b"".join(keys),))

    def remember(self, keys: Sequence[bytes]) -> None:
        """Take recorded keys, which passed `may_be_known`, into memory."""
        self._recent.update(keys)
        self._recent_generation = self._current

    @property
    def is_full(self) -> bool:
        """True when the newest ids should be sorted into a slice."""
        return len(self._recent) >= self._slice_ids

    def sort(self, connection: sqlite3.Connection) -> Callable[[], None]:
        """Sort the recorded ids into a slice, inside a transaction. Returns what to do after it."""
        if not self._recent:
            return lambda: None
        number = connection.execute(SQL["last_slice"]).fetchone()[0] + 1
        connection.execute(SQL["add_slice"], (number, self._current))
        ids = sorted(self._recent)
        connection.execute(SQL["fill_slice"], (number, b"".join(ids), len(ids)))
        connection.execute(SQL["clear_recent"])
        generation, bloom = self._current, self._newest

        def after() -> None:
            self._recent.clear()
            if number % SAVE_EVERY == 0:
                self._save(bloom, generation, number)

        return after

    def _save(self, bloom: BloomFilter, generation: int, number: int) -> None:
        try:
            bloom.save(self._path(generation), number)
        except OSError as error:
            log.warning("a filter was not saved, the next start takes longer", error=error.strerror)

    def forget_some(self, connection: sqlite3.Connection) -> None:
        """Delete a bounded piece of what is too old. `has_old` says whether there is more."""
        row = connection.execute(SQL["old_slice"], (self._current - 1,)).fetchone()
        self.has_old = row is not None
        if row is None:
            return
        connection.execute(SQL["shrink_slice"], row)
        if connection.execute(SQL["is_empty_slice"], row).fetchone()[0]:
            connection.execute(SQL["drop_slice"], row)

    def _path(self, generation: int) -> Path:
        return self._folder / f"seen-{generation}.bloom"
