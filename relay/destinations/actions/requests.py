"""How actions write requests: JSON, forms, and what both need."""

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from relay.body import encode
from relay.destinations.base import Request
from relay.destinations.errors import Refused

AUTHORIZATION = frozenset(("authorization",))
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded;charset=UTF-8"
_FREQUENT = tuple(
    (bytes((code,)), b"%%%02X" % code) for code in b'%+":,{}[]/@$=&'
)  # the first: it begins codes
_UNSAFE = re.compile(rb"[^A-Za-z0-9*\-._%+]")  # URL Standard: application/x-www-form-urlencoded


def json_request(
    method: str,
    url: str,
    body: Any,
    headers: Mapping[str, str] | None = None,
    *,
    secret: frozenset[str] = AUTHORIZATION,
) -> Request:
    """A request with a JSON body. Raises `Refused` for one nested too deeply to be written."""
    return Request(method, url, {"content-type": _JSON, **(headers or {})}, _written(body), secret)


def json_text(value: Any) -> str:
    """JSON as text, for a field of a form. Raises `Refused` as `json_request` does."""
    return _written(value).decode()


def _written(value: Any) -> bytes:
    written = encode(value)
    if written is None:
        raise Refused("nested too deeply")
    return written


def form_request(
    method: str,
    url: str,
    form: Mapping[str, str],
    headers: Mapping[str, str] | None = None,
    *,
    secret: frozenset[str] = AUTHORIZATION,
) -> Request:
    """A request with a form as its body."""
    body = b"&".join(_quoted(name) + b"=" + _quoted(value) for name, value in form.items())
    return Request(method, url, {"content-type": _FORM, **(headers or {})}, body, secret)


def _quoted(text: str) -> bytes:
    """A name or value of a form. Most are JSON, and what that is full of is quickly replaced all at once."""
    quoted = text.encode()
    for character, code in _FREQUENT:
        quoted = quoted.replace(character, code)
    return _UNSAFE.sub(lambda match: b"%%%02X" % match[0][0], quoted.replace(b" ", b"+"))


def bare_request(
    method: str, url: str, headers: Mapping[str, str] | None = None, *, secret: frozenset[str] = AUTHORIZATION
) -> Request:
    """A request without a body."""
    return Request(method, url, headers or {}, b"", secret)


def basic(user: str, password: str = "") -> dict[str, str]:
    """The header of HTTP Basic."""
    return {"authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}
