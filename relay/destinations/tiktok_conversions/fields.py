"""The fields of TikTok's action, and where from by default."""

from typing import Any

from relay.destinations.actions.fields import (
    Condition,
    Field,
    Fields,
    When,
    boolean,
    each,
    either,
    number,
    path,
    record,
    text,
)
from relay.destinations.tiktok_conversions.spheres import TRAVEL, VEHICLE

WEB, CRM = "web", "crm"
OWN_NAME = "TikTok Conversions"  # under `integrations` in an event


def _own(name: str) -> dict[str, Any]:
    return either(f"$.properties.{name}", f"$.context.traits.{name}")


def _cased(snake: str, camel: str, within: str = "") -> dict[str, Any]:
    """A trait by its name in snake case or in camel case, the event's own first."""
    return either(*(f"$.{place}{within}.{name}" for place in _PEOPLE for name in (snake, camel)))


_PEOPLE = ("properties", "context.traits")
_ITEM = {
    "price": path("$.price"),
    "quantity": path("$.quantity"),
    "content_category": path("$.category"),
    "content_id": path("$.product_id"),
    "content_name": path("$.name"),
    "brand": path("$.brand"),
}
PRODUCTS = each("$.properties.products", _ITEM)
PRODUCT = each("$.properties", _ITEM)

_CONTENTS: Fields = {
    "price": number("Price of one."),
    "quantity": number("How many."),
    "content_category": text("Category of the product."),
    "content_id": text("Id of the product."),
    "content_name": text("Name of the product."),
    "brand": text("Brand of the product."),
}
_ADDRESS: Fields = {
    "city": text("Town."),
    "country": text("Country."),
    "zip_code": text("Postal code."),
    "state": text("State or province."),
}
_LEAD: Fields = {
    "lead_id": text("Id of a lead from TikTok's lead ads."),
    "lead_event_source": text("The CRM that says so."),
}

FIELDS: dict[str, Field] = {
    "event_source": text("A website, or a CRM.", choices=(WEB, CRM), default=WEB),
    "event_spec_type": text(
        "Whether fields of travel or of vehicles go along.", choices=("travel_fields", "vehicle_fields")
    ),
    "event": text("TikTok's name of the event, or your own.", required=True),
    "event_id": text(
        "The same for the pixel's event and this one: TikTok counts one of them.", default=path("$.messageId")
    ),
    "timestamp": text("When it happened.", default=path("$.timestamp")),
    "phone_number": text("Numbers with their country code.", multiple=True, default=_own("phone")),
    "email": text("Email addresses.", multiple=True, default=_own("email")),
    "first_name": text("Given name.", default=_cased("first_name", "firstName")),
    "last_name": text("Family name.", default=_cased("last_name", "lastName")),
    "address": record(
        "Where the person lives.",
        _ADDRESS,
        default={
            "city": _own("address.city"),
            "country": _own("address.country"),
            "zip_code": _cased("postal_code", "postalCode", ".address"),
            "state": _own("address.state"),
        },
    ),
    "order_id": text("Id of the order.", default=path("$.properties.order_id")),
    "shop_id": text("Id of the shop.", default=path("$.properties.shop_id")),
    "external_id": text(
        "Your own ids of the person.", multiple=True, default=either("$.userId", "$.anonymousId")
    ),
    "ttclid": text(
        "Click id; one in the page's address goes before it.",
        default=either("$.properties.ttclid", f"$.integrations.{OWN_NAME}.ttclid"),
    ),
    "ttp": text(
        "Browser id: the cookie `_ttp`.",
        default=either("$.properties.ttp", f"$.integrations.{OWN_NAME}.ttp"),
    ),
    "locale": text("Language and country.", default=path("$.context.locale")),
    "url": text("The page.", default=path("$.context.page.url")),
    "referrer": text("The page before.", default=path("$.context.page.referrer")),
    "ip": text("Address of the browser.", default=path("$.context.ip")),
    "user_agent": text("User agent of the browser.", default=path("$.context.userAgent")),
    "contents": record("The products.", _CONTENTS, multiple=True),
    "content_ids": text("Ids of the products.", multiple=True, default=path("$.properties.content_ids")),
    "num_items": number("How many products.", default=path("$.properties.num_items")),
    "content_type": text(
        "product or product_group.", choices=("product", "product_group"), default="product"
    ),
    "currency": text("Currency.", default=path("$.properties.currency")),
    "value": number(
        "What it is worth.", default=either(*(f"$.properties.{n}" for n in ("value", "revenue", "total")))
    ),
    "description": text("What it was."),
    "query": text("What was looked for.", default=path("$.properties.query")),
    "limited_data_use": boolean(
        "Whether use of the data is limited.", default=path("$.properties.limited_data_use")
    ),
    "test_event_code": text("Shows the event among the test events."),
    "delivery_category": text(
        "How it is delivered.",
        choices=("in_store", "curbside", "home_delivery"),
        default=path("$.properties.delivery_category"),
    ),
    "predicted_ltv": number(
        "What the person may be worth in all.", default=path("$.properties.predicted_ltv")
    ),
    "search_string": text("What was looked for, in a search.", default=path("$.properties.search_string")),
    "lead_fields": record(
        "The lead, for events of a CRM.",
        _LEAD,
        required=When((Condition("event_source", CRM),)),
        default={name: path(f"$.properties.{name}") for name in _LEAD},
    ),
    "vehicle_fields": record(
        "The vehicle.",
        VEHICLE,
        default={name: path(f"$.properties.{name}") for name in VEHICLE}
        | {"drivetrain": either("$.properties.drivetrain", "$.properties.drive_train")},
    ),
    "travel_fields": record(
        "The journey.", TRAVEL, default={name: path(f"$.properties.{name}") for name in TRAVEL}
    ),
}
