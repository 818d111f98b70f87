"""Why events of one destination were not delivered, and how long it took to deliver the others.

Both are counted as a record finishes, so that they are saved with the fates they explain: the reasons of an outcome add up
to its fate, and the classes of delay to what was delivered. A delay is from the moment relay received the record
until the last of its events had its fate; class n is of those from 2^(n-1) ms up to 2^n, the first of those below 1 ms.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from relay.log.state import rows_json
from relay.outcome import Outcome

CLASSES = 31  # the last one begins at six days
SAMPLES = 10  # of a reason, the newest
MAX_REASONS = 100  # of a destination: an integration may make up its own
MAX_REASON = 100  # characters
OTHERS = "(others)"
UNKNOWN = ""  # of what happened before reasons were noted

Place = tuple[int, int]  # sequence, index


class Reason(NamedTuple):
    """`is_verdict`: admission said so, or a rule of the source, which is the same for every destination."""

    outcome: Outcome
    code: str
    is_verdict: bool = False


class Why(NamedTuple):
    """Why one event was not delivered, while the rest of its record is open."""

    outcome: Outcome
    code: str
    place: int  # in the record
    is_verdict: bool = False


class Tally:
    """The counts of a destination. `rows` and `delays` are those of an earlier process."""

    def __init__(self, rows: Iterable[Sequence[Any]] = (), delays: Sequence[int] = ()) -> None:
        self.delays = [*delays, *[0] * (CLASSES - len(delays))]
        self.counts: dict[Reason, int] = {}
        self._samples: dict[Reason, deque[Place]] = {}
        self._changed: set[Reason] = set()
        for outcome, code, is_verdict, count, samples in rows:
            reason = Reason(Outcome(outcome), code, bool(is_verdict))
            self.counts[reason] = count
            newest = [(sequence, index) for sequence, index in orjson.loads(samples)]
            self._samples[reason] = deque(reversed(newest), SAMPLES)

    def delivered(self, events: int, received_at: int, now: int) -> None:
        """So many events of one record. Times in ms."""
        number = (now - received_at).bit_length() if now > received_at else 0
        self.delays[number if number < CLASSES else CLASSES - 1] += events

    def count(self, why: Why, sequence: int) -> None:
        """One event that was not."""
        reason = Reason(why.outcome, why.code[:MAX_REASON], why.is_verdict)
        if reason not in self.counts:
            if len(self.counts) >= MAX_REASONS:
                reason = reason._replace(code=OTHERS)
            self.counts.setdefault(reason, 0)
            self._samples.setdefault(reason, deque(maxlen=SAMPLES))
        self.counts[reason] += 1
        self._samples[reason].append((sequence, why.place))
        self._changed.add(reason)

    def uncount(self, outcome: Outcome, code: str) -> None:
        """One event that was refused is open again: it goes from where it was counted, as far as that is known."""
        likely = [Reason(outcome, known) for known in (code[:MAX_REASON], OTHERS, UNKNOWN)]
        for reason in (*likely, *self.counts):
            if reason.outcome == outcome and self.counts.get(reason, 0) > 0:
                self.counts[reason] -= 1
                self._changed.add(reason)
                return

    def take(self) -> Iterator[tuple[object, ...]]:
        """What is new since the last time, as rows of fate_reasons after the destination."""
        for reason in self._changed:
            newest = rows_json(list(self._samples[reason])[::-1])
            yield (*reason, self.counts[reason], newest)
        self._changed = set()

    def give_back(self, rows: Iterable[Sequence[Any]]) -> None:
        """What was taken could not be written."""
        self._changed |= {Reason(*row[:3]) for row in rows}
