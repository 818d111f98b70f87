"""Actions on objects, such as companies, and on who belongs to them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from relay.destinations.actions import Call
from relay.destinations.actions.fields import either, path, record, text
from relay.destinations.base import Steps
from relay.destinations.customerio.account import Account
from relay.destinations.customerio.entries import (
    DEFAULT_OBJECT_TYPE,
    Entry,
    entry,
    identifiers,
    person,
    with_seconds,
)
from relay.destinations.customerio.people import ANONYMOUS, CONVERT, PERSON, created_at, object_type
from relay.destinations.customerio.sending import batch, sends
from relay.destinations.errors import DeliveryError, HttpError

KNOWN, ANONYMOUSLY = "identify", "identify_anonymous"
_NOT_ATTRIBUTES = ("object_type_id", "objectTypeId", "relationshipAttributes")


def _object_entry(payload: dict[str, Any]) -> Entry:
    """The object, and with it the person who spoke of it."""
    fields: dict[str, Any] = {
        "object_id": payload["id"],
        "object_type_id": payload.get("object_type_id", DEFAULT_OBJECT_TYPE),
    }
    fields |= {name: payload[name] for name in ("created_at", "anonymous_id") if payload.get(name)}
    if "custom_attributes" in payload:
        attributes = payload["custom_attributes"].items()
        fields["attributes"] = {name: value for name, value in attributes if name not in _NOT_ATTRIBUTES}
    relation = payload.get("relationship_attributes")
    if payload.get("convert_timestamp") is True:
        fields = with_seconds(fields)
        relation = None if relation is None else with_seconds(relation)
    member = _member(payload)
    if member:
        more = {} if relation is None else {"relationship_attributes": relation}
        fields["cio_relationships"] = [{"identifiers": member, **more}]
    return entry("object", ANONYMOUSLY if "anonymous_id" in member else KNOWN, fields)


def _member(payload: dict[str, Any]) -> dict[str, Any]:
    if payload.get("user_id"):
        return person(payload["user_id"])
    return {"anonymous_id": payload["anonymous_id"]} if payload.get("anonymous_id") else {}


def _send_objects(account: Account, calls: Sequence[Call]) -> Steps:
    """One request for those that known people spoke of, one for the others. What failed is sent again with the rest."""
    entries = [_object_entry(call.payload) for call in calls]
    results: list[DeliveryError | None] = [None] * len(calls)
    failed: HttpError | None = None
    for action in (KNOWN, ANONYMOUSLY):
        places = [place for place, one in enumerate(entries) if one["action"] == action]
        if not places:
            continue
        try:
            found = yield from batch(account, [entries[place] for place in places])
        except HttpError as error:
            failed = failed or error
        else:
            for place, result in zip(places, found, strict=True):
                results[place] = result
    if failed is not None:
        raise failed
    return results


CREATE_UPDATE_OBJECT = msgspec.structs.replace(
    sends(
        _object_entry,
        name="createUpdateObject",
        title="Create or Update Object",
        about="Creates an object or changes attributes, and ties the person to it.",
        fields={
            "id": text("The object's id.", required=True, default=path("$.groupId")),
            "created_at": created_at("the object"),
            "custom_attributes": record(
                "Attributes of the object.", default=either("$.traits.objectAttributes", "$.traits")
            ),
            "relationship_attributes": record(
                "Attributes of the person's relation to it.", default=path("$.traits.relationshipAttributes")
            ),
            "user_id": text("Who belongs to it: an id or an address.", default=path("$.userId")),
            "anonymous_id": ANONYMOUS,
            "object_type_id": object_type("$.traits"),
            "convert_timestamp": CONVERT,
        },
    ),
    perform_batch=_send_objects,
)

OBJECT = text("The object's id.", default=path("$.properties.objectId"))

DELETE_OBJECT = sends(
    lambda payload: entry("object", "delete", payload),
    name="deleteObject",
    title="Delete Object",
    about="Deletes an object.",
    fields={"object_id": OBJECT, "object_type_id": object_type("$.properties")},
)


def _parting_entry(payload: dict[str, Any]) -> Entry:
    member = identifiers({name: payload.get(name) for name in ("person_id", "anonymous_id")})
    relation = {"identifiers": member} if member else {}
    return entry("object", "delete_relationships", {**payload, "cio_relationships": [relation]})


DELETE_RELATIONSHIP = sends(
    _parting_entry,
    name="deleteRelationship",
    title="Delete Relationship",
    about="Ends a person's relation to an object.",
    fields={
        "person_id": PERSON,
        "anonymous_id": ANONYMOUS,
        "object_id": msgspec.structs.replace(OBJECT, required=True),
        "object_type_id": object_type("$.properties"),
    },
)

ACTIONS = (CREATE_UPDATE_OBJECT, DELETE_OBJECT, DELETE_RELATIONSHIP)
