"""Values as JavaScript has them: what is missing, what is falsy, how a value reads as text.

Mappings were written against a JavaScript program, and events carry values of every type, so its habits
are part of the result: 27.0 reads "27", a list reads "a,b", an object reads "[object Object]", the length
of a text counts UTF-16 units.
"""

import math
import re
from enum import Enum
from typing import Any, Final

WHITESPACE: Final = "\t\n\v\f\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
WHITESPACE_AND_LINES: Final = WHITESPACE + "\u2028\u2029\u202f\u205f\u3000\ufeff"

NUMBER = re.compile(r"[+-]?(?:Infinity|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
RADIX = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")
EXACT = 2**53  # integers beyond it are rounded: JavaScript has only doubles
FIXED_FROM, FIXED_TO = -6, 21  # exponents that Number.prototype.toString writes without an `e`


class Missing(Enum):
    """The type of `MISSING`; an enum, so that copies and pickles are still the one value."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING


def is_falsy(value: Any) -> bool:
    """Whether `if (value)` would be skipped: missing, null, false, 0, NaN and the empty text."""
    if isinstance(value, (dict, list)):
        return False
    return value is MISSING or not value or value != value  # noqa: PLR0124  # NaN


def is_loosely_empty(value: Any) -> bool:
    """Whether `value == ''` holds with JavaScript's two equals signs; 0, false and [] are such values."""
    if isinstance(value, list):
        return text(value) == ""
    return not isinstance(value, dict) and value in ("", 0)


def text(value: Any) -> str:
    """`String(value)`, except that missing and null give the empty text, as inside a joined list."""
    if isinstance(value, str):
        return value
    if value is None or value is MISSING:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    if isinstance(value, list):
        return ",".join(map(text, value))
    return "[object Object]"


def number_text(number: float) -> str:
    """`String(number)`: the shortest digits that read back as the same double."""
    if isinstance(number, int):
        if -EXACT <= number <= EXACT:
            return str(number)
        number = to_double(number)
    if math.isfinite(number):
        return double_text(number)
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def to_double(number: int) -> float:
    """`number` as a double; beyond the largest one it is infinite."""
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def double_text(number: float) -> str:
    written = repr(number)
    if "e" in written:
        return exponent_text(written)
    return written.removesuffix(".0") if number else "0"  # there is no -0


def exponent_text(written: str) -> str:
    """`written`, Python's notation with an `e`, in JavaScript's choice of notation."""
    mantissa, _, exponent = written.partition("e")
    sign = "-" if mantissa[0] == "-" else ""
    whole, _, fraction = mantissa.removeprefix("-").partition(".")
    return sign + place_point(whole + fraction, 1 + int(exponent))


def place_point(digits: str, point: int) -> str:
    """`digits` with the decimal point after `point` of them, in JavaScript's choice of notation."""
    if not FIXED_FROM < point <= FIXED_TO:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{digits[0]}{fraction}e{point - 1:+d}"
    if point <= 0:
        return "0." + "0" * -point + digits
    if point >= len(digits):
        return digits.ljust(point, "0")
    return f"{digits[:point]}.{digits[point:]}"


def length(value: str) -> int:
    """`value.length`: UTF-16 units, so a character outside the first plane counts twice."""
    return len(value) if value.isascii() else len(value.encode("utf-16-le", "surrogatepass")) // 2


def unit(value: str, index: int) -> str:
    """`value[index]`; half a surrogate pair, which no UTF-8 can carry, becomes U+FFFD."""
    if value.isascii():
        return value[index]
    units = value.encode("utf-16-le", "surrogatepass")
    return units[2 * index : 2 * index + 2].decode("utf-16-le", "replace")


def entries(value: Any) -> dict[str, Any]:
    """`Object.assign({}, value)`: lists and texts by index, other scalars have none."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {str(index): item for index, item in enumerate(value)}
    if isinstance(value, str):
        return {str(index): unit(value, index) for index in range(length(value))}
    return {}


def to_number(value: Any) -> float:
    """`Number(value)`: null and blank texts are 0, what cannot be read is NaN."""
    if isinstance(value, (int, float)):
        return to_double(value) if isinstance(value, int) else value
    if value is None:
        return 0.0
    if value is MISSING or isinstance(value, dict):
        return float("nan")
    return text_to_number(text(value).strip(WHITESPACE_AND_LINES))


def text_to_number(written: str) -> float:
    if not written:
        return 0.0
    if NUMBER.fullmatch(written):
        return float(written.replace("Infinity", "inf"))
    if RADIX.fullmatch(written):
        return to_double(int(written, 0))
    return float("nan")
