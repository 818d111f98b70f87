"""Entries of `/api/v2/entity` and `/api/v2/batch`: who or what, the action, and what is said of it.

    {"type": "person", "action": "event", "identifiers": {"id": "u1"}, "name": "Signed Up", "attributes": {…}}

Moments are seconds since 1970. Where a mapping asks for it (`convert_timestamp`), every ISO 8601 date becomes such a
number, at any depth of objects; lists are left alone.
"""

import re
from collections.abc import Mapping
from typing import Any

from relay.destinations.actions.dates import day_ms
from relay.destinations.actions.formats import is_email

Fields = Mapping[str, Any]
Entry = dict[str, Any]

DEFAULT_OBJECT_TYPE = "1"  # Customer.io: the first type of object that a workspace defines
_CIO_ID = "cio_"  # how a person's internal id is marked
_ABOUT_THE_ENTRY = frozenset(
    (
        "person_id",
        "anonymous_id",
        "email",
        "object_id",
        "object_type_id",
        "timestamp",
        "convert_timestamp",
        "enable_batching",
        "batch_size",
    )
)
_ISO_DATE = re.compile(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"(?:T(?:[01][0-9]|2[0-4]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_DIGITS = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def entry(kind: str, action: str, fields: Fields) -> Entry:
    """One entry. `fields` hold the identifiers, when it was and how dates are written; all others are sent."""
    rest = {name: value for name, value in fields.items() if name not in _ABOUT_THE_ENTRY}
    if fields.get("convert_timestamp") is True:
        rest = with_seconds(rest)
    made: Entry = {"type": kind, "action": action, **rest}
    if fields.get("timestamp"):
        made["timestamp"] = seconds(fields["timestamp"])
    who = identifiers(fields)
    if who:
        made["identifiers"] = who
    if fields.get("anonymous_id"):
        made["attributes"] = _known_as(made.get("attributes") or {}, fields["anonymous_id"], who)
    return made


def _known_as(attributes: Fields, anonymous_id: Any, who: Fields) -> dict[str, Any]:
    """The attributes with the anonymous id, which is left out where it identifies the person already."""
    if "anonymous_id" in who:
        return {name: value for name, value in attributes.items() if name != "anonymous_id"}
    return {**attributes, "anonymous_id": anonymous_id}


def identifiers(fields: Fields) -> dict[str, Any]:
    """What the entry is about: an object, or a person by the best identifier there is; empty without any."""
    object_type = fields.get("object_type_id", DEFAULT_OBJECT_TYPE)
    if fields.get("object_id") and object_type:
        return {"object_id": fields["object_id"], "object_type_id": object_type}
    if fields.get("person_id"):
        return person(fields["person_id"])
    for name in ("email", "anonymous_id"):
        if fields.get(name):
            return {name: fields[name]}
    return {}


def person(person_id: str) -> dict[str, Any]:
    """A person by an id: an internal one, an address, or your own."""
    if person_id.startswith(_CIO_ID):
        return {"cio_id": person_id.removeprefix(_CIO_ID)}
    return {"email" if is_email(person_id) else "id": person_id}


def with_seconds(record: Fields) -> dict[str, Any]:
    """A copy in which ISO 8601 dates are seconds since 1970."""
    return {name: _with_seconds(value) for name, value in record.items()}


def _with_seconds(value: Any) -> Any:
    if type(value) is dict:
        return with_seconds(value)
    if type(value) is str and _ISO_DATE.fullmatch(value) is not None:
        ms = day_ms(value)
        return value if ms is None else ms // 1000
    return value


def seconds(moment: Any) -> Any:
    """Seconds since 1970 of a date in text; numbers, also in text, and what is no date stay as they are."""
    if type(moment) is not str or _DIGITS.fullmatch(moment) is not None:
        return moment
    ms = day_ms(moment)
    return moment if ms is None else ms // 1000
