"""/v1/overview: what happened in the last hour, day or week."""

from typing import Any, Protocol

from aiohttp import web

from relay.api.parameters import BadParameter, answer
from relay.history.history import RANGES


class Relay(Protocol):
    """What these routes need of a running relay."""

    history: Any


def overview_routes(relay: Relay) -> list[web.RouteDef]:
    """The routes, to be added to the admin application."""

    async def overview(request: web.Request) -> web.Response:
        wanted = request.query.get("range", "1h")
        if wanted not in RANGES:
            raise BadParameter(f"range must be one of {', '.join(RANGES)}")
        found = await relay.history.overview(wanted)
        return answer({"range": found.range, "funnel": found.funnel, "series": found.series})

    return [web.get("/v1/overview", overview)]
