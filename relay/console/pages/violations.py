"""What events did not keep of their tracking plans: in groups, each of which is one thing to mend."""

import time
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from relay.admission.violations_shown import CHUNK, Group, Place, Wanted
from relay.console.fields import two_numbers
from relay.console.gatekeeping import Mistake
from relay.console.relay import Relay
from relay.console.rendering import page
from relay.times import moment_ms

SHOWN = 100  # of a page
SPANS = {"1h": "last hour", "24h": "last 24 hours", "7d": "last 7 days", "30d": "last 30 days"}
DEFAULT = "7d"


def violation_routes(relay: Relay) -> list[web.RouteDef]:
    return [web.get("/violations", _Pages(relay).index)]


class _Pages:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def index(self, request: web.Request) -> web.Response:
        violations, config = self._relay.violations, self._relay.config
        asked = {name: request.query.get(name, "") for name in ("source", "event", "kind", "since")}
        asked["since"] = asked["since"] or DEFAULT
        found: list[Group] = await violations.groups(_wanted(asked, request.query.get("before")), SHOWN + 1)
        last = found[SHOWN - 1] if len(found) > SHOWN else None
        return page(
            request,
            "violations.html",
            asked=asked,
            is_asked=bool(asked["source"] or asked["event"] or asked["kind"]),
            groups=found[:SHOWN],
            samples=await self._samples(found[:SHOWN]),
            next_query=None if last is None else _next(asked, last),
            is_later="before" in request.query,
            query=urlencode(asked),
            sources=[source.name for source in config.sources],
            kinds=await violations.kinds(),
            spans=SPANS,
            has_plans=bool(config.plans),
            without=[source.name for source in config.sources if source.name not in config.plans],
        )

    async def _samples(self, groups: list[Group]) -> dict[Place, dict[str, Any]]:
        """The events that are led to. A few requests at a time: each may be half a megabyte."""
        places = sorted({place for group in groups for place in group.places})
        found: dict[Place, dict[str, Any]] = {}
        for start in range(0, len(places), CHUNK):
            events = await self._relay.feed.find(places[start : start + CHUNK])
            found |= {place: _said(event.data) for place, event in events.items()}
        return found


def _said(data: dict[str, Any]) -> dict[str, Any]:
    """What a link to an event says of it."""
    return {key: data[key] for key in ("userId", "anonymousId", "receivedAt") if key in data}


def _wanted(asked: dict[str, str], before: str | None) -> Wanted:
    if asked["since"] not in SPANS:
        raise Mistake(f"since must be one of {', '.join(SPANS)}.")
    given: dict[str, Any] = {name: asked[name] or None for name in ("source", "event", "kind")}
    if before is not None:
        given["before"] = two_numbers(before, "a place in this list")
    return Wanted(**given, since=moment_ms(asked["since"], int(time.time() * 1000)))


def _next(asked: dict[str, str], last: Group) -> str:
    return urlencode({**asked, "before": f"{last.last_seen}-{last.id}"})
