"""An event without some of its properties. The event given stays as it is: only what leads to a change is copied."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from relay.destinations.fql.paths import index, split

Object = dict[str, Any]
Change = Callable[[Object], Object]


def dropping(fields: Mapping[str, Sequence[str]]) -> Change:
    """Takes the keys of each parent path away."""
    return _each(fields, _without)


def allowing(fields: Mapping[str, Sequence[str]]) -> Change:
    """Leaves each parent path nothing but its keys; what is not under a listed path stays whole."""
    return _each(fields, _only)


def _without(keys: frozenset[str]) -> Change:
    def change(parent: Object) -> Object:
        return parent if keys.isdisjoint(parent) else {k: v for k, v in parent.items() if k not in keys}

    return change


def _only(keys: frozenset[str]) -> Change:
    def change(parent: Object) -> Object:
        return parent if keys.issuperset(parent) else {k: v for k, v in parent.items() if k in keys}

    return change


def _each(fields: Mapping[str, Sequence[str]], kind: Callable[[frozenset[str]], Change]) -> Change:
    changes = [(split(path), kind(frozenset(keys))) for path, keys in fields.items()]

    def apply(event: Object) -> Object:
        for parts, change in changes:
            event = _at(event, parts, change)
        return event

    return apply


def _at(value: Any, parts: tuple[str, ...], change: Change) -> Any:
    """`value` with what stands at `parts` changed; `value` itself when nothing changes."""
    if not parts:
        return _changed(value, change)
    part, rest = parts[0], parts[1:]
    if isinstance(value, dict) and part in value:
        new = _at(value[part], rest, change)
        return value if new is value[part] else {**value, part: new}
    place = index(value, part) if isinstance(value, list) else None
    if place is None:
        return value
    new = _at(value[place], rest, change)
    return value if new is value[place] else [*value[:place], new, *value[place + 1 :]]


def _changed(parent: Any, change: Change) -> Any:
    if isinstance(parent, dict):
        return change(parent)
    if not isinstance(parent, list):
        return parent
    items = [change(item) if isinstance(item, dict) else item for item in parent]
    return parent if all(new is old for new, old in zip(items, parent, strict=True)) else items
