"""/v1/plans/infer: a tracking plan from what a source sent.

While it works it writes a line break a second: whoever waits knows that it lives, and when nobody waits any more it
stops.
"""

import asyncio
import time

from aiohttp import web

from relay.admission.inferring import MAX_EVENTS, Reading, Relay, Wanted
from relay.api.auth import problem
from relay.api.parameters import BadParameter, flag, moment, number
from relay.body import encode


def plan_inference_routes(relay: Relay) -> list[web.RouteDef]:
    """The route, to be added to the admin application."""
    return [web.get("/v1/plans/infer", _Route(relay).infer)]


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
            reading = Reading(self._relay, wanted)
            await reading.run(lambda: response.write(b"\n"))
            await response.write(await asyncio.to_thread(_answer, reading, name, has_examples))
            await response.write_eof()
        finally:
            self._is_busy = False
        return response


def _wanted(request: web.Request) -> Wanted:
    sources = frozenset(filter(None, request.query.getall("source", [])))
    if not sources:
        raise BadParameter("source: name the source whose events are to be looked at")
    since, until = moment(request, "since"), moment(request, "until")
    if since is not None and since > (until if until is not None else time.time() * 1000):
        raise BadParameter("since: must lie in the past, and before `until`")
    limit = number(request, "limit", MAX_EVENTS)
    if not limit:
        raise BadParameter("limit must be 1 at least")
    return Wanted(sources, since, until, min(limit, MAX_EVENTS))


def _answer(reading: Reading, name: str, has_examples: bool) -> bytes:  # noqa: FBT001  called by position, in a thread
    plan, notes, events = reading.plan(name, has_examples=has_examples)
    shown = [{"event": note.event, "field": note.field, "note": note.said} for note in notes]
    return encode({"plan": plan, "notes": shown, "events": events, "cutAt": reading.cut_at}) or b"null"
