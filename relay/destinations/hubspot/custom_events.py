"""Custom events that define themselves: the event's definition is read, made to fit, and then the event is sent.

GET the definition; with sync mode `upsert` or `add` POST a missing one, with `upsert` or `update` POST its missing
properties; POST the event. Each step leaves something that the next try finds, so a flow begun anew repeats nothing but
the look-up.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from relay.destinations.actions import Action, Call
from relay.destinations.actions.fields import either, moment, number, path, record, text
from relay.destinations.base import Steps
from relay.destinations.errors import Busy, HttpError, Refused
from relay.destinations.hubspot.api import (
    API,
    BAD_REQUEST,
    CONFLICT,
    NOT_FOUND,
    Found,
    answer,
    get,
    post,
    segment,
)
from relay.destinations.hubspot.cleaning import event_name, event_values, kind_of
from relay.destinations.hubspot.events import SEND
from relay.destinations.mapping.javascript import number_text

DEFINITIONS = f"{API}/events/v3/event-definitions"
_AUTHOR = "created by relay"
_CONTACT = "contact"
_OPTIONS = [
    {"label": "true", "value": True, "hidden": False, "description": "True", "displayOrder": 1},
    {"label": "false", "value": False, "hidden": False, "description": "False", "displayOrder": 2},
]
_TYPES = {
    "number": "number",
    "boolean": "enumeration",
    "string": "string",
    "date": "datetime",
    "datetime": "datetime",
}


class _Definition(msgspec.Struct):
    """What HubSpot knows of an event: its full name, and the types of its properties."""

    name: str
    full_name: str
    types: dict[str, str]


def send(_: Any, call: Call) -> Steps:
    """One event."""
    who = _who(call)
    name, values = event_name(call.payload["event_name"]), event_values(call.get("properties"))
    known = yield from _definition(name, values)
    if known is None:
        full_name = yield from _define(call, name, values)
    else:
        full_name = known.full_name
        yield from _complete(call, known, values)
    event = {"eventName": full_name, **who, "properties": values}
    if "occurred_at" in call.payload:
        event["occurredAt"] = call.payload["occurred_at"]
    yield post(SEND, event)


def _who(call: Call) -> dict[str, Any]:
    """The record it belongs to. Raises `Refused`."""
    details = call.payload["record_details"]
    number_ = details.get("object_id")
    who = {} if number_ is None else {"objectId": number_}
    if details["object_type"] != _CONTACT:
        if number_ is None:
            raise Refused("record_details.object_id is missing", fields=("record_details.object_id",))
        return who
    who |= {name: details[name] for name in ("email", "utk") if details.get(name) is not None}
    if number_ is None and not any(who.values()):
        raise Refused("a contact needs one of object_id, email and utk", fields=("record_details.object_id",))
    return who


def _definition(name: str, values: Mapping[str, Any]) -> Found:
    """HubSpot's definition of the event, None when there is none. Raises `Refused` when values do not fit it."""
    try:
        found = answer((yield get(f"{DEFINITIONS}/{name}/?includeProperties=true")))
    except HttpError as error:
        if error.status not in (BAD_REQUEST, NOT_FOUND):
            raise
        return None
    if found.get("archived"):
        return None
    own = found.get("properties")
    known = {one.get("name"): one for one in own if isinstance(one, dict)} if isinstance(own, list) else {}
    types = {key: _fitting(known[key], kind_of(value)) for key, value in values.items() if key in known}
    if name not in (found.get("name"), found.get("fullyQualifiedName")):
        raise Refused("HubSpot's definition has another name", fields=("event_name",))
    return _Definition(name, str(found.get("fullyQualifiedName")), types)


def _fitting(known: Mapping[str, Any], kind: str) -> str:
    """HubSpot's type of a property that takes a value of this kind."""
    type_ = str(known.get("type"))
    if known.get("archived") is True:
        raise Refused("HubSpot has archived one of the properties", fields=("properties",))
    wants_number, is_number = type_ == "number", kind == "number"
    if wants_number is not is_number and (wants_number or type_ in ("datetime", "enumeration")):
        raise Refused(f"HubSpot wants {type_} where a property is {kind}", fields=("properties",))
    return type_


def _complete(call: Call, known: _Definition, values: dict[str, Any]) -> Found:
    """Make definition and values fit: missing properties are created, numbers for a text become text."""
    for key, type_ in known.types.items():
        if type_ == "string" and kind_of(values[key]) == "number":
            values[key] = number_text(values[key])
    missing = [key for key in values if key not in known.types]
    if missing and call.sync_mode == "add":
        raise Refused(
            "HubSpot lacks properties of the event, and sync mode `add` creates none",
            "HUBSPOT_SCHEMA_PROPERTIES_MISSING",
            fields=("properties",),
        )
    failed: HttpError | None = None
    for key in missing:
        try:
            yield post(f"{DEFINITIONS}/{segment(known.full_name)}/property", _property(key, values[key]))
        except HttpError as error:
            failed = failed or (None if _exists(error) else error)
    if failed is not None:
        raise failed


def _define(call: Call, name: str, values: Mapping[str, Any]) -> Found:
    """A new definition: its full name."""
    if call.sync_mode == "update":
        raise Refused(
            "HubSpot does not know the event, and sync mode `update` creates none",
            "HUBSPOT_SCHEMA_MISSING",
            fields=("event_name",),
        )
    definition = {
        "label": name,
        "name": name,
        "description": f"{name} ({_AUTHOR})",
        "primaryObject": call.payload["record_details"]["object_type"],
        "propertyDefinitions": [_property(key, value) for key, value in values.items()],
    }
    try:
        return answer((yield post(DEFINITIONS, definition))).get("fullyQualifiedName")
    except HttpError as error:
        if _exists(error):
            raise Busy("the event was defined meanwhile", "ALREADY_EXISTS") from None
        raise


def _exists(error: HttpError) -> bool:
    return error.status == CONFLICT and "already exists" in str(answer(error.reply).get("message"))


def _property(name: str, value: Any) -> dict[str, Any]:
    kind = kind_of(value)
    made = {"name": name, "label": name, "type": _TYPES[kind], "description": f"{name} ({_AUTHOR})"}
    return made | {"options": _OPTIONS} if kind == "boolean" else made


CUSTOM_EVENT = Action(
    name="customEvent",
    title="Custom Event V2",
    about="Records an event, and defines it where HubSpot does not know it.",
    fields={
        "event_name": text("The event's name; HubSpot's form of it is made.", required=True),
        "record_details": record(
            "The record that the event belongs to.",
            {
                "object_type": text("Its kind: contact, company, deal, ticket or your own.", required=True),
                "object_id": number("HubSpot's number of it."),
                "email": text(
                    "A contact's address.",
                    format="email",
                    default=either("$.properties.email", "$.context.traits.email"),
                ),
                "utk": text("HubSpot's own token of a contact."),
            },
            required=True,
        ),
        "properties": record("The event's properties."),
        "occurred_at": moment("When it happened.", default=path("$.timestamp")),
    },
    perform=send,
    sync_modes=("update", "upsert", "add"),
)
