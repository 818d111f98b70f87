"""Requests to Klaviyo: where to, of which revision, and what their answers mean."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from relay.destinations.actions.parts import Parts
from relay.destinations.actions.requests import bare_request, json_request
from relay.destinations.base import Request, Results
from relay.destinations.errors import HttpError, Refused
from relay.destinations.reply import Reply

API = "https://a.klaviyo.com/api"
REVISION = "2025-01-15"  # of the API: what the requests here are written for
_SAFE = "!$&'()*+,:;=@"  # RFC 3986: in a part of a path as it is


class Account(Protocol):
    """What requests need of the settings."""

    @property
    def api_key(self) -> str: ...


def get(account: Account, url: str) -> Request:
    """A question."""
    return bare_request("GET", url, {"content-type": "application/json", **_headers(account)})


def send(account: Account, method: str, path: str, data: Any) -> Request:
    """A request with `data`."""
    return json_request(method, f"{API}{path}", {"data": data}, _headers(account))


def list_path(list_id: str) -> str:
    """Where a list's profiles are."""
    return f"/lists/{quote(list_id, safe=_SAFE)}/relationships/profiles/"


def _headers(account: Account) -> dict[str, str]:
    return {
        "authorization": f"Klaviyo-API-Key {account.api_key}",
        "accept": "application/json",
        "revision": REVISION,
    }


def job(kind: str, attributes: Mapping[str, Any], **relationships: Any) -> dict[str, Any]:
    """Work that Klaviyo does later; `relationships` that are None are left out."""
    related = {name: {"data": data} for name, data in relationships.items() if data is not None}
    made = {"type": kind, "attributes": attributes}
    return {**made, "relationships": related} if related else made


def id_of(reply: Reply) -> str:
    """The id of what the answer is about. Raises Refused when it has none."""
    match reply.json():
        case {"data": {"id": str(found)}}:
            return found
    raise Refused("Klaviyo's answer has no id", "NO_ID")


def duplicate_of(error: HttpError) -> str | None:
    """The id of the profile that exists already, when that is what the answer says."""
    if error.status == 409:  # noqa: PLR2004  Conflict
        match error.reply.json():
            case {"errors": [{"meta": {"duplicate_profile_id": str(found)}}, *_]} if found:
                return found
    return None


def blamed(parts: Parts[Any], error: HttpError, pointer: re.Pattern[str]) -> Results:
    """The results of a job that Klaviyo did not take: those it points at are refused, the others are for later."""
    named = list(_pointed(error.reply, pointer)) if error.is_final else []
    if not named:
        return parts.failed(error)
    for index, one in named:
        status = one.get("status")
        text = str(one.get("detail"))
        given = status if type(status) is int else error.reply.status
        parts.fail(index, HttpError(Reply(given, text, 0.0)))
    later = HttpError(Reply(429, "another event of the request was refused", 0.0, "RETRYABLE_BATCH_FAILURE"))
    return [
        result or later if place in parts.places else result for place, result in enumerate(parts.results)
    ]


def _pointed(reply: Reply, pointer: re.Pattern[str]) -> Iterable[tuple[int, dict[str, Any]]]:
    body = reply.json()
    errors = body.get("errors") if isinstance(body, dict) else None
    for one in errors if isinstance(errors, list) else ():
        source = one.get("source") if isinstance(one, dict) else None
        match = pointer.search(str(source.get("pointer"))) if isinstance(source, dict) else None
        if match is not None:
            yield int(match[1]), one
