"""Nodes to closures: `truth` where a condition stands, `value` where a value does."""

from collections.abc import Callable
from typing import Any

from relay.destinations.fql.errors import FqlError
from relay.destinations.fql.filters import operators
from relay.destinations.fql.filters.functions import FAILURES, FUNCTIONS
from relay.destinations.fql.filters.nodes import Call, Items, Literal, Node, Path
from relay.destinations.fql.filters.signatures import check, check_arguments, kind_of
from relay.destinations.fql.logic import Read, Test, all_of, always, any_of, never
from relay.destinations.fql.paths import reader


def truth(node: Node) -> Test:
    """`node` as a condition: null is false, and anything but a truth is an error."""
    check(node, "a truth")
    if isinstance(node, Literal):
        return always if node.value else never
    if isinstance(node, Call) and node.name not in FUNCTIONS:
        return _test(node)
    return _true(value(node), node.position)


def value(node: Node) -> Read:
    """`node` as a value."""
    match node:
        case Literal(value=constant):
            return lambda _event: constant
        case Path(parts=parts):
            return reader(parts)
        case Items(items=items):
            reads = [value(item) for item in items]
            return lambda event: [read(event) for read in reads]
        case Call(name=name) if name in FUNCTIONS:
            return _function(node)
        case Call():
            return _test(node)


def _true(read: Read, position: int) -> Test:
    def test(event: Any) -> bool:
        found = read(event)
        if found is True:
            return True
        if found is None or found is False:
            return False
        raise FqlError(position, f"{kind_of(found)} stands where a truth should")

    return test


def _test(call: Call) -> Test:
    check_arguments(call)
    return _TESTS[call.name](call)


def _connective(connect: Callable[[list[Test]], Test]) -> Callable[[Call], Test]:
    return lambda call: connect([truth(argument) for argument in call.arguments])


def _negation(call: Call) -> Test:
    test = truth(call.arguments[0])
    return lambda event: not test(event)


def _equality(call: Call) -> Test:
    one, other = call.arguments
    if isinstance(other, Literal):
        return operators.equals_constant(value(one), other.value)
    if isinstance(one, Literal):
        return operators.equals_constant(value(other), one.value)
    return operators.equals(value(one), value(other), call.position)


def _inequality(call: Call) -> Test:
    test = _equality(call)
    return lambda event: not test(event)


def _order(call: Call) -> Test:
    one, other = call.arguments
    return operators.ordered(call.name, value(one), value(other))


def _membership(call: Call) -> Test:
    one, items = call.arguments
    if isinstance(items, Literal) and items.value is not None:
        return operators.is_in_constant(value(one), items.value)
    return operators.is_in(value(one), value(items), items.position)


def _contains(call: Call) -> Test:
    text, part = call.arguments
    return operators.contains(value(text), value(part))


def _match(call: Call) -> Test:
    text, pattern = call.arguments
    if isinstance(pattern, Literal) and pattern.value is not None:
        return operators.matches_constant(value(text), pattern.value, pattern.position)
    return operators.matches(value(text), value(pattern), pattern.position)


_TESTS: dict[str, Callable[[Call], Test]] = {
    "and": _connective(all_of),
    "or": _connective(any_of),
    "!": _negation,
    "=": _equality,
    "!=": _inequality,
    "in": _membership,
    "contains": _contains,
    "match": _match,
} | dict.fromkeys(operators.ORDERS, _order)


def _function(call: Call) -> Read:
    check_arguments(call)
    function, read = FUNCTIONS[call.name], value(call.arguments[0])
    if call.name not in FAILURES:
        return lambda event: function(read(event))

    def guarded(event: Any) -> Any:
        try:
            return function(read(event))
        except (ValueError, RecursionError):
            raise FqlError(call.position, FAILURES[call.name]) from None

    return guarded
