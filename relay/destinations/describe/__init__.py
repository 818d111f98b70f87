"""A type of destination told from its declaration: what `relay destinations` prints and docs/destinations/ shows.

settings  the settings, as relay.toml writes them
fields    an action's fields, those of objects beside them
mapping   mappings in a form to be read
block     a ready `[[destinations]]` for relay.toml
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from relay.destinations.actions import ActionDestination, needs_subscriptions
from relay.destinations.base import Destination
from relay.destinations.bridge.kinds import BridgedDestination
from relay.destinations.describe.block import block_of
from relay.destinations.describe.fields import FieldRow, rows_of
from relay.destinations.describe.settings import Setting, settings_of
from relay.destinations.oauth import OAuthDestination


class ActionRow(msgspec.Struct, frozen=True, rename="camel"):
    """An action. `max_batch` is 1 where each event is a request of its own."""

    name: str
    title: str
    about: str
    max_batch: int
    counts_several: bool  # an event may count as several of `max_batch`
    batches_unasked: bool  # else only when a mapping says `enable_batching`
    batches_by_default: bool
    sync_modes: tuple[str, ...]
    fields: tuple[FieldRow, ...]


class PresetRow(msgspec.Struct, frozen=True, rename="camel"):
    """A preset. `changes`: the fields that it takes otherwise than by default."""

    name: str
    subscribe: str
    action: str
    changes: Mapping[str, Any]


class Description(msgspec.Struct, frozen=True, rename="camel"):
    """All there is to know about a type. `endpoint` None: relay.toml or the settings say where to."""

    type: str
    title: str
    also_called: tuple[str, ...]
    summary: str
    endpoint: str | None
    needs_endpoint: bool
    batch: int
    max_batch: int
    max_bytes: int
    has_login: bool
    can_check: bool
    needs_subscriptions: bool  # without any, nothing is sent
    example: dict[str, Any] | None  # where they are needed: one to begin with
    settings: tuple[Setting, ...]
    actions: tuple[ActionRow, ...]
    presets: tuple[PresetRow, ...]
    differences: tuple[str, ...]
    notes: tuple[str, ...]
    block: str


def describe(name: str, kind: type[Destination], engine: str | None = None) -> Description:
    """The type that relay.toml calls `name`. `engine`: what its block must say of the engine."""
    with_actions = kind if issubclass(kind, ActionDestination) else None
    is_idle = needs_subscriptions(kind)
    return Description(
        name,
        kind.title,
        kind.also_called,
        kind.summary,
        kind.default_endpoint,
        kind.needs_endpoint,
        kind.batch,
        kind.max_batch,
        kind.max_bytes,
        issubclass(kind, OAuthDestination) and bool(kind.oauth_at.authorize_url),
        _can_check(kind),
        is_idle,
        _example(kind) if is_idle else None,
        tuple(settings_of(kind)),
        tuple(_actions(with_actions)),
        tuple(_presets(with_actions)),
        () if with_actions is None else tuple(with_actions.differences),
        () if with_actions is None else tuple(with_actions.notes),
        block_of(name, kind, needs_subscriptions=is_idle, engine=engine),
    )


def _can_check(kind: type[Destination]) -> bool:
    if issubclass(kind, BridgedDestination):
        return kind.declared.has_test
    return kind.check is not Destination.check


def batches_of(action: ActionRow) -> str:
    """How many events go in a request, and which sync modes there are, in words."""
    modes = f" Sync modes: {', '.join(action.sync_modes)}." if action.sync_modes else ""
    if action.max_batch == 1:
        return f"One event a request.{modes}"
    asked = "" if action.batches_unasked else ", if the mapping sets `enable_batching`"
    by_default = ", as it does by default" if asked and action.batches_by_default else ""
    several = "; an event may count as several" if action.counts_several else ""
    return f"Up to {action.max_batch:,} events a request{asked}{by_default}{several}.{modes}"


def _example(kind: type[Destination]) -> dict[str, Any] | None:
    """A subscription to edit: `…` stands where nothing can be said by default."""
    action = next(iter(kind.actions.values())) if issubclass(kind, ActionDestination) else None
    if action is None:
        return None
    mapping = {name: "…" for name, field in action.fields.items() if field.required is True}
    subscribe = 'type = "track" and event = "…"'
    return {"action": action.name, "subscribe": subscribe, "mapping": mapping | action.default_mapping()}


def _actions(kind: type[ActionDestination] | None) -> Iterator[ActionRow]:
    for action in () if kind is None else kind.actions.values():
        yield ActionRow(
            action.name,
            action.title,
            action.about,
            1 if action.perform_batch is None else action.max_batch,
            action.weight is not None,
            action.batches_unasked,
            action.batches_unasked or action.default_mapping().get("enable_batching") is True,
            action.sync_modes,
            tuple(rows_of(action.fields)),
        )


def _presets(kind: type[ActionDestination] | None) -> Iterator[PresetRow]:
    for preset in () if kind is None else kind.presets:
        yield PresetRow(preset.name, preset.subscribe, preset.action, preset.changes)
