"""Amplitude's events, made of payloads: what is sent as it is, and what is worked out."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from relay.destinations.actions import Call
from relay.destinations.actions.coerce import to_number
from relay.destinations.actions.dates import day_ms
from relay.destinations.actions.user_agent import device_of

Fields = dict[str, Any]

_REVENUE = ("revenue", "price", "productId", "quantity", "revenueType")
_REVENUE_ALONE: tuple[str, ...] = ("revenue", "productId", "revenueType", "currency")
_SOLD: tuple[str, ...] = ("price", "quantity", "productId")
HALF_A_CENT = 0.005
_SETTERS = (("setOnce", "$setOnce"), ("setAlways", "$set"), ("add", "$add"))
_AGENT = ("userAgent", "userAgentParsing", "includeRawUserAgent", "userAgentData")
_CAMPAIGN = ("utm_properties", "referrer")
_OWN = frozenset(  # fields that are not sent under their own name
    (
        *_REVENUE,
        *_AGENT,
        *_CAMPAIGN,
        *(name for name, _ in _SETTERS),
        *("time", "session_id", "min_id_length", "library", "library2"),
        *("currency", "sendRevenue", "trackRevenuePerProduct"),
    )
)
_OF_PRODUCTS = _OWN | {"products"}
_OF_PERSONS = frozenset((*_AGENT, *_CAMPAIGN, "min_id_length", "library"))


def event(call: Call) -> Fields:
    """The event of a track, page or screen."""
    payload = call.payload
    made = _common(payload, _OWN)
    for field, operation in _SETTERS:
        values = payload.get(field)
        if values and list(values.values()).count("") < len(values):
            made["user_properties"] = {**(made.get("user_properties") or {}), operation: values}
    if "utm_properties" in payload or "referrer" in payload:
        _remember_campaign(made, payload, is_over=True)
    if payload.get("sendRevenue"):
        made.update(_carried(payload))
    return {**_told(payload), **made, **_library(payload)}


def order(call: Call) -> Iterator[Fields]:
    """The event of an order, and one for each of its items."""
    payload = call.payload
    products = payload.get("products") or []
    by_product = bool(payload.get("trackRevenuePerProduct"))
    common = _common(payload, _OF_PRODUCTS)
    _remember_campaign(common, payload, is_over=True)
    library = _library(payload)
    revenue = {} if products and by_product else _sold(payload, payload)
    yield {**_told(payload), **common, **revenue, **library}
    insert_id = common.pop("insert_id", None)
    for number, product in enumerate(products, 2):
        bought = {
            **common,
            **(_sold(product, payload) if by_product else {}),
            "event_properties": product,
            "event_type": "Product Purchased",
            **library,
        }
        if insert_id:
            bought["insert_id"] = f"{insert_id}-{number}"
        yield bought


def person(call: Call) -> Fields:
    """An identification: a user's properties without an event."""
    payload = call.payload
    made = {name: value for name, value in payload.items() if name not in _OF_PERSONS}
    _name_platform(made, payload)
    _remember_campaign(made, payload, is_over=False)
    return {**_told(payload), **made, "library": "segment"}


def _common(payload: Fields, own: frozenset[str]) -> Fields:
    made = {name: value for name, value in payload.items() if name not in own}
    _name_platform(made, payload)
    time = payload.get("time")
    if time and (moment := day_ms(time)) is not None:
        made["time"] = moment
    session = payload.get("session_id")
    if session and (moment := day_ms(session)) is not None:
        is_digits = type(session) is str and session.isascii() and session.isdigit()
        made["session_id"] = to_number(session) if is_digits else moment
    return made


def _name_platform(made: Fields, payload: Fields) -> None:
    platform = made.get("platform")
    if platform:
        made["platform"] = _platform(platform)
    elif payload.get("library") == "analytics.js":
        made["platform"] = "Web"


@lru_cache(256)
def _platform(named: str) -> str:
    """With iOS and Android as Amplitude writes them."""
    for name in ("iOS", "Android"):
        named = re.sub(name, name, named, count=1, flags=re.IGNORECASE | re.ASCII)
    return named


def _library(payload: Fields) -> Fields:
    asked = payload.get("library2") or {}
    if asked.get("behavior") != "use_mapping":
        return {"library": "segment"}
    return {"library": asked["mapping"]} if "mapping" in asked else {}


def _remember_campaign(made: Fields, payload: Fields, *, is_over: bool) -> None:
    """Keep campaign and referrer with the user. `is_over`: the user's own `$set` wins over them."""
    utm, referrer = payload.get("utm_properties"), payload.get("referrer")
    if not (utm or referrer):
        return
    latest = {**(utm or {}), **({"referrer": referrer} if referrer else {})}
    user = {k: v for k, v in (made.get("user_properties") or {}).items() if k not in _CAMPAIGN}
    first = {f"initial_{name}": value for name, value in latest.items()}
    for operation, values in (("$set", latest), ("$setOnce", first)):
        own = user.get(operation)
        own = own if isinstance(own, dict) else {}
        user[operation] = {**values, **own} if is_over else {**own, **values}
    made["user_properties"] = user


def _carried(payload: Fields) -> Fields:
    """The revenue of an event that carries some.

    Amplitude puts price times quantity in its place where it is given both, so they go along only where they come
    to the same.
    """
    revenue = payload.get("revenue")
    if not revenue:
        return {}
    made = {name: payload[name] for name in _REVENUE_ALONE if name in payload}
    price, quantity = payload.get("price"), payload.get("quantity")
    if price is not None and quantity is not None and abs(price * quantity - revenue) < HALF_A_CENT:
        made |= {"price": price, "quantity": quantity}
    return made


def _sold(item: Fields, payload: Fields) -> Fields:
    """The revenue of an order, or of one of its items."""
    price, quantity = item.get("price"), item.get("quantity")
    revenue = item.get("revenue") if price is None or quantity is None else quantity * price
    if not revenue:
        return {}
    made = {"revenue": revenue, "revenueType": item.get("revenueType", "Purchase")}
    made |= {name: item[name] for name in _SOLD if name in item}
    return made | ({"currency": payload["currency"]} if "currency" in payload else {})


def _told(payload: Fields) -> Fields:
    """What the `User-Agent` tells."""
    agent = payload.get("userAgent")
    if not agent:
        return {}
    made: Fields = {}
    if payload.get("userAgentParsing"):
        made = _device(agent)
        if hints := payload.get("userAgentData"):
            made = {**made, **{at: hints[name] for name, at in _HINTS if name in hints}}
    return {**made, "user_agent": agent} if payload.get("includeRawUserAgent") else made


_HINTS = (("platformVersion", "os_version"), ("model", "device_model"))


def _device(agent: str) -> Fields:
    device = device_of(agent)
    told = {
        "os_name": device.os or device.browser,
        "os_version": device.browser_major,
        "device_manufacturer": device.vendor,
        "device_model": device.model or device.os,
        "device_type": device.kind,
    }
    return {name: value for name, value in told.items() if value is not None}
