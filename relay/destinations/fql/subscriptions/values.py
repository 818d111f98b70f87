"""Values as JavaScript turns one into another: a subscription's numbers and texts come from there."""

import math
import re
from decimal import Decimal

from relay.destinations.fql.subscriptions.lexer import Token

Value = str | int | float | bool

_DECIMAL = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?Infinity")
_OTHER_BASE = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")
_EXACT = 2**53  # up to here every whole number is a number of its own
_EXPONENT_FROM = 1e21  # from here, and
_EXPONENT_BELOW = 1e-6  # below this JavaScript writes a number with an exponent


def value_of(token: Token) -> Value:
    """What a token stands for as a value; single quotes, brackets and the end stand for themselves."""
    if token.kind == "string":
        return token.value[1:-1] if token.value[0] == '"' else token.value
    if token.kind == "number":
        return to_number(token.value)
    if token.kind == "name" and token.value in {"true", "false"}:
        return token.value == "true"
    return token.value


def to_number(value: Value | None) -> int | float:
    """`Number(value)`; NaN when it is none."""
    if isinstance(value, str):
        return _parsed(value.strip())
    return math.nan if value is None else _whole(float(value))


def _parsed(text: str) -> int | float:
    if not text:
        return 0
    if _DECIMAL.fullmatch(text):
        return _whole(float(text))
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    return math.nan


def _whole(number: float) -> int | float:
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


def to_text(value: Value | None) -> str:
    """`String(value)`."""
    if isinstance(value, str):
        return value
    if value is None:
        return "undefined"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _number_text(float(value))


def _number_text(number: float) -> str:
    if number == 0:
        return "0"  # minus zero too
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    if _EXPONENT_BELOW <= abs(number) < _EXPONENT_FROM:
        return format(Decimal(repr(number)), "f").removesuffix(".0")
    return re.sub(r"e([-+])0*", r"e\1", repr(number))
