"""Where events go: how each destination stands, why it does not get on, and holding it up for a while."""

from typing import Any

from aiohttp import web

from relay.console.destination import said_by, set_up
from relay.console.gatekeeping import Denied, Mistake, went_well
from relay.console.pages.new_destination import new_destination
from relay.console.reasons import words
from relay.console.relay import Relay
from relay.console.rendering import page
from relay.console.search import RETRYING, Search
from relay.delivery.dead_letters import Chosen
from relay.destinations.oauth import OAuthDestination
from relay.event import name_of

NEW = "new"  # a destination may be called so: the other page is asked for with a type
NEWEST = 5  # failures of each kind on the page of a destination
_ONE = "/destinations/{name}"
_OFF = {
    "state": "disabled",
    "lag": 0,
    "concurrency": 0,
    "opensInSeconds": 0,
    "retrying": 0,
    "lastError": None,
    "login": None,
    "events": {},
}


def destination_routes(relay: Relay) -> list[web.RouteDef]:
    pages = _Pages(relay)
    return [
        web.get("/destinations", pages.index),
        web.get(_ONE, pages.show),
        web.post(_ONE + "/pause", pages.pause),
        web.post(_ONE + "/resume", pages.resume),
    ]


class _Pages:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def index(self, request: web.Request) -> web.Response:
        is_part = "HX-Request" in request.headers
        return page(
            request,
            "destinations_table.html" if is_part else "destinations.html",
            rows=await self._rows(),
            words=words,
        )

    async def _rows(self) -> list[dict[str, Any]]:
        """Those of relay.toml in its order, disabled ones too."""
        running = {status["name"]: status for status in await self._relay.delivery.status()}
        return [
            (running.get(one.name) or await self._off(one.name))
            | {"name": one.name, "title": self._title(one.name)}
            for one in self._relay.config.destinations
        ]

    async def _off(self, name: str) -> dict[str, Any]:
        """As `running` ones are told. What was refused before is there still."""
        groups = await self._relay.dead_letters.groups(Chosen(name))
        return {**_OFF, "deadLetters": sum(group.count for group in groups)}

    def _title(self, name: str) -> str:
        title: str = type(self._relay.config.settings[name]).title
        return title

    async def show(self, request: web.Request) -> web.Response:
        if request.match_info["name"] == NEW and (
            "type" in request.query or NEW not in self._relay.config.settings
        ):
            return new_destination(self._relay, request)
        config = self._config(request)
        row = next(row for row in await self._rows() if row["name"] == config.name)
        settings = self._relay.config.settings[config.name]
        if row["login"] is None and isinstance(settings, OAuthDestination):
            row["login"] = await self._relay.delivery.logins.status(config.name)
        dead = await self._relay.dead_letters.page(config.name, None, NEWEST)
        values: dict[str, Any] = {
            "row": row,
            "refusal": dead[0] if dead else None,
            "words": words,
            "can_log_in": isinstance(settings, OAuthDestination) and bool(settings.oauth_at.authorize_url),
        }
        if "HX-Request" in request.headers:
            return page(request, "destination_numbers.html", **values)
        return page(
            request,
            "destination.html",
            **values,
            config=config,
            set_up=set_up(config, settings),
            is_known=config.name in self._relay.delivery.consumers,
            dead=dead,
            retrying=self._retrying(config.name),
            name_of=name_of,
        )

    def _retrying(self, name: str) -> list[dict[str, Any]]:
        """The newest that wait for another try, each with what was answered last."""
        found = self._relay.debugger.found(Search(destination=name, outcome=RETRYING), NEWEST)
        return [
            {"event": event, "name": name_of(event.data), **said_by(deliveries[name])}
            for event, deliveries in found
        ]

    async def pause(self, request: web.Request) -> web.Response:
        return await self._pause(request, is_paused=True)

    async def resume(self, request: web.Request) -> web.Response:
        return await self._pause(request, is_paused=False)

    async def _pause(self, request: web.Request, *, is_paused: bool) -> web.Response:
        name = self._config(request).name
        try:
            await self._relay.delivery.pause(name, is_paused=is_paused)
        except KeyError:
            raise Mistake(f"{name} does not run: it is disabled in relay.toml.") from None
        paused = "paused. Its events wait in the log, and nothing is lost."
        return went_well(
            f"/console/destinations/{name}", f"{name} is {paused if is_paused else 'running again.'}"
        )

    def _config(self, request: web.Request) -> Any:
        name = request.match_info["name"]
        for config in self._relay.config.destinations:
            if config.name == name:
                return config
        raise Denied(404, "There is no such destination in the configuration.")
