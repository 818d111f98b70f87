"""The properties of a kind of record: read, compared with what is to be set, and those missing created."""

from collections.abc import Iterable, Mapping
from typing import Any

from relay.destinations.errors import Refused
from relay.destinations.hubspot.api import API, Found, get, post, results, segment
from relay.destinations.hubspot.cleaning import kind_of

Types = tuple[str, str]  # HubSpot's `type` and `fieldType`

_TYPES: dict[str, Types] = {
    "number": ("number", "number"),
    "boolean": ("enumeration", "booleancheckbox"),
    "string": ("string", "text"),
    "date": ("date", "date"),
    "datetime": ("datetime", "date"),
}
_LONG_TEXT: Types = ("string", "textarea")
_COMPARED = frozenset((*_TYPES.values(), _LONG_TEXT))  # properties of other types are as good as missing
_OPTIONS = [
    {"label": "true", "value": "true", "hidden": False, "description": "True", "displayOrder": 1},
    {"label": "false", "value": "false", "hidden": False, "description": "False", "displayOrder": 2},
]


def check_schema(
    kind: str,
    values: Iterable[Mapping[str, Any]],
    sensitive: Iterable[Mapping[str, Any]],
    group: str | None,
) -> Found:
    """Create what is missing. Raises `Refused` when types differ, or something is missing and there is no group."""
    at = f"{API}/crm/v3/properties/{segment(kind)}"
    wanted, wanted_sensitive = _types(values), _types(sensitive)
    known = _known((yield get(at))) if wanted else {}
    known_sensitive = _known((yield get(f"{at}?dataSensitivity=sensitive"))) if wanted_sensitive else {}
    inputs = [_definition(name, wanted[name], group) for name in _missing(wanted, known)]
    inputs += [
        {**_definition(name, wanted_sensitive[name], group), "dataSensitivity": "sensitive"}
        for name in _missing(wanted_sensitive, known_sensitive)
    ]
    if not inputs:
        return
    if not group:
        raise Refused(
            "HubSpot lacks some of these properties, and no group says where to create them",
            fields=("object_details.property_group",),
        )
    yield post(f"{at}/batch/create", {"inputs": inputs})


def _types(records: Iterable[Mapping[str, Any]]) -> dict[str, Types]:
    return {name: _TYPES[kind_of(value)] for values in records for name, value in values.items()}


def _known(reply: Any) -> dict[str, Types]:
    found = (
        (str(one.get("name")), (one.get("type"), one.get("fieldType"))) for one in reversed(results(reply))
    )
    return {name: types for name, types in found if types in _COMPARED}


def _missing(wanted: Mapping[str, Types], known: Mapping[str, Types]) -> list[str]:
    for name, types in wanted.items():
        other = known.get(name, types)
        if other != types and not (other == _LONG_TEXT and types == _TYPES["string"]):
            raise Refused(
                f"HubSpot's property {name} is {'/'.join(other)}, the value {'/'.join(types)}",
                "HUBSPOT_PROPERTY_TYPE_MISMATCH",
                fields=("properties",),
            )
    return [name for name in wanted if name not in known]


def _definition(name: str, types: Types, group: str | None) -> dict[str, Any]:
    type_, field_type = types
    made = {"name": name, "label": name, "groupName": group, "type": type_, "fieldType": field_type}
    return {**made, "options": _OPTIONS} if type_ == "enumeration" else made
