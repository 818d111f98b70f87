r"""Glob patterns of match(): `*` any characters, `?` one, `[a-z]` one of these, `[^a-z]` none, `\x` x itself.

The whole text must match, upper and lower case differ, no character is special, a line break neither.

A pattern is pieces of fixed length with stars between. The first place where a piece fits is as good as any
later one, so each is looked for once, in an atomic group that never goes back: the work is at most length of
the text times length of the pattern, whatever the pattern.
"""

import re
from collections.abc import Callable
from functools import lru_cache

MAX_PATTERN = 5 * 1024  # no longer than a filter may be; a pattern may also come from the event


class BadPattern(ValueError):
    """`at`: how many characters of the pattern stand before the trouble."""

    def __init__(self, at: int, reason: str) -> None:
        super().__init__(reason)
        self.at = at
        self.reason = reason


@lru_cache(maxsize=256)  # patterns of filters are few; those out of events might be many
def compile_glob(pattern: str) -> Callable[[str], bool]:
    """Whether a text matches `pattern`. Raises BadPattern."""
    if len(pattern) > MAX_PATTERN:
        raise BadPattern(MAX_PATTERN, f"a pattern has at most {MAX_PATTERN} characters")
    first, *others = _pieces(pattern)
    if not others:
        return _whole(first)
    *middle, last = others
    found = "".join(f"(?>.*?{piece})" for piece in middle if piece)
    return _whole(f"{first}{found}.*{last}")


def _whole(expression: str) -> Callable[[str], bool]:
    fullmatch = re.compile(expression, re.DOTALL).fullmatch
    return lambda text: fullmatch(text) is not None


def _pieces(pattern: str) -> list[str]:
    """What stands between the stars, as regular expressions of fixed length."""
    pieces, at = [""], 0
    while at < len(pattern):
        if pattern[at] == "*":
            pieces.append("")
            at += 1
            continue
        expression, at = _one(pattern, at)
        pieces[-1] += expression
    return pieces


def _one(pattern: str, at: int) -> tuple[str, int]:
    """The expression for one character of a text, and where the next begins."""
    if pattern[at] == "?":
        return ".", at + 1
    if pattern[at] == "[":
        return _class(pattern, at)
    char, end = _literal(pattern, at)
    return re.escape(char), end


def _literal(pattern: str, at: int) -> tuple[str, int]:
    if pattern[at] != "\\":
        return pattern[at], at + 1
    if at + 1 == len(pattern):
        raise BadPattern(at, "nothing follows the `\\`")
    return pattern[at + 1], at + 2


def _class(pattern: str, start: int) -> tuple[str, int]:
    at = start + 1
    is_negated = pattern.startswith("^", at)
    at += is_negated
    ranges: list[tuple[str, str]] = []
    while not (ranges and pattern.startswith("]", at)):
        low, at = _member(pattern, at, start)
        high = low
        if pattern.startswith("-", at):
            high, at = _member(pattern, at + 1, start)
        ranges.append((low, high))
    # a range the wrong way round holds no character
    inside = "".join(f"{re.escape(low)}-{re.escape(high)}" for low, high in ranges if low <= high)
    if not inside:
        return "." if is_negated else r"[^\s\S]", at + 1
    return f"[{'^' if is_negated else ''}{inside}]", at + 1


def _member(pattern: str, at: int, start: int) -> tuple[str, int]:
    if at >= len(pattern):
        raise BadPattern(start, "this `[` is never closed")
    if pattern[at] in "-]":
        raise BadPattern(at, f"`{pattern[at]}` needs a `\\` before it in brackets")
    return _literal(pattern, at)
