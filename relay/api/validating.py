"""POST /v1/validate on the admin listener: as the public route, for who has a token and no write key."""

import time
from typing import Protocol

from aiohttp import web

from relay.admission.normalise import parse, prepare
from relay.admission.plans import SourcePlans
from relay.api.auth import problem
from relay.api.parameters import BadParameter, answer
from relay.errors import EventRejected
from relay.gateway.source import Sources
from relay.gateway.validating import route_of, verdicts
from relay.log.record import Record


class Relay(Protocol):
    """What this route needs of a running relay."""

    sources: Sources
    plans: SourcePlans


def validating_routes(relay: Relay) -> list[web.RouteDef]:
    """The route, to be added to the admin application."""

    async def validate(request: web.Request) -> web.Response:
        source = request.query.get("source")
        if source is None:
            raise BadParameter("source is missing: name the source that would send this")
        if source not in relay.sources.by_name:
            return problem(404, "not_found", f"there is no source {source!r}")
        body = await request.read()
        try:
            route = route_of(body)
            record = Record(int(time.time() * 1000), source, route, False, None, None, None, 1, body)  # noqa: FBT003
            events = prepare(record, parse(body, route))
        except EventRejected as error:
            return problem(400, error.code, error.message)
        return answer(verdicts(events, route, relay.plans.judged))

    return [web.post("/v1/validate", validate)]
