"""Events as they come in: the live list, its search, and the log behind it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp_sse import sse_response

from relay.console.debugger import TooManyListeners
from relay.console.exchanges import DELIVERED
from relay.console.fields import two_numbers
from relay.console.gatekeeping import HEADERS, IS_SIGNED_IN, Mistake
from relay.console.listening import Heard, Place
from relay.console.looking_back import look_back
from relay.console.relay import Relay
from relay.console.rendering import html, page, who
from relay.console.search import OUTCOMES, Search, search_of
from relay.event import TYPES, Event, name_of

SHOWN = 100  # of a list
KEPT = 200  # rows of a page that stays open
PER_SECOND = 20  # rows of a live list in the long run: more than anybody reads
PING_SECONDS = 2.0
FIELDS = ("q", "source", "type", "event", "outcome", "destination", "violations", "messageId")


def event_routes(relay: Relay) -> list[web.RouteDef]:
    pages = _Pages(relay)
    return [
        web.get("/events", pages.show),
        web.get("/events/list", pages.list),
        web.get("/events/stream", pages.stream),
        web.get("/events/earlier", pages.earlier),
    ]


class _Pages:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def show(self, request: web.Request) -> web.Response:
        return page(request, "events.html", **self._values(request))

    async def list(self, request: web.Request) -> web.Response:
        values = self._values(request)
        response = page(request, "events_live.html", **values)
        response.headers["HX-Replace-Url"] = f"/console/events?{values['query']}"
        return response

    def _values(self, request: web.Request) -> dict[str, Any]:
        asked, mistake = asked_of(request.query), ""
        try:
            search = search_of(asked)
        except ValueError as error:
            search, mistake = Search(), str(error)
        found = self._relay.debugger.found(search, SHOWN)
        config = self._relay.config
        return {
            "asked": dict.fromkeys(FIELDS, "") | asked,
            "is_asked": bool(asked),
            "mistake": mistake,
            "query": urlencode(asked),
            "rows": [row(event, deliveries) for event, deliveries in found],
            "before": _said(self._before(search, [event for event, _ in found])),
            "is_log_empty": self._relay.feed.cursor == 0,
            "sources": [source.name for source in config.sources],
            "destinations": [destination.name for destination in config.destinations],
            "types": sorted(TYPES),
            "outcomes": OUTCOMES,
            "kept": KEPT,
        }

    def _before(self, search: Search, found: Sequence[Event]) -> Place:
        """Where the log is to be looked through from: nothing that is meant lies between it and what was found.

        What was found of sources that send little may be older than that, and is found again then.
        """
        reach = self._relay.debugger.reach(search)
        before = (self._relay.feed.cursor + 1 if reach is None else reach, 0)
        last = (found[-1].sequence, found[-1].index) if len(found) == SHOWN else before
        return max(before, last)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        try:
            search = search_of(asked_of(request.query))
        except ValueError as error:
            raise Mistake(str(error)) from None
        # a viewer that left is found out by a ping
        async with sse_response(request, ping_interval=PING_SECONDS, headers=dict(HEADERS)) as response:
            is_signed_in = request[IS_SIGNED_IN]

            def is_wanted() -> bool:
                return response.is_connected() and is_signed_in()

            heard = self._relay.debugger.listen(search, is_wanted, PER_SECOND, is_following=True)
            missed = 0
            try:
                async for some in heard:
                    missed += some.missed
                    if text := self._news(some, missed):
                        await response.send(text)
            except TooManyListeners:
                await response.send(
                    html("events_news.html", {"rows": [], "cells": [], "missed": 0, "is_full": True})
                )
            finally:
                await heard.aclose()  # type: ignore[attr-defined]
        return response

    def _news(self, heard: Heard, missed: int) -> str:
        """New rows, and what became of earlier ones, as the page takes them in."""
        if not (heard.events or heard.changed or heard.missed):
            return ""
        debugger = self._relay.debugger
        sources = [source.name for source in self._relay.config.sources]
        places = {*heard.changed, *((e.sequence, e.index) for e in heard.events)}
        deliveries = debugger.deliveries(places, sources) if places else {}
        new = {(event.sequence, event.index) for event in heard.events}
        return html(
            "events_news.html",
            {
                "rows": [row(e, deliveries.get((e.sequence, e.index), {})) for e in reversed(heard.events)],
                "cells": [
                    {"sequence": place[0], "index": place[1], "fates": fates(deliveries[place])}
                    for place in heard.changed
                    if place in deliveries and place not in new
                ],
                "missed": missed if heard.missed else 0,
                "is_full": False,
            },
        )

    async def earlier(self, request: web.Request) -> web.Response:
        """The next part of the log, backwards."""
        asked = asked_of(request.query)
        before = two_numbers(request.query.get("before", ""), "a place in the log", second="0")
        try:
            search = search_of(asked)
        except ValueError as error:
            raise Mistake(str(error)) from None
        relay = self._relay
        end = (relay.feed.cursor + 1, 0)
        found = await look_back(relay.feed, relay.log.first, min(before, end), search, SHOWN)
        deliveries = relay.debugger.deliveries(
            {(e.sequence, e.index) for e in found.events}, {e.source for e in found.events}
        )
        both = [(e, deliveries.get((e.sequence, e.index), {})) for e in found.events]
        values: dict[str, Any] = {
            "asked": asked,
            "query": urlencode(asked),
            "rows": [row(*one) for one in both if search.matches_fates(*one)],
            "before": None if found.before is None else _said(found.before),
            "looked_at": found.looked_at,
            "oldest_ms": found.oldest_ms,
        }
        is_part = "HX-Request" in request.headers
        return page(request, "events_earlier.html" if is_part else "events_log.html", **values)


def _said(place: Place) -> str:
    return f"{place[0]}-{place[1]}"


def asked_of(query: Mapping[str, str]) -> dict[str, str]:
    """What a query string asks for, of what can be asked."""
    return {name: query[name] for name in FIELDS if query.get(name)}


def row(event: Event, deliveries: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """An event as a line of a list."""
    data = event.data
    return {
        "sequence": event.sequence,
        "index": event.index,
        "source": event.source,
        "at": data.get("receivedAt"),
        "type": data.get("type", "?"),
        "name": name_of(data) if isinstance(data.get("type"), str) else "?",
        "who": who(data),
        "verdict": None if event.outcome is None else str(event.outcome),
        "violations": len(event.violations),
        "fates": fates(deliveries),
    }


def fates(deliveries: Mapping[str, Mapping[str, Any]]) -> Iterable[tuple[str, int]]:
    """How many destinations are in which state; what went well comes last."""
    counts: dict[str, int] = {}
    for delivery in deliveries.values():
        counts[delivery["state"]] = counts.get(delivery["state"], 0) + 1
    return sorted(counts.items(), key=lambda one: (one[0] == DELIVERED, one[0]))
