"""Live views: what comes, as it comes, to whoever watches, and never at the cost of what is watched.

A pass of admission is handed over as it is, at the same cost for one event as for hundreds. It is looked at a few times a
second, and what is too much, to be kept, or to be shown, is left out evenly and counted.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain

import msgspec

from relay.console.search import Search
from relay.event import Event

GAP_SECONDS = 0.4  # between two looks: what comes after a pause is shown at once
LOOK_SECONDS = 2.0  # after which a listener without events is asked whether it is still there
WAITING_EVENTS = 4000  # for one listener: 10,000 a second
LISTENER_EVENTS = 1000  # of one look, to `relay tail`
BURST = 100  # events that a list takes at once after a rest: a batch of an SDK is shown whole
FOLLOWED = 100  # events, the newest shown, of which is told what becomes of them

Place = tuple[int, int]


class Heard(msgspec.Struct):
    """What came since the last look. `missed`: events left out; `changed`: places of which more is known now."""

    events: list[Event]
    missed: int
    changed: list[Place]


class Listener:
    """One live view. `per_second`: events that it is shown in the long run, and at most BURST at once; None: LISTENER_EVENTS a look."""

    def __init__(self, search: Search, per_second: float | None = None) -> None:
        self.is_closed = False
        self._search = search
        self._per_second = per_second
        self._allowed = float(BURST)
        self._waiting: list[Sequence[Event]] = []
        self._count = 0
        self._missed = 0
        self._followed: dict[Place, None] = {}
        self._changed: dict[Place, None] = {}
        self._more = asyncio.Event()
        self._looked_at = 0.0

    def close(self) -> None:
        self.is_closed = True
        self._more.set()

    def offer(self, groups: Sequence[Sequence[Event]], count: int) -> None:
        """Events that admission has let through, or gave a verdict."""
        if not self._search.is_about_deliveries:
            self._take_in(groups, count)
        elif self._search.destination is None:  # a verdict is an outcome, too
            judged = [
                e for group in groups for e in group if e.outcome and self._search.is_meant(str(e.outcome))
            ]
            if judged:
                self._take_in([judged], len(judged))

    def settled(
        self, destination: str, events: Sequence[Event], places: AbstractSet[Place], state: str
    ) -> None:
        """Something became of events, which are at `places`, at a destination."""
        if seen := self._followed.keys() & places:
            self._changed |= dict.fromkeys(seen)
            self._more.set()
        search = self._search
        if (
            search.is_about_deliveries
            and search.destination in (None, destination)
            and search.is_meant(state)
        ):
            self._take_in([events], len(events))

    def follow(self, events: Iterable[Event]) -> None:
        """Tell what becomes of these, too."""
        self._followed |= dict.fromkeys((event.sequence, event.index) for event in events)
        for place in list(self._followed)[: -FOLLOWED or None]:
            del self._followed[place]

    async def look(self) -> Heard:
        """What came meanwhile; nothing, now and then, when nothing comes."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._more.wait()
        except TimeoutError:
            pass
        rest = time.monotonic() - self._looked_at
        if rest < GAP_SECONDS and not self.is_closed:
            await asyncio.sleep(GAP_SECONDS - rest)
        rest = time.monotonic() - self._looked_at
        self._looked_at += rest
        self._more.clear()
        return self._heard(rest)

    def _take_in(self, groups: Sequence[Sequence[Event]], count: int) -> None:
        if self._count < WAITING_EVENTS:
            self._waiting.extend(groups)
            self._count += count
        else:
            self._missed += count
        self._more.set()

    def _most(self, rest: float) -> int:
        if self._per_second is None:
            return LISTENER_EVENTS
        self._allowed = min(BURST, self._allowed + rest * self._per_second)
        return int(self._allowed)

    def _heard(self, rest: float) -> Heard:
        """`rest`: seconds since the last look."""
        most = self._most(rest)
        found = list(chain.from_iterable(self._waiting))
        if not self._search.is_for_all:
            matches = self._search.matches
            found = [event for event in found if matches(event)]
        step = max(1.0, len(found) / max(most, 1))
        chosen = [found[int(n * step)] for n in range(min(len(found), most))]
        self._allowed -= len(chosen)
        heard = Heard(chosen, self._missed + len(found) - len(chosen), list(self._changed))
        self._waiting, self._count, self._missed, self._changed = [], 0, 0, {}
        return heard
