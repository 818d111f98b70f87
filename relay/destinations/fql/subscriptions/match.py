"""A tree to a closure. All that is known before the event comes is worked out here, once.

`=` and `!=` compare with a text, strictly; numbers have their own operators, and truth values too. A value
of another type is neither less nor more, contains nothing and begins with nothing, and does not "not
contain" either. What Segment does not know, an operator or a kind of condition, is false.
"""

from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from relay.destinations.fql.logic import Read, Test, all_of, any_of, never
from relay.destinations.fql.subscriptions.fields import NAMED, ROOTS, reader
from relay.destinations.fql.subscriptions.values import Value, to_number, to_text

_NUMBERS = frozenset((int, float))  # by `type`, so that True is none


def compile_tree(tree: Mapping[str, Any]) -> Test:
    """The closure of a group or a condition."""
    kind, operator = tree["type"], tree["operator"]
    if kind == "group":
        connect = {"and": all_of, "or": any_of}.get(operator)
        return connect([compile_tree(child) for child in tree["children"]]) if connect else never
    if kind not in ROOTS or operator not in _TESTS:
        return never
    if kind not in NAMED and operator in _AT_TOP:
        return _AT_TOP[operator](ROOTS[kind], to_text(tree.get("value")))
    return _TESTS[operator](reader(dict(tree)), tree.get("value"))


def _top_equals(key: str, text: str) -> Test:
    return lambda event: event.get(key) == text


def _top_differs(key: str, text: str) -> Test:
    return lambda event: event.get(key) != text


def _equals(read: Read, value: Value | None) -> Test:
    text = to_text(value)
    return lambda event: read(event) == text


def _differs(read: Read, value: Value | None) -> Test:
    text = to_text(value)
    return lambda event: read(event) != text


def _number(compare: Callable[[Any, Any], bool]) -> Callable[[Read, Value | None], Test]:
    def build(read: Read, value: Value | None) -> Test:
        number = to_number(value)
        return lambda event: type(found := read(event)) in _NUMBERS and compare(found, number)

    return build


def _text(holds: Callable[[str, str], bool], *, wanted: bool) -> Callable[[Read, Value | None], Test]:
    def build(read: Read, value: Value | None) -> Test:
        text = to_text(value)
        return lambda event: isinstance(found := read(event), str) and holds(found, text) is wanted

    return build


def _is(wanted: bool | None, *, same: bool = True) -> Callable[[Read, Value | None], Test]:  # noqa: FBT001 - the value looked for
    return lambda read, _value: lambda event: (read(event) is wanted) is same


_AT_TOP: dict[str, Callable[[str, str], Test]] = {"=": _top_equals, "!=": _top_differs}
_TESTS: dict[str, Callable[[Read, Value | None], Test]] = {
    "=": _equals,
    "!=": _differs,
    "number_equals": _number(eq),
    "number_not_equals": _number(ne),
    "<": _number(lt),
    "<=": _number(le),
    ">": _number(gt),
    ">=": _number(ge),
    "contains": _text(str.__contains__, wanted=True),
    "not_contains": _text(str.__contains__, wanted=False),
    "starts_with": _text(str.startswith, wanted=True),
    "not_starts_with": _text(str.startswith, wanted=False),
    "ends_with": _text(str.endswith, wanted=True),
    "not_ends_with": _text(str.endswith, wanted=False),
    "exists": _is(None, same=False),
    "not_exists": _is(None),
    "is_true": _is(True),  # noqa: FBT003 - the value looked for
    "is_false": _is(False),  # noqa: FBT003
}
