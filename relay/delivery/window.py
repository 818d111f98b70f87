"""The low-water mark of a consumer: everything before it has its fate.

Records are taken in order and finish in any order; the mark moves over the finished ones at the front. Fates
are counted as the mark passes, so that after a crash, when what lies past the mark is read again,
nothing was counted twice.
"""

from collections import Counter, deque
from collections.abc import Iterable

from relay.event import Event
from relay.outcome import Outcome


class Window:
    """What a consumer has taken and not finished. `mark` and `fates` are what it may write down."""

    def __init__(self, mark: int) -> None:
        self.mark = mark
        self.fates: Counter[Outcome] = Counter()
        self.taken = mark
        self._order: deque[tuple[int, int]] = deque()
        self._open: dict[int, int] = {}
        self._exceptions: dict[int, list[Outcome | None]] = {}

    @property
    def open_records(self) -> int:
        """Records taken and not passed by the mark."""
        return len(self._order)

    def take(self, sequence: int, events: int) -> None:
        """A record of `events` events (at least one) is in hand. Sequences come in ascending order."""
        self._order.append((sequence, events))
        self._open[sequence] = events
        self.taken = sequence

    def skip_to(self, sequence: int) -> None:
        """There is nothing for this consumer up to `sequence`."""
        self.taken = max(self.taken, sequence)
        self._advance()

    def settle(self, sequence: int, outcome: Outcome | None = Outcome.DELIVERED) -> None:
        """One event of a record has its fate; None: it is parked, and counted when its fate is known."""
        if outcome is not Outcome.DELIVERED:
            self._exceptions.setdefault(sequence, []).append(outcome)
        left = self._open[sequence] - 1
        if left:
            self._open[sequence] = left
            return
        del self._open[sequence]
        if self._order[0][0] == sequence:
            self._advance()

    def delivered(self, events: Iterable[Event]) -> None:
        """All these events were delivered: `settle`, for many."""
        still_open = self._open
        for event in events:
            sequence = event.sequence
            left = still_open[sequence] - 1
            if left:
                still_open[sequence] = left
            else:
                del still_open[sequence]
        self._advance()

    def _advance(self) -> None:
        order, still_open, exceptions = self._order, self._open, self._exceptions
        delivered = 0
        while order and order[0][0] not in still_open:
            sequence, events = order.popleft()
            self.mark = sequence
            delivered += events
            if exceptions and sequence in exceptions:
                others = exceptions.pop(sequence)
                delivered -= len(others)
                self.fates.update(o for o in others if o is not None)
        if delivered:
            self.fates[Outcome.DELIVERED] += delivered
        if not order:
            self.mark = self.taken
