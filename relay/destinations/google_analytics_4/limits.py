"""What Google Analytics can take, and how things are fitted into it.

Sources: "Send Measurement Protocol events" (limitations) and its reference (reserved names); for the three longer
parameters "[GA4] Event collection limits".
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from relay.destinations.errors import Refused
from relay.destinations.mapping.javascript import WHITESPACE_AND_LINES

MAX_EVENTS = 25  # a request
MAX_BODY = 130_000  # bytes: "smaller than 130kB"
MAX_PARAMETERS = 25  # an event
MAX_ITEM_PARAMETERS = 37  # 27 that are known and 10 of one's own
MAX_ITEMS = 200  # an event
MAX_PROPERTIES = 25  # of a user
MAX_NAME = 40  # characters, of events and parameters
READ = 200  # characters of a name that are looked at, so that what is remembered stays small
MAX_PROPERTY_NAME = 24
MAX_VALUE = 100
MAX_PROPERTY_VALUE = 36
LONGER = {"page_title": 300, "page_referrer": 420, "page_location": 1000}

_RESERVED_EVENTS = """
ad_activeview ad_click ad_exposure ad_query ad_reward adunit_exposure app_clear_data app_exception app_install
app_remove app_store_refund app_update app_upgrade dynamic_link_app_open dynamic_link_app_update
    dynamic_link_first_open error firebase_campaign firebase_in_app_message_action firebase_in_app_message_dismiss
    firebase_in_app_message_impression first_open first_visit notification_dismiss notification_foreground
notification_open notification_receive notification_send os_update session_start user_engagement
"""
RESERVED_EVENTS = frozenset(_RESERVED_EVENTS.split())
APP_EVENTS = frozenset(("ad_impression", "in_app_purchase", "screen_view"))  # for app streams only
_RESERVED = frozenset(("firebase_conversion",))
_RESERVED_PROPERTIES = frozenset(
    ("first_open_time", "first_visit_time", "last_deep_link_referrer", "user_id", "first_open_after_install")
)
_RESERVED_PREFIXES = ("_", "firebase_", "ga_", "google_", "gtag.")
_UNDERLINED = dict.fromkeys(map(ord, WHITESPACE_AND_LINES), "_")


def event_name(name: str, *, is_lower: bool) -> str:
    """An event's name with underscores for its white space."""
    underlined = name.strip(WHITESPACE_AND_LINES).translate(_UNDERLINED)
    return underlined.lower() if is_lower else underlined


@lru_cache(4096)
def fitted_event_name(name: str, *, is_app: bool) -> str:
    """The same as Google Analytics takes it. Raises `Refused` for one it would drop."""
    fitted = _words(name)[:MAX_NAME]
    if not fitted[:1].isalpha():
        raise Refused("name must begin with a letter", fields=("name",))
    if fitted in RESERVED_EVENTS:
        raise Refused("name is one that Google Analytics reserves", fields=("name",))
    if fitted in APP_EVENTS and not is_app:
        raise Refused("name is one of app streams only", fields=("name",))
    return fitted


def fitted(values: Mapping[str, Any], most: int = MAX_PARAMETERS) -> dict[str, Any]:
    """Parameters of an event or of an item: the first `most` of those that can be, texts cut."""
    made: dict[str, Any] = {}
    for name, value in values.items():
        known = _parameter_name(name[:READ])
        if not known:
            continue
        kind = type(value)
        if kind is str or kind is int or kind is float or kind is bool:
            made[known] = _said(value, LONGER.get(known, MAX_VALUE))
        elif kind is list and known == "items":
            made[known] = [
                fitted(item, MAX_ITEM_PARAMETERS) for item in value[:MAX_ITEMS] if type(item) is dict
            ]
        if len(made) == most:
            break
    if type(made.get("currency")) is str:
        made["currency"] = made["currency"].upper()
    return made


def fitted_properties(values: Mapping[str, Any]) -> dict[str, Any]:
    """Properties of a user; null takes one away."""
    made: dict[str, Any] = {}
    for name, value in values.items():
        known = _property_name(name[:READ])
        if not known or type(value) in (dict, list):
            continue
        made[known] = _said(value, MAX_PROPERTY_VALUE)
        if len(made) == MAX_PROPERTIES:
            break
    return made


def _said(value: Any, most: int) -> Any:
    """A value as the protocol knows it: text, which is cut, or a number."""
    kind = type(value)
    if kind is str:
        return value[:most]
    return ("true" if value else "false") if kind is bool else value


@lru_cache(4096)
def _parameter_name(name: str) -> str:
    """As it can be; empty: not at all."""
    words = _words(name)[:MAX_NAME]
    is_reserved = words in _RESERVED or _is_reserved(name) or _is_reserved(words)
    return words if words[:1].isalpha() and not is_reserved else ""


@lru_cache(4096)
def _property_name(name: str) -> str:
    words = _words(name)[:MAX_PROPERTY_NAME]
    is_reserved = words in _RESERVED_PROPERTIES or _is_reserved(name) or _is_reserved(words)
    return words if words[:1].isalpha() and not is_reserved else ""


def _is_reserved(name: str) -> bool:
    return name.startswith(_RESERVED_PREFIXES)


def _words(name: str) -> str:
    """`name` with underscores for all that is neither a letter nor a digit."""
    return "".join(sign if sign.isalnum() else "_" for sign in name.strip(WHITESPACE_AND_LINES))
