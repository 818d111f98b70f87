"""The fields a subscription knows, and where in an event they stand."""

import re
from typing import Any

from relay.destinations.fql.logic import Read

FIELDS = {
    "type": "event-type",
    "event": "event",
    "name": "name",
    "userId": "userId",
    "properties": "event-property",
    "traits": "event-trait",
    "context": "event-context",
}
ROOTS = {kind: root for root, kind in FIELDS.items()}  # a condition's type to the event's key
NAMED = frozenset(("event-property", "event-trait", "event-context"))  # they have a `name` inside the root
TESTS_NULL = NAMED | {"name", "userId"}  # `= null` asks for absence; the others compare with "null"
KNOWN = ", ".join((*list(FIELDS)[:4], "properties.…, traits.…, context.…"))

_PARTS = re.compile(r"[^.\[\]]+")


def reader(condition: dict[str, Any]) -> Read:
    """What reads the field of `condition` from an event; None when it is missing."""
    root = ROOTS[condition["type"]]
    if condition["type"] not in NAMED:
        return lambda event: event.get(root)
    match _PARTS.findall(condition["name"]):
        case []:
            return lambda _event: None
        case [part]:
            return lambda event: _step(event.get(root), part)
        case parts:
            return _deep(root, tuple(parts))


def _deep(root: str, parts: tuple[str, ...]) -> Read:
    def read(event: Any) -> Any:
        value = event.get(root)
        for part in parts:
            value = _step(value, part)
        return value

    return read


def _step(value: Any, part: str) -> Any:
    """One step of a path as JavaScript's `value && value[part]` takes it: a falsy value is where it ends."""
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list | str) and value != "":
        return _item(value, part)
    return None if value else value


def _item(value: list[Any] | str, part: str) -> Any:
    if part == "length":
        return len(value) if isinstance(value, list) else len(value.encode("utf-16-le", "surrogatepass")) // 2
    if part.isascii() and part.isdigit() and str(int(part)) == part and int(part) < len(value):
        return value[int(part)]
    return None
