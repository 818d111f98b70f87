"""One event, and what can be done with it: send it again, or have it delivered once more to one destination."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web

from relay.admission.normalise import events_of
from relay.body import encode
from relay.console import curl
from relay.console.gatekeeping import Denied, Mistake, went_well
from relay.console.reasons import words
from relay.console.relay import Relay
from relay.console.rendering import page
from relay.console.tracing import Traced, trace
from relay.delivery.replay import BadQuery
from relay.errors import LogUnavailable
from relay.event import TYPES, name_of
from relay.log.record import Record
from relay.outcome import Outcome
from relay.times import format_iso

ADMITTED_SECONDS = 3.0  # to wait for an event that was sent again; then its page says that it is on its way
# given anew to an event that is sent again
_OF_THE_FIRST_TIME = (
    "messageId",
    "timestamp",
    "originalTimestamp",
    "sentAt",
    "receivedAt",
    "sourceId",
    "_metadata",
)
_PLACE = r"/events/{sequence:\d{1,18}}/{index:\d{1,6}}"


def one_event_routes(relay: Relay) -> list[web.RouteDef]:
    pages = _Pages(relay)
    return [
        web.get(_PLACE, pages.show),
        web.post(_PLACE + "/again", pages.send_again),
        web.post(_PLACE + "/replay", pages.replay),
    ]


class _Pages:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def show(self, request: web.Request) -> web.Response:
        traced = await self._traced(request)
        data = traced.event.data
        is_part = "HX-Request" in request.headers
        return page(
            request,
            "event_detail.html" if is_part else "event.html",
            name=name_of(data) if isinstance(data.get("type"), str) else "An event that relay refused",
            traced=traced,
            data=data,
            curl=curl.of_event(data, self._public(request)) if _is_call(data) else "",
            deliveries=[
                {
                    "of": one,
                    "words": words(one.reason),
                    "is_open": one.state not in (Outcome.DELIVERED, Outcome.FILTERED, "waiting"),
                    "exchanges": [
                        {
                            **each,
                            "curl": curl.of_request(each["request"]),
                            "body": _body(each["request"]["body"]),
                        }
                        for each in one.requests
                    ],
                }
                for one in traced.deliveries
            ],
            words=words,
            can_send=traced.event.outcome is not Outcome.REJECTED and _is_call(data),
        )

    async def send_again(self, request: web.Request) -> web.Response:
        """As an event of its own, of now."""
        traced = await self._traced(request)
        event, data = traced.event, self._as_it_came(traced)
        if not _is_call(data) or event.outcome is Outcome.REJECTED:
            raise Mistake("This event was refused, and would be again.")
        if event.source not in self._relay.sources.by_name:
            raise Mistake("The source of this event is not in the configuration any more.")
        body = encode({k: v for k, v in data.items() if k not in _OF_THE_FIRST_TIME})
        if body is None:
            raise Mistake("This event is nested too deeply to be written again.")
        record = Record(
            received_at=int(time.time() * 1000),
            source=event.source,
            route=data["type"],
            client=False,
            ip=None,
            user_agent=None,
            sent_at=None,
            events=1,
            body=body,
        )
        try:
            sequence = await self._relay.log.append(record)
        except LogUnavailable:
            raise Denied(503, "Events cannot be kept at the moment. The log of relay says why.") from None
        try:
            async with asyncio.timeout(ADMITTED_SECONDS):
                await self._relay.feed.wait(sequence - 1)
        except TimeoutError:
            return went_well("/console/events", "Sent again. It is not admitted yet.")
        return went_well(f"/console/events/{sequence}/0", "Sent again, as this event.")

    async def replay(self, request: web.Request) -> web.Response:
        """The event alone, through the filters and mappings of today."""
        traced = await self._traced(request)
        form = await request.post()
        at, event = traced.record.received_at, traced.event
        query: dict[str, Any] = {
            "destination": str(form.get("destination", "")),
            "sources": [event.source],
            "since": format_iso(at),
            "until": format_iso(at + 1),
            "filter": f"messageId = {_quoted(event.message_id)}",
        }
        try:
            started = await self._relay.replays.start(query)
        except BadQuery as error:
            raise Mistake(f"This cannot be replayed: {error}.") from None
        return went_well(f"/console/replays/{started['id']}", "The replay of this one event has begun.")

    def _as_it_came(self, traced: Traced) -> dict[str, Any]:
        """Without what the transformations of its source made of it: they come again."""
        events = events_of(traced.record, self._relay.state.log_id)
        return next(event.data for event in events if event.index == traced.event.index)

    async def _traced(self, request: web.Request) -> Traced:
        place = (int(request.match_info["sequence"]), int(request.match_info["index"]))
        traced = await trace(self._relay, place)
        if traced is None:
            raise Denied(
                404, "This event is not in the log: retention has taken it, or it is not admitted yet."
            )
        return traced

    def _public(self, request: web.Request) -> str:
        return curl.public_address(self._relay.config.server, curl.seen_as(request))


def _is_call(data: Mapping[str, Any]) -> bool:
    """Whether it has a type that there is: what was refused may have any value there."""
    return isinstance(data.get("type"), str) and data["type"] in TYPES


def _quoted(text: str) -> str:
    """As FQL has it, where a string ends at the quote that it began with."""
    quote = next((quote for quote in "\"'" if quote not in text), None)
    if quote is None:
        raise Mistake("Its messageId has both kinds of quotes in it: no filter can name it.")
    return quote + text + quote


def _body(text: str) -> Any:
    """A body as JSON if it is whole and JSON, else as it is."""
    try:
        return orjson.loads(text)
    except ValueError:
        return text
