"""A value as its field's type wants it, or not at all: "5" is 5 for a number, 5 is "5" for a text.

The rules are those that Segment's mappings were made with (Ajv's coercion, list of one included), so that the same
mapping gives the same payload: a list of one item stands for the item, a scalar for a list of it.
"""

import math
import sys
from collections.abc import Callable
from typing import Any, Final

from relay.destinations.mapping.javascript import EXACT, MISSING, number_text, text_to_number

BAD: Final = MISSING  # what a value becomes that the type cannot take

Coerce = Callable[[Any], Any]

_LARGEST = sys.float_info.max  # JSON may write a whole number beyond; there is no double for it


def to_string(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return value
    if kind is bool:
        return "true" if value else "false"
    if kind is int or kind is float:
        return number_text(value)
    if value is None:
        return ""
    return _only(value, to_string)


def to_number(value: Any) -> Any:
    kind = type(value)
    if kind is int or kind is float:
        return value if abs(value) <= _LARGEST else BAD
    if kind is bool:
        return int(value)
    if value is None:
        return 0
    if kind is str:
        return _number_of(value)
    return _only(value, to_number)


def to_integer(value: Any) -> Any:
    number = to_number(value)
    return number if type(number) is int or (type(number) is float and number.is_integer()) else BAD


def to_boolean(value: Any) -> Any:
    if type(value) is bool:
        return value
    if value is None or value in ("false", 0):
        return False
    if value in ("true", 1):
        return True
    return _only(value, to_boolean)


def to_moment(value: Any) -> Any:
    """Text or a number; what it means is the format's affair."""
    kind = type(value)
    return value if kind is str or kind is int or kind is float else to_string(value)


def to_object(value: Any) -> Any:
    """The one type for which a list of one does not stand for its item."""
    return value if type(value) is dict else BAD


def _only(value: Any, coerce: Coerce) -> Any:
    """What is in a list of one."""
    if type(value) is list and len(value) == 1 and type(value[0]) is not list:
        return coerce(value[0])
    return BAD


def _number_of(value: str) -> Any:
    if not value:
        return BAD
    number = text_to_number(value.strip())
    if not math.isfinite(number):
        return BAD
    return int(number) if number.is_integer() and abs(number) < EXACT else number


def nullable(coerce: Coerce) -> Coerce:
    """The same for a field that may be null: only what is nothing else becomes null."""

    def coerced(value: Any) -> Any:
        if value is None:
            return None
        return coerce(value)

    return coerced


COERCE: dict[str, Coerce] = {
    "string": to_string,
    "number": to_number,
    "integer": to_integer,
    "boolean": to_boolean,
    "datetime": to_moment,
    "object": to_object,
}
