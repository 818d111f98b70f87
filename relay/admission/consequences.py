"""What follows from the rulings of plans, beyond the event itself.

Blocked events are kept apart; they, and violations, are forwarded to other sources where the controls say so. This
runs behind admission, with a cursor of its own, so that it holds nothing up: it reads the rulings that were written
down and the events as they arrived, and moves the cursor once all is done. A crash repeats a step. That is seen by
nobody: what is kept apart is known by its place in the log, and what is forwarded is a duplicate the second time.

What is forwarded comes back by the log as the other source's events; no plan looks at it, so there is no loop.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple, Protocol

import structlog

from relay.admission.blocked import BlockedEvents
from relay.admission.normalise import events_of
from relay.admission.own import FORWARDED, records_of
from relay.body import encode
from relay.errors import LogUnavailable
from relay.event import Event
from relay.log.base import Log
from relay.log.feed import Feed
from relay.log.record import Record
from relay.log.state import SQL, State
from relay.plans.compile import CompiledPlan
from relay.plans.controls import Controls
from relay.plans.forwarding import blocked_event, violation_events
from relay.plans.rules import Plan
from relay.plans.ruling import Ruling, decode_ruling

log = structlog.get_logger()

STEP_RULINGS = 3000  # more than the events of one record, so that a step always ends one
STEP_RECORDS = 40  # read at once: of 500 KB at most
GAP_SECONDS = 0.1
RETRY_SECONDS = 1.0
SAVE_SECONDS = 10.0  # how often the cursor is saved while there are no rulings


class Forwarding(NamedTuple):
    """Where a source's violations and blocked events go, and the plan that they are about."""

    plan: Plan
    violations_to: str | None
    blocked_to: str | None


class Forwards(Protocol):
    """A source as the configuration has it."""

    @property
    def name(self) -> str: ...

    @property
    def enabled(self) -> bool: ...

    @property
    def controls(self) -> Controls: ...


def forwarding_of(sources: Sequence[Forwards], plans: Mapping[str, CompiledPlan]) -> Mapping[str, Forwarding]:
    """What each source forwards; nothing goes to a source that takes nothing now."""
    taking = {source.name for source in sources if source.enabled} | {None}
    found = {}
    for source in sources:
        targets = (source.controls.forwarding_violations_to, source.controls.forwarding_blocked_events_to)
        to = [target if target in taking else None for target in targets]
        if source.name in plans and to != [None, None]:
            found[source.name] = Forwarding(plans[source.name].plan, *to)
    return found


class Followed(NamedTuple):
    """An event as it arrived, with what was decided about it."""

    event: Event
    ruling: Ruling
    received_at: int


class Consequences:
    """Follows the rulings. `cursor`: up to there all is done."""

    def __init__(
        self,
        source: Log,
        state: State,
        feed: Feed,
        blocked: BlockedEvents,
        max_bytes: Callable[[], int | None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`max_bytes`: how large the log may get now."""
        self._log = source
        self._state = state
        self._feed = feed
        self._blocked = blocked
        self._max_bytes = max_bytes
        self._clock = clock
        self._forwarding: Mapping[str, Forwarding] = {}
        self.cursor = 0
        self._saved_at = 0.0
        self._trimmed_at = 0.0

    def take_up(self, forwarding: Mapping[str, Forwarding]) -> None:
        """From now on forward so, by source."""
        self._forwarding = forwarding

    async def load(self) -> None:
        """Take up where the last process stopped."""
        self.cursor = await self._state.read(
            lambda c: c.execute(SQL["consequences_cursor"]).fetchone()[0],
        )

    async def run(self) -> None:
        """Follow for ever."""
        while True:
            try:
                await self._keep_house()
                await self.step()
            except (sqlite3.Error, OSError) as error:
                log.error("blocked events cannot be kept apart, trying again", error=str(error))
                await asyncio.sleep(RETRY_SECONDS)
            except LogUnavailable as error:
                log.warning("nothing can be forwarded, trying again", reason=error.reason)
                await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(GAP_SECONDS)
            await self._feed.wait(self.cursor)

    async def step(self) -> None:
        """Do what follows from the next rulings."""
        until = self._feed.cursor
        span = (self.cursor, until, STEP_RULINGS)
        rows = await self._state.read(lambda c: c.execute(SQL["rulings_after"], span).fetchall())
        rulings = {
            sequence: {place: decode_ruling(ruling) for _, place, ruling in some}
            for sequence, some in groupby(rows, lambda row: row[0])
        }
        if len(rows) == STEP_RULINGS:  # perhaps not all of the last
            until = rows[-1][0] - 1
            del rulings[rows[-1][0]]
        sequences = list(rulings)
        for start in range(0, len(sequences), STEP_RECORDS):
            some = sequences[start : start + STEP_RECORDS]
            await self._follow(await self._log.find(some), rulings)
            await self._save(some[-1])
        self.cursor = until

    async def _follow(self, records: Iterable[Record], rulings: Mapping[int, Mapping[int, Ruling]]) -> None:
        followed: list[Followed] = []
        for record in records:
            of_record = rulings[record.sequence]
            events = events_of(record, self._state.log_id)
            followed += [
                Followed(event, of_record[event.index], record.received_at)
                for event in events
                if event.index in of_record
            ]
            await asyncio.sleep(0)  # a record may be half a megabyte
        kept = [one for one in followed if one.ruling.blocked is not None]
        if kept:
            await self._blocked.keep(kept)
        for record in self._forwarded(followed):
            await self._log.append(record, is_own=True)

    def _forwarded(self, followed: Iterable[Followed]) -> Iterator[Record]:
        """What is to be forwarded, as records for the log."""
        now = int(self._clock() * 1000)
        for source, some in groupby(followed, lambda one: one.event.source):
            forwarding = self._forwarding.get(source)
            if forwarding is None:
                continue
            mine = list(some)
            if (target := forwarding.violations_to) is not None:
                violations = (
                    (data["messageId"], encode(data))
                    for one in mine
                    for data in violation_events(
                        one.event.data, one.ruling, forwarding.plan, self._origin(one), target
                    )
                )
                yield from records_of(FORWARDED, target, now, violations)
            if (target := forwarding.blocked_to) is not None:
                blocked = (
                    (f"forwarded-{self._origin(one)}", encode(blocked_event(one.event.data, target)))
                    for one in mine
                    if one.ruling.blocked is not None
                )
                yield from records_of(FORWARDED, target, now, blocked)

    def _origin(self, one: Followed) -> str:
        return f"{self._state.log_id}-{one.event.sequence}-{one.event.index}"

    async def _save(self, cursor: int) -> None:
        await self._state.write(lambda c: c.execute(SQL["set_consequences_cursor"], (cursor,)))
        self.cursor = cursor
        self._saved_at = self._clock()

    async def _keep_house(self) -> None:
        now = self._clock()
        if now - self._saved_at > SAVE_SECONDS:
            await self._save(self.cursor)
        if now - self._trimmed_at > SAVE_SECONDS:
            await self._blocked.trim(int(now * 1000), self._max_bytes())
            self._trimmed_at = now
