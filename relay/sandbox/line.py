"""Who waits for a place in a child, in order, and the children that have places."""

import asyncio
from collections import deque
from contextlib import suppress

from relay.sandbox.child import Child


class Seat:
    """A child and how many calls are in it. `since`: when it got its first call, or was left by its last."""

    def __init__(self, child: Child, now: float) -> None:
        self.child = child
        self.used = 0
        self.since = now
        self.is_leaving = False  # it takes no more, and ends when it is empty

    @property
    def is_open(self) -> bool:
        return not (self.is_leaving or self.child.is_gone or self.child.is_worn)

    def take(self, now: float) -> None:
        if self.used == 0:
            self.since = now
        self.used += 1

    def leave(self, now: float) -> None:
        self.used -= 1
        if self.used == 0:
            self.since = now


class Line:
    """At most `cap` children with so many `places` each. Whoever comes first is served first."""

    def __init__(self, cap: int, places: int) -> None:
        self.seats: list[Seat] = []
        self.start: asyncio.Task[None] | None = None
        self._cap = cap
        self._places = places
        self._waiting: deque[asyncio.Future[Seat]] = deque()

    @property
    def size(self) -> int:
        return len(self.seats) + (self.start is not None)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def may_grow(self) -> bool:
        return bool(self._waiting) and self.start is None and self.size < self._cap

    def join(self) -> "asyncio.Future[Seat]":
        """A place, when there is one; it has been taken then."""
        waiter: asyncio.Future[Seat] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        return waiter

    def give_up(self, waiter: "asyncio.Future[Seat]") -> Seat | None:
        """Who waited has gone. The place, if it was just given one."""
        with suppress(ValueError):
            self._waiting.remove(waiter)
        was_given = waiter.done() and not waiter.cancelled() and waiter.exception() is None
        return waiter.result() if was_given else None

    def serve(self, now: float) -> None:
        """Give those who wait the places there are."""
        while self._waiting:
            seat = self._free()
            if seat is None:
                return
            waiter = self._waiting.popleft()
            if not waiter.done():
                seat.take(now)
                waiter.set_result(seat)

    def _free(self) -> Seat | None:
        """The child with the fewest calls, if it has a place."""
        free = [seat for seat in self.seats if seat.used < self._places and seat.is_open]
        return min(free, key=lambda seat: seat.used, default=None)

    def refuse(self, error: Exception) -> None:
        """There will be no place."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(error)
