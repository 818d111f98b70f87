"""Test an event: what would become of it, without sending it. For readers too, since it changes nothing."""

from typing import Any

import orjson
from aiohttp import web

from relay.console.fields import whole_number
from relay.console.gatekeeping import Denied, Mistake
from relay.console.reasons import words
from relay.console.relay import Relay
from relay.console.rendering import page
from relay.console.testing import SHOWN, Outcomes, try_request
from relay.console.tracing import Traced, trace
from relay.event import TYPES

EXAMPLE = """{
  "type": "track",
  "userId": "u-1",
  "event": "Order Completed",
  "properties": {"order_id": "o-1", "total": 29.9}
}"""


def testing_routes(relay: Relay) -> list[web.RouteDef]:
    pages = _Pages(relay)
    return [web.get("/test", pages.show), web.post("/test", pages.run)]


class _Pages:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def show(self, request: web.Request) -> web.Response:
        """With an example, or with an event of the log."""
        source, text = request.query.get("source", ""), EXAMPLE
        if "sequence" in request.query:
            place = (
                whole_number(request.query.get("sequence", "0"), "sequence"),
                whole_number(request.query.get("index", "0"), "index"),
            )
            traced = await trace(self._relay, place)
            if traced is None:
                raise Denied(404, "This event is not in the log: retention has taken it.")
            source, text = traced.event.source, _text(traced)
        return self._page(request, source, text, None)

    async def run(self, request: web.Request) -> web.Response:
        form = await request.post()
        source, text = str(form.get("source", "")), str(form.get("event", ""))
        if source not in self._relay.sources.by_name:
            raise Mistake("There is no such source in the configuration. Choose another one.")
        found = await try_request(self._relay, source, text)
        return self._page(request, source, text, found, 400 if found.mistake else 200)

    def _page(
        self, request: web.Request, source: str, text: str, found: Outcomes | None, status: int = 200
    ) -> web.Response:
        return page(
            request,
            "test.html",
            status=status,
            source=source,
            text=text,
            found=found,
            sources=list(self._relay.sources.by_name),
            words=words,
            most=SHOWN,
        )


def _text(traced: Traced) -> str:
    """The event as it arrived, without the write key that some SDKs put into it."""
    arrived = traced.arrived if isinstance(traced.arrived, dict) else traced.event.data
    data: dict[str, Any] = {name: value for name, value in arrived.items() if name != "writeKey"}
    if traced.record.route in TYPES:
        data = {"type": traced.record.route, **data}
    try:
        return orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()
    except TypeError:
        raise Mistake("This event is nested too deeply to be written again.") from None
