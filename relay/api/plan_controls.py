"""Schema controls as both APIs have them.

The Config API's names are relay's own. The Public API has them in an object for each type of call:

    {"track": {"allowUnplannedEvents": true, …}, "identify": {…}, "group": {…}, "forwardingViolationsTo": "…"}
"""

from typing import Any

import msgspec

from relay.api.plan_bodies import Mask, checked
from relay.plans.controls import Controls
from relay.plans.running import PlanError

FIELDS = Controls.__struct_fields__

# by the Public API's object and name; "" is the settings themselves
PUBLIC: dict[tuple[str, str], str] = {
    ("track", "allowUnplannedEvents"): "allow_unplanned_track_events",
    ("track", "allowUnplannedEventProperties"): "allow_unplanned_track_event_properties",
    ("track", "allowEventOnViolations"): "allow_track_event_on_violations",
    ("track", "allowPropertiesOnViolations"): "allow_track_properties_on_violations",
    ("track", "commonEventOnViolations"): "common_track_event_on_violations",
    ("identify", "allowUnplannedTraits"): "allow_unplanned_identify_traits",
    ("identify", "allowTraitsOnViolations"): "allow_identify_traits_on_violations",
    ("identify", "commonEventOnViolations"): "common_identify_event_on_violations",
    ("group", "allowUnplannedTraits"): "allow_unplanned_group_traits",
    ("group", "allowTraitsOnViolations"): "allow_group_traits_on_violations",
    ("group", "commonEventOnViolations"): "common_group_event_on_violations",
    ("", "forwardingViolationsTo"): "forwarding_violations_to",
    ("", "forwardingBlockedEventsTo"): "forwarding_blocked_events_to",
}

_TYPES = {one.name: one.type for one in msgspec.structs.fields(Controls)}


def _optional(name: str, kinds: dict[str, Any]) -> Any:
    """A struct with a key for each kind, all of which may be left out."""
    fields = [(key, kind | None, None) for key, kind in kinds.items()]
    return msgspec.defstruct(name, fields, forbid_unknown_fields=True)


def _of_call(call: str) -> dict[str, Any]:
    return {key: _TYPES[control] for (where, key), control in PUBLIC.items() if where == call}


SchemaConfig = _optional("SchemaConfig", _TYPES | {"name": str, "parent": str})
SchemaConfigUpdate = _optional("SchemaConfigUpdate", {"schema_config": SchemaConfig, "update_mask": Mask})
BareSchemaConfigUpdate = _optional(
    "BareSchemaConfigUpdate", _TYPES | {"name": str, "parent": str, "update_mask": Mask}
)
Settings = _optional(
    "SourceSettings",
    {call: _optional(f"{call.title()}Settings", _of_call(call)) for call in ("track", "identify", "group")}
    | _of_call(""),
)


def config_controls(controls: Controls) -> dict[str, Any]:
    """As the Config API shows them: what is not set is an empty text."""
    return {name: "" if (value := getattr(controls, name)) is None else value for name in FIELDS}


def public_controls(controls: Controls) -> dict[str, Any]:
    """As the Public API shows them."""
    shown: dict[str, Any] = {"track": {}, "identify": {}, "group": {}}
    for (call, key), control in PUBLIC.items():
        value = getattr(controls, control)
        if call:
            shown[call][key] = value
        elif value is not None:
            shown[key] = value
    return shown


def config_said(body: dict[str, Any]) -> dict[str, Any]:
    """The controls that a body of the Config API sets; None is back to the default."""
    if "schema_config" in body:
        mask, given = checked(body, SchemaConfigUpdate).update_mask, body["schema_config"] or {}
    else:
        mask, given = checked(body, BareSchemaConfigUpdate).update_mask, body
    if mask is None:
        return _without_empty({name: given[name] for name in FIELDS if given.get(name) is not None})
    paths = [path.removeprefix("schema_config.") for path in mask.paths]
    for path in paths:
        if path not in FIELDS:
            raise PlanError(400, ("update_mask.paths", f"{path[:100]!r} is no control"))
    return _without_empty({path: given.get(path) for path in paths})


def public_said(body: dict[str, Any]) -> dict[str, Any]:
    """The controls that a body of the Public API sets."""
    checked(body, Settings)
    said: dict[str, Any] = {}
    for (call, key), control in PUBLIC.items():
        given = (body.get(call) or {}) if call else body
        if key in given and (given[key] is not None or not call):
            said[control] = given[key]
    return _without_empty(said)


def _without_empty(said: dict[str, Any]) -> dict[str, Any]:
    """An empty text is how clients say that nothing is forwarded any more."""
    return {name: None if value == "" else value for name, value in said.items()}
