"""Who may send: each source, what came from it since relay was started, and how to set up one that sends.

Write keys, and what has them in it, are for those who may change things.
"""

from typing import Any

import msgspec
from aiohttp import web

from relay.browser.snippet import snippet
from relay.console import curl
from relay.console.configuration import written
from relay.console.gatekeeping import Denied
from relay.console.reasons import words
from relay.console.relay import Relay
from relay.console.rendering import SESSION, page
from relay.console.shown import text_of
from relay.plans.controls import Controls

PLACEHOLDER = "WRITE_KEY"
_ANSWERED = {
    200: "accepted",
    400: "refused: not what the Segment spec says",
    403: "refused: from a page that may not send (allowed_origins)",
    429: "put off: more than the source may send (rate_limit)",
    503: "put off: relay could not keep them",
}


def source_routes(relay: Relay) -> list[web.RouteDef]:
    pages = _Pages(relay)
    return [web.get("/sources", pages.index), web.get("/sources/{name}", pages.show)]


class _Pages:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def index(self, request: web.Request) -> web.Response:
        is_part = "HX-Request" in request.headers
        return page(
            request,
            "sources_table.html" if is_part else "sources.html",
            sources=[self._row(source) for source in self._relay.sources.by_name.values()],
            is_made_by_relay="sources" not in written(self._relay.config),
        )

    def _row(self, source: Any) -> dict[str, Any]:
        return {
            "name": source.name,
            "is_enabled": source.is_enabled,
            "accepted": source.events,
            "refused": sum(source.rejected.values()),
            "plan": self._plan(source.name),
            "destinations": [d.name for d in self._takers(source.name)],
        }

    def _plan(self, name: str) -> str | None:
        compiled = self._relay.config.plans.get(name)
        return None if compiled is None else compiled.plan.name

    def _takers(self, name: str) -> list[Any]:
        return [d for d in self._relay.config.destinations if d.sources is None or name in d.sources]

    async def show(self, request: web.Request) -> web.Response:
        source = self._relay.sources.by_name.get(request.match_info["name"])
        if source is None:
            raise Denied(404, "There is no such source in the configuration.")
        numbers: dict[str, Any] = {
            "row": self._row(source),
            "answers": _answers(source),
            "refused": _refused(source),
        }
        if "HX-Request" in request.headers:
            return page(request, "source_numbers.html", **numbers)
        config = self._of_config(source)
        return page(
            request,
            "source.html",
            **numbers,
            config=config,
            origins=config.allowed_origins,
            keys=config.keys,
            controls=_controls(config.controls),
            takers=self._takers(source.name),
            **self._set_up(request, config),
        )

    def _of_config(self, source: Any) -> Any:
        """As it is now: the controls may have been changed by an API since."""
        return next((c for c in self._relay.config.sources if c.name == source.name), source.config)

    def _set_up(self, request: web.Request, config: Any) -> dict[str, Any]:
        """What to paste, with the key for those who may have it."""
        relay_config = self._relay.config
        key = config.keys[0] if request[SESSION].can_change else PLACEHOLDER
        public = curl.public_address(relay_config.server, curl.seen_as(request))
        return {
            "snippet": snippet(key, public, relay_config.browser, is_readable=True),
            "curl": curl.of_first_event(key, public),
        }


def _answers(source: Any) -> list[tuple[int, str, int]]:
    return [(status, _ANSWERED.get(status, ""), n) for status, n in sorted(source.statuses.items())]


def _refused(source: Any) -> list[tuple[str, str, int]]:
    return [(code, words(code), n) for code, n in source.rejected.most_common()]


def _controls(controls: Controls) -> list[tuple[str, str, bool]]:
    """Each with its value, and whether it is other than by default."""
    default = Controls()
    return [
        (field, text_of(getattr(controls, field)), getattr(controls, field) != getattr(default, field))
        for field in msgspec.structs.asdict(controls)
    ]
