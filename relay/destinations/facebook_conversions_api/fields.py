"""The fields of Meta's actions, and where from by default."""

from typing import Any

from relay.destinations.actions.fields import (
    Field,
    boolean,
    each,
    either,
    integer,
    number,
    path,
    record,
    text,
)

IN_SECONDS = "event_time_in_seconds"
SOURCES = ("email", "website", "app", "phone_call", "chat", "physical_store", "system_generated", "other")
_STATES = (0, *range(1000, 1011))  # Meta: 1000 is California, the others followed


def _where(at: str, then: Any, otherwise: Any = None) -> dict[str, Any]:
    """`then` for events with a value at `at`."""
    return {"@if": {"exists": path(at), "then": then} | ({} if otherwise is None else {"else": otherwise})}


# A website event needs a page and a browser; without them Meta takes it from any other source.
_SOURCE = _where("$.context.page.url", _where("$.context.userAgent", "website", "other"), "other")
_ITEM = {
    "id": either("$.product_id", "$.sku"),
    "quantity": path("$.quantity"),
    "item_price": path("$.price"),
}
_PRODUCTS = each("$.properties.products", _ITEM)
_PRODUCT = each("$.properties", _ITEM)
_ONE = _where("$.properties.product_id", _PRODUCT, _where("$.properties.sku", _PRODUCT))
AMOUNT = either("$.properties.revenue", "$.properties.value", "$.properties.total")
UPPER = {"@case": {"operator": "upper", "value": path("$.properties.currency")}}
_BORN = {
    "@replace": {
        "value": path("$.context.traits.birthday"),
        "pattern": "-",
        "replacement": "",
        "global": True,
    }
}

USER_DATA = record(
    "Who it was; what identifies a person is hashed before it is sent.",
    {
        "externalId": text("Your own ids of the person.", multiple=True),
        "email": text("Email address."),
        "phone": text("Number with its country code."),
        "gender": text("f or m."),
        "dateOfBirth": text("Year, month and day: 19971226."),
        "lastName": text("Family name."),
        "firstName": text("Given name."),
        "city": text("Town."),
        "state": text("State or province: a code of two letters, or a state of the USA by its name."),
        "zip": text("Postal code."),
        "country": text("Country: a code of two letters, or its English name."),
        "client_ip_address": text("Address of the browser."),
        "client_user_agent": text("User agent of the browser; a website event needs it."),
        "fbc": text("Click id: the cookie `_fbc`."),
        "fbp": text("Browser id: the cookie `_fbp`."),
        "subscriptionID": text("Id of the subscription in this purchase."),
        "leadID": integer("Id of a lead from Meta's lead ads."),
        "fbLoginID": integer("Id that Meta gave at the first login with it."),
        "anonId": text("Id of one installation of an app."),
        "madId": text("Advertising id of the phone."),
        "partner_id": text("Id that an identity partner gave."),
        "partner_name": text("Name of that partner."),
    },
    required=True,
    default={
        "externalId": either("$.userId", "$.anonymousId"),
        "email": either("$.context.traits.email", "$.properties.email"),
        "phone": either("$.context.traits.phone", "$.properties.phone"),
        "gender": path("$.context.traits.gender"),
        "dateOfBirth": _BORN,
        "lastName": path("$.context.traits.lastName"),
        "firstName": path("$.context.traits.firstName"),
        "city": path("$.context.traits.address.city"),
        "state": path("$.context.traits.address.state"),
        "zip": path("$.context.traits.address.postalCode"),
        "country": path("$.context.traits.address.country"),
        "client_ip_address": path("$.context.ip"),
        "client_user_agent": path("$.context.userAgent"),
        "fbc": path("$.properties.fbc"),
        "fbp": path("$.properties.fbp"),
    },
)

APP_DATA = record(
    "The app and the phone, for app events.",
    {
        "use_app_data": boolean("Whether to send these at all."),
        "advertiser_tracking_enabled": boolean("Whether the person allowed tracking (iOS)."),
        "application_tracking_enabled": boolean("Whether the person allowed tracking in the app."),
        "version": text("i2 for iOS, a2 for Android.", choices=("i2", "a2")),
        "packageName": text("Package of the app."),
        "shortVersion": text("Short version of the app."),
        "longVersion": text("Long version of the app."),
        "osVersion": text("Version of the system."),
        "deviceName": text("Model of the phone."),
        "madId": text("Advertising id of the phone."),
        "locale": text("Language and country."),
        "timezone": text("Time zone by its abbreviation."),
        "carrier": text("Mobile network."),
        "width": text("Width of the screen."),
        "height": text("Height of the screen."),
        "density": text("Density of the screen."),
        "cpuCores": text("Cores of the processor."),
        "storageSize": text("Storage in GB."),
        "freeStorage": text("Free storage in GB."),
        "deviceTimezone": text("Time zone by its name."),
    },
    default={
        "application_tracking_enabled": path("$.context.device.adTrackingEnabled"),
        "packageName": path("$.context.app.namespace"),
        "longVersion": path("$.context.app.version"),
        "osVersion": path("$.context.os.version"),
        "deviceName": path("$.context.device.model"),
        "locale": path("$.context.locale"),
        "carrier": path("$.context.network.carrier"),
        "width": path("$.context.screen.width"),
        "height": path("$.context.screen.height"),
        "density": path("$.context.screen.density"),
        "deviceTimezone": path("$.context.timezone"),
        "madId": path("$.context.madId"),
    },
)

COMMON: dict[str, Field] = {
    "action_source": text("Where it happened.", choices=SOURCES, required=True, default=_SOURCE),
    "event_time": text("When it happened.", required=True, default=path("$.timestamp")),
    IN_SECONDS: boolean(
        "Whether the time is sent as whole seconds, and an event too old for Meta refused here.", default=True
    ),
    "user_data": USER_DATA,
    "app_data_field": APP_DATA,
    "event_id": text(
        "The same for the pixel's event and this one: Meta counts one of them.", default=path("$.messageId")
    ),
    "event_source_url": text("The page.", default=path("$.context.page.url")),
    "custom_data": record("Anything else about the event."),
    "data_processing_options": boolean("Whether use of the data is limited (LDU)."),
    "data_processing_options_country": number("For LDU: 1 the USA, 0 found by address.", choices=(0, 1)),
    "data_processing_options_state": number("For LDU: the state, 0 found by address.", choices=_STATES),
    "test_event_code": text("Shows the event among the test events; goes before the setting."),
}


def _contents(default: Any) -> Field:
    item = {
        "id": text("Id of the product."),
        "quantity": integer("How many."),
        "item_price": number("Price of one."),
        "delivery_category": text("in_store, curbside or home_delivery."),
    }
    return record("The products.", item, multiple=True, default=default)


def _content_type() -> Field:
    return text("product or product_group.", default="product")


CURRENCY = text("Currency, in capitals.", default=UPPER)
CATEGORY = text("Category of the products.")
IDS = text("Ids of the products.", multiple=True)
NAME = text("Name of the page or product.")
ITEMS = integer("How many products.")

PURCHASE: dict[str, Field] = {
    "currency": text("Currency, in capitals.", required=True, default=UPPER),
    "value": number("What was paid.", required=True, default=AMOUNT),
    "net_revenue": number("What of it is margin."),
    "content_ids": IDS,
    "content_name": NAME,
    "content_type": _content_type(),
    "contents": _contents(_PRODUCTS),
    "num_items": ITEMS,
}
INITIATE_CHECKOUT: dict[str, Field] = {
    "currency": CURRENCY,
    "value": number("What the cart is worth.", default=AMOUNT),
    "content_category": CATEGORY,
    "content_ids": IDS,
    "contents": _contents(_PRODUCTS),
    "num_items": ITEMS,
}
ADD_TO_CART: dict[str, Field] = {
    "currency": CURRENCY,
    "value": number("What the product costs.", default=path("$.properties.price")),
    "content_ids": IDS,
    "content_name": NAME,
    "content_type": _content_type(),
    "contents": _contents(_ONE),
}
VIEW_CONTENT: dict[str, Field] = {
    **ADD_TO_CART,
    "content_category": CATEGORY,
    "content_ids": text(
        "Ids of the products.", multiple=True, default=either("$.properties.product_id", "$.properties.sku")
    ),
}
SEARCH: dict[str, Field] = {
    "currency": CURRENCY,
    "value": number("What it is worth."),
    "content_category": CATEGORY,
    "content_ids": IDS,
    "contents": _contents(_ONE),
    "search_string": text("What was looked for.", default=path("$.properties.query")),
}
EVENT_NAME = text("Name of the event, one of Meta's or your own.", required=True, default=path("$.event"))
