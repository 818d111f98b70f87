"""A subscription as a person reads it: `!`, then `and`, then `or`; parentheses nest; each word counts.

Only for telling where Segment reads something else. It gives the same kind of tree, so that the two can be
compared, and an FqlError with what Segment leaves out or understands in its own way:

- other fields than the seven, upper-case connectives, what is left over, `!` before anything but a function
- a value that is compared otherwise than it is written: `'x'`, `event = null`, `!= true`, `>= "many"`
- a pattern that is more than one `*` at the beginning or at the end
"""

import math
import re

from relay.destinations.fql.errors import FqlError
from relay.destinations.fql.subscriptions.fields import FIELDS, KNOWN, NAMED
from relay.destinations.fql.subscriptions.lexer import END, Token, lex
from relay.destinations.fql.subscriptions.segment import FUNCTIONS, Tree, named, special_test
from relay.destinations.fql.subscriptions.values import to_number, to_text, value_of

_ORDERS = ("<", "<=", ">", ">=")
_MAX_DEPTH = 50  # groups inside groups; Segment reads none, and a person gets lost sooner
_ONE_STAR = re.compile(r'"(?:\*[^*?\[\\]*|[^*?\[\\]*\*)"')


def read(text: str) -> Tree:
    """The tree of `text`, always a group; FqlError where Segment cannot be taken literally."""
    tree = _Reader(lex(text)).whole()
    return tree if tree["type"] == "group" else {"type": "group", "operator": "and", "children": [tree]}


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Tree:
        tree = self._list("or")
        left = self._next()
        if left.kind != END:
            raise FqlError(left.position, f"`{left.value}` is skipped")
        return tree

    def _next(self) -> Token:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)  # the end stays the end
        return token

    def _accept(self, kind: str, value: str) -> bool:
        token = self._tokens[self._at]
        if (token.kind, token.value) != (kind, value):
            return False
        self._next()
        return True

    def _expect(self, mark: str) -> None:
        token = self._next()
        if token.kind != mark:
            raise FqlError(token.position, f"`{token.value}` stands where `{mark}` should")

    def _list(self, operator: str) -> Tree:
        children = [self._item(operator)]
        while self._accept("conditional", operator):
            children.append(self._item(operator))
        return {"type": "group", "operator": operator, "children": children} if children[1:] else children[0]

    def _item(self, operator: str) -> Tree:
        return self._list("and") if operator == "or" else self._term()

    def _term(self) -> Tree:
        token = self._next()
        if token.kind == "(":
            return self._group(token)
        is_negated = (token.kind, token.value) == ("operator", "!")
        name = self._next() if is_negated else token
        if name.kind == "name" and name.value in FUNCTIONS:
            return self._function(name, is_negated=is_negated)
        if is_negated:
            raise FqlError(
                token.position, "`!` counts only before contains() and match() and is skipped here"
            )
        return self._condition(token)

    def _group(self, opening: Token) -> Tree:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise FqlError(opening.position, "parentheses are nested too deeply")
        tree = self._list("or")
        self._expect(")")
        self._depth -= 1
        return tree

    def _condition(self, token: Token) -> Tree:
        kind = _kind(token)
        operator, value = self._next(), self._next()
        _check_comparison(kind, operator, value)
        found = special_test(kind, operator, value)
        condition = named(kind, token.value) | {"operator": found or operator.value}
        if found is None or found.startswith("number"):
            constant = value_of(value)
            condition["value"] = constant if kind in NAMED else to_text(constant)
        return condition

    def _function(self, name: Token, *, is_negated: bool) -> Tree:
        self._expect("(")
        field = self._next()
        kind = _kind(field)
        if kind == "event-type":
            raise FqlError(field.position, f"{name.value}() of `type` is skipped")
        self._expect(",")
        value = self._next()
        _check_text(name, value)
        self._expect(")")
        operator, text = _pattern(value) if name.value == "match" else ("contains", value.value[1:-1])
        operator = f"not_{operator}" if is_negated else operator
        return named(kind, field.value) | {"operator": operator, "value": text}


def _kind(token: Token) -> str:
    kind = FIELDS.get(token.value.split(".")[0]) if token.kind == "name" else None
    if kind is None:
        if token.kind == END:
            raise FqlError(token.position, "a condition is missing at the end")
        raise FqlError(token.position, f"`{token.value}` is none of the fields it knows ({KNOWN})")
    if (kind in NAMED) != ("." in token.value):
        raise FqlError(token.position, f"`{token.value}` is no field")
    return kind


def _check_comparison(kind: str, operator: Token, value: Token) -> None:
    if operator.kind != "operator" or operator.value == "!":
        raise FqlError(operator.position, f"`{operator.value}` is no comparison")
    if value.kind not in {"name", "string", "number", "null"}:
        found = "the end" if value.kind == END else f"`{value.value}`"
        raise FqlError(value.position, f"{found} is taken for the value")
    if value.value.startswith("'"):
        raise FqlError(value.position, "single quotes are part of the text that is compared")
    if operator.value in _ORDERS and (kind not in NAMED or math.isnan(to_number(value_of(value)))):
        raise FqlError(operator.position, f"`{operator.value}` compares numbers only")
    is_plain = value.kind in {"name", "string"} and value.value not in {"true", "false"}
    if operator.value in _ORDERS or is_plain or special_test(kind, operator, value) is not None:
        return
    raise FqlError(value.position, f'this compares with the text "{value.value}"')


def _check_text(function: Token, value: Token) -> None:
    if value.kind != "string" or value.value.startswith("'"):
        raise FqlError(value.position, f"{function.value}() needs a text in double quotes")
    if function.value == "match" and not _ONE_STAR.fullmatch(value.value):
        raise FqlError(value.position, "match() knows one `*`, at the beginning or at the end, and no more")


def _pattern(value: Token) -> tuple[str, str]:
    text = value.value[1:-1]
    return ("starts_with", text[:-1]) if text.endswith("*") else ("ends_with", text[1:])
