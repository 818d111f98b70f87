"""One record at a time: created, or looked up and then changed or deleted.

A flow begun anew looks up again, so that after an upsert whose answer was lost the record is found and changed. Only
`create` may make a second one then: Salesforce knows no key for requests.
"""

from collections.abc import Generator, Mapping
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from relay.destinations.actions import Call
from relay.destinations.actions.fields import Fields
from relay.destinations.actions.requests import bare_request, json_request
from relay.destinations.base import Request, Steps
from relay.destinations.errors import Busy, DeliveryError, HttpError, Refused
from relay.destinations.mapping.javascript import text
from relay.destinations.reply import Reply
from relay.destinations.salesforce.instance import Instance
from relay.destinations.salesforce.soql import is_name, select

Operation = Literal["create", "update", "upsert", "delete"]
Asked = Generator[Request, Reply, Reply]
Found = Generator[Request, Reply, str | None]

SYNC_MODES: dict[str | None, Operation] = {
    "add": "create",
    "update": "update",
    "upsert": "upsert",
    "delete": "delete",
}
LIMIT_SECONDS = (
    60.0  # a limit of 24 hours, freed bit by bit: to ask once a minute costs 1,440 requests of 100,000
)
SYNC_MODE = "__segment_internal_sync_mode"
_IN_QUERY = "!~*()"  # left as they are, as JavaScript's encodeURIComponent does
_IN_PATH = "!$&'()*+,;=:@~"  # RFC 3986: a segment


class Kind(msgspec.Struct, frozen=True):
    """A kind of object: its name, or None where the mapping names it; its fields; which a new one must have."""

    sobject: str | None
    fields: Fields = {}
    needed: tuple[str, ...] = ()


class Wish(msgspec.Struct, frozen=True):
    """What is to be done to which kind of object."""

    instance: Instance
    operation: Operation
    sobject: str
    payload: Mapping[str, Any]
    body: Mapping[str, Any]

    def url(self, record: str = "") -> str:
        """The address of the kind, or of one record."""
        return self.instance.url(f"sobjects/{self.sobject}" + (f"/{record}" if record else ""))

    @property
    def traits(self) -> Mapping[str, Any]:
        """What a record is found by. Raises `Refused` without any."""
        traits: Mapping[str, Any] = self.payload.get("traits") or {}
        if not traits:
            raise Refused(f"traits are needed to {self.operation}", "UNDEFINED_TRAITS", fields=("traits",))
        return traits


def perform(kind: Kind, instance: Instance, call: Call) -> Steps:
    """The flow for one event."""
    operation, payload = operation_of(call), call.payload
    if kind.sobject is None:
        need(payload, ("customFields",) if operation != "delete" else ())
    if operation in ("create", "upsert"):
        need(payload, kind.needed)
    wish = Wish(instance, operation, sobject_of(kind, call), payload, body_of(kind, payload))
    yield from _FLOWS[operation](wish)


def operation_of(call: Call) -> Operation:
    """What is to be done: a field in the older actions, the sync mode in the newer."""
    asked: Operation | None = call.get("operation") or SYNC_MODES.get(call.sync_mode)
    if asked is None:
        raise Refused(f"the sync mode must be one of {', '.join(map(str, SYNC_MODES))}", fields=(SYNC_MODE,))
    return asked


def sobject_of(kind: Kind, call: Call) -> str:
    """The name of the object. Raises `Refused` for what can be none: it goes into URLs and queries."""
    sobject: str = kind.sobject or call.payload["customObjectName"]
    if not is_name(sobject):
        raise Refused("customObjectName is not the name of an object", fields=("customObjectName",))
    return sobject


def need(payload: Mapping[str, Any], fields: tuple[str, ...]) -> None:
    """Refuse a payload that lacks any of `fields`."""
    missing = tuple(name for name in fields if payload.get(name) in (None, ""))
    if missing:
        raise Refused(f"missing: {', '.join(missing)}", "MISCONFIGURED_REQUIRED_FIELD", fields=missing)


def body_of(kind: Kind, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The record's fields by Salesforce's names; custom ones go before the kind's own."""
    own = {api_name(name): payload[name] for name in kind.fields if name in payload}
    return {**own, **payload.get("customFields", {})}


def api_name(field: str) -> str:
    """`LastName` of `last_name`."""
    return "".join(part.capitalize() for part in field.split("_"))


def _create(wish: Wish) -> Steps:
    yield from ask(json_request("POST", wish.url(), wish.body))


def _update(wish: Wish) -> Steps:
    yield from _change(wish, (yield from _one(wish)))


def _upsert(wish: Wish) -> Steps:
    found = yield from _look_up(wish)
    if found is None:
        yield from _create(wish)
    else:
        yield from _change(wish, found)


def _delete(wish: Wish) -> Steps:
    yield from ask(bare_request("DELETE", wish.url((yield from _one(wish)))))


_FLOWS = {"create": _create, "update": _update, "upsert": _upsert, "delete": _delete}


def _change(wish: Wish, record: str) -> Steps:
    yield from ask(json_request("PATCH", wish.url(record), wish.body))


def _one(wish: Wish) -> Generator[Request, Reply, str]:
    """The record, by its id where the mapping has it. Raises `Refused` when there is none."""
    known = wish.traits.get("Id")
    found = _segment(known) if known else (yield from _look_up(wish))
    if found is None:
        raise Refused("no record has these traits", "RECORD_NOT_FOUND", status=404, fields=("traits",))
    return found


def _look_up(wish: Wish) -> Found:
    """The one record that has the traits; None when none has. Raises `Refused` when several have."""
    operator = wish.payload.get("recordMatcherOperator", "OR")
    query = quote(select(wish.sobject, wish.traits, operator), safe=_IN_QUERY)
    reply = yield from ask(bare_request("GET", wish.instance.url(f"query/?q={query}")))
    answer = reply.json()
    size = answer.get("totalSize") if isinstance(answer, dict) else None
    if size == 0:
        return None
    if isinstance(size, int) and size > 1:
        raise Refused(
            "several records have these traits", "MULTIPLE_RECORDS_FOUND", status=300, fields=("traits",)
        )
    try:
        return _segment(answer["records"][0]["Id"])
    except (KeyError, IndexError, TypeError):
        raise Refused("the answer to the look-up holds no record", "BAD_RESPONSE") from None


def _segment(record_id: Any) -> str:
    """An id as a part of a path."""
    segment = quote(text(record_id), safe=_IN_PATH)
    if not segment.strip("."):
        raise Refused("traits.Id is not an id", fields=("traits.Id",))
    return segment


def ask(request: Request) -> Asked:
    """Send `request`; its reply. Raises `Busy` where a refusal means "later"."""
    try:
        return (yield request)
    except HttpError as error:
        raise _meant(error) from None


def _meant(error: HttpError) -> DeliveryError:
    answer = error.reply.json()
    answers = answer if isinstance(answer, list) else ()
    codes = [one.get("errorCode") for one in answers if isinstance(one, dict)]
    if "REQUEST_LIMIT_EXCEEDED" in codes:  # 403
        return Busy("the limit of requests is reached", "REQUEST_LIMIT_EXCEEDED", after=LIMIT_SECONDS)
    if "UNABLE_TO_LOCK_ROW" in codes:  # 400: somebody else is changing the record
        return Busy("the record is locked", "UNABLE_TO_LOCK_ROW")
    return error
