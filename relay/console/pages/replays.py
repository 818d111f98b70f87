"""Replays: stored events, delivered again. Counted first, then started, watched to the end, or cancelled."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiMapping

from relay.console.gatekeeping import Denied, went_well
from relay.console.reasons import words
from relay.console.relay import Relay
from relay.console.rendering import page
from relay.delivery.replay import BadQuery

HERE = "/console/replays"
SHOWN = 50
TEXTS = ("destination", "since", "until", "filter", "rate")
LISTS = ("sources", "events", "users")
_UNDER_WAY = ("running", "waiting")
_ONE = r"/replays/{id:\d{1,18}}"


def replay_routes(relay: Relay) -> list[web.RouteDef]:
    pages = _Pages(relay)
    return [
        web.get("/replays", pages.index),
        web.post("/replays", pages.start),
        web.get("/replays/new", pages.new),
        web.get(_ONE, pages.show),
        web.get(_ONE + "/cancel", pages.ask_to_cancel),
        web.post(_ONE + "/cancel", pages.cancel),
    ]


class _Pages:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def index(self, request: web.Request) -> web.Response:
        replays = await self._relay.replays.newest(SHOWN)
        is_part = "HX-Request" in request.headers
        return page(
            request,
            "replays_table.html" if is_part else "replays.html",
            replays=replays,
            is_live=any(replay["state"] in _UNDER_WAY for replay in replays),
            shown=SHOWN,
        )

    async def new(self, request: web.Request) -> web.Response:
        return self._form(request, _typed(request.query))

    def _form(
        self, request: web.Request, typed: dict[str, Any], mistake: str = "", status: int = 200
    ) -> web.Response:
        config = self._relay.config
        field, _, _ = mistake.partition(":")
        is_of_field = field in (*TEXTS, *LISTS)
        return page(
            request,
            "new_replay.html",
            status=status,
            typed=typed,
            mistakes={field: mistake} if is_of_field else {},
            mistake="" if is_of_field else mistake,
            destinations=[destination.name for destination in config.destinations],
            sources=[source.name for source in config.sources],
            gone=[name for name in typed["sources"] if name not in self._relay.sources.by_name],
        )

    async def start(self, request: web.Request) -> web.Response:
        form = await request.post()
        typed = _typed(form)
        is_dry = form.get("dryRun") == "true"
        try:
            started = await self._relay.replays.start(_body(typed, is_dry=is_dry))
        except BadQuery as error:
            return self._form(request, typed, str(error), 400)
        said = "The count has begun: nothing is sent." if is_dry else "The replay has begun."
        return went_well(f"{HERE}/{started['id']}", said)

    async def show(self, request: web.Request) -> web.Response:
        replay = await self._one(request)
        is_live = replay["state"] in _UNDER_WAY
        values: dict[str, Any] = {"replay": replay, "is_live": is_live, "words": words}
        if "HX-Request" in request.headers:
            response = page(request, "replay_numbers.html", **values)
            if not is_live:  # the page as it is at the end: without what can be done to one that runs
                response.headers["HX-Refresh"] = "true"
            return response
        query = replay["query"] | {"destination": replay["destination"]}
        asked = {name: query[name] for name in (*TEXTS, *LISTS) if query[name]}
        return page(
            request,
            "replay.html",
            **values,
            asked=asked,
            fields=[(name, one) for name, value in asked.items() for one in _each(value)],
            query=urlencode(asked, doseq=True),
        )

    async def ask_to_cancel(self, request: web.Request) -> web.Response:
        return page(request, "replay_cancel.html", replay=await self._one(request), under_way=_UNDER_WAY)

    async def cancel(self, request: web.Request) -> web.Response:
        before = await self._one(request)
        number, state = before["id"], before["state"]
        said = f"It had ended before ({state}), and is left as it is."
        if state in _UNDER_WAY:
            state = (await self._relay.replays.cancel(number))["state"]
            said = "It is cancelled." if state == "cancelled" else f"It came to its end before that: {state}."
        return went_well(f"{HERE}/{number}", said)

    async def _one(self, request: web.Request) -> dict[str, Any]:
        found: dict[str, Any] | None = await self._relay.replays.show(int(request.match_info["id"]))
        if found is None:
            raise Denied(404, "There is no such replay.")
        return found


def _typed(given: MultiMapping[Any]) -> dict[str, Any]:
    """What a form was filled with, kept as it is: texts, and lists with one item a line."""
    texts = {name: next(iter(_texts(given, name)), "") for name in TEXTS}
    lists = {name: _lines(_texts(given, name)) for name in LISTS}
    return {**texts, **lists}


def _texts(given: MultiMapping[Any], name: str) -> list[str]:
    return [value for value in given.getall(name, []) if isinstance(value, str)]


def _lines(texts: list[str]) -> list[str]:
    return [line.strip() for text in texts for line in text.splitlines() if line.strip()]


def _each(value: Any) -> list[Any]:
    return [*value] if isinstance(value, list | tuple) else [value]


def _body(typed: Mapping[str, Any], *, is_dry: bool) -> dict[str, Any]:
    """As the API takes it. Raises BadQuery."""
    stripped = {name: one.strip() if isinstance(one, str) else one for name, one in typed.items()}
    body: dict[str, Any] = {"destination": "", "dryRun": is_dry}
    body |= {name: value for name, value in stripped.items() if value}
    if "rate" in body:
        try:
            body["rate"] = float(body["rate"])
        except ValueError:
            raise BadQuery("rate: must be a number of events a second") from None
    return body
