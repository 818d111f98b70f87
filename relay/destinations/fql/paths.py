r"""Dotted paths into an event: `context.device.id`, `properties.product\ 1.price`, `properties.products.0.sku`."""

import re
from typing import Any

from relay.destinations.fql.logic import Read

PART = r"(?:\\.|[A-Za-z0-9_-])++"  # of a path; any other character needs a `\` before it

_LOOSE_PART = re.compile(r"(?:\\.|[^.\\])+", re.DOTALL)


def split(path: str) -> tuple[str, ...]:
    r"""The keys of `path`; a `\` takes the next character as it is, a dot included."""
    return tuple(re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL) for part in _LOOSE_PART.findall(path))


def reader(parts: tuple[str, ...]) -> Read:
    """What reads the value at `parts` from an event. Anything missing on the way is None."""
    match parts:
        case ():
            return lambda event: event
        case (only,):
            return lambda event: event.get(only)
        case (first, second):
            return lambda event: _step(event.get(first), second)
    first, *rest = parts

    def read(event: Any) -> Any:
        value = event.get(first)
        for part in rest:
            value = _step(value, part)
        return value

    return read


def _step(value: Any, part: str) -> Any:
    if isinstance(value, dict):
        return value.get(part)
    position = index(value, part) if isinstance(value, list) else None
    return None if position is None else value[position]


def index(items: list[Any], part: str) -> int | None:
    """The place in `items` that `part` names, when it names one."""
    is_number = part.isascii() and part.isdigit() and len(part) < 10  # noqa: PLR2004 - no list has more items
    return int(part) if is_number and int(part) < len(items) else None
