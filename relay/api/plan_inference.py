"""/v1/plans/infer: a tracking plan from what a source sent, read from the log as it arrived.

What an earlier plan made of an event does not count, blocked ones are looked at too; duplicates and what was never
accepted are not. The log is read in portions, and the loop belongs to others half of the time, so that a million events
hold nobody up. While it works it writes a line break a second: whoever waits knows that it lives, and when nobody waits
any more it stops.
"""

import asyncio
import time
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from aiohttp import web

from relay.admission.normalise import events_of
from relay.admission.own import RELEASED
from relay.api.auth import problem
from relay.api.parameters import BadParameter, flag, moment, number
from relay.body import encode
from relay.log.base import Log
from relay.log.feed import Feed
from relay.log.record import Record
from relay.log.state import SQL, State
from relay.outcome import Outcome
from relay.plans.infer import Inference
from relay.times import format_iso

MAX_EVENTS = 1_000_000
READ_EVENTS = 500  # of one read from the log
READ_BYTES = 500_000
LOOP_SECONDS = 0.004  # of the loop at a time, but for the splitting of one request
SIGN_SECONDS = 1.0  # between signs of life

_PASSED_OVER = frozenset((Outcome.DUPLICATE, Outcome.REJECTED))


class Relay(Protocol):
    """What this route needs of a running relay."""

    log: Log
    feed: Feed
    state: State


def plan_inference_routes(relay: Relay) -> list[web.RouteDef]:
    """The route, to be added to the admin application."""
    return [web.get("/v1/plans/infer", _Route(relay).infer)]


class _Wanted(NamedTuple):
    sources: frozenset[str]
    since: int | None
    until: int | None
    limit: int


class _Route:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._is_busy = False

    async def infer(self, request: web.Request) -> web.StreamResponse:
        wanted, has_examples = _wanted(request), flag(request, "examples")
        name = request.query.get("name") or ", ".join(sorted(wanted.sources))
        if self._is_busy:
            return problem(409, "busy", "a plan is being inferred already: one at a time")
        self._is_busy = True
        try:
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            await response.prepare(request)
            reading = _Reading(self._relay, wanted)
            await reading.run(response)
            await response.write(await asyncio.to_thread(reading.answer, name, has_examples))
            await response.write_eof()
        finally:
            self._is_busy = False
        return response


def _wanted(request: web.Request) -> _Wanted:
    sources = frozenset(filter(None, request.query.getall("source", [])))
    if not sources:
        raise BadParameter("source: name the source whose events are to be looked at")
    since, until = moment(request, "since"), moment(request, "until")
    if since is not None and since > (until if until is not None else time.time() * 1000):
        raise BadParameter("since: must lie in the past, and before `until`")
    limit = number(request, "limit", MAX_EVENTS)
    if not limit:
        raise BadParameter("limit must be 1 at least")
    return _Wanted(sources, since, until, min(limit, MAX_EVENTS))


class _Reading:
    """One inference on its way through the log."""

    def __init__(self, relay: Relay, wanted: _Wanted) -> None:
        self._relay = relay
        self._wanted = wanted
        self._inference = Inference()
        self._turn = time.perf_counter()
        self._cut_at: int | None = None  # when the last event came that was looked at, if there are others

    def answer(self, name: str, has_examples: bool) -> bytes:  # noqa: FBT001  called by position, in a thread
        plan, notes, events = self._inference.plan(name, examples=has_examples)
        shown = [{"event": note.event, "field": note.field, "note": note.said} for note in notes]
        cut_at = None if self._cut_at is None else format_iso(self._cut_at)
        return encode({"plan": plan, "notes": shown, "events": events, "cutAt": cut_at}) or b"null"

    async def run(self, response: web.StreamResponse) -> None:
        feed, wanted = self._relay.feed, self._wanted
        last = feed.cursor
        if wanted.until is not None:
            last = min(last, await feed.first_since(wanted.until) - 1)
        after = await feed.first_since(wanted.since or 0) - 1
        sign = time.monotonic()
        while after < last and self._cut_at is None:
            after = await self._portion(after, last)
            if time.monotonic() - sign > SIGN_SECONDS:
                await response.write(b"\n")
                sign = time.monotonic()

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
