"""Mixpanel's events, made of payloads."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from relay.destinations.actions import Call
from relay.destinations.actions.dates import day_ms
from relay.destinations.actions.user_agent import browser_of

Properties = dict[str, Any]

_INSERT_ID = re.compile(r"[A-Za-z0-9-]{1,36}")  # Mixpanel, Import Events: what an $insert_id may be
_LONGEST = 36
_RESERVED = frozenset(("time", "id", "$anon_id", "distinct_id", "$group_id", "$insert_id", "$user_id"))
_OF_ORDERS = frozenset(  # what an item does not take over from its order
    (
        *("affiliation", "subtotal", "total", "revenue", "shipping", "tax", "discount", "coupon", "currency"),
        *("order_number", "products"),
    )
)
_NAMES = {  # of fields that are sent as they are
    "ip": "ip",
    "distinct_id": "distinct_id",
    "anonymous_id": "$device_id",
    "user_id": "$user_id",
    "group_id": "$group_id",
    "app_build": "$app_build_number",
    "app_version": "$app_version_string",
    "app_namespace": "$app_namespace",
    "app_name": "$app_name",
    "bluetooth": "$bluetooth_enabled",
    "cellular": "$cellular_enabled",
    "wifi": "$wifi_enabled",
    "carrier": "$carrier",
    "url": "$current_url",
    "device_name": "$device_name",
    "device_type": "$device_type",
    "device_manufacturer": "$manufacturer",
    "device_model": "$model",
    "idfa": "$ios_ifa",
    "library_version": "$lib_version",
    "language": "$locale",
    "os_name": "$os",
    "os_version": "$os_version",
    "referrer": "$referrer",
    "screen_height": "$screen_height",
    "screen_width": "$screen_width",
    "screen_density": "$screen_density",
    "country": "mp_country_code",
    "advertising_id": "advertising_id",
    "ad_tracking_enabled": "ad_tracking_enabled",
    "timezone": "timezone",
    "app_platform": "app_platform",
    "name": "event_original_name",
}
_TWICE = (
    ("distinct_id", "id"),
    ("anonymous_id", "$anon_id"),
    ("user_id", "$identified_id"),
    ("device_name", "$device"),
)
_HINTS = {
    "mobile": "$mobile",
    "platform": "$platform",
    "bitness": "$bitness",
    "platformVersion": "$platformVersion",
    "uaFullVersion": "$uaFullVersion",
    "wow64": "$wow64",
}


def event(call: Call, source_name: str | None) -> dict[str, Any]:
    """The event of a track, page or screen."""
    return {"event": call.payload["event"], "properties": _properties(call, source_name)}


def order(call: Call, source_name: str | None) -> Iterator[dict[str, Any]]:
    """The event of an order, and one for each of its items, a millisecond apart."""
    payload = call.payload
    whole = _properties(call, source_name)
    yield {"event": payload["event"], "properties": whole}
    if not payload.get("generatePurchaseEventPerProduct"):
        return
    shared = {name: value for name, value in whole.items() if name not in _OF_ORDERS}
    time, insert_id = _time(call), _insert_id(call)
    for number, product in enumerate(payload.get("products") or ()):
        own = {"$insert_id": fitted(f"{number}{insert_id}", payload), "time": time - number - 1}
        yield {"event": "Product Purchased", "properties": {**shared, **own, **product}}


def _properties(call: Call, source_name: str | None) -> Properties:
    payload = call.payload
    made: Properties = {_NAMES[name]: value for name, value in payload.items() if name in _NAMES}
    made["time"] = _time(call)
    made["$insert_id"] = fitted(_insert_id(call), payload)
    made["$source"] = "segment"
    made.setdefault("distinct_id", "")
    for name, sent in _TWICE:
        if name in payload:
            made[sent] = payload[name]
    library = payload.get("library_name")
    if library is not None:
        made["mp_lib"] = library and f"Segment Actions: {library}"
    if source_name is not None:
        made["segment_source_name"] = source_name
    _add_browser(made, payload)
    made.update(payload.get("utm_properties") or ())
    integration = (payload.get("context") or {}).get("integration")
    if isinstance(integration, dict) and integration.get("name") == "Iterable":
        made["$source"] = "Iterable"
    own = payload.get("event_properties")
    if own:
        made.update(
            own if _RESERVED.isdisjoint(own) else {k: v for k, v in own.items() if k not in _RESERVED}
        )
    return made


def _add_browser(made: Properties, payload: Properties) -> None:
    agent = payload.get("userAgent")
    if agent:
        made["$browser"], version = browser_of(agent)
        if version is not None:
            made["$browser_version"] = version
    for name, value in (payload.get("userAgentData") or {}).items():
        if name in _HINTS:
            made[_HINTS[name]] = value


def _time(call: Call) -> int:
    time = call.payload.get("time")
    moment = day_ms(time) if time else None
    return call.now_ms if moment is None else moment


def _insert_id(call: Call) -> str:
    """That of the mapping; without one, the hash of the messageId, the same on every try."""
    insert_id = call.payload.get("insert_id")
    return _hashed(str(call.event.get("messageId"))) if insert_id is None else insert_id


def fitted(insert_id: str, payload: Properties) -> str:
    """An id that Mixpanel takes, where the mapping asks for one."""
    if not payload.get("fit_insert_id") or _INSERT_ID.fullmatch(insert_id):
        return insert_id
    return _hashed(insert_id)


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_LONGEST]
