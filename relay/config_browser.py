"""What of the configuration browsers are told: the facts of a source that its settings document is made of."""

from relay.browser.settings import Facts, Plugin
from relay.config import Config
from relay.delivery.config import DestinationConfig
from relay.destinations.base import Destination
from relay.destinations.device import browser_name, public_settings


def facts_of(source: str, config: Config) -> Facts:
    mine = [d for d in config.destinations if d.enabled and (d.sources is None or source in d.sources)]
    return Facts(
        cloud=tuple(sorted({type(config.settings[d.name]).title for d in mine if d.mode == "cloud"})),
        planned=_planned(source, config),
        categories=tuple(sorted({category for d in mine for category in d.consent})),
        has_unmapped=any(not d.consent for d in mine),
        plugins=tuple(_plugin(d, type(config.settings[d.name])) for d in mine if d.mode == "device"),
        has_cookies=bool(config.browser.cookie_domains),
        has_own_names=config.browser.script is not None,
    )


def _plugin(destination: DestinationConfig, kind: type[Destination]) -> Plugin:
    return Plugin(
        type=destination.type,
        name=browser_name(destination.type, destination.name, kind.title),
        id=destination.name,
        also=kind.also_called,
        settings=public_settings(destination.type, destination.settings),
        categories=destination.consent,
    )


def _planned(source: str, config: Config) -> tuple[str, ...] | None:
    """The events of the plan, when its source lets no others through."""
    compiled = config.plans.get(source)
    lets_all = all(s.controls.allow_unplanned_track_events for s in config.sources if s.name == source)
    if compiled is None or lets_all:
        return None
    return tuple(sorted({rule.key for rule in compiled.plan.rules if rule.kind == "TRACK"}))
