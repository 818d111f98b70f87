"""What each operator and function takes and gives, so that a mistake shows when a filter is compiled.

A path may give anything, so only literals and calls can be wrong here; null may stand everywhere.
"""

from typing import Any, NamedTuple

from relay.destinations.fql.errors import FqlError
from relay.destinations.fql.filters.nodes import Call, Items, Literal, Node

ANY = "anything"


class Signature(NamedTuple):
    """`takes`: one word for each argument; `gives`: what comes out."""

    takes: tuple[str, ...]
    gives: str


_NUMBERS = Signature(("a number", "a number"), "a truth")
_TEXT = Signature(("a text",), "a text")

SIGNATURES = {
    "!": Signature(("a truth",), "a truth"),
    "=": Signature((ANY, ANY), "a truth"),
    "!=": Signature((ANY, ANY), "a truth"),
    "<": _NUMBERS,
    "<=": _NUMBERS,
    ">": _NUMBERS,
    ">=": _NUMBERS,
    "in": Signature((ANY, "a list"), "a truth"),
    "contains": Signature(("a text", "a text"), "a truth"),
    "match": Signature(("a text", "a text"), "a truth"),
    "length": Signature((ANY,), "a number"),
    "lowercase": _TEXT,
    "uppercase": _TEXT,
    "snakecase": _TEXT,
    "kebabcase": _TEXT,
    "titlecase": _TEXT,
    "typeof": Signature((ANY,), "a text"),
    "bool": Signature((ANY,), "a truth"),
    "string": Signature((ANY,), "a text"),
    "number": Signature((ANY,), "a number"),
}


def check(node: Node, wanted: str) -> None:
    """FqlError when `node` can never be what is wanted."""
    given = _given(node)
    if wanted != ANY and given not in {wanted, ANY, "null"}:
        raise FqlError(node.position, f"{given} stands where {wanted} should")


def check_arguments(call: Call) -> None:
    """The same for each argument of a call."""
    takes = SIGNATURES[call.name].takes if call.name in SIGNATURES else ("a truth",) * len(call.arguments)
    for node, wanted in zip(call.arguments, takes, strict=True):
        check(node, wanted)


def _given(node: Node) -> str:
    if isinstance(node, Literal):
        return kind_of(node.value)
    if isinstance(node, Items):
        return "a list"
    if isinstance(node, Call):
        return SIGNATURES[node.name].gives if node.name in SIGNATURES else "a truth"
    return ANY


def kind_of(value: Any) -> str:
    """The type of a value in words."""
    return _KINDS.get(type(value), "something that JSON does not have")


_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "a truth",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}
