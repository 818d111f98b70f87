r"""Text to tokens. Strings know no escapes: `\` in them is for match(), and each quote can hold the other."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from relay.destinations.fql.errors import FqlError
from relay.destinations.fql.paths import PART

END = "end"
KEYWORDS = frozenset(("and", "or", "in", "true", "false", "null"))

_TOKEN = re.compile(
    rf"""(?P<space>[ \t\r\n]+)
    | (?P<number>[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)(?![A-Za-z0-9_.\\-])
    | (?P<string>"[^"]*"|'[^']*')
    | (?P<path>(?=[A-Za-z_\\]){PART}(?:\.{PART})*+)(?![.\\])
    | (?P<mark><=|>=|!=|[=<>!()\[\],])""",
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """`kind`: number, string, path, or the keyword or mark itself; `end` is the last."""

    kind: str
    text: str
    position: int

    def __str__(self) -> str:
        return "the end" if self.kind == END else f"`{self.text}`"


def lex(text: str) -> list[Token]:
    """The tokens of `text`, then the end."""
    return [*_tokens(text), Token(END, "", len(text))]


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise FqlError(at, _trouble(text[at]))
        kind, value = str(found.lastgroup), found[0]
        if kind == "mark" or value in KEYWORDS:
            kind = value
        if kind != "space":
            yield Token(kind, value, at)
        at = found.end()


def _trouble(char: str) -> str:
    if char in "\"'":
        return "this quote is never closed"
    if char.isdecimal() or char in "+-":
        return "this is no number"
    if char.isalpha() or char in "_\\":
        return "this path is not complete"
    return f"`{char}` means nothing here; in a path it needs a `\\` before it"
