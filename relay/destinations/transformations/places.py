"""Values at paths of an object. Only objects lie on a path: lists are not entered.

Nothing is changed in place. What comes back shares with the object given all that does not lead to the change, and
is that object itself when nothing changes.
"""

from collections.abc import Callable
from typing import Any, Final

from relay.destinations.fql.paths import split

Object = dict[str, Any]
Parts = tuple[str, ...]

MISSING: Final = object()

__all__ = ["MISSING", "Object", "Parts", "find", "put", "replace", "split", "take"]


def find(holder: Any, parts: Parts) -> Any:
    """The value at `parts`, or MISSING."""
    for part in parts:
        if type(holder) is not dict or part not in holder:
            return MISSING
        holder = holder[part]
    return holder


def put(holder: Object, parts: Parts, value: Any) -> Object:
    """With `value` at `parts`; objects that are missing on the way, or null, are made.

    Unchanged when something that is no object stands in the way.
    """
    part, rest = parts[0], parts[1:]
    if not rest:
        return {**holder, part: value}
    inner = holder.get(part)
    if inner is None:
        inner = {}
    if type(inner) is not dict:
        return holder
    new = put(inner, rest, value)
    return holder if new is inner else {**holder, part: new}


def take(holder: Object, parts: Parts) -> Object:
    """Without the value at `parts`."""
    part, rest = parts[0], parts[1:]
    if part not in holder:
        return holder
    if not rest:
        return {key: value for key, value in holder.items() if key != part}
    inner = holder[part]
    new = take(inner, rest) if type(inner) is dict else inner
    return holder if new is inner else {**holder, part: new}


def replace(holder: Object, parts: Parts, change: Callable[[Any], Any]) -> Object:
    """With what `change` makes of the value at `parts`; unchanged when there is none, or null."""
    value = find(holder, parts)
    return holder if value is MISSING or value is None else put(holder, parts, change(value))
