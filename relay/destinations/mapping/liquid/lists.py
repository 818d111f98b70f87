"""The filters that take a list, or a text as one, apart. A lone value is a list of one."""

from collections.abc import Callable
from typing import Any

from relay.destinations.mapping.javascript import MISSING, length, text
from relay.destinations.mapping.liquid.values import bounded, count, equal, is_truthy, many, number, written
from relay.destinations.mapping.paths import getter


def size(value: Any) -> int:
    """The length of a text or list, else 0."""
    return length(value) if isinstance(value, str) else len(value) if isinstance(value, list) else 0


def join(value: Any, separator: Any = None) -> str:
    """The items with `separator`, a space unless given, between them."""
    items = [text(item) for item in many(value)]
    between = " " if separator is None or separator is MISSING else written(separator)
    bounded(sum(map(len, items)) + len(between) * len(items))
    return between.join(items)


def cut(value: Any, start: Any = 0, size: Any = 1) -> Any:
    """`size` items or characters from `start`, counted from the end if negative."""
    if value is None or value is MISSING:
        return []
    whole_value = value if isinstance(value, list) else written(value)
    first, many_of = count(start), count(size)
    first = first + len(whole_value) if first < 0 else first
    return whole_value[:0] if first < 0 or many_of < 0 else whole_value[first : first + many_of]


def where(value: Any, name: Any = MISSING, expected: Any = MISSING) -> list[Any]:
    """The items whose `name` is `expected`, or, when that is not given, truthy."""
    get = getter(written(name))
    if expected is MISSING:
        return [item for item in many(value) if is_truthy(get(item))]
    return [item for item in many(value) if equal(get(item), expected)]


def total(value: Any, name: Any = MISSING) -> float:
    """The sum of the items, or of what they have as `name`."""
    get = getter(written(name))
    return sum(number(get(item)) for item in many(value))


LIST_FILTERS: dict[str, Callable[..., Any]] = {
    "size": size,
    "join": join,
    "first": lambda value: value[0] if isinstance(value, (list, str)) and value else "",
    "last": lambda value: value[-1] if isinstance(value, (list, str)) and value else "",
    "slice": cut,
    "where": where,
    "sum": total,
    "compact": lambda value: [item for item in many(value) if item is not None and item is not MISSING],
    "push": lambda value, item=MISSING: [*many(value), item],
    "unshift": lambda value, item=MISSING: [item, *many(value)],
    "pop": lambda value: many(value)[:-1],
    "shift": lambda value: many(value)[1:],
}
