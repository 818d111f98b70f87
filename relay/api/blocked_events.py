"""/v1/blocked-events: what tracking plans have blocked, and its release."""

import time
from typing import Annotated, Any, Protocol

import msgspec
from aiohttp import web

from relay.admission.blocked import BlockedEvents, Choice
from relay.admission.releasing import Releasing
from relay.api.auth import problem
from relay.api.parameters import BadParameter, answer, body, flag, limit, number
from relay.errors import LogUnavailable
from relay.times import moment_ms

PATH = "/v1/blocked-events"

Id = Annotated[int, msgspec.Meta(ge=0, lt=10**18)]  # what SQLite's integers hold


class Relay(Protocol):
    """What these routes need of a running relay."""

    blocked_events: BlockedEvents
    releasing: Releasing


class ReleaseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Which to release: of a source, or by their ids. `after`: go on where an earlier answer says `next`."""

    source: str | None = None
    event: str | None = None
    reason: str | None = None
    since: str | None = None
    until: str | None = None
    ids: tuple[Id, ...] | None = None
    after: Id = 0
    dry_run: bool = False


def blocked_event_routes(relay: Relay) -> list[web.RouteDef]:
    """The routes, to be added to the admin application."""
    routes = _Routes(relay)
    return [
        web.get(PATH, routes.newest),
        web.get(f"{PATH}/groups", routes.groups),
        web.post(f"{PATH}/release", routes.release),
    ]


class _Routes:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def newest(self, request: web.Request) -> web.Response:
        page = await self._relay.blocked_events.newest(
            _choice(request.query),
            before=number(request, "before", None),
            limit=limit(request),
            is_released_too=flag(request, "released"),
        )
        return answer({"blockedEvents": page})

    async def groups(self, request: web.Request) -> web.Response:
        groups = await self._relay.blocked_events.grouped(
            _choice(request.query), limit=limit(request), is_released_too=flag(request, "released")
        )
        return answer({"groups": groups})

    async def release(self, request: web.Request) -> web.Response:
        given = await body(request)
        try:
            asked = msgspec.convert(given, ReleaseRequest)
        except msgspec.ValidationError as error:
            raise BadParameter(str(error)) from None
        if asked.source is None and asked.ids is None:
            raise BadParameter("name a source, or ids")
        choice = msgspec.structs.replace(_choice(given), ids=asked.ids)
        try:
            done = await self._relay.releasing.release(choice, after=asked.after, is_dry_run=asked.dry_run)
        except LogUnavailable as error:
            return problem(503, "unavailable", error.reason)
        return answer(msgspec.to_builtins(done))


def _choice(given: Any) -> Choice:
    choice = Choice(given.get("source"), given.get("event"), given.get("reason"))
    now = int(time.time() * 1000)
    for name in ("since", "until"):
        if given.get(name) is not None:
            try:
                choice = msgspec.structs.replace(choice, **{name: moment_ms(given[name], now)})
            except ValueError as error:
                raise BadParameter(f"{name}: {error}") from None
    return choice
