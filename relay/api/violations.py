"""/v1/violations: what events did not keep of their tracking plans, counted, with samples."""

from typing import Any, Protocol

from aiohttp import web

from relay.api.parameters import answer, limit, moment


class Relay(Protocol):
    """What these routes need of a running relay."""

    violations: Any


def violation_routes(relay: Relay) -> list[web.RouteDef]:
    """The routes, to be added to the admin application."""

    async def newest(request: web.Request) -> web.Response:
        found = await relay.violations.page(
            request.query.get("source"),
            request.query.get("event"),
            moment(request, "since"),
            limit(request),
        )
        return answer({"violations": found})

    return [web.get("/v1/violations", newest)]
