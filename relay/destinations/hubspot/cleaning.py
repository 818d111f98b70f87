"""Names and values as HubSpot's own properties have them: lower case, and of four types.

A date is text in ISO 8601; `date` without a time, `datetime` with one.
"""

import re
from collections.abc import Mapping
from typing import Any

from relay.destinations.errors import Refused
from relay.destinations.hubspot.api import trimmed
from relay.destinations.mapping.javascript import EXACT, length, to_number
from relay.destinations.mapping.json_text import encode

_NOT_OF_EVENT = re.compile(r"[^a-z0-9_-]+")
_NOT_OF_PROPERTY = re.compile(r"[^a-z0-9_]+")
_DATE = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")
_TIME = re.compile(r"[ T][0-9]{2}:?[0-9]{2}(?::?[0-9]{2}(?:[,.][0-9]+)?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?")
_WORDS = {"true": True, "false": False}


def event_name(name: str) -> str:
    return _NOT_OF_EVENT.sub(_underscores, name.lower())


def property_name(name: str) -> str:
    """Raises `Refused` for one that does not begin with a letter."""
    clean = _NOT_OF_PROPERTY.sub(_underscores, name.lower())
    if not "a" <= clean[:1] <= "z":
        raise Refused("a property's name must begin with a letter", fields=("properties",))
    return clean


def _underscores(match: re.Match[str]) -> str:
    return "_" * length(match[0])


def record_values(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Properties of a record: nulls are left out, lists and objects are JSON text."""
    made: dict[str, Any] = {}
    for name, value in (values or {}).items():
        clean = property_name(name)
        if value is None:
            made.pop(clean, None)
        else:
            made[clean] = _plain(value)
    return made


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        word = trimmed(value)
        return _WORDS.get(word.lower(), word)
    return encode(value) if isinstance(value, (dict, list)) else value


def event_values(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Properties of an event: the same, and whatever reads as a number is one; nothing is 0."""
    return {property_name(name): _numeric(value) for name, value in (values or {}).items()}


def _numeric(value: Any) -> Any:
    plain = _plain(value) if value is not None else None
    if isinstance(plain, bool):
        return plain
    number = to_number(value)
    if number != number:  # noqa: PLR0124  # NaN
        return plain
    if isinstance(value, (int, float)):
        return value
    return int(number) if number.is_integer() and abs(number) < EXACT else number


def kind_of(value: Any) -> str:
    """number, boolean, string, date or datetime."""
    if isinstance(value, bool):
        return "boolean"
    if not isinstance(value, str):
        return "number"
    date = _DATE.match(value)
    if date is None:
        return "string"
    rest = value[date.end() :]
    if not rest:
        return "date"
    return "datetime" if _TIME.fullmatch(rest) else "string"
