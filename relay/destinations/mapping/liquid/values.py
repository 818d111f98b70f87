"""Values as liquidjs has them: how they are written, looked into and compared."""

import math
from typing import Any

from liquid.builtin.expressions.primitive import Blank, Empty
from liquid.exceptions import LiquidError

from relay.destinations.mapping.javascript import MISSING, length, text, to_number

MOST = 1_000_000  # characters a filter may give: an event has 32 KB


def written(value: Any) -> str:
    """`value` in the output: lists without a separator, null and missing as nothing."""
    return "".join(map(written, value)) if isinstance(value, list) else text(value)


def plain(value: Any) -> Any:
    """`value` without the types that only python-liquid has."""
    if isinstance(value, range):
        return list(value)
    return "" if isinstance(value, (Empty, Blank)) else value


def number(value: Any) -> float:
    """`value` as a filter takes it for a number: 0 where it is none."""
    read = to_number(value)
    return 0.0 if math.isnan(read) else read


def count(value: Any) -> int:
    """`value` as a whole number, however large, that can index a text."""
    return int(max(-MOST, min(MOST, number(value))))


def many(value: Any) -> list[Any]:
    """`value` as a list."""
    if value is None or value is MISSING:
        return []
    return value if isinstance(value, list) else [value]


def bounded(size: int) -> None:
    """Raise when a filter would give a text of `size` characters, out of proportion to any event."""
    if size > MOST:
        raise LiquidError(f"a filter gives more than {MOST} characters", token=None)


def is_truthy(value: Any) -> bool:
    """Whether `{% if value %}` holds; for 0 and "" it does."""
    return value is not None and value is not False and value is not MISSING


def member(value: Any, key: Any) -> Any:
    """`value[key]`, with `size`, `first` and `last`."""
    if value is None or value is MISSING:
        return value
    if isinstance(value, dict):
        return value.get(text(key), len(value) if key == "size" else MISSING)
    if not isinstance(value, (list, str)):
        return MISSING
    if key in ("size", "length"):
        return length(value) if isinstance(value, str) else len(value)
    return at(value, {"first": 0, "last": -1}.get(key, key) if isinstance(value, list) else key)


def at(value: Any, index: Any) -> Any:
    """The item of a list or the character of a text at `index`, from the end if negative."""
    if isinstance(index, str) and index.isdecimal():
        index = int(index)
    is_inside = isinstance(index, int) and -len(value) <= index < len(value)
    return value[index] if is_inside else MISSING


def equal(left: Any, right: Any) -> bool:
    """`left == right`: same type and value, lists item by item, objects never."""
    for literal, other in ((left, right), (right, left)):
        if isinstance(literal, (Empty, Blank)):
            return is_empty(other) or (isinstance(literal, Blank) and is_blank(other))
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(equal, left, right))
    if left is None or left is MISSING:
        return right is None or right is MISSING
    if isinstance(left, (bool, dict)) or isinstance(right, (bool, dict)):
        return left is right
    return bool(left == right)


def is_empty(value: Any) -> bool:
    return isinstance(value, (str, list, dict)) and not value


def is_blank(value: Any) -> bool:
    return not is_truthy(value) or (isinstance(value, str) and not value.strip())


def less(left: Any, right: Any) -> bool:
    """`left < right`: two texts by their characters, all else as numbers."""
    if isinstance(left, str) and isinstance(right, str):
        return left < right
    return to_number(left) < to_number(right)


def less_or_equal(left: Any, right: Any) -> bool:
    """`left <= right`, compared as by `less`."""
    if isinstance(left, str) and isinstance(right, str):
        return left <= right
    return to_number(left) <= to_number(right)


def contains(left: Any, right: Any) -> bool:
    """Whether a list has the item, or a text the text, `right`."""
    if isinstance(left, list):
        return any(equal(item, right) for item in left)
    sought = "null" if right is None else text(right)
    return isinstance(left, str) and right is not MISSING and sought in left
