"""What is never shown: the secret settings of a destination, wherever a request or a reply repeats them."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

import msgspec

from relay.destinations.base import Destination, Request, is_secret

SHOWN = "[secret]"
LEAST = 4  # characters of a secret that is looked for inside other text
LEAST_OF_URL = 8  # of a part of a URL: no key is shorter, and values such as `true` are in many an answer
_URL_SAFE = str.maketrans("+/", "-_")

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
    """A function that hides `secrets`, in every way in which a URL, a form, JSON or Base64 writes them.

    One of fewer than LEAST characters is hidden only where it is a whole value, as in `"abc"` or `key=abc`: it would
    be found inside other words.
    """
    given = [one for one in secrets if one]
    found = {written for one in given if len(one) >= LEAST for written in _written(one)}
    longest_first = sorted(found, key=len, reverse=True)
    short = {written for one in given if len(one) < LEAST for written in _in_text(one)}
    whole = _whole(short) if short else None

    def masked(text: str) -> str:
        for one in longest_first:
            if one in text:
                text = text.replace(one, SHOWN)
        return text if whole is None else whole.sub(SHOWN, text)

    return masked


def _written(secret: str) -> Iterator[str]:
    yield from _in_text(secret)
    yield from _in_base64(secret)


def _in_text(secret: str) -> Iterable[str]:
    as_json = json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]
    return (secret, quote(secret, safe=""), quote_plus(secret), *as_json)


def _in_base64(secret: str) -> Iterator[str]:
    """The characters that are the secret's alone, whatever stands before and after it: a name, as in Basic."""
    given = secret.encode()
    for before in range(3):  # bytes since the last whole group of four characters
        written = b64encode(bytes(before) + given).decode()
        own = written[-(-8 * before // 6) : 8 * (before + len(given)) // 6]
        yield own
        yield own.translate(_URL_SAFE)


def _whole(texts: Iterable[str]) -> re.Pattern[str]:
    one = "|".join(map(re.escape, sorted(texts, key=len, reverse=True)))
    return re.compile(rf"""\A(?:{one})\Z|(?<=["=])(?:{one})(?=["&]|\Z)""")


def shown_headers(request: Request, masked: Mask) -> dict[str, str]:
    """The headers of a request as they may be seen."""
    return {k: SHOWN if k in request.secret else masked(v) for k, v in request.headers.items()}


def shown_url(request: Request, masked: Mask) -> str:
    """The URL of a request as it may be seen."""
    if not request.hidden:
        return masked(request.url)
    parts = urlsplit(request.url)
    user, at, host = parts.netloc.rpartition("@")

    def shown(part: str) -> str:
        return SHOWN if part in request.hidden else masked(part)

    path = "/".join(map(shown, parts.path.split("/")))
    query = "&".join(_shown_pair(pair, shown) for pair in parts.query.split("&"))
    return masked(urlunsplit((parts.scheme, shown(user) + at + host, path, query, "")))


def _shown_pair(pair: str, shown: Callable[[str], str]) -> str:
    name, is_pair, value = pair.partition("=")
    return f"{name}={shown(value)}" if is_pair else shown(pair)


def hiding(request: Request, masked: Mask) -> Mask:
    """`masked`, and what of the request's own URL is hidden: some vendors repeat it."""
    if not request.hidden:
        return masked
    own = _mask_of(request.hidden)
    return lambda text: masked(own(text))


@lru_cache(1000)
def _mask_of(hidden: tuple[str, ...]) -> Mask:
    return mask(one for one in hidden if len(one) >= LEAST_OF_URL)
