"""One event as Meta takes it, or why it cannot be."""

from typing import Any

import msgspec

from relay.destinations.actions import Call
from relay.destinations.actions.currencies import CURRENCIES
from relay.destinations.actions.dates import to_ms
from relay.destinations.errors import Refused
from relay.destinations.facebook_conversions_api.fields import IN_SECONDS
from relay.destinations.facebook_conversions_api.people import user_data

MAX_AGE_DAYS = 7  # Meta, server event parameters: one older event, and nothing of the request is taken
MAX_AGE_DAYS_IN_STORE = 62  # Meta, upload time: physical_store
_DAY_MS = 86_400_000
_SECONDS_DIGITS = 11  # more digits are milliseconds
_MOST_DIGITS = 16  # of milliseconds: as many as those of the last moment that JavaScript knows
_DELIVERIES = ("in_store", "curbside", "home_delivery")
_CONFUSED = "MISCONFIGURED_REQUIRED_FIELD"
_EXTINFO = (  # in Meta's order
    "version",
    "packageName",
    "shortVersion",
    "longVersion",
    "osVersion",
    "deviceName",
    "locale",
    "timezone",
    "carrier",
    "width",
    "height",
    "density",
    "cpuCores",
    "storageSize",
    "freeStorage",
    "deviceTimezone",
)


class Kind(msgspec.Struct, frozen=True):
    """A kind of event: `name` is Meta's, None when the payload has it; `custom` are fields within `custom_data`."""

    name: str | None
    custom: tuple[str, ...] | None = ()  # None: there is no `custom_data`
    has_source_check: bool = True


def event(kind: Kind, call: Call, *, is_aged: bool) -> dict[str, Any]:
    """The event. `is_aged`: whether it is refused when it is too old. Raises `Refused`."""
    payload = call.payload
    if call.sync_mode not in (None, "add"):
        raise Refused("sync mode must be add", "MISCONFIGURED_SYNC_MODE")
    _check(kind, payload)
    if is_aged:
        _check_age(call)
    made: dict[str, Any] = {"event_name": kind.name or payload["event_name"], "event_time": _time(payload)}
    for name in ("action_source", "event_source_url", "event_id"):
        if name in payload:
            made[name] = payload[name]
    made["user_data"] = user_data(payload["user_data"])
    if (custom := _custom_data(kind, payload)) is not None:
        made["custom_data"] = custom
    if (app := payload.get("app_data_field")) and app.get("use_app_data"):
        made["app_data"] = _app_data(app)
    if payload.get("data_processing_options"):
        made["data_processing_options"] = ["LDU"]
        for name in ("data_processing_options_country", "data_processing_options_state"):
            made[name] = payload.get(name, 0)
    return made


def _check(kind: Kind, payload: dict[str, Any]) -> None:
    is_purchase = kind.name == "Purchase"
    currency = payload.get("currency")
    if (currency or is_purchase) and currency not in CURRENCIES:
        code = "INVALID_CURRENCY_CODE" if is_purchase else _CONFUSED
        raise Refused("currency is no ISO 4217 code in capitals", code, fields=("currency",))
    is_website = kind.has_source_check and payload["action_source"] == "website"
    if is_website and "client_user_agent" not in payload["user_data"]:
        field = "user_data.client_user_agent"
        code = "PAYLOAD_VALIDATION_FAILED" if is_purchase else _CONFUSED
        raise Refused(f"{field} is missing, and a website event needs it", code, fields=(field,))
    for index, item in enumerate(payload.get("contents") or ()):
        _check_item(item, f"contents[{index}]")


def _check_item(item: dict[str, Any], at: str) -> None:
    if not item.get("id"):
        raise Refused(f"{at}.id is missing", fields=(f"{at}.id",))
    delivery = item.get("delivery_category")
    if delivery and delivery not in _DELIVERIES:
        field = f"{at}.delivery_category"
        raise Refused(f"{field} must be one of {', '.join(_DELIVERIES)}", fields=(field,))


def _check_age(call: Call) -> None:
    """An event that Meta would refuse the whole request for."""
    moment = _ms(call.payload["event_time"])
    in_store = call.payload["action_source"] == "physical_store"
    days = MAX_AGE_DAYS_IN_STORE if in_store else MAX_AGE_DAYS
    if moment is not None and call.now_ms - moment > days * _DAY_MS:
        raise Refused(f"event_time is over {days} days ago", "EVENT_TOO_OLD", fields=("event_time",))


def _time(payload: dict[str, Any]) -> str | int:
    written: str = payload["event_time"]
    if payload.get(IN_SECONDS) is not True:
        return written
    moment = _ms(written)
    if moment is None:
        raise Refused("event_time is no date", fields=("event_time",))
    return moment // 1000


def _ms(written: str) -> int | None:
    if written.isascii() and written.isdigit():
        if len(written) > _MOST_DIGITS:
            return None
        return int(written) * (1000 if len(written) <= _SECONDS_DIGITS else 1)
    return to_ms(written)


def _custom_data(kind: Kind, payload: dict[str, Any]) -> dict[str, Any] | None:
    """`custom_data` with the action's own fields in it; a field without value takes its key away."""
    if kind.custom is None:
        return None
    given: dict[str, Any] | None = payload.get("custom_data")
    if not kind.custom:
        return given
    made = {name: value for name, value in (given or {}).items() if name not in kind.custom}
    return made | {name: payload[name] for name in kind.custom if name in payload}


def _app_data(app: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "advertiser_tracking_enabled": int(bool(app.get("advertiser_tracking_enabled"))),
        "application_tracking_enabled": int(bool(app.get("application_tracking_enabled"))),
        "extinfo": [app.get(name, "") for name in _EXTINFO],
    }
    return made | ({"madid": app["madId"]} if "madId" in app else {})
