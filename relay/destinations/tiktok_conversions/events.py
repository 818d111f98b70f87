"""One event as TikTok takes it, or why it cannot be."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from relay.destinations.actions import Call
from relay.destinations.actions.dates import to_ms
from relay.destinations.actions.hashing import digits, sha256, squeezed
from relay.destinations.errors import Refused
from relay.destinations.tiktok_conversions.fields import CRM, WEB

PHONE_DIGITS = 14  # after the plus
_NEITHER = re.compile(r"[^A-Za-z0-9]")
_PROPERTIES = (
    "content_type",
    "currency",
    "value",
    "query",
    "description",
    "order_id",
    "shop_id",
    "content_ids",
    "delivery_category",
    "num_items",
    "predicted_ltv",
    "search_string",
)
_VEHICLE_PAIRS = ("mileage_unit", "mileage_value", "preferred_price_range_min", "preferred_price_range_max")


def source(call: Call) -> str:
    """Of what kind of place the event is; said once for a whole request."""
    return call.get("event_source") or WEB


def event(call: Call) -> dict[str, Any]:
    """The event. Raises `Refused`."""
    payload = call.payload
    made: dict[str, Any] = {"event": payload["event"], "event_time": _seconds(call)}
    if payload.get("event_id"):
        made["event_id"] = payload["event_id"]
    made["user"] = _user(payload)
    made["properties"] = _properties(call)
    page = {name: payload[name] for name in ("url", "referrer") if payload.get(name)}
    if page:
        made["page"] = page
    lead = payload.get("lead_fields") or {}
    if source(call) == CRM and "lead_id" in lead:
        made["lead"] = {n: v for n, v in lead.items() if v or n == "lead_id"}
    made["limited_data_use"] = payload.get("limited_data_use", False)
    return made


def _seconds(call: Call) -> int:
    written = call.get("timestamp")
    moment = to_ms(written) if written else call.now_ms
    if moment is None:
        raise Refused("timestamp is no date", fields=("timestamp",))
    return moment // 1000


def _user(payload: Mapping[str, Any]) -> dict[str, Any]:
    address = payload.get("address") or {}
    user: dict[str, Any] = {
        "external_id": _lowered(payload.get("external_id")),
        "phone": [sha256(one, _phone) for one in payload.get("phone_number") or ()],
        "email": _lowered(payload.get("email")),
        "first_name": sha256(squeezed(payload.get("first_name", "")), str),
        "last_name": sha256(squeezed(payload.get("last_name", "")), str),
        "city": _letters(address.get("city", "")),
        "state": _letters(address.get("state", "")),
        "country": _letters(address.get("country", "")),
        "zip_code": sha256(squeezed(address.get("zip_code", "")), str),
    }
    in_url, given = _click_id(payload.get("url", "")), payload.get("ttclid")
    if in_url or given:
        user["ttclid"] = given if in_url is None else in_url
    return user | {n: payload[n] for n in ("ttp", "ip", "user_agent", "locale") if payload.get(n)}


def _lowered(values: Iterable[str] | None) -> list[str]:
    return [sha256(one.lower(), str) for one in values or ()]


def _phone(value: str) -> str:
    return "+" + digits(value)[:PHONE_DIGITS]


def _letters(value: str) -> str:
    """Letters and digits of ASCII, in lower case: towns and countries go without a hash."""
    return _NEITHER.sub("", value).lower()


def _click_id(url: str) -> str | None:
    if "?" not in url:
        return None
    try:
        parts = urlsplit(url.strip())
        if not parts.scheme or (
            parts.scheme in ("http", "https") and not (parts.hostname and parts.port != 0)
        ):
            return None
        return next((v for n, v in parse_qsl(parts.query, keep_blank_values=True) if n == "ttclid"), None)
    except ValueError:
        return None


def _properties(call: Call) -> dict[str, Any]:
    payload = call.payload
    items = payload.get("contents") or ()
    made: dict[str, Any] = {
        "contents": [{name: value for name, value in item.items() if value is not None} for item in items]
    }
    made |= {name: payload[name] for name in _PROPERTIES if name in payload}
    trade = payload.get("event_spec_type") if source(call) == WEB else None
    if trade == "travel_fields":
        made |= payload.get("travel_fields") or {}
    elif trade == "vehicle_fields":
        made |= _vehicle(payload.get("vehicle_fields") or {})
    return made


def _vehicle(fields: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: value for name, value in fields.items() if name not in _VEHICLE_PAIRS}
    if "mileage_unit" in fields and "mileage_value" in fields:
        made["mileage"] = {"unit": fields["mileage_unit"], "value": fields["mileage_value"]}
    least, most = fields.get("preferred_price_range_min"), fields.get("preferred_price_range_max")
    if least is not None and most is not None:
        made["preferred_price_range"] = [least, most]
    return made
