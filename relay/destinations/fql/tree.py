"""A filter as browsers evaluate it: a tree in JSON, for Segment's evaluator (tsub, in analytics.js) and relay's own.

["=", "event", {"value": "Signed Up"}]

A list is an operator and its arguments, a text the path of a value, an object a constant; `{}` is the value of
what is not there. Operators: and, or, !, =, !=, <, <=, >, >=, in, contains, match; lowercase, length, typeof.

Segment's evaluator tells null from what is missing, has no nested functions, looks into no list of an event, and throws
nothing where FQL has an error. So a tree says those things in other words; what cannot be said is refused, by FqlError.

What still differs: length() of a text counts UTF-16 units in Segment's evaluator, `?` of match() is one of them; two
objects are the same only with their keys in one order; a `Date` of the page is no text.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from relay.destinations.fql.errors import FqlError
from relay.destinations.fql.filters.nodes import Call, Items, Literal, Node, Path
from relay.destinations.fql.filters.operators import ORDERS
from relay.destinations.fql.filters.parser import parse

Tree = str | list[Any] | dict[str, Any]

# of an event; the server adds or corrects all others
_ROOTS = (
    "type",
    "event",
    "name",
    "category",
    "userId",
    "anonymousId",
    "groupId",
    "previousId",
    "messageId",
    "properties",
    "traits",
    "context",
    "integrations",
)
_ADDED = frozenset((("context", "ip"), ("context", "bot")))  # by the server
# what every object of JavaScript seems to have
_INHERITED = frozenset(
    (
        "constructor",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toLocaleString",
        "toString",
        "valueOf",
        "__proto__",
        "__defineGetter__",
        "__defineSetter__",
        "__lookupGetter__",
        "__lookupSetter__",
    )
)
_MAX_INTEGER = 2**53 - 1  # JavaScript's
# never a text or a list
_OBJECTS = frozenset((("properties",), ("traits",), ("context",), ("integrations",)))

_CONNECTIVES = frozenset(("and", "or", "!"))
_CONDITIONS = frozenset((*_CONNECTIVES, *ORDERS, "=", "!=", "in", "contains", "match"))
_YES: Tree = {"value": True}
_NO: Tree = {"value": False}
_MISSING: Tree = {}


class Judgement(NamedTuple):
    """`yes`: the condition is true. `no`: it is false; None: whenever it is not true. Neither: it is an error."""

    yes: Tree
    no: Tree | None = None

    @property
    def is_not(self) -> Tree:
        return self.no if self.no is not None else negated(self.yes)


def judgement(text: str) -> Judgement:
    """The trees of a filter that `compile_filter` takes. Raises FqlError for what a browser cannot evaluate."""
    return Judgement(_YES) if text.strip() == "all" else _truth(parse(text))


def reads(text: str) -> list[tuple[str, ...]]:
    """The paths that a filter looks at."""
    return [] if text.strip() == "all" else list(_paths(parse(text)))


def _paths(node: Node) -> list[tuple[str, ...]]:
    match node:
        case Path(parts=parts):
            return [parts]
        case Call(arguments=inner) | Items(items=inner):
            return [path for each in inner for path in _paths(each)]
    return []


def negated(tree: Tree) -> Tree:
    return tree[1] if isinstance(tree, list) and tree[0] == "!" else ["!", tree]


def path_of(parts: tuple[str, ...], position: int = 0) -> str:
    """A path as browsers read it. Raises FqlError for one that they read otherwise."""
    path = ".".join(parts)
    if parts[0] not in _ROOTS or parts[:2] in _ADDED:
        raise FqlError(position, f"the browser does not know `{path}` as relay does")
    if any("." in part for part in parts):
        raise FqlError(position, f"the browser cannot read a key with a dot in it, as in `{path}`")
    if not _INHERITED.isdisjoint(parts) or any(map(_is_padded, parts)):
        raise FqlError(position, f"the browser reads `{path}` otherwise")
    if parts[-1] == "length" and parts[:-1] not in _OBJECTS:
        raise FqlError(
            position, f"the browser reads `{path}` otherwise: say length({path[: -len('.length')]})"
        )
    return path


def _is_padded(part: str) -> bool:
    """Whether it is a place in a list for relay, and none for JavaScript."""
    return part.isdigit() and part[0] == "0" != part


def _truth(node: Node) -> Judgement:
    if isinstance(node, Literal):
        return Judgement(_YES if node.value else _NO)
    if isinstance(node, Path):
        yes, *no = (_equal(node, Literal(node.position, value)) for value in (True, False, None))
        return Judgement(yes, ["or", *no])
    if isinstance(node, Call) and node.name in _CONNECTIVES:
        return _connected(node.name, [_truth(each) for each in node.arguments])
    if isinstance(node, Call) and node.name in _CONDITIONS:
        return Judgement(_test(node))
    raise _unknown(node)


def _connected(name: str, parts: list[Judgement]) -> Judgement:
    """In order, no further than what settles it: an error that comes after that is none."""
    if name == "!":
        (one,) = parts
        return Judgement(one.is_not, None if one.no is None else one.yes)
    is_total = all(each.no is None for each in parts)
    if name == "and":
        no = [
            _all([*(each.yes for each in parts[:at] if each.no), one.is_not]) for at, one in enumerate(parts)
        ]
        return Judgement(["and", *(each.yes for each in parts)], None if is_total else ["or", *no])
    yes = [_all([*(each.no for each in parts[:at] if each.no), one.yes]) for at, one in enumerate(parts)]
    return Judgement(["or", *yes], None if is_total else ["and", *(each.is_not for each in parts)])


def _all(trees: Sequence[Tree]) -> Tree:
    return trees[0] if len(trees) == 1 else ["and", *trees]


def _test(call: Call) -> Tree:
    one, other = call.arguments
    match call.name:
        case "=":
            return _equal(one, other)
        case "!=":
            return negated(_equal(one, other))
        case "in":
            return _member(one, other)
        case "contains" | "match":
            return _text_test(call.name, one, other)
    return _ordered(call.name, one, other)


def _equal(one: Node, other: Node) -> Tree:
    if isinstance(one, Literal):
        one, other = other, one
    if isinstance(other, Literal):
        return _equal_constant(one, other)
    for each in (one, other):
        if not isinstance(each, Path) and not _is_call(each, "lowercase"):
            raise FqlError(each.position, "the browser can compare this with a constant only")
    return ["or", ["=", _value(one), _value(other)], ["and", _is_null(one), _is_null(other)]]


def _equal_constant(one: Node, other: Literal) -> Tree:
    if _is_call(one, "typeof"):
        return _is_type(one, other.value)
    if isinstance(one, Call) and one.name in _CONDITIONS and isinstance(other.value, bool):
        judged = _truth(one)
        if judged.no is None:
            return judged.yes if other.value else judged.is_not
        raise FqlError(one.position, "the browser cannot compare this: use it as a condition")
    if other.value is None:
        return _is_null(one)
    tree: Tree = ["=", _value(one), _constant(other)]
    is_zero = _is_call(one, "length") and other.value == 0 and not isinstance(other.value, bool)
    return ["or", ["=", _argument(one), _MISSING], tree] if is_zero else tree


def _is_null(node: Node) -> Tree:
    if isinstance(node, Literal):
        return _YES if node.value is None else _NO
    null: Tree = ["=", _value(node), {"value": None}]
    if isinstance(node, Path):
        return ["or", null, ["=", _value(node), _MISSING]]
    if _is_call(node, "lowercase"):
        return null
    raise FqlError(node.position, "the browser cannot compare this with null")


def _is_type(call: Node, name: Any) -> Tree:
    """JavaScript has one word for lists, objects and null; of these a list has a length."""
    path = _argument(call)
    if name == "null":
        return ["or", ["=", path, {"value": None}], ["=", path, _MISSING]]
    if name in ("list", "object"):
        is_list: Tree = [">=", ["length", path], {"value": 0}]
        is_either: Tree = ["=", ["typeof", path], {"value": "object"}]
        is_null: Tree = ["=", path, {"value": None}]
        return ["and", is_either, negated(is_null), is_list if name == "list" else negated(is_list)]
    if name in ("string", "number", "bool"):
        return ["=", ["typeof", path], {"value": "boolean" if name == "bool" else name}]
    return _NO


def _member(one: Node, items: Node) -> Tree:
    if isinstance(items, Literal):
        given = [Literal(items.position, value) for value in items.value or ()]
        if isinstance(one, Path) and given and all(isinstance(each.value, str) for each in given):
            return ["in", _value(one), [_constant(each) for each in given]]
        return _any([_equal(one, each) for each in given])
    if isinstance(items, Items):
        return _any([_equal(one, each) for each in items.items])
    raise FqlError(
        items.position, "the browser cannot look into a list of the event: `in` needs one in brackets"
    )


def _any(trees: Sequence[Tree]) -> Tree:
    return ["or", *trees] if trees else _NO


def _text_test(name: str, one: Node, other: Node) -> Tree:
    if name == "match" and not isinstance(other, Literal):
        raise FqlError(other.position, "the browser needs a pattern in quotes")
    for each in (one, other):
        if not isinstance(each, Path | Literal):
            raise FqlError(each.position, f"the browser knows no function inside {name}()")
    return [name, _value(one), _value(other)]


def _ordered(name: str, one: Node, other: Node) -> Tree:
    """A length that is missing is 0, in Segment's evaluator no number at all."""
    tree: Tree = [name, _value(one), _value(other)]
    compare = ORDERS[name]
    if _is_call(one, "length") and isinstance(other, Literal):
        return _or_missing(one, tree) if other.value is not None and compare(0, other.value) else tree
    if _is_call(other, "length") and isinstance(one, Literal):
        return _or_missing(other, tree) if one.value is not None and compare(one.value, 0) else tree
    for each in (one, other):
        if isinstance(each, Call):
            raise FqlError(each.position, "the browser can compare this with a constant only")
    return tree


def _or_missing(length: Node, tree: Tree) -> Tree:
    return ["or", ["=", _argument(length), _MISSING], tree]


def _value(node: Node) -> Tree:
    match node:
        case Literal():
            return _constant(node)
        case Path(parts=parts, position=position):
            return path_of(parts, position)
        case Call(name="lowercase" | "length"):
            return [node.name, _argument(node)]
    raise _unknown(node)


def _argument(call: Node) -> str:
    """The path that a function is of."""
    argument = call.arguments[0] if isinstance(call, Call) else call
    if not isinstance(argument, Path):
        raise FqlError(call.position, "the browser knows functions of paths only")
    return path_of(argument.parts, argument.position)


def _constant(literal: Literal) -> Tree:
    if not _is_exact(literal.value):
        raise FqlError(literal.position, "the browser has no number so large")
    return {"value": literal.value}


def _is_exact(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_exact, value))
    return not isinstance(value, int | float) or (math.isfinite(value) and abs(value) <= _MAX_INTEGER)


def _is_call(node: Node, name: str) -> bool:
    return isinstance(node, Call) and node.name == name


def _unknown(node: Node) -> FqlError:
    what = (
        f"no function `{node.name}`"
        if isinstance(node, Call) and node.name not in _CONDITIONS
        else "nothing like this"
    )
    return FqlError(node.position, f"the browser knows {what}")
