"""How fast and how soon a destination may be asked: limits that answer how long, and never sleep.

Three things hold an attempt back: a `Retry-After`, obeyed whatever else happens; the back-off of a destination
that has answered nobody since it failed, which lets one probe through at a time; and the token bucket.
Concurrency grows by one after a round of good answers and halves on trouble.
"""

import random
from collections.abc import Callable

from relay.bucket import Bucket

FIRST_BACKOFF = 0.5  # seconds before the first probe of a destination that failed
MAX_BACKOFF = 30.0  # so that a recovery is noticed within half a minute
PARKED_FIRST = 10.0  # seconds before a parked event's second try
PARKED_MAX = 3600.0
SLOW_FACTOR = 4.0  # an answer this much slower than usual is a sign of trouble
SLOW_SECONDS = 1.0  # and below this never is


def parked_delay(attempts: int, rand: Callable[[], float] = random.random) -> float:
    """Seconds until the next try after `attempts`: 10 s doubling to an hour, spread by a quarter."""
    seconds: float = min(PARKED_FIRST * 2 ** min(attempts - 1, 20), PARKED_MAX)
    return seconds * (0.75 + rand() / 2)


class Concurrency:
    """Additive increase, multiplicative decrease, between 1 and `cap`."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.limit = min(2, cap)
        self._good = 0
        self._usual = 0.0

    def succeeded(self, seconds: float) -> None:
        is_slow = self._usual and seconds > max(SLOW_SECONDS, self._usual * SLOW_FACTOR)
        self._usual = seconds if not self._usual else 0.9 * self._usual + 0.1 * seconds
        if is_slow:
            self.failed()
            return
        self._good += 1
        if self._good >= self.limit and self.limit < self.cap:
            self.limit += 1
            self._good = 0

    def failed(self) -> None:
        self.limit = max(1, self.limit // 2)
        self._good = 0


class Gate:
    """Whether an attempt may start. `clock` gives monotonic seconds."""

    def __init__(
        self,
        cap: int,
        per_second: float | None,
        clock: Callable[[], float],
        rand: Callable[[], float] = random.random,
    ) -> None:
        self.concurrency = Concurrency(cap)
        self.successes = 0
        self.failures = 0  # since the last success
        self.active = 0  # requests on their way
        self._bucket = None if per_second is None else Bucket(per_second, max(1.0, per_second / 10), clock)
        self._not_before = 0.0
        self._hold_until = 0.0
        self._clock = clock
        self._rand = rand

    @property
    def is_held(self) -> bool:
        """The destination has answered nobody since it failed."""
        return self.failures > 0

    @property
    def opens_in(self) -> float:
        """Seconds until time alone lets an attempt through."""
        until = max(self._not_before, self._hold_until if self.is_held else 0.0)
        return max(0.0, until - self._clock())

    def look(self) -> float | None:
        """0: an attempt might start now. Else seconds until time lets one; None: until one is back."""
        allowed = 1 if self.is_held else self.concurrency.limit
        return None if self.active >= allowed else self.opens_in

    def enter(self) -> float | None:
        """0: go (and call `succeeded` or `failed` after). Else seconds to wait; None: until one is back."""
        seconds = self.look()
        if seconds == 0.0 and self._bucket is not None:
            seconds = self._bucket.wait()
        if seconds == 0.0:
            self.active += 1
        return seconds

    def succeeded(self, seconds: float) -> None:
        """An attempt was answered, well or with a refusal: the destination is there."""
        self.active -= 1
        self.failures = 0
        self.successes += 1
        self.concurrency.succeeded(seconds)

    def failed(self, after: float | None) -> None:
        """An attempt met a destination that cannot now. `after`: its Retry-After in seconds."""
        self.active -= 1
        self.failures += 1
        self.concurrency.failed()
        now = self._clock()
        backoff = min(FIRST_BACKOFF * 2 ** min(self.failures - 1, 20), MAX_BACKOFF)
        self._hold_until = now + backoff * (0.75 + self._rand() / 2)
        if after is not None:
            self._not_before = max(self._not_before, now + after)

    def reopen(self) -> None:
        """What it was held for was put right on our side: the next probe need not wait."""
        self._hold_until = 0.0

    def left(self, *, unused: bool = False) -> None:
        """An attempt was given up on our side: it says nothing about the destination. `unused`: nothing was sent."""
        self.active -= 1
        if unused and self._bucket is not None:
            self._bucket.give_back()
