r"""From bytes to JSON: strict, with a second look before anything is refused.

Browsers cut strings at half a surrogate pair and write `\ud83d` alone, and .NET puts a byte order mark
first. Both are mended rather than refused: a refusal would cost the whole batch.
"""

import json
import re
from typing import Any

import msgspec
import orjson

_LONE_SURROGATE = re.compile(
    rb"(?<!\\)((?:\\\\)*)"
    rb"(?:(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_BOM = b"\xef\xbb\xbf"


def decode(body: bytes) -> Any:
    """The JSON value in `body`. Raises ValueError when there is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _decode_lenient(_mended(body))


def _decode_lenient(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # a number beyond a double is JSON all the same; the standard library reads it, and it is written as null
        try:
            return json.loads(body.decode(), parse_constant=_refuse)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _mended(body: bytes) -> bytes:
    return _LONE_SURROGATE.sub(lambda m: m[1] + (m[2] or rb"\ufffd"), body.removeprefix(_BOM))


def encode(value: Any) -> bytes | None:
    """Compact UTF-8 JSON, None when `value` is nested too deeply to be written.

    orjson writes 254 levels, msgspec as many as Python allows, which is about as many as orjson reads.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        try:
            return msgspec.json.encode(value)
        except RecursionError:
            return None
