"""`@json`: a value as JSON text, or the value of one, as JSON.stringify and JSON.parse have it."""

from collections.abc import Iterable
from typing import Any

import orjson

from relay.destinations.mapping.checks import options, text_option
from relay.destinations.mapping.conditions import give_missing
from relay.destinations.mapping.javascript import MISSING, is_falsy, number_text
from relay.destinations.mapping.paths import INDEX
from relay.destinations.mapping.place import Place, Run

LAST_INDEX = 2**32 - 1  # keys from here on are names like any other


def compile_json(argument: Any, place: Place) -> Run:
    """`mode` encode or decode, `value`. Text that is no JSON is left as it is."""
    given = options(argument, place, "mode", "value")
    mode = text_option(given, "mode", place)
    if mode.lower() not in ("encode", "decode"):
        raise place.at("mode").error(f"must be encode or decode, not {mode!r}")
    if is_falsy(given.get("value", MISSING)):
        raise place.error("needs a `value`, and it may not be null, false, 0 or empty")
    value = place.compile(given["value"], "value")
    if mode == "encode":
        return lambda payload: encode_or_missing(value(payload))
    # upstream accepts other spellings, as in `Decode`, and then does nothing
    return (lambda payload: decode(value(payload))) if mode == "decode" else give_missing


def encode_or_missing(value: Any) -> Any:
    return MISSING if value is MISSING else encode(value)


def encode(value: Any) -> str:
    """`JSON.stringify(value)`: numbers as JavaScript writes them, keys that are indexes first."""
    if isinstance(value, str):
        return quoted(value)
    if value is None or value is MISSING:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        written = number_text(value)
        return "null" if written.endswith(("NaN", "Infinity")) else written
    if isinstance(value, list):
        return f"[{','.join(map(encode, value))}]"
    members = [f"{quoted(key)}:{encode(item)}" for key, item in in_order(value) if item is not MISSING]
    return f"{{{','.join(members)}}}"


def quoted(value: str) -> str:
    return orjson.dumps(value).decode()


def in_order(value: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """The members of an object in JavaScript's order: indexes rising, then the others as they came."""
    if not any(map(is_index, value)):
        return value.items()
    indexes = sorted(filter(is_index, value), key=int)
    return [(key, value[key]) for key in [*indexes, *(key for key in value if not is_index(key))]]


def is_index(key: str) -> bool:
    return key[:1].isdecimal() and INDEX.fullmatch(key) is not None and int(key) < LAST_INDEX


def decode(value: Any) -> Any:
    """`JSON.parse(value)`; what is no text, or no JSON, is returned as it is."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
