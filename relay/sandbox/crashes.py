"""How long to wait before another child is started, when children keep crashing."""

from collections import deque
from collections.abc import Callable

SOME = 5  # crashes
WITHIN = 60.0  # seconds: that many in this time are too many
FIRST_WAIT = 1.0
MAX_WAIT = 60.0


class Crashes:
    """Five in a minute, and starts wait: a second, then twice as long after each crash, up to a minute.

    A minute without a crash, counted from when a start was allowed again, and all is forgotten.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._times: deque[float] = deque(maxlen=SOME)
        self._wait = 0.0
        self._opens_at = 0.0

    def add(self) -> None:
        now = self._clock()
        if self._wait and now - self._opens_at > WITHIN:
            self._wait = 0.0
            self._times.clear()
        self._times.append(now)
        if self._wait:
            self._wait = min(self._wait * 2, MAX_WAIT)
        elif len(self._times) == SOME and now - self._times[0] <= WITHIN:
            self._wait = FIRST_WAIT
        self._opens_at = now + self._wait

    @property
    def opens_in(self) -> float:
        """Seconds until a child may be started."""
        return max(0.0, self._opens_at - self._clock())

    @property
    def recent(self) -> int:
        """How many there were in the last minute, up to five."""
        now = self._clock()
        return sum(now - at <= WITHIN for at in self._times)
