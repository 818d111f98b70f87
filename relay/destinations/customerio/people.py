"""Actions on people and their devices."""

from typing import Any

from relay.destinations.actions import Action
from relay.destinations.actions.fields import Field, boolean, either, path, record, template, text
from relay.destinations.customerio.entries import DEFAULT_OBJECT_TYPE, Entry, entry, identifiers
from relay.destinations.customerio.sending import sends

PERSON = text(
    "Who: an id, an address, or `cio_` and an internal id.", required=True, default=path("$.userId")
)
ANONYMOUS = text(
    "The anonymous id, by which earlier events are tied to a person.", default=path("$.anonymousId")
)
CONVERT = boolean("Whether dates become seconds since 1970.", default=True)
DEVICE_TOKEN = text("The token of the device.", required=True, default=path("$.context.device.token"))


def created_at(what: str) -> Field:
    return text(f"When {what} was created.", default=either("$.traits.created_at", "$.traits.createdAt"))


def object_type(at: str) -> Field:
    return text(
        "The type of the object, `1` when there is none.",
        default=either(f"{at}.object_type_id", f"{at}.objectTypeId"),
    )


# traits that have a field of their own
_NOT_ATTRIBUTES = ("createdAt", "created_at", "object_type_id", "objectTypeId", "relationshipAttributes")


def _identified(payload: dict[str, Any]) -> Entry:
    attributes = {
        name: value
        for name, value in payload.get("custom_attributes", {}).items()
        if name not in _NOT_ATTRIBUTES
    }
    attributes.update({name: payload[name] for name in ("created_at", "email") if payload.get(name)})
    kept = ("email", "anonymous_id", "timestamp", "convert_timestamp")
    fields = {name: payload[name] for name in kept if name in payload}
    fields |= {"person_id": payload.get("id"), "attributes": attributes}
    if payload.get("group_id"):
        fields["cio_relationships"] = [_belonging(payload)]
    return entry("person", "identify", fields)


def _belonging(payload: dict[str, Any]) -> dict[str, Any]:
    object_type_id = payload.get("object_type_id", DEFAULT_OBJECT_TYPE)
    made = {"identifiers": {"object_type_id": object_type_id, "object_id": payload["group_id"]}}
    if "relationship_attributes" in payload:
        made["relationship_attributes"] = payload["relationship_attributes"]
    return made


CREATE_UPDATE_PERSON = sends(
    _identified,
    name="createUpdatePerson",
    title="Create or Update Person",
    about="Creates a person or changes attributes; those that are not named stay.",
    fields={
        "id": text("Who: an id or an address.", default=either("$.userId", "$.traits.email")),
        "anonymous_id": ANONYMOUS,
        "email": text("The person's address.", default=template("{{traits.email}}")),
        "created_at": created_at("the person"),
        "group_id": text("An object that the person belongs to.", default=path("$.traits.objectId")),
        "custom_attributes": record("Attributes of the person.", default=path("$.traits")),
        "relationship_attributes": record(
            "Attributes of the person's relation to the object.",
            default=path("$.traits.relationshipAttributes"),
        ),
        "timestamp": text("When it was; puts updates in order.", default=path("$.timestamp")),
        "convert_timestamp": CONVERT,
        "object_type_id": object_type("$.traits"),
    },
)


def _on_person(action: str, name: str, title: str, about: str) -> Action:
    return sends(
        lambda payload: entry("person", action, payload),
        name=name,
        title=title,
        about=about,
        fields={"person_id": PERSON},
    )


DELETE_PERSON = _on_person("delete", "deletePerson", "Delete Person", "Deletes a person.")
SUPPRESS_PERSON = _on_person(
    "suppress", "suppressPerson", "Suppress Person", "Deletes a person and takes nothing more about them."
)
UNSUPPRESS_PERSON = _on_person(
    "unsuppress", "unsuppressPerson", "Unsuppress Person", "Takes data about a suppressed person again."
)


def _merged(payload: dict[str, Any]) -> Entry:
    both = {name: identifiers({"person_id": payload[name]}) for name in ("primary", "secondary")}
    return {"type": "person", "action": "merge", **{name: who for name, who in both.items() if who}}


MERGE_PEOPLE = sends(
    _merged,
    name="mergePeople",
    title="Merge People",
    about="Makes one person of two; the second is deleted.",
    fields={
        "primary": text("Who stays.", required=True, default=path("$.userId")),
        "secondary": text("Who goes into the other.", required=True, default=path("$.previousId")),
    },
)


def _device_entry(payload: dict[str, Any]) -> Entry:
    device = {"token": payload["device_id"], "platform": payload["platform"]}
    if "last_used" in payload:
        device["last_used"] = payload["last_used"]
    attributes = dict(payload.get("attributes", {}))
    if payload.get("app_version"):
        attributes["app_version"] = payload["app_version"]
    fields: dict[str, Any] = {
        "person_id": payload["person_id"],
        "device": {**device, "attributes": attributes},
    }
    if "convert_timestamp" in payload:
        fields["convert_timestamp"] = payload["convert_timestamp"]
    return entry("person", "add_device", fields)


CREATE_UPDATE_DEVICE = sends(
    _device_entry,
    name="createUpdateDevice",
    title="Create or Update Device",
    about="Adds a mobile device to a person or changes it.",
    fields={
        "person_id": PERSON,
        "device_id": DEVICE_TOKEN,
        "app_version": text("The version of the app.", default=path("$.context.app.version")),
        "platform": text("`ios` or `android`.", required=True, default=path("$.context.device.type")),
        "last_used": text("When the device was last used.", default=path("$.timestamp")),
        "attributes": record("Attributes of the device.", default=path("$.properties")),
        "convert_timestamp": CONVERT,
    },
)

DELETE_DEVICE = sends(
    lambda payload: entry(
        "person",
        "delete_device",
        {"person_id": payload["person_id"], "device": {"token": payload["device_id"]}},
    ),
    name="deleteDevice",
    title="Delete Device",
    about="Takes a mobile device from a person.",
    fields={"person_id": PERSON, "device_id": DEVICE_TOKEN},
)

ACTIONS = (
    CREATE_UPDATE_PERSON,
    DELETE_PERSON,
    SUPPRESS_PERSON,
    UNSUPPRESS_PERSON,
    MERGE_PEOPLE,
    CREATE_UPDATE_DEVICE,
    DELETE_DEVICE,
)
