"""All children of a relay: together they are never more than its cap, and each is looked after.

`async with Sandbox() as sandbox:` and `sandbox.pool(...)` for each unit of code. Leaving it ends every child.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from relay.sandbox.child import Child
from relay.sandbox.errors import Reason
from relay.sandbox.limits import Limits
from relay.sandbox.line import Seat
from relay.sandbox.pool import Pool

CHECK_SECONDS = 0.25
TENURE_SECONDS = 1.0  # a busy child keeps its place so long: a start costs 0.1 s of CPU time
CHILDREN = 32  # each some 15 MB of its own, 40 to 120 MB resident


class Sandbox:
    """Counts children over all pools, and looks at them every quarter of a second."""

    def __init__(self, cap: int = CHILDREN, clock: Callable[[], float] = time.monotonic) -> None:
        self._cap = cap
        self._clock = clock
        self._pools: list[Pool] = []
        self._is_wanted = False  # somebody was told that there is no room
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._watch = asyncio.create_task(self._check_for_ever(), name="sandbox")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watch is not None:
            self._watch.cancel()
        await asyncio.gather(*(pool.close() for pool in list(self._pools)))

    def pool(self, name: str, spawn: Callable[[], Awaitable[Child]], limits: Limits, cap: int = 2) -> Pool:
        """Children for one unit of code: at most `cap` of them, beside those in which calls run again alone."""
        pool = Pool(name, spawn, limits, cap, self, self._clock)
        self._pools.append(pool)
        return pool

    def forget(self, pool: Pool) -> None:
        """It has been closed."""
        if pool in self._pools:
            self._pools.remove(pool)
        self.changed()

    def has_room(self) -> bool:
        """Whether a child may be started. If not, one has to go: the longest idle, else the longest busy."""
        if sum(pool.size for pool in self._pools) < self._cap:
            return True
        self._is_wanted = True
        seats = [seat for pool in self._pools for seat in pool.seats]
        if seats and all(seat.is_open for seat in seats):
            self._send_away(min(seats, key=lambda seat: (seat.used > 0, seat.since)))
        return False

    def _send_away(self, seat: Seat) -> None:
        if seat.used == 0:
            seat.child.kill(Reason.STOPPED)
        elif self._clock() - seat.since >= TENURE_SECONDS:
            seat.is_leaving = True

    def changed(self) -> None:
        """A child has gone, or has nothing to do any more: another pool may wait for that."""
        if self._is_wanted:
            self._is_wanted = False
            for pool in self._pools:
                pool.advance()

    async def _check_for_ever(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self.check()

    def check(self) -> None:
        for pool in self._pools:
            pool.check()
        self.changed()  # who waits for a place may send somebody away by now
