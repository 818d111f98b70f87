"""What Mixpanel is told of users and groups beside their events."""

import math
from collections.abc import Mapping
from typing import Any

from relay.destinations.actions import Call
from relay.destinations.errors import Refused
from relay.destinations.mapping.javascript import EXACT, is_falsy, text, to_number

MAX_INCREMENTS = 20  # Segment's own limit
_CREATED = ("created", "createdAt", "created_at")
_NAMED = {  # traits that Mixpanel has a name of its own for
    "email": "$email",
    "firstName": "$first_name",
    "lastName": "$last_name",
    "username": "$username",
    "phone": "$phone",
}
_OF_USERS = frozenset((*_NAMED, *_CREATED, "name"))
_OF_GROUPS = frozenset((*_CREATED, "name"))


def identify_event(call: Call, token: str, source_name: str | None) -> dict[str, Any] | None:
    """The event that makes one of an anonymous and a known user."""
    if not call.get("anonymous_id"):
        return None
    ids = {"$identified_id": call.payload["user_id"]} if "user_id" in call.payload else {}
    return {
        "event": "$identify",
        "properties": {**ids, "$anon_id": call.get("anonymous_id"), **_project(token, source_name)},
    }


def alias_event(call: Call, token: str, source_name: str | None) -> dict[str, Any]:
    """The event that gives a user another id."""
    ids = {name: call.payload[name] for name in ("distinct_id", "alias") if name in call.payload}
    return {"event": "$create_alias", "properties": {**ids, **_project(token, source_name)}}


def _project(token: str, source_name: str | None) -> dict[str, Any]:
    return {"token": token} if source_name is None else {"token": token, "segment_source_name": source_name}


def user(call: Call, token: str) -> dict[str, Any] | None:
    """A user's traits; None where there are none."""
    traits = call.get("traits")
    if not traits:
        return None
    made = {name: value for name, value in traits.items() if name not in _OF_USERS}
    made |= {at: traits[name] for name, at in _NAMED.items() if name in traits} | _created(traits)
    first, last = traits.get("firstName"), traits.get("lastName")
    if traits.get("name") is not None:
        made["$name"] = traits["name"]
    elif not (is_falsy(first) or is_falsy(last)):
        made["$name"] = f"{text(first)} {text(last)}"
    return {**_whose(call, token), "$set": made}


def group(call: Call, token: str) -> dict[str, Any]:
    """A group's traits. Raises `Refused` without any."""
    traits = call.get("traits")
    if traits is None:
        raise Refused("traits is missing", fields=("traits",))
    key = call.get("group_key") or "$group_id"
    own = traits.get(key)
    made = {name: value for name, value in traits.items() if name not in _OF_GROUPS} | _created(traits)
    if "name" in traits:
        made["$name"] = traits["name"]
    group_id = call.payload["group_id"] if is_falsy(own) else own
    return {"$token": token, "$group_key": key, "$group_id": group_id, "$set": made}


def increments(call: Call, token: str) -> dict[str, Any] | None:
    """What is added to a user's numbers. Raises `Refused` for what is none."""
    asked = call.payload["increment"]
    if len(asked) > MAX_INCREMENTS:
        raise Refused(f"increment has more than {MAX_INCREMENTS} properties", fields=("increment",))
    if not asked:
        return None
    added = {name: _number(name, value) for name, value in asked.items() if type(value) in (str, int, float)}
    return {**_whose(call, token), "$add": added}


def _number(name: str, value: Any) -> float:
    number = to_number(value)
    if not math.isfinite(number):
        raise Refused(f"increment.{name} must be a number", fields=(f"increment.{name}",))
    return int(number) if number.is_integer() and abs(number) < EXACT else number


def _whose(call: Call, token: str) -> dict[str, Any]:
    made: dict[str, Any] = {"$token": token}
    for field in ("anonymous_id", "user_id"):
        if field in call.payload and (call.payload[field] is not None or "$distinct_id" not in made):
            made["$distinct_id"] = call.payload[field]
    return made if "ip" not in call.payload else {**made, "$ip": call.payload["ip"]}


def _created(traits: Mapping[str, Any]) -> dict[str, Any]:
    for name in _CREATED:
        if traits.get(name) is not None:
            return {"$created": traits[name]}
    return {"$created": None} if _CREATED[-1] in traits else {}
