"""A tracking plan from what a source sent, read from the log as it arrived.

What an earlier plan made of an event does not count, blocked ones are looked at too; duplicates and what was never
accepted are not. The log is read in portions, and the loop belongs to others half of the time, so that a million events
hold nobody up.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple, Protocol

from relay.admission.normalise import events_of
from relay.admission.own import RELEASED
from relay.log.base import Log
from relay.log.feed import Feed
from relay.log.record import Record
from relay.log.state import SQL, State
from relay.outcome import Outcome
from relay.plans.infer import Inference, Inferred
from relay.times import format_iso

MAX_EVENTS = 1_000_000
READ_EVENTS = 500  # of one read from the log
READ_BYTES = 500_000
LOOP_SECONDS = 0.004  # of the loop at a time, but for the splitting of one request
SIGN_SECONDS = 1.0  # between signs of life

_PASSED_OVER = frozenset((Outcome.DUPLICATE, Outcome.REJECTED))


class Relay(Protocol):
    """What this needs of a running relay."""

    log: Log
    feed: Feed
    state: State


class Wanted(NamedTuple):
    """Which events: of these sources, received from `since` and before `until` (ms), the first `limit` of them."""

    sources: frozenset[str]
    since: int | None
    until: int | None
    limit: int


class Reading:
    """One inference on its way through the log."""

    def __init__(self, relay: Relay, wanted: Wanted) -> None:
        self._relay = relay
        self._wanted = wanted
        self._inference = Inference()
        self._turn = time.perf_counter()
        self._cut_at: int | None = None

    @property
    def cut_at(self) -> str | None:
        """When the last event came that was looked at, if there are others."""
        return None if self._cut_at is None else format_iso(self._cut_at)

    def plan(self, name: str, *, has_examples: bool = False) -> Inferred:
        """What was inferred; it may take a while."""
        return self._inference.plan(name, examples=has_examples)

    async def run(self, sign: Callable[[], Awaitable[None]] | None = None) -> None:
        """Look at all that is wanted. `sign` is called once a second meanwhile."""
        feed, wanted = self._relay.feed, self._wanted
        last = feed.cursor
        if wanted.until is not None:
            last = min(last, await feed.first_since(wanted.until) - 1)
        after = await feed.first_since(wanted.since or 0) - 1
        signed_at = time.monotonic()
        while after < last and self._cut_at is None:
            after = await self._portion(after, last)
            if sign is not None and time.monotonic() - signed_at > SIGN_SECONDS:
                await sign()
                signed_at = time.monotonic()

    async def _portion(self, after: int, last: int) -> int:
        """Look at the events of some records after `after`. Returns the sequence they reach."""
        log = self._relay.log
        records = [r for r in await log.read(after, READ_EVENTS, READ_BYTES) if r.sequence <= last]
        if not records:  # retention was faster
            return max(after + 1, min(log.first - 1, last))
        span = (records[0].sequence, records[-1].sequence)
        rows = await self._relay.state.read(lambda c: c.execute(SQL["verdicts_between"], span).fetchall())
        passed_over = {(sequence, place) for sequence, place, outcome, _ in rows if outcome in _PASSED_OVER}
        self._turn = time.perf_counter()
        for record in records:
            if (
                record.source in self._wanted.sources and record.route != RELEASED
            ):  # that was seen when it came
                for data in self._events(record, passed_over):
                    if self._inference.events >= self._wanted.limit:
                        self._cut_at = record.received_at
                        return record.sequence
                    self._inference.observe(data)
                    await self._give_way()
        await self._give_way(is_end=True)
        return records[-1].sequence

    def _events(self, record: Record, passed_over: set[tuple[int, int]]) -> Iterator[dict[str, Any]]:
        for event in events_of(record, self._relay.state.log_id):
            if event.outcome is None and (event.sequence, event.index) not in passed_over:
                yield event.data

    async def _give_way(self, *, is_end: bool = False) -> None:
        spent = time.perf_counter() - self._turn
        if is_end or spent > LOOP_SECONDS:
            await asyncio.sleep(min(spent, LOOP_SECONDS))
            self._turn = time.perf_counter()
