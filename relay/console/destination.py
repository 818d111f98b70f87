"""One destination as it is set up: settings, subscriptions and filters in force; and what it answered."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from relay.console.shown import ShownSetting, harmless, settings_shown, text_of
from relay.delivery.config import DestinationConfig
from relay.destinations import CATALOGUE
from relay.destinations.actions import ActionDestination, Subscription
from relay.destinations.base import Destination
from relay.destinations.bridge.catalogue import Catalogue
from relay.destinations.bridge.kinds import BridgedDestination
from relay.destinations.describe import Description, describe
from relay.destinations.device import DEVICE_ONLY

_PACE = ("rate_limit", "concurrency", "batch_size", "batch_wait", "timeout", "retry_for", "order")


class ShownSubscription(msgspec.Struct, frozen=True):
    """Which events go by which action, with its mapping."""

    name: str
    action: str
    subscribe: str
    mapping: Any


class SetUp(msgspec.Struct, frozen=True):
    """What is in force. `engine`, `endpoint`: with the type's own where relay.toml says nothing."""

    engine: str
    endpoint: str
    summary: str
    settings: tuple[ShownSetting, ...]
    subscriptions: tuple[ShownSubscription, ...]
    are_presets: bool
    filters: Any
    transformations: Any
    pace: tuple[tuple[str, str], ...]


def set_up(config: DestinationConfig, settings: Destination) -> SetUp:
    kind = type(settings)
    subscriptions: Sequence[Subscription] = config.subscriptions or ()
    are_presets = config.subscriptions is None and isinstance(settings, ActionDestination)
    if are_presets and issubclass(kind, ActionDestination):
        subscriptions = kind.preset_subscriptions()
    shown = {one.setting.name: one.value for one in settings_shown(settings)}
    return SetUp(
        engine=_engine(config, settings),
        endpoint=config.endpoint or kind.default_endpoint or shown.get("url", ""),
        summary=kind.summary,
        settings=tuple(settings_shown(settings)),
        subscriptions=tuple(
            ShownSubscription(one.name, one.action, one.subscribe, harmless(msgspec.to_builtins(one.mapping)))
            for one in subscriptions
        ),
        are_presets=are_presets,
        filters=harmless(msgspec.to_builtins(config.filters)),
        transformations=harmless(msgspec.to_builtins(config.transformations)),
        pace=tuple((key, text_of(getattr(config, key))) for key in _PACE),
    )


def _engine(config: DestinationConfig, settings: Destination) -> str:
    if isinstance(settings, BridgedDestination):
        return "bridge: Segment's own code"
    return "the browser only" if config.type in DEVICE_ONLY else "native: relay's own code"


def said_by(delivery: Mapping[str, Any]) -> dict[str, Any]:
    """What was answered last, of a delivery as the debugger has it."""
    reply = delivery.get("reply") or {}
    return {
        "reason": delivery.get("reason"),
        "status": reply.get("status"),
        "reply": reply.get("body") or "",
    }


def types_of(found: Catalogue | None) -> dict[str, str]:
    """Every type that can be used, with its title. `found`: Segment's own, when they are installed."""
    own = {name: kind.title for name, kind in {**CATALOGUE, **DEVICE_ONLY}.items()}
    bridged = {} if found is None else found.by_type
    return own | {
        name: one.name for name, one in sorted(bridged.items()) if name not in own and not one.unsupported
    }


def description_of(name: str, kind: type[Destination], taken: set[str]) -> Description:
    """All about a type; its block has a name that is free."""
    own = kind.declared.type if issubclass(kind, BridgedDestination) else name
    it = describe(own, kind, "bridge" if kind is not CATALOGUE.get(own, kind) else None)
    free = next(each for each in (own, *(f"{own}-{n}" for n in range(2, 1000))) if each not in taken)
    block = it.block.replace(f'name = "{own}"', f'name = "{free}"', 1)
    return msgspec.structs.replace(it, block=block)
