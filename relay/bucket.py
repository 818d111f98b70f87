"""A token bucket that answers how long instead of sleeping, so that tests move the clock by hand."""

from collections.abc import Callable


class Bucket:
    """Lets `per_second` through in the long run and at most `burst` at once. `clock` gives seconds."""

    def __init__(self, per_second: float, burst: float, clock: Callable[[], float]) -> None:
        self.per_second = per_second
        self.burst = burst
        self._clock = clock
        self._tokens = burst
        self._at = clock()

    def wait(self, n: float = 1.0) -> float:
        """Seconds until `n` tokens may be taken; takes them when that is 0."""
        now = self._clock()
        # a clock that was set back must not take tokens away
        self._tokens = min(self.burst, self._tokens + max(0.0, now - self._at) * self.per_second)
        self._at = now
        if self._tokens >= n:
            self._tokens -= n
            return 0.0
        return (n - self._tokens) / self.per_second

    def give_back(self, n: float = 1.0) -> None:
        """`n` tokens that were taken and not used."""
        self._tokens = min(self.burst, self._tokens + n)
