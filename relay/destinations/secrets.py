"""What is never shown: the secret settings of a destination, wherever a request or a reply repeats them."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec

from relay.destinations.base import Destination, Request, is_secret

SHOWN = "[secret]"

Mask = Callable[[str], str]


def secrets_of(settings: Destination) -> Iterator[str]:
    """The texts in its secret settings."""
    for field in settings.__struct_fields__:
        if is_secret(type(settings), field):
            yield from _texts(getattr(settings, field))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, msgspec.Struct):
        yield from _texts(msgspec.to_builtins(value))


def mask(secrets: Iterable[str]) -> Mask:
    """A function that hides `secrets`, in every way in which a URL, a form or JSON writes them."""
    found = {written for one in secrets if one for written in _written(one)}
    longest_first = sorted(found, key=len, reverse=True)

    def masked(text: str) -> str:
        for one in longest_first:
            if one in text:
                text = text.replace(one, SHOWN)
        return text

    return masked


def _written(secret: str) -> Iterable[str]:
    as_json = json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]
    return (secret, quote(secret, safe=""), quote_plus(secret), *as_json)


def shown_headers(request: Request, masked: Mask) -> dict[str, str]:
    """The headers of a request as they may be seen."""
    return {k: SHOWN if k in request.secret else masked(v) for k, v in request.headers.items()}
