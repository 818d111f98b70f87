"""What refuses an event before it is sent: money without a currency, products without a name, nested parameters."""

from collections.abc import Callable, Mapping
from typing import Any

from relay.destinations.actions.currencies import is_currency
from relay.destinations.errors import Refused

Check = Callable[[Mapping[str, Any]], None]  # of a payload
_CURRENCY = "INVALID_CURRENCY_CODE"


def currency(payload: Mapping[str, Any]) -> None:
    code = payload.get("currency")
    if code and not is_currency(code):
        raise Refused("currency is no code of ISO 4217", _CURRENCY, fields=("currency",))


def some_product(payload: Mapping[str, Any]) -> None:
    if not payload["items"]:
        raise Refused("items must hold a product", fields=("items",))


def valued(payload: Mapping[str, Any], code: str = _CURRENCY) -> None:
    """A value has a currency."""
    if payload.get("value") and "currency" not in payload:
        raise Refused("currency is missing, of value", code, fields=("currency",))


def valued_payment(payload: Mapping[str, Any]) -> None:
    """The same, with the code that Segment has for it here."""
    valued(payload, "PAYLOAD_VALIDATION_FAILED")


def priced(payload: Mapping[str, Any]) -> None:
    """There is a currency: the event's, or the first product's."""
    items = payload.get("items")
    if "currency" not in payload and not (items and items[0].get("currency")):
        raise Refused("currency is missing, here and in the first of items", fields=("currency",))


def products(payload: Mapping[str, Any]) -> None:
    for place, item in enumerate(payload.get("items") or ()):
        if "item_id" not in item and "item_name" not in item:
            raise Refused(f"items[{place}] has neither item_id nor item_name", fields=("items",))
        code = item.get("currency")
        if code and not is_currency(code):
            raise Refused(f"items[{place}].currency is no code of ISO 4217", _CURRENCY, fields=("items",))


def parameters(params: Mapping[str, Any]) -> None:
    """None is a list, an object or null, but for a list of items."""
    for name, value in params.items():
        if value is None or type(value) is dict or (type(value) is list and name != "items"):
            raise Refused(
                "params hold a list, an object or null, which Google Analytics refuses", fields=("params",)
            )


def properties(values: Mapping[str, Any]) -> None:
    if any(type(value) in (dict, list) for value in values.values()):
        raise Refused(
            "user_properties hold a list or an object, which Google Analytics refuses",
            fields=("user_properties",),
        )
