"""Blocked events, released: put into the log again, once their plan lets them through.

Each is held against today's plan first, and those that it would block again stay where they are. The others are
appended as `released` records, judged once more by admission as any event is, and only then marked: a crash between
the two repeats them, and they are duplicates. What is released keeps its messageId and all its times.
"""

import asyncio
import time
from collections.abc import Callable
from itertools import groupby

import msgspec

from relay.admission.blocked import Blocked, BlockedEvents, Choice
from relay.admission.own import RELEASED, records_of
from relay.admission.plans import SourcePlans
from relay.body import decode
from relay.log.base import Log
from relay.log.state import State

AT_ONCE = 1000  # of one call, which takes a second at most; whoever calls goes on after `next`
SLICE = 100


class Released(msgspec.Struct, rename="camel"):
    """What has become of those that were looked at. `next`: go on after this id; None: that was all."""

    dry_run: bool
    released: int = 0
    still_blocked: int = 0
    unknown_source: int = 0  # of a source that is not in the configuration any more: they stay too
    next: int | None = None


class Releasing:
    """Releases blocked events, one call at a time."""

    def __init__(
        self,
        blocked: BlockedEvents,
        target: Log,
        state: State,
        plans: SourcePlans,
        is_known: Callable[[str], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`is_known`: whether there is a source of this name."""
        self._blocked = blocked
        self._log = target
        self._state = state
        self._plans = plans
        self._is_known = is_known
        self._clock = clock
        self._turn = asyncio.Lock()

    async def release(self, choice: Choice, *, after: int, is_dry_run: bool) -> Released:
        """Release at most `AT_ONCE` of those chosen, after an id. Raises LogUnavailable."""
        done = Released(is_dry_run)
        async with self._turn:
            for _ in range(0, AT_ONCE, SLICE):
                some = await self._blocked.releasable(choice, after, SLICE)
                if not some:
                    return done
                await self._release(some, done)
                after = some[-1].id
        done.next = after
        return done

    async def _release(self, some: list[Blocked], done: Released) -> None:
        known = [one for one in some if self._is_known(one.source)]
        free = []
        for one in known:
            if not self._plans.blocks(one.source, decode(one.body)):
                free.append(one)
            await asyncio.sleep(0)  # one that is blocked for much takes long
        if not done.dry_run:
            now = int(self._clock() * 1000)
            for source, mine in groupby(free, lambda one: one.source):
                events = [(self._key(one), one.body) for one in mine]
                for record in records_of(RELEASED, source, now, events):
                    await self._log.append(record)
            await self._blocked.set_released([one.id for one in free], now)
        done.unknown_source += len(some) - len(known)
        done.still_blocked += len(known) - len(free)
        done.released += len(free)

    def _key(self, one: Blocked) -> str:
        sequence, place = one.place
        return f"released-{self._state.log_id}-{sequence}-{place}"
