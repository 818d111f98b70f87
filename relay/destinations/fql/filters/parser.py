"""Tokens to nodes.

any         = every { "or" every }
every       = negated { "and" negated }
negated     = "!" negated | comparison
comparison  = value [ ( "=" | "!=" | "<" | "<=" | ">" | ">=" | "in" ) value ]
value       = number | string | "true" | "false" | "null" | path | list | function | "(" any ")"
list        = "[" [ value { "," value } ] "]"
function    = name "(" [ value { "," value } ] ")"

`! a = b` is refused: half of all readers take it for `(!a) = b`.
"""

from relay.destinations.fql.errors import FqlError
from relay.destinations.fql.filters.lexer import END, Token, lex
from relay.destinations.fql.filters.nodes import Call, Items, Literal, Node, Path
from relay.destinations.fql.filters.signatures import SIGNATURES
from relay.destinations.fql.paths import split

COMPARISONS = frozenset(("=", "!=", "<", "<=", ">", ">=", "in"))
MAX_DEPTH = 40  # of what stands inside each other; each level takes Python six calls to read

_CONSTANTS = {"true": True, "false": False, "null": None}
_MAX_INTEGER = 20  # digits; a longer one is a float, as JSON decoders have it


def parse(text: str) -> Node:
    """The node of a whole filter."""
    return _Parser(lex(text)).whole()


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._any()
        if self._peek.kind != END:
            raise FqlError(self._peek.position, f"{self._peek} stands where `and`, `or` or the end should")
        return node

    @property
    def _peek(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._peek
        self._at = min(self._at + 1, len(self._tokens) - 1)  # the end stays the end
        return token

    def _expect(self, kind: str) -> None:
        token = self._next()
        if token.kind != kind:
            raise FqlError(token.position, f"{token} stands where `{kind}` should")

    def _enter(self, token: Token) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FqlError(token.position, "this is nested too deeply")

    def _any(self) -> Node:
        first, position = self._every(), self._peek.position
        others = []
        while self._peek.kind == "or":
            self._next()
            others.append(self._every())
        return Call(position, "or", (first, *others)) if others else first

    def _every(self) -> Node:
        first, position = self._negated(), self._peek.position
        others = []
        while self._peek.kind == "and":
            self._next()
            others.append(self._negated())
        return Call(position, "and", (first, *others)) if others else first

    def _negated(self) -> Node:
        if self._peek.kind != "!":
            return self._comparison()
        token = self._next()
        self._enter(token)
        inner = self._negated() if self._peek.kind == "!" else self._value()
        if self._peek.kind in COMPARISONS:
            raise FqlError(token.position, f"say !( … {self._peek.text} … ): `!` negates a whole condition")
        self._depth -= 1
        return Call(token.position, "!", (inner,))

    def _comparison(self) -> Node:
        left = self._value()
        if self._peek.kind not in COMPARISONS:
            return left
        operator = self._next()
        return Call(operator.position, operator.kind, (left, self._value()))

    def _value(self) -> Node:
        token = self._next()
        match token.kind:
            case "string":
                return Literal(token.position, token.text[1:-1])
            case "number":
                return Literal(token.position, _number(token.text))
            case "true" | "false" | "null":
                return Literal(token.position, _CONSTANTS[token.kind])
            case "path":
                return self._path_or_call(token)
            case "[":
                return self._list(token)
            case "(":
                return self._group(token)
        raise FqlError(token.position, f"{token} stands where a value should")

    def _group(self, opening: Token) -> Node:
        self._enter(opening)
        node = self._any()
        self._expect(")")
        self._depth -= 1
        return node

    def _list(self, opening: Token) -> Node:
        items = self._values(opening, "]")
        if all(isinstance(item, Literal) for item in items):
            return Literal(opening.position, [item.value for item in items if isinstance(item, Literal)])
        return Items(opening.position, items)

    def _path_or_call(self, token: Token) -> Node:
        if self._peek.kind != "(":
            return Path(token.position, split(token.text))
        signature = SIGNATURES.get(token.text)
        if signature is None:
            raise FqlError(token.position, f"there is no function `{token.text}`")
        arguments = self._values(self._next(), ")")
        wanted = len(signature.takes)
        if len(arguments) != wanted:
            raise FqlError(token.position, f"{token.text}() takes {wanted}, not {len(arguments)}")
        return Call(token.position, token.text, arguments)

    def _values(self, opening: Token, closing: str) -> tuple[Node, ...]:
        self._enter(opening)
        values: list[Node] = []
        while self._peek.kind != closing:
            if values:
                self._expect(",")
            values.append(self._value())
        self._next()
        self._depth -= 1
        return tuple(values)


def _number(text: str) -> int | float:
    is_integer = text.lstrip("+-").isdigit() and len(text) <= _MAX_INTEGER
    return int(text) if is_integer else float(text)
