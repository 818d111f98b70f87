"""How far a consumer is: a low-water mark, and what is still open above it.

Records are taken in order and finish in any order; everything up to the mark is finished. What is finished above it is
known too, and written down with the mark: after a crash only what was open is done again, however long the
oldest of it was held up. Fates are counted as a record finishes, their reasons and delays with them, so they are saved with
what they belong to.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from relay.delivery.tally import Place, Tally, Why
from relay.event import Event
from relay.outcome import Outcome

Ranges = list[list[int]]  # [first, last] of runs of sequences, ascending


class Window:
    """What a consumer has taken and not finished.

    `mark`, `taken` and `open_ranges` of an earlier process say where it goes on: see `resume`.
    """

    def __init__(
        self,
        mark: int,
        taken: int = 0,
        open_ranges: Sequence[Sequence[int]] = (),
        tally: Tally | None = None,
        now: Callable[[], float] = time.time,
        settled: Mapping[Place, Why | None] | None = None,
    ) -> None:
        """`settled`: events of records above the mark that are parked, or dead letters with their reason, already."""
        self.mark = mark
        self.settled = dict(settled or {})
        self.taken = mark
        self.tally = tally or Tally()
        self.fates: Counter[Outcome] = Counter()
        self._order: deque[int] = deque()
        self._open: dict[int, int] = {}
        self._records: dict[int, tuple[int, int]] = {}  # how many events, and when it was received
        self._exceptions: dict[int, list[Why | None]] = {}
        self._now = now
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

    def is_done(self, sequence: int) -> bool:
        """Whether every event of this record has its fate, or is parked."""
        if sequence <= self.taken:
            return sequence not in self._open
        return self.is_finished(sequence)

    def take(self, sequence: int, events: int, received_at: int) -> None:
        """A record of `events` events (at least one) is in hand. Sequences come in ascending order."""
        self._order.append(sequence)
        self._open[sequence] = events
        self._records[sequence] = events, received_at
        self.taken = sequence

    def skip_to(self, sequence: int) -> None:
        """There is nothing more for this consumer up to `sequence`."""
        self.taken = max(self.taken, sequence)
        self._advance()

    def settle(self, sequence: int, why: Why | None) -> None:
        """One event of a record was not delivered; None: it is parked, and counted when its fate is known."""
        self._exceptions.setdefault(sequence, []).append(why)
        if self._open[sequence] > 1:
            self._open[sequence] -= 1
            return
        self._finish(sequence, self._now_ms())
        self._advance()

    def unpark(self, sequence: int, place: int, why: Why | None) -> bool:
        """A parked event was delivered, or not and why; True if it is counted with its record, which is not finished."""
        if sequence in self._open:
            others = self._exceptions.get(sequence, [])
            if None not in others:
                return False
            others.remove(None)
            others += [why] if why is not None else []
            return True
        if self._is_to_come(sequence) and (sequence, place) in self.settled:
            del self.settled[sequence, place]  # it comes again, and has its fate then
            return True
        return False

    def reopen(self, sequence: int, place: int) -> bool:
        """A refused event is parked after all; True if its record is not finished, and it was not counted yet."""
        if sequence in self._open:
            others = self._exceptions.get(sequence, [])
            for number, why in enumerate(others):
                if why is not None and why.place == place:
                    others[number] = None
                    return True
            return False
        if self._is_to_come(sequence):
            self.settled[sequence, place] = None
            return True
        return False

    def _is_to_come(self, sequence: int) -> bool:
        """Whether an earlier process had this record in hand, and this one has not taken it yet."""
        return self.taken < sequence <= self._resumed_to and not self.is_finished(sequence)

    def delivered(self, events: Iterable[Event]) -> None:
        """All these events were delivered."""
        still_open, now = self._open, self._now_ms()
        for event in events:
            sequence = event.sequence
            if still_open[sequence] > 1:
                still_open[sequence] -= 1
            else:
                self._finish(sequence, now)
        self._advance()

    def _now_ms(self) -> int:
        return int(self._now() * 1000)

    def _finish(self, sequence: int, now: int) -> None:
        del self._open[sequence]
        delivered, received_at = self._records.pop(sequence)
        if self._exceptions and sequence in self._exceptions:
            others = self._exceptions.pop(sequence)
            delivered -= len(others)
            for why in others:
                if why is not None:
                    self.fates[why.outcome] += 1
                    self.tally.count(why, sequence)
        if delivered:
            self.fates[Outcome.DELIVERED] += delivered
            self.tally.delivered(delivered, received_at, now)

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
