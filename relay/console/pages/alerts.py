"""Alerts: what somebody is told of, by which channels, how these are doing, and a message to try them."""

from collections.abc import Callable

from aiohttp import web

from relay.alerts.config import AlertConfig
from relay.console.gatekeeping import Denied, went_well
from relay.console.relay import Relay
from relay.console.rendering import number, page, seconds

HERE = "/console/alerts"


def alert_routes(relay: Relay) -> list[web.RouteDef]:
    pages = _Pages(relay)
    return [web.get("/alerts", pages.index), web.post("/alerts/test", pages.test)]


class _Pages:
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def index(self, request: web.Request) -> web.Response:
        """What each tells of comes from its configuration, how it stands from its room."""
        configs = {config.name: config for config in self._relay.config.alerts}
        found = [one for one in await self._relay.alerts.status() if one["alert"] in configs]
        return page(
            request,
            "alerts.html",
            alerts=[{"of": one, "sentence": sentence(configs[one["alert"]])} for one in found],
        )

    async def test(self, request: web.Request) -> web.Response:
        name = str((await request.post()).get("name", ""))
        try:
            problems = await self._relay.alerts.test(name)
        except KeyError:
            raise Denied(404, "There is no such alert in relay.toml.") from None
        told = [
            f"{channel}: {'it arrived' if problem is None else f'it did not arrive, {problem}'}"
            for channel, problem in problems.items()
        ]
        return went_well(HERE, f"A test message of {name}. {'; '.join(told)}.")


def sentence(config: AlertConfig) -> str:
    """What an alert tells of, and of whom."""
    said = _SAID[config.on](config)
    return f"{said[:1].upper()}{said[1:]}."


def _about(config: AlertConfig) -> str:
    return f"{_listed(config.events, 'event', 'any event')} of {_sources(config)}"


def _sources(config: AlertConfig) -> str:
    return _listed(config.sources, "source", "any source")


def _destinations(config: AlertConfig) -> str:
    return _listed(config.destinations, "destination", "any destination")


# by what an alert is on
_SAID: dict[str, Callable[[AlertConfig], str]] = {
    "new_violation": lambda c: f"a violation that was not there before, in {_about(c)}",
    "violation_rate": lambda c: (
        f"more than {_count(c.over)} violations within {_span(c.within_ms)}, in {_about(c)}"
    ),
    "destination_failing": lambda c: f"{_destinations(c)} has answered nobody for {_span(c.after_ms)}",
    "destination_lagging": lambda c: f"{_destinations(c)} {_lagging(c)}",
    "destination_paused": lambda c: f"{_destinations(c)} has been paused for {_span(c.after_ms)}",
    "dead_letters": lambda c: (
        f"more than {_count(c.over)} dead letters within {_span(c.within_ms)}, of {_destinations(c)}"
    ),
    "delivery_rate": lambda c: (
        f"less than {c.below:g} % was delivered within {_span(c.within_ms)}, to {_destinations(c)}"
    ),
    "source_blocked": lambda c: (
        f"its plan blocks more than {_count(c.over)} events of {_sources(c)} within {_span(c.within_ms)}"
    ),
    "source_silent": lambda c: f"{_sources(c)} has sent nothing for {_span(c.after_ms)}",
    "source_volume": lambda c: (
        f"{_sources(c)} sends {c.change:g} % more or fewer events within {_span(c.within_ms)} than a day before"
    ),
}


def _lagging(config: AlertConfig) -> str:
    said = []
    if config.over is not None:
        said.append(f"has more than {_count(config.over)} requests to send")
    if config.after is not None:
        said.append(f"is {_span(config.after_ms)} behind")
    return " or ".join(said)


def _listed(names: tuple[str, ...] | None, word: str, otherwise: str) -> str:
    if names is None:
        return otherwise
    return f"the {word}{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _count(value: int | None) -> str:
    return "no" if value is None else number(value)


def _span(ms: int | None) -> str:
    return "" if ms is None else seconds(ms / 1000)
