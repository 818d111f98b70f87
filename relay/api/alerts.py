"""/v1/alerts: the rules of relay.toml and how they are doing, and a message to try their channels."""

from typing import Any, Protocol

from aiohttp import web

from relay.api.auth import problem
from relay.api.parameters import answer


class Relay(Protocol):
    """What these routes need of a running relay."""

    alerts: Any


def alert_routes(relay: Relay) -> list[web.RouteDef]:
    """The routes, to be added to the admin application."""
    routes = _Routes(relay)
    return [
        web.get("/v1/alerts", routes.list),
        web.post("/v1/alerts/{name}/test", routes.test),
    ]


class _Routes:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def list(self, _: web.Request) -> web.Response:
        return answer({"alerts": await self._relay.alerts.status()})

    async def test(self, request: web.Request) -> web.Response:
        """It is 200 whatever the channels say: each is told of by itself."""
        name = request.match_info["name"]
        try:
            problems = await self._relay.alerts.test(name)
        except KeyError:
            return problem(404, "not_found", f"there is no alert {name!r} in relay.toml")
        channels = [
            {"channel": channel, "sent": trouble is None, "problem": trouble}
            for channel, trouble in problems.items()
        ]
        return answer({"alert": name, "channels": channels})
