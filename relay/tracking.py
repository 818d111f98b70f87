"""What the Segment spec asks of one event: which fields, of which types. Nothing is changed here.

Null and the empty string mean absent, everywhere. PHP encodes an empty object as `[]`; it counts as one.
"""

from typing import Any

from relay.event import TYPES

Problem = tuple[str, str]  # slug of the discard reason, and a sentence that names the field


def problem(event: Any, route: str) -> Problem | None:
    """Why `event` cannot be accepted, or None. `route` is an event type, or `batch`: then the event says."""
    if type(event) is not dict:
        return "bad_request", "an event must be a JSON object"
    get = event.get
    kind = get("type") if route == "batch" else route
    if type(kind) is not str or kind not in TYPES:
        return "bad_request", "type must be track, identify, page, screen, group or alias"
    # field by field and not in a loop: this runs for every event there is
    user_id, anonymous_id = get("userId"), get("anonymousId")
    if (
        (type(user_id) is str or user_id is None)
        and (type(anonymous_id) is str or anonymous_id is None)
        and type(get("context", _NOTHING)) is dict
        and type(get("properties", _NOTHING)) is dict
        and type(get("integrations", _NOTHING)) is dict
        and _LESS_USUAL.isdisjoint(event)
    ):
        wrong = None
    else:
        wrong = _wrong_type(event)
    if wrong is not None:
        return wrong
    # zero is an id, odd as it is
    is_nobody = not user_id and not anonymous_id and user_id != 0 and anonymous_id != 0
    if is_nobody and (kind != "alias" or not get("previousId")):
        return "no_user_anon_id", "userId or anonymousId is required"
    return _BY_TYPE[kind](event) if kind in _BY_TYPE else None


_NOTHING: dict[str, Any] = {}
_LESS_USUAL = frozenset(("traits", "groupId", "previousId"))


def _wrong_type(event: dict[str, Any]) -> Problem | None:
    for name in _CHECKED & event.keys():
        value = event[name]
        if value is None or value == "" or type(value) in _CHECK[name]:
            continue
        if value != [] or _CHECK[name] is not _OBJECT:
            return _PROBLEM[name]
    return None


_ID: tuple[type, ...] = (str, int, float)
_OBJECT: tuple[type, ...] = (dict,)
_CHECK = {
    "userId": _ID,
    "anonymousId": _ID,
    "groupId": _ID,
    "previousId": _ID,
    "properties": _OBJECT,
    "traits": _OBJECT,
    "context": _OBJECT,
    "integrations": _OBJECT,
}
_CHECKED = frozenset(_CHECK)
_PROBLEM: dict[str, Problem] = {
    **{name: ("id_not_string", f"{name} must be a string") for name, types in _CHECK.items() if types is _ID},
    "properties": ("properties_not_object", "properties must be an object"),
    "traits": ("traits_not_object", "traits must be an object"),
    "context": ("bad_request", "context must be an object"),
    "integrations": ("bad_request", "integrations must be an object"),
}


def _has(event: dict[str, Any], name: str) -> bool:
    value = event.get(name)
    return value is not None and value != ""


def _track(event: dict[str, Any]) -> Problem | None:
    name = event.get("event")
    if name is None or name == "":
        return "missing_event", "event is required: a non-empty string"
    return None if type(name) is str else ("event_not_string", "event must be a string")


def _page(event: dict[str, Any]) -> Problem | None:
    for name in ("name", "category"):
        value = event.get(name)
        if value is not None and type(value) is not str:
            return f"{name}_not_string", f"{name} must be a string"
    return None


def _group(event: dict[str, Any]) -> Problem | None:
    return None if _has(event, "groupId") else ("id_required", "groupId is required")


def _alias(event: dict[str, Any]) -> Problem | None:
    for name in ("userId", "previousId"):
        if not _has(event, name):
            return "id_required", f"{name} is required"
    return None


_BY_TYPE = {
    "track": _track,
    "page": _page,
    "screen": _page,
    "group": _group,
    "alias": _alias,
}
