r"""`subscriptions` of a destination: a list in relay.toml, or the name of a JSON file that holds one.

    [{"action": "trackEvent", "subscribe": "type = \"track\"", "mapping": {"event": {"@path": "$.event"}}}]

Segment's own word for `action` is taken too, so that what was exported there needs no editing. Every mistake is
said with the number of its subscription.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from relay.config_errors import convert, explain, suggestion
from relay.destinations.actions import Action, ActionDestination, Subscription, needs_subscriptions
from relay.destinations.actions.schema import Fitting
from relay.destinations.base import Destination
from relay.destinations.fql import compile_subscription
from relay.destinations.mapping import MappingError, compile_mapping

SEGMENTS_WORD = "partnerAction"
_NOTHING = (None, "")
INTERNAL = "__segment_internal_"  # keys of a mapping that are no fields

Found = tuple[list[Subscription], list[str]]


def read_subscriptions(value: Any, folder: Path) -> Found:
    """The subscriptions of `value`, and what is wrong with it."""
    if isinstance(value, str):
        try:
            listed = json.loads((folder / value).read_bytes())
        except OSError as error:
            return [], [f"{value}: cannot be read: {error.strerror}"]
        except ValueError as error:
            return [], [f"{value}: not JSON: {error}"]
        found, mistakes = _list(listed)
        return found, [f"{value}: {mistake}" for mistake in mistakes]
    return _list(value)


def _list(listed: Any) -> Found:
    if not isinstance(listed, list):
        return [], ["must be a list of {action, subscribe, mapping}, or the name of a JSON file with one"]
    found: list[Subscription] = []
    mistakes: list[str] = []
    for number, raw in enumerate(listed, 1):
        try:
            found.append(convert(_with_our_word(raw), Subscription))
        except msgspec.ValidationError as error:
            mistakes.append(f"number {number}: {explain(error)}")
    return found, mistakes


def _with_our_word(raw: Any) -> Any:
    if not isinstance(raw, dict) or SEGMENTS_WORD not in raw:
        return raw
    renamed = {key: value for key, value in raw.items() if key != SEGMENTS_WORD}
    return {"action": raw[SEGMENTS_WORD], **renamed}


def mistakes_of(kind: type[Destination], subscriptions: tuple[Subscription, ...]) -> Iterator[str]:
    """What keeps them from working."""
    actions = _actions(kind)
    if not actions:
        yield "this type has no actions: it takes every event as it is"
        return
    for number, one in enumerate(subscriptions, 1):
        if one.action not in actions:
            yield f"number {number}: unknown action `{one.action}`{suggestion(one.action, actions)}"
            continue
        if error := compile_subscription(one.subscribe).error:
            yield f"number {number}: `subscribe`: {error}"
        try:
            compile_mapping(one.mapping or {})
        except MappingError as wrong:
            yield f"number {number}: `mapping`: {wrong}"
        except ModuleNotFoundError:
            yield f"number {number}: `mapping`: @liquid needs an extra: pip install 'relay[liquid]'"


def notes_of(kind: type[Destination], subscriptions: tuple[Subscription, ...] | None) -> Iterator[str]:
    """What works, and may not be what was meant."""
    if subscriptions is None and needs_subscriptions(kind):
        yield "nothing is sent: this type has no presets, so `subscriptions` must say what is"
    if subscriptions is not None and not any(one.enabled for one in subscriptions):
        yield "nothing is sent: there is no enabled subscription"
    actions = _actions(kind)
    for number, one in enumerate(subscriptions or (), 1):
        if differs := compile_subscription(one.subscribe).differs:
            yield f"subscription {number}: {differs}"
        for key in one.mapping or {}:
            fields = actions[one.action].fields
            if key not in fields and not key.startswith(INTERNAL):
                yield f"subscription {number}: `{one.action}` has no field `{key}`{suggestion(key, fields)}"
        action = actions[one.action]
        mapping = action.default_mapping() if one.mapping is None else one.mapping
        for note in _never_right(action, mapping):
            yield f"subscription {number}: {note}"


def _never_right(action: Action, mapping: Mapping[str, Any]) -> Iterator[str]:
    """Fields that refuse every event, whatever is in it: they lack a value, or have always the same wrong one."""
    if any(key.startswith("@") for key in mapping):  # a directive makes the fields
        return
    fitting = Fitting(action.fields)
    wrong = {name: "is missing" for name in fitting.required if mapping.get(name) in _NOTHING}
    for name, value in mapping.items():
        if name in fitting.checks and value not in _NOTHING and not isinstance(value, dict | list):
            fitting.checks[name](value, name, wrong)
    for name, what in wrong.items():
        yield f"`{name}` {what}: `{action.name}` refuses every event"


def _actions(kind: type[Destination]) -> Mapping[str, Action]:
    return kind.actions if issubclass(kind, ActionDestination) else {}
