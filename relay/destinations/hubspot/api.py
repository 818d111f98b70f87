"""HubSpot's end points, and how values are written for them."""

from collections.abc import Generator, Mapping
from typing import Any
from urllib.parse import quote

from relay.destinations.actions.requests import bare_request, json_request
from relay.destinations.base import Request
from relay.destinations.errors import DeliveryError, HttpError, Refused
from relay.destinations.mapping.javascript import WHITESPACE_AND_LINES, text
from relay.destinations.mapping.json_text import encode
from relay.destinations.reply import Reply

API = "https://api.hubapi.com"
OBJECTS = f"{API}/crm/v3/objects"
CONTACTS = f"{OBJECTS}/contacts"
COMPANIES = f"{OBJECTS}/companies"
BATCH = 100  # HubSpot: inputs of a batch request
BAD_REQUEST, NOT_FOUND, CONFLICT, TOO_MANY = 400, 404, 409, 429
_LATER, _NONE = (
    "RATE_LIMITS",
    "OBJECT_NOT_FOUND",
)  # HubSpot's categories of errors: one that passes, and one that is none
_AS_THEY_ARE = "@:;,+!$&'()*=~|[]^"  # in a path; the rest of an event's value must not end it

Found = Generator[Request, Reply, Any]


def segment(value: str) -> str:
    """A value as one segment of a path."""
    return quote(value, safe=_AS_THEY_ARE)


def answer(reply: Reply) -> dict[str, Any]:
    """The JSON object that a reply holds, an empty one when it holds none."""
    body = reply.json()
    return body if isinstance(body, dict) else {}


def results(reply: Reply) -> list[dict[str, Any]]:
    """The records in the reply to a search or a batch."""
    found = answer(reply).get("results")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def errors_of(reply: Reply) -> list[dict[str, Any]]:
    """What the answer to a batch, good as a whole (207), says against single inputs."""
    body = answer(reply)
    errors = body.get("errors")
    if not body.get("numErrors") or not isinstance(errors, list):
        return []
    return [error for error in errors if isinstance(error, dict)]


def failure(error: Mapping[str, Any]) -> DeliveryError:
    """HubSpot's error by its category; its message may repeat values."""
    category = str(error.get("category") or "ERROR")
    status = TOO_MANY if category == _LATER else BAD_REQUEST
    return HttpError(Reply(status, f"HubSpot: {category}", 0.0, category))


def check(reply: Reply) -> None:
    """Raise the first error in the answer to a batch that is more than "there is none"."""
    for error in errors_of(reply):
        if error.get("category") != _NONE:
            raise failure(error)


def id_of(record: Mapping[str, Any]) -> str:
    """HubSpot's id of a record, as it stands in a path. Raises `Refused` for an answer without one."""
    if not record.get("id"):
        raise Refused("HubSpot's answer holds no id", "UNEXPECTED_ANSWER")
    return segment(str(record["id"]))


def properties(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those of a record that HubSpot returned."""
    found = record.get("properties")
    return found if isinstance(found, dict) else {}


def post(url: str, body: Any) -> Request:
    return json_request("POST", url, body)


def patch(url: str, values: Mapping[str, Any]) -> Request:
    return json_request("PATCH", url, {"properties": values})


def get(url: str) -> Request:
    return bare_request("GET", url)


def trimmed(value: str) -> str:
    """`value.trim()`."""
    return value.strip(WHITESPACE_AND_LINES)


def flat(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """HubSpot's properties are flat: lists become "a;b", objects JSON text, nulls are left out."""
    return {name: _flat(value) for name, value in (values or {}).items() if value is not None}


def _flat(value: Any) -> Any:
    if isinstance(value, list):
        return ";".join(encode(item) if _is_nested(item) else text(item) for item in value)
    if isinstance(value, dict):
        return encode(value)
    return trimmed(value) if isinstance(value, str) else value


def _is_nested(item: Any) -> bool:
    return item is None or isinstance(item, (dict, list))


def search(
    kind: str, fields: Mapping[str, Any], wanted: tuple[str, ...] = (), by: tuple[str, ...] = ()
) -> Request:
    """The request for records of which any of `fields` has its value."""
    groups = [
        {"filters": [{"propertyName": name, "operator": "EQ", "value": value}]}
        for name, value in fields.items()
    ]
    return post(
        f"{OBJECTS}/{kind}/search", {"filterGroups": groups, "properties": list(wanted), "sorts": list(by)}
    )
