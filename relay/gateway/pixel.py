"""The pixel: an event in a query string, from an e-mail or an ad. Whatever it holds, a GIF is the answer."""

import binascii
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qsl

from relay.body import decode

_ALPHABET = str.maketrans("-_ ", "+/+")  # URL-safe alphabet, and a plus that arrived as a space


def event_of(query: str) -> dict[str, Any] | None:
    """The event in `data` (base64 of JSON), or in dotted parameters; None when it is neither."""
    parameters = parse_qsl(query, keep_blank_values=True)
    for name, value in parameters:
        if name == "data":
            return _decoded(value)
    event: dict[str, Any] = {}
    for name, value in parameters:
        _put(event, name.split("."), value)
    return event or None


def _decoded(value: str) -> dict[str, Any] | None:
    text = value.translate(_ALPHABET).rstrip("=")
    try:
        event = decode(b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        return None
    return event if type(event) is dict else None


def _put(event: dict[str, Any], path: list[str], value: str) -> None:
    for name in path[:-1]:
        inner = event.setdefault(name, {})
        if type(inner) is not dict:
            return
        event = inner
    event.setdefault(path[-1], value)
