"""The newest records, still in memory: who reads near the head never touches the disk."""

from bisect import bisect_right
from collections import deque
from itertools import islice

from relay.log.base import take_within
from relay.log.record import Record

MAX_BYTES = 8_000_000


class Tail:
    """A bounded run of consecutive records, dropped from the old end."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._records: deque[Record] = deque()
        self._bytes = 0
        self._max_bytes = max_bytes

    @property
    def first(self) -> int | None:
        """The oldest sequence in memory."""
        return self._records[0].sequence if self._records else None

    def extend(self, records: list[Record]) -> None:
        if self._records and records and records[0].sequence != self._records[-1].sequence + 1:
            self.clear()
        self._records.extend(records)
        self._bytes += sum(len(r.body) for r in records)
        while self._bytes > self._max_bytes and len(self._records) > 1:
            self._bytes -= len(self._records.popleft().body)

    def clear(self) -> None:
        self._records.clear()
        self._bytes = 0

    def read(self, after: int, max_events: int, max_bytes: int) -> list[Record] | None:
        """Records from `after` + 1 on; None when they are no longer, or not yet, here."""
        if not self._records or after + 1 < self._records[0].sequence:
            return None
        skip = after + 1 - self._records[0].sequence
        if skip >= len(self._records):
            return None
        window = list(islice(self._records, skip, skip + max_events))
        return take_within(window, max_events, max_bytes)


def segment_of(firsts: list[int], sequence: int) -> int | None:
    """The first sequence of the segment that holds `sequence`."""
    place = bisect_right(firsts, sequence)
    return firsts[place - 1] if place else None
