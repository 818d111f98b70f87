"""Parked events, tried again when their time has come.

The first time they go together, later each alone: what failed in company may be the company's fault. While the
destination is down nobody is taken out of the table, but one to probe it when nothing else does.
"""

import asyncio
from collections.abc import Awaitable, Callable

from relay.delivery.batch import Batch, Waiting
from relay.delivery.courier import Courier
from relay.delivery.fates import Fates
from relay.delivery.ledger import Ledger
from relay.event import Event
from relay.log.feed import Feed
from relay.log.state import SQL, State

TAKE = 100  # rows at a time
LONGEST_SLEEP = 60.0

Start = Callable[[Batch], Awaitable["asyncio.Task[None]"]]


class Retries:
    """The retry table of one destination."""

    def __init__(
        self,
        name: str,
        *,
        state: State,
        feed: Feed,
        fates: Fates,
        courier: Courier,
        ledger: Ledger,
        start: Start,
        sift: Callable[[Event], Event | str],
        is_idle: Callable[[], bool],
        limits: tuple[int, int],
    ) -> None:
        """`limits`: events and bytes of a batch."""
        self._name = name
        order = "_in_order" if fates.keeps_order else ""
        self._due, self._next_due = SQL[f"due{order}"], SQL[f"next_due{order}"]
        self._state = state
        self._feed = feed
        self._fates = fates
        self._courier = courier
        self._ledger = ledger
        self._start = start
        self._sift = sift
        self._is_idle = is_idle
        self._limits = limits
        self._next_at: int | None = None
        self._sooner = asyncio.Event()
        fates.on_parked = self.expect

    async def load(self) -> None:
        """Learn when the first row is due, and with order kept which users wait."""
        await self._learn_next()
        if not self._fates.keeps_order:
            return
        users = await self._state.read(lambda c: c.execute(SQL["parked_users"], (self._name,)).fetchall())
        self._fates.parked_users = dict(users)

    def expect(self, at: int) -> None:
        """A row is due at `at` (ms)."""
        if self._next_at is None or at < self._next_at:
            self._next_at = at
            self._sooner.set()

    async def run(self) -> None:
        """Try what is due, for ever."""
        while True:
            await self._sleep()
            is_held = self._courier.gate.is_held
            if self._courier.is_paused or (is_held and not self._is_idle()):
                await self._courier.moved.wait()
            elif self._next_at is not None and self._next_at <= self._fates.now_ms():
                # with nothing else on its way, a parked event is the probe of a destination that is down
                await self._try_due(1 if is_held else TAKE)

    async def _sleep(self) -> None:
        seconds = LONGEST_SLEEP
        if self._next_at is not None:
            seconds = min(seconds, (self._next_at - self._fates.now_ms()) / 1000)
        if seconds > 0:
            self._sooner.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._sooner.wait()
            except TimeoutError:
                pass

    async def _try_due(self, limit: int) -> None:
        await self._ledger.flush()  # the table must be as new as what is known in memory
        due = (self._name, self._fates.now_ms(), limit)
        rows = await self._state.read(lambda c: c.execute(self._due, due).fetchall())
        waiting = {(sequence, place): Waiting(*row) for sequence, place, *row in rows}
        found = await self._feed.find(list(waiting))
        for place in waiting.keys() - found.keys():
            self._fates.lost(*place, waiting[place])
        sifted = {place: self._sift(event) for place, event in found.items()}
        for place, reason in sifted.items():
            if isinstance(reason, str):
                self._fates.unwanted(Batch([found[place]], parked=waiting), reason)
        kept = {place: event for place, event in sifted.items() if not isinstance(event, str)}
        groups = _groups(kept, waiting, *self._limits)
        tasks = [await self._start(Batch(some, parked=waiting)) for some in groups]
        if tasks:
            await asyncio.wait(tasks)
        await self._ledger.flush()
        await self._learn_next()

    async def _learn_next(self) -> None:
        self._next_at = None
        row = (self._name,)
        found = await self._state.read(lambda c: c.execute(self._next_due, row).fetchone())
        if found is not None:
            self.expect(found[0])


def _groups(
    found: dict[tuple[int, int], Event],
    waiting: dict[tuple[int, int], Waiting],
    max_events: int,
    max_bytes: int,
) -> list[list[Event]]:
    groups: list[list[Event]] = []
    together: list[Event] = []
    size = 0
    for place, event in found.items():
        if waiting[place].attempts > 1:
            groups.append([event])
            continue
        if together and (len(together) >= max_events or size + len(event.json) > max_bytes):
            groups.append(together)
            together, size = [], 0
        together.append(event)
        size += len(event.json) + 1
    return [*groups, together] if together else groups
