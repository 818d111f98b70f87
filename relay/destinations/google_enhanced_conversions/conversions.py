"""What a payload becomes: a click's or a call's conversion, or an adjustment of one."""

import re
from collections.abc import Mapping
from typing import Any

from relay.destinations.actions.action import Call
from relay.destinations.actions.dates import iso, to_ms
from relay.destinations.google_enhanced_conversions.people import address, identifiers
from relay.destinations.mapping.javascript import number_text

_ZULU = re.compile(r"(?:\.[0-9]+)?Z")
_ATTRIBUTES = (
    "gad_source",
    "gad_campaignid",
    "landing_page_url",
    "session_start_time_usec",
    "landing_page_referrer",
    "landing_page_user_agent",
)


def click(customer: str, call: Call) -> dict[str, Any]:
    """A `ClickConversion`. Raises `Refused`."""
    payload = call.payload
    made = {
        "conversionAction": _action(customer, payload),
        "conversionDateTime": _moment(payload["conversion_timestamp"]),
        **_named(payload, gclid="gclid", gbraid="gbraid", wbraid="wbraid"),
        **_visit(payload),
        **_named(
            payload,
            order_id="orderId",
            value="conversionValue",
            currency="currencyCode",
            conversion_environment="conversionEnvironment",
        ),
        "cartData": _cart(payload),
        "userIdentifiers": identifiers(payload),
        **_consent(payload),
    }
    if payload.get("user_ip_address"):
        made["userIpAddress"] = payload["user_ip_address"]
    return made


def phone_call(customer: str, call: Call) -> dict[str, Any]:
    """A `CallConversion`."""
    payload = call.payload
    return {
        "conversionAction": _action(customer, payload),
        "callerId": payload["caller_id"],
        "callStartDateTime": _moment(payload["call_timestamp"]),
        "conversionDateTime": _moment(payload["conversion_timestamp"]),
        **_named(payload, value="conversionValue", currency="currencyCode"),
        **_consent(payload),
    }


def adjustment(customer: str, call: Call) -> dict[str, Any]:
    """A `ConversionAdjustment`. Raises `Refused`."""
    payload = call.payload
    made = {
        "conversionAction": _action(customer, payload),
        "adjustmentType": payload["adjustment_type"],
        "adjustmentDateTime": _moment(payload.get("adjustment_timestamp") or iso(call.now_ms)),
        **_named(payload, order_id="orderId", user_agent="userAgent"),
        "gclidDateTimePair": _pair(payload),
        "userIdentifiers": [*identifiers(payload), *address(payload)],
    }
    if payload["adjustment_type"] != "RETRACTION":
        names = {"restatement_value": "adjustedValue", "restatement_currency_code": "currencyCode"}
        made["restatementValue"] = _named(payload, **names)
    return made


def _action(customer: str, payload: Mapping[str, Any]) -> str:
    return f"customers/{customer}/conversionActions/{number_text(payload['conversion_action'])}"


def _moment(written: str) -> str:
    """As Google writes one: `2026-03-02 09:38:38+00:00`."""
    return _ZULU.sub("+00:00", written.replace("T", " ", 1), count=1)


def _named(payload: Mapping[str, Any], **names: str) -> dict[str, Any]:
    """Those fields that are there, by Google's names."""
    return {name: payload[field] for field, name in names.items() if field in payload}


def _visit(payload: Mapping[str, Any]) -> dict[str, Any]:
    encoded = payload.get("session_attributes_encoded")
    if encoded:
        return {"sessionAttributesEncoded": encoded}
    said = dict(payload.get("session_attributes_key_value_pairs", {}))
    if "session_start_time_usec" in said:
        said["session_start_time_usec"] = _micros(said["session_start_time_usec"])
    pairs = [
        {"sessionAttributeKey": name, "sessionAttributeValue": said[name]}
        for name in _ATTRIBUTES
        if said.get(name)
    ]
    return {"sessionAttributesKeyValuePairs": {"keyValuePairs": pairs}} if pairs else {}


def _micros(written: str) -> str:
    ms = to_ms(written)
    return "" if ms is None else str(ms * 1000)


def _cart(payload: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        "merchant_id": "merchantId",
        "merchant_country_code": "feedCountryCode",
        "merchant_language_code": "feedLanguageCode",
        "local_cost": "localTransactionCost",
    }
    items = [
        _named(item, product_id="productId", quantity="quantity", price="unitPrice")
        for item in payload.get("items", ())
    ]
    return {**_named(payload, **names), "items": items}


def _pair(payload: Mapping[str, Any]) -> dict[str, Any]:
    pair = _named(payload, gclid="gclid")
    if payload.get("conversion_timestamp"):
        pair["conversionDateTime"] = _moment(payload["conversion_timestamp"])
    return pair


def _consent(payload: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        "ad_user_data_consent_state": "adUserData",
        "ad_personalization_consent_state": "adPersonalization",
    }
    said = _named(payload, **names)
    return {"consent": said} if said else {}
