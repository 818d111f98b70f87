"""Comparisons and tests as closures. A literal on one side, the usual case, gets a closure of its own."""

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any

from relay.destinations.fql.errors import FqlError
from relay.destinations.fql.filters.signatures import kind_of
from relay.destinations.fql.glob import BadPattern, compile_glob
from relay.destinations.fql.logic import Read, Test

ORDERS: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}

_NUMBERS = frozenset((int, float))  # by `type`, so that True is none


def same(one: Any, other: Any) -> bool:
    """Equality that keeps types apart: 1 is not true, "1" is not 1, and 1 is 1.0."""
    if type(one) in _NUMBERS:
        return type(other) in _NUMBERS and bool(one == other)
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other)


def equals(left: Read, right: Read, position: int) -> Test:
    def test(event: Any) -> bool:
        try:
            return same(left(event), right(event))
        except RecursionError:
            raise FqlError(position, "what is compared is nested too deeply") from None

    return test


def equals_constant(read: Read, value: Any) -> Test:
    """As `equals`; a text needs no look at types, and null, true and false are there only once."""
    if isinstance(value, str):
        return lambda event: read(event) == value
    if value is None or isinstance(value, bool):
        return lambda event: read(event) is value
    return lambda event: same(value, read(event))


def ordered(name: str, left: Read, right: Read) -> Test:
    compare = ORDERS[name]

    def test(event: Any) -> bool:
        one, other = left(event), right(event)
        return type(one) in _NUMBERS and type(other) in _NUMBERS and compare(one, other)

    return test


def is_in(read: Read, items: Read, position: int) -> Test:
    def test(event: Any) -> bool:
        value, found = read(event), items(event)
        if found is None:
            return False
        if not isinstance(found, list):
            raise FqlError(position, f"`in` needs a list, and {kind_of(found)} is there")
        return any(same(value, item) for item in found)

    return test


def is_in_constant(read: Read, items: list[Any]) -> Test:
    if not all(isinstance(item, str) for item in items):
        return lambda event: any(same(value, item) for value in (read(event),) for item in items)
    texts = frozenset(items)
    return lambda event: isinstance(value := read(event), str) and value in texts


def contains(text: Read, part: Read) -> Test:
    def test(event: Any) -> bool:
        one, other = text(event), part(event)
        return isinstance(one, str) and isinstance(other, str) and other in one

    return test


def matches(text: Read, pattern: Read, position: int) -> Test:
    """match() with a pattern that comes out of the event."""

    def test(event: Any) -> bool:
        one, other = text(event), pattern(event)
        if not isinstance(one, str) or not isinstance(other, str):
            return False
        try:
            return compile_glob(other)(one)
        except BadPattern as problem:
            raise FqlError(position, f"the pattern of match(): {problem.reason}") from None

    return test


def matches_constant(text: Read, pattern: str, position: int) -> Test:
    """match() with a pattern in quotes, which begins at `position`."""
    try:
        glob = compile_glob(pattern)
    except BadPattern as problem:
        raise FqlError(position + 1 + problem.at, problem.reason) from None
    return lambda event: isinstance(found := text(event), str) and glob(found)
