"""/v1/replays: stored events, delivered again. What a replay is asked for: see `delivery/replay.py`."""

from typing import Any, Protocol

from aiohttp import web

from relay.api.auth import problem
from relay.api.parameters import BadParameter, answer, body, limit
from relay.delivery.replay import BadQuery

_ONE = r"/v1/replays/{id:\d{1,18}}"  # what fits into SQLite's integers; another id is not found


class Relay(Protocol):
    """What these routes need of a running relay."""

    replays: Any


def replay_routes(relay: Relay) -> list[web.RouteDef]:
    """The routes, to be added to the admin application."""
    routes = _Routes(relay)
    return [
        web.get("/v1/replays", routes.newest),
        web.post("/v1/replays", routes.start),
        web.get(_ONE, routes.show),
        web.delete(_ONE, routes.cancel),
    ]


class _Routes:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def newest(self, request: web.Request) -> web.Response:
        return answer({"replays": await self._relay.replays.newest(limit(request))})

    async def start(self, request: web.Request) -> web.Response:
        try:
            started = await self._relay.replays.start(await body(request))
        except BadQuery as error:
            raise BadParameter(str(error)) from None
        return answer(started, 201)

    async def show(self, request: web.Request) -> web.Response:
        return _found(await self._relay.replays.show(_id(request)))

    async def cancel(self, request: web.Request) -> web.Response:
        """The state in which it is then: one that had ended before is left as it is."""
        return _found(await self._relay.replays.cancel(_id(request)))


def _id(request: web.Request) -> int:
    return int(request.match_info["id"])


def _found(replay: dict[str, Any] | None) -> web.Response:
    return problem(404, "not_found", "there is no such replay") if replay is None else answer(replay)
