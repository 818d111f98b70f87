"""Functions from value to value. Of null and of what they are not made for they give null.

The reading where Segment's documentation leaves it open: bool() is false for null, 0, an empty text or list
and the texts `false` and `0`; string() writes a number, a truth or a list as JSON does, and null as an empty
text; number() of null is null, and of a text that is no number an error.
"""

import json
import re
from collections.abc import Callable
from typing import Any

_TYPES: dict[type, str] = {
    type(None): "null",
    bool: "bool",
    int: "number",
    float: "number",
    str: "string",
    list: "list",
    dict: "object",
}
_NUMBER = re.compile(r"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*", re.ASCII)
_FALSE_TEXTS = frozenset(("", "0", "false"))


def typeof(value: Any) -> str:
    return _TYPES.get(type(value), "unknown")


def length(value: Any) -> int | None:
    """The bytes of a text as UTF-8, the items of a list, 0 for null."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode(errors="surrogatepass"))
    if value is None:
        return 0
    return len(value) if isinstance(value, list) else None


def to_bool(value: Any) -> bool:
    return value.lower() not in _FALSE_TEXTS if isinstance(value, str) else bool(value)


def to_string(value: Any) -> str:
    """RecursionError when lists and objects stand too deep inside each other."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # 5.0 is 5 in JSON
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def to_number(value: Any) -> int | float | None:
    """ValueError for a text that is no number."""
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise ValueError
        number = float(value)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _titlecase(text: str) -> str:
    return re.sub(r"(?<!\S)\S", lambda found: found[0].upper(), text)


def _of_text(change: Callable[[str], str]) -> Callable[[Any], str | None]:
    return lambda value: change(value) if isinstance(value, str) else None


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "length": length,
    "lowercase": _of_text(str.lower),
    "uppercase": _of_text(str.upper),
    "snakecase": _of_text(lambda text: text.replace(" ", "_")),
    "kebabcase": _of_text(lambda text: text.replace(" ", "-")),
    "titlecase": _of_text(_titlecase),
    "typeof": typeof,
    "bool": to_bool,
    "string": to_string,
    "number": to_number,
}
FAILURES = {  # what it means when a function raises
    "string": "string() of what is nested too deeply",
    "number": "number() of a text that is no number",
}
