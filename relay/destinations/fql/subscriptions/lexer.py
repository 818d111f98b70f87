r"""Text to tokens, the way Segment's lexer for subscriptions cuts it.

- White space is space, tab and line feed; a carriage return is an error.
- `and`, `or`, `null`, `!=`, `<=`, `>=` are themselves only before white space, `,`, `]`, `)` or the end:
  `and(` is a name, `>=5` is `>` and `=`, `!="x"` is an error.
- Strings know no escapes. A closing quote that none of those follows opens the next string as well. A
  string token keeps its quotes, because single quotes stay part of the value.
- In names `\` takes the next character as it is, a dot included.
"""

import re
from typing import NamedTuple

from relay.destinations.fql.errors import FqlError

END = "eos"
_TERMINATORS = " \t\n,])"
_AFTER_NAME = _TERMINATORS + ".(=!"
_NAME = re.compile(r"(?:\\.|[A-Za-z0-9_-])+", re.DOTALL)
_NAME_START = re.compile(r"[A-Za-z_\\]")
_NUMBER = re.compile(r"[-+0-9][0-9.]*")
_WORDS = {"a": ("and", "conditional"), "o": ("or", "conditional"), "n": ("null", "null")}


class Token(NamedTuple):
    """`kind`: name, operator, conditional, string, number, null, eos, or the mark itself: one of `.,()[]`."""

    kind: str
    value: str
    position: int


def lex(text: str) -> list[Token]:
    """The tokens of `text`, names and dots joined to paths; the last is the end."""
    tokens = []
    at = 0
    while at < len(text):
        if text[at] in " \t\n":
            at += 1
            continue
        token, at = _token(text, at)
        tokens.append(token)
    tokens.append(Token(END, END, len(text)))
    return _join(tokens)


def _token(text: str, at: int) -> tuple[Token, int]:
    char = text[at]
    if _NAME_START.match(char):
        return _name(text, at)
    if char in "!=<>":
        return _operator(text, at)
    if char in "-+0123456789":
        return _number(text, at)
    if char in "\"'":
        return _string(text, at)
    if char in ".,()[]":
        return Token(char, char, at), at + 1
    raise FqlError(at, f"`{char}` means nothing here")


def _name(text: str, at: int) -> tuple[Token, int]:
    word, kind = _WORDS.get(text[at], ("", ""))
    if word and _stands_alone(text, at, word):
        return Token(kind, word, at), at + len(word)
    if word and _is_cut_off(text, at, word):
        # `= no` at the very end is `n`: Segment looks for `null`, meets the end and forgets what it read
        return Token("name", text[at], at), len(text)
    found = _NAME.match(text, at)
    if found is None:
        raise FqlError(at, "nothing follows the `\\`")
    end = found.end()
    if end < len(text) and text[end] not in _AFTER_NAME:
        raise FqlError(end, f"`{text[end]}` cannot follow a name")
    return Token("name", re.sub(r"\\(.)", r"\1", found[0], flags=re.DOTALL), at), end


def _stands_alone(text: str, at: int, word: str) -> bool:
    end = at + len(word)
    return text.startswith(word, at) and (end == len(text) or text[end] in _TERMINATORS)


def _is_cut_off(text: str, at: int, word: str) -> bool:
    rest = text[at + 1 :]
    return len(rest) < len(word) - 1 and not any(char in _TERMINATORS for char in rest)


def _operator(text: str, at: int) -> tuple[Token, int]:
    char, after = text[at], text[at + 1 : at + 2]
    if char == "!" and (after == "(" or (after.isascii() and after.isalpha())):
        return Token("operator", "!", at), at + 1
    if char != "=" and _stands_alone(text, at, char + "="):
        return Token("operator", char + "=", at), at + 2
    if char == "!":
        raise FqlError(at, "`!` stands before a name or `(`, and `!=` before white space")
    return Token("operator", char, at), at + 1


def _number(text: str, at: int) -> tuple[Token, int]:
    found = _NUMBER.match(text, at)
    assert found is not None  # the caller saw its first character
    digits, end = found[0], found.end()
    if digits.count(".") > 1:
        raise FqlError(at, "a number has one decimal point")
    if digits.endswith(".") and (end == len(text) or text[end] in _TERMINATORS):
        raise FqlError(end, "digits are missing after the decimal point")
    return Token("number", digits, at), end


def _string(text: str, at: int) -> tuple[Token, int]:
    end = text.find(text[at], at + 1)
    if end < 0:
        raise FqlError(at, "this quote is never closed")
    is_closed = end + 1 == len(text) or text[end + 1] in _TERMINATORS
    return Token("string", text[at : end + 1], at), end + is_closed


def _join(tokens: list[Token]) -> list[Token]:
    joined: list[Token] = []
    for token in tokens:
        if token.kind == "name" and [t.kind for t in joined[-2:]] == ["name", "."]:
            joined.pop()
            path = joined.pop()
            joined.append(Token("name", f"{path.value}.{token.value}", path.position))
        else:
            joined.append(token)
    return joined
