r"""`subscriptions` of a destination: a list in relay.toml, or the name of a JSON file that holds one.

    [{"action": "trackEvent", "subscribe": "type = \"track\"", "mapping": {"event": {"@path": "$.event"}}}]

In a file `${NAME}` comes from the environment, as in relay.toml. Segment's own words are taken too, so that what comes
from there needs no editing. Every mistake is said with the number of its subscription.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from relay.config_errors import convert, expand, explain, suggestion
from relay.config_lines import Place
from relay.destinations.actions import Action, ActionDestination, Subscription, needs_subscriptions
from relay.destinations.actions.schema import Fitting
from relay.destinations.base import Destination
from relay.destinations.fql import compile_subscription
from relay.destinations.mapping import MappingError, compile_mapping

# keys of presets as Segment's packages declare them, and of subscriptions as its Public API answers
_SEGMENTS_WORDS = {
    "partnerAction": "action",
    "actionSlug": "action",
    "trigger": "subscribe",
    "settings": "mapping",
}
_NOT_NEEDED = frozenset(("id", "type", "actionId", "destinationId", "modelId", "reverseETLSchedule"))
AUTOMATIC = "automatic"  # of a preset: it is for events that match, not for one that Segment makes itself
_KEYS = Subscription.__struct_fields__
_NOTHING = (None, "")
INTERNAL = "__segment_internal_"  # keys of a mapping that are no fields

Found = tuple[list[Subscription], list[str]]


def read_subscriptions(value: Any, folder: Path, environ: Mapping[str, str]) -> Found:
    """The subscriptions of `value`, and what is wrong with it. `environ`: what `${NAME}` is in a file."""
    if not isinstance(value, str):
        return _list(value)
    try:
        listed = json.loads((folder / value).read_bytes())
    except OSError as error:
        return [], [f"cannot be read: {error.strerror}"]
    except ValueError as error:
        return [], [f"not JSON: {error}"]
    unset: list[str] = []
    filled = expand(listed, environ, (), lambda at, sentences: unset.extend(_placed(at, sentences)))
    return ([], unset) if unset else _list(filled)


def _placed(at: Place, sentences: Iterable[str]) -> Iterator[str]:
    """Sentences about a place in a file: the number of the subscription, and the path in it."""
    number = f"number {at[0] + 1}: " if at and isinstance(at[0], int) else ""
    inside = ".".join(map(str, at[1:]))
    for sentence in sentences:
        yield number + sentence + (f" - at `{inside}`" if inside else "")


def _list(listed: Any) -> Found:
    if not isinstance(listed, list):
        return [], ["must be a list of {action, subscribe, mapping}, or the name of a JSON file with one"]
    found: list[Subscription] = []
    mistakes: list[str] = []
    for number, raw in enumerate(listed, 1):
        try:
            found.append(convert(_in_our_words(raw), Subscription))
        except msgspec.ValidationError as error:
            mistakes.append(f"number {number}: {explain(error)}")
        except ValueError as error:
            mistakes.append(f"number {number}: {error}")
    return found, mistakes


def _in_our_words(raw: Any) -> Any:
    """What Segment's own tools write, as relay calls it. Raises ValueError for what is no subscription to events."""
    if not isinstance(raw, dict):
        return raw
    if raw.get("modelId"):
        raise ValueError("`modelId`: it is for rows of Reverse ETL, not for events: leave it out")
    if raw.get("type", AUTOMATIC) != AUTOMATIC:
        raise ValueError(f"`type` may only be `{AUTOMATIC}`: which events is said by `subscribe`")
    ours: dict[str, Any] = {}
    for key, value in raw.items():
        if key in _NOT_NEEDED:
            continue
        name = _SEGMENTS_WORDS.get(key, key)
        if name not in _KEYS:
            raise ValueError(f"unknown key `{key}`{suggestion(key, _KEYS)}")
        if name in ours:
            raise ValueError(f"`{key}` and another key both say the `{name}`")
        ours[name] = value
    return ours


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
