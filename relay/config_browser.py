"""What of the configuration browsers are told: the facts of a source that its settings document is made of.

And what they will ask for that is not there.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from relay.browser.analytics_next import NAME, NOT_INSTALLED, is_installed
from relay.browser.library import MISSING, is_built
from relay.browser.settings import Facts, Plugin
from relay.config import Config
from relay.delivery.config import DestinationConfig
from relay.destinations.base import Destination
from relay.destinations.device import browser_name, public_settings
from relay.destinations.fql.rules import rule_of
from relay.event import PREFERENCE_UPDATED


def facts_of(source: str, config: Config) -> Facts:
    mine = [d for d in config.destinations if d.enabled and (d.sources is None or source in d.sources)]
    return Facts(
        cloud=tuple(sorted({type(config.settings[d.name]).title for d in mine if d.mode == "cloud"})),
        planned=_planned(source, config),
        categories=tuple(sorted({category for d in mine for category in d.consent})),
        has_unmapped=any(not d.consent for d in mine),
        consent_manager=next((s.consent_manager for s in config.sources if s.name == source), None),
        plugins=tuple(_plugin(d, type(config.settings[d.name])) for d in mine if d.mode == "device"),
        has_cookies=bool(config.browser.cookie_domains),
        has_own_names=config.browser.script is not None,
    )


def _plugin(destination: DestinationConfig, kind: type[Destination]) -> Plugin:
    rule = rule_of(destination.filter, destination.filters)
    return Plugin(
        type=destination.type,
        name=browser_name(destination.type, destination.name, kind.title),
        id=destination.name,
        also=kind.also_called,
        settings=public_settings(destination.type, destination.settings),
        categories=destination.consent,
        rule=None if rule is None else msgspec.to_builtins(rule),
    )


def _planned(source: str, config: Config) -> tuple[str, ...] | None:
    """The events of the plan, when its source lets no others through; a change of consent as admission has it."""
    compiled = config.plans.get(source)
    lets_all = all(s.controls.allow_unplanned_track_events for s in config.sources if s.name == source)
    if compiled is None or lets_all:
        return None
    names = {rule.key for rule in compiled.plan.rules if rule.kind == "TRACK"}
    if any(destination.consent for destination in config.destinations):
        names.add(PREFERENCE_UPDATED)
    return tuple(sorted(names))


def missing_scripts(config: Config, data_dir: Path) -> Iterator[str]:
    """Sentences, each with the command that brings what is missing. Plug-ins are relay's, whichever the library is."""
    is_own = config.browser.library == "relay"
    if not is_own and not is_installed(data_dir / NAME):
        yield NOT_INSTALLED
    if (is_own or any(each.mode == "device" for each in config.destinations)) and not is_built():
        yield MISSING
