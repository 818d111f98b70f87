"""How far a consumer is: a low-water mark, and what is still open above it.

Records are taken in order and finish in any order; everything up to the mark is finished. What is finished above it is
known too, and written down with the mark: after a crash only what was open is done again, however long the
oldest of it was held up. Fates are counted as a record finishes, so they are saved with what they belong to.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence

from relay.event import Event
from relay.outcome import Outcome

Ranges = list[list[int]]  # [first, last] of runs of sequences, ascending


class Window:
    """What a consumer has taken and not finished.

    `mark`, `taken` and `open_ranges` of an earlier process say where it goes on: see `resume`.
    """

    def __init__(self, mark: int, taken: int = 0, open_ranges: Sequence[Sequence[int]] = ()) -> None:
        self.mark = mark
        self.taken = mark
        self.fates: Counter[Outcome] = Counter()
        self._order: deque[int] = deque()
        self._open: dict[int, int] = {}
        self._events: dict[int, int] = {}
        self._exceptions: dict[int, list[Outcome | None]] = {}
        self._resumed_to = max(taken, mark)
        self._resumed_open: Ranges = [list(r) for r in open_ranges]

    @property
    def open_records(self) -> int:
        """Records above the mark."""
        return len(self._order)

    def is_finished(self, sequence: int) -> bool:
        """Whether an earlier process finished this record though its mark had not reached it."""
        if sequence > self._resumed_to:
            return False
        return not any(first <= sequence <= last for first, last in self._resumed_open)

    def take(self, sequence: int, events: int) -> None:
        """A record of `events` events (at least one) is in hand. Sequences come in ascending order."""
        self._order.append(sequence)
        self._open[sequence] = self._events[sequence] = events
        self.taken = sequence

    def skip_to(self, sequence: int) -> None:
        """There is nothing more for this consumer up to `sequence`."""
        self.taken = max(self.taken, sequence)
        self._advance()

    def settle(self, sequence: int, outcome: Outcome | None = Outcome.DELIVERED) -> None:
        """One event of a record has its fate; None: it is parked, and counted when its fate is known."""
        if outcome is not Outcome.DELIVERED:
            self._exceptions.setdefault(sequence, []).append(outcome)
        if self._open[sequence] > 1:
            self._open[sequence] -= 1
            return
        self._finish(sequence)
        self._advance()

    def delivered(self, events: Iterable[Event]) -> None:
        """All these events were delivered: `settle`, for many."""
        still_open = self._open
        for event in events:
            sequence = event.sequence
            if still_open[sequence] > 1:
                still_open[sequence] -= 1
            else:
                self._finish(sequence)
        self._advance()

    def _finish(self, sequence: int) -> None:
        del self._open[sequence]
        delivered = self._events.pop(sequence)
        if self._exceptions and sequence in self._exceptions:
            others = self._exceptions.pop(sequence)
            delivered -= len(others)
            self.fates.update(o for o in others if o is not None)
        self.fates[Outcome.DELIVERED] += delivered

    def _advance(self) -> None:
        order, still_open = self._order, self._open
        while order and order[0] not in still_open:
            self.mark = order.popleft()
        if not order:
            self.mark = self.taken

    def resume(self) -> tuple[int, Ranges]:
        """How far records were taken, and which of them are open: for the next process."""
        ranges: Ranges = []
        for sequence in self._open:  # in the order of taking
            if ranges and ranges[-1][1] == sequence - 1:
                ranges[-1][1] = sequence
            else:
                ranges.append([sequence, sequence])
        if self.taken >= self._resumed_to:
            return self.taken, ranges
        ahead = [
            [max(first, self.taken + 1), last] for first, last in self._resumed_open if last > self.taken
        ]
        return self._resumed_to, ranges + ahead
