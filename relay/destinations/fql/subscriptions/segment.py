"""Tokens to a tree, exactly as Segment's own parser does it. What it does not understand, it skips.

    {"type": "group", "operator": "and", "children": [
        {"type": "event-type", "operator": "=", "value": "track"},
        {"type": "event-property", "name": "plan", "operator": "exists"}]}

- A list has one connective, the last it saw, `and` when it saw none.
- A field takes the two tokens after it for its operator and its value, whatever they are.
- A group is what stands before the next `)`. So it cannot hold a group, and a function's `)` ends it.
- `!` counts only right before a function.
"""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from relay.destinations.fql.errors import FqlError
from relay.destinations.fql.subscriptions.fields import FIELDS, NAMED, TESTS_NULL
from relay.destinations.fql.subscriptions.lexer import END, Token, lex
from relay.destinations.fql.subscriptions.values import to_text, value_of

Tree = dict[str, Any]

FUNCTIONS = ("contains", "match")
NULL_TESTS = {"=": "not_exists", "!=": "exists"}
NUMBER_TESTS = {"=": "number_equals", "!=": "number_not_equals"}
_FUNCTION_FIELD = re.compile(r"properties|traits|context")


def read(text: str) -> Tree:
    """The tree of `text`, always a group; FqlError when nothing in it is a condition."""
    tree = _list(lex(text))
    if tree is None:
        raise FqlError(0, "there is no condition in it")
    return tree if tree["type"] == "group" else {"type": "group", "operator": "and", "children": [tree]}


def _list(tokens: list[Token]) -> Tree | None:
    children: list[Tree] = []
    operator = "and"
    before = ""
    supply = iter(tokens)
    for token in takewhile(lambda token: token.kind != END, supply):
        if token.kind == "name":
            children += _term(token, supply, negated=before == "!")
        elif token.kind == "(":
            children.append(_group(token, supply))
        elif token.kind == "conditional":
            operator = token.value
        before = token.value if token.kind == "operator" else ""
    if len(children) > 1:
        return {"type": "group", "operator": operator, "children": children}
    return children[0] if children else None


def _group(opening: Token, supply: Iterator[Token]) -> Tree:
    inside = list(takewhile(lambda token: token.kind != ")", _all_of(opening, supply)))
    inside.append(Token(END, END, opening.position))
    tree = _list(inside)
    if tree is None:
        raise FqlError(opening.position, "there is no condition in these parentheses")
    return tree


def _all_of(opening: Token, supply: Iterator[Token]) -> Iterator[Token]:
    yield from supply
    raise FqlError(opening.position, "no `)` is left for this `(`, and groups do not nest")


def _term(token: Token, supply: Iterator[Token], *, negated: bool) -> list[Tree]:
    kind = FIELDS.get(token.value.split(".")[0])
    if kind is not None:
        return [_condition(token, kind, supply)]
    if token.value in FUNCTIONS:
        return _function(token, supply, negated=negated)
    return []


def _condition(token: Token, kind: str, supply: Iterator[Token]) -> Tree:
    operator, value = next(supply, None), next(supply, None)
    if operator is None or value is None:
        raise FqlError(token.position, f"`{token.value}` needs an operator and a value")
    found = special_test(kind, operator, value)
    condition = named(kind, token.value)
    if found is not None:
        condition["operator"] = found
    if found is None:
        constant = value_of(value)
        condition |= {"operator": operator.value, "value": constant if kind in NAMED else to_text(constant)}
    elif found in NUMBER_TESTS.values():
        condition["value"] = value_of(value)
    return condition


def special_test(kind: str, operator: Token, value: Token) -> str | None:
    """The operator's name in the tree where a comparison with null, true, false or a number has its own."""
    if kind in TESTS_NULL and value.value == "null":
        return NULL_TESTS.get(operator.value)
    if kind in TESTS_NULL - {"name"} and value.value in {"true", "false"} and operator.value == "=":
        return f"is_{value.value}"
    if kind in NAMED and value.kind == "number":
        return NUMBER_TESTS.get(operator.value)
    return None


def named(kind: str, path: str) -> Tree:
    """The beginning of a condition: its type and, below a root, the name."""
    if kind not in NAMED:
        return {"type": kind}
    return {"type": kind, "name": re.sub(r"^(properties|traits|context)\.", "", path)}


def _function(token: Token, supply: Iterator[Token], *, negated: bool) -> list[Tree]:
    # `(`, the field, `,`, the value, `)`: the marks are never looked at, and the last may be missing
    _, field, _, value, _ = (next(supply, None) for _ in range(5))
    if field is None or value is None:
        raise FqlError(token.position, f"{token.value}() needs a field and a text")
    operator, text = _pattern(value) if token.value == "match" else ("contains", to_text(value_of(value)))
    kind = _field_of_function(field.value)
    if kind is None:
        return []
    operator = f"not_{operator}" if negated else operator
    return [named(kind, field.value) | {"operator": operator, "value": text}]


def _pattern(value: Token) -> tuple[str, str]:
    text = to_text(value_of(value))
    return ("starts_with", text[:-1]) if value.value.endswith('*"') else ("ends_with", text[1:])


def _field_of_function(path: str) -> str | None:
    if path in {"event", "name", "userId"}:
        return FIELDS[path]
    found = _FUNCTION_FIELD.match(path)
    return FIELDS[found[0]] if found else None
