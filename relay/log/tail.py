"""The newest records, still in memory: who reads near the head never touches the disk."""

from bisect import bisect_right

from relay.log.base import take_within
from relay.log.record import Record

MAX_BYTES = 2_000_000  # of bodies, and up to twice that


class Tail:
    """A bounded run of consecutive records, dropped from the old end."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._records: list[Record] = []
        self._bytes = 0
        self._max_bytes = max_bytes

    def extend(self, records: list[Record]) -> None:
        if self._records and records and records[0].sequence != self._records[-1].sequence + 1:
            self.clear()
        self._records += records
        self._bytes += sum([len(r.body) for r in records])
        if self._bytes > 2 * self._max_bytes:
            self._shorten()

    def _shorten(self) -> None:
        """Down to `max_bytes`: now and then, so that the rest of the list is rarely moved."""
        stale = 0
        while self._bytes > self._max_bytes and stale < len(self._records) - 1:
            self._bytes -= len(self._records[stale].body)
            stale += 1
        del self._records[:stale]

    def clear(self) -> None:
        self._records.clear()
        self._bytes = 0

    def read(self, after: int, max_events: int, max_bytes: int) -> list[Record] | None:
        """Records from `after` + 1 on; None when they are no longer, or not yet, here."""
        if not self._records or after + 1 < self._records[0].sequence:
            return None
        skip = after + 1 - self._records[0].sequence
        window = self._records[skip : skip + max_events]
        return take_within(window, max_events, max_bytes) if window else None


def segment_of(firsts: list[int], sequence: int) -> int | None:
    """The first sequence of the segment that holds `sequence`."""
    place = bisect_right(firsts, sequence)
    return firsts[place - 1] if place else None
