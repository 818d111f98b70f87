"""An action: one thing a destination can be asked to do with an event.

It declares its fields and one or two flows. `perform` sends one event; `perform_batch`, where the vendor has such a
request, several. Presets say which events an action is for when relay.toml says nothing.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from relay.destinations.actions.fields import Fields, defaults
from relay.destinations.base import Destination, Route, Steps


class Call(msgspec.Struct):
    """One event for one action. `payload` has the action's fields; `event` is the event itself, never changed."""

    payload: dict[str, Any]
    event: Mapping[str, Any]
    now_ms: int
    sync_mode: str | None = None
    mapping: Mapping[str, Any] = {}

    def get(self, field: str) -> Any:
        """The value of a field, None when it has none."""
        return self.payload.get(field)


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked for. The flows are given the destination's settings first."""

    name: str  # Segment's own, so that mappings can be moved
    title: str
    about: str
    fields: Fields
    perform: Callable[[Any, Call], Steps]
    perform_batch: Callable[[Any, Sequence[Call]], Steps] | None = None
    max_batch: int = 1000  # events the vendor takes in one request
    weight: Callable[[Call], int] | None = None  # what an event counts of `max_batch`; without, one
    batch_key: Callable[[Call], Hashable] | None = None  # what must be equal within a request
    batches_unasked: bool = True  # False: only when the mapping says `enable_batching`
    keeps_empty_in_batches: bool = False  # empty texts at the top of a payload: Segment's own batches do
    sync_modes: tuple[str, ...] = ()  # the first is the default

    def default_mapping(self, **changes: Any) -> dict[str, Any]:
        """What its fields take by default, with `changes`."""
        return {**defaults(self.fields), **changes}


class Preset(msgspec.Struct, frozen=True):
    """A subscription that holds when relay.toml has none: which events, and which fields otherwise than by default.

    `needs` names a setting (in Python) without which it does not hold: every event would be refused.
    """

    name: str
    action: str
    subscribe: str
    changes: Mapping[str, Any] = {}
    needs: str = ""


class Subscription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of `subscriptions`: `subscribe` in FQL; without a mapping the action's defaults."""

    action: str
    subscribe: str
    mapping: dict[str, Any] | None = None
    name: str = ""
    enabled: bool = True


class ActionDestination(Destination, frozen=True):
    """A destination whose events go through subscriptions to actions."""

    actions: ClassVar[Mapping[str, Action]]
    presets: ClassVar[Sequence[Preset]]
    differences: ClassVar[Sequence[str]] = ()  # where the defaults are not Segment's, and why: for the docs
    notes: ClassVar[Sequence[str]] = ()  # limits and habits of the vendor that an operator should know

    def route(self, subscriptions: Sequence[Subscription] | None = None) -> Route:
        """How events go there: by `subscriptions`, or by the presets that hold with these settings."""
        if subscriptions is None:
            presets = zip(self.presets, self.preset_subscriptions(), strict=True)
            subscriptions = [
                made for preset, made in presets if not preset.needs or getattr(self, preset.needs)
            ]
        return self.route_by(subscriptions)

    def route_by(self, subscriptions: Sequence[Subscription]) -> Route:
        """How events go there by these."""
        from relay.destinations.actions.route import ActionRoute  # noqa: PLC0415  it knows actions

        return ActionRoute(self, subscriptions)

    @classmethod
    def preset_subscriptions(cls) -> list[Subscription]:
        """The presets, written out."""
        return [
            Subscription(
                preset.action,
                preset.subscribe,
                cls.actions[preset.action].default_mapping(**preset.changes),
                preset.name,
            )
            for preset in cls.presets
        ]


def needs_subscriptions(kind: type[Destination]) -> bool:
    """Whether nothing is sent until relay.toml has subscriptions."""
    return issubclass(kind, ActionDestination) and not kind.presets and kind.route is ActionDestination.route


def by_name(*actions: Action) -> dict[str, Action]:
    """The catalogue of a destination's actions."""
    return {action.name: action for action in actions}
