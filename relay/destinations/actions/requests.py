"""How actions write requests: JSON, forms, and what both need."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from relay.body import encode
from relay.destinations.base import Request
from relay.destinations.errors import Refused

AUTHORIZATION = frozenset(("authorization",))
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded;charset=UTF-8"


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
    return Request(method, url, {"content-type": _FORM, **(headers or {})}, urlencode(form).encode(), secret)


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
