"""The fields of the actions, and where their values come from."""

from typing import Any

import msgspec

from relay.destinations.actions.fields import (
    Field,
    Fields,
    boolean,
    each,
    either,
    integer,
    number,
    path,
    record,
    text,
)

WEB, APP = "Web", "Mobile App"
_CONSENTS = ("GRANTED", "DENIED")
OWN = "$.integrations.Google Analytics 4 Cloud"  # what an event says to this destination alone

_CLIENT = text(
    "Who, in a web stream: the client id of Google's tag, or an id of yours.",
    default=either("$.userId", "$.anonymousId"),
)

HEAD: Fields = {
    "data_stream_type": text(
        "The stream it belongs to; without, the web stream, or that of the app where it is the only one.",
        choices=(WEB, APP),
    ),
    "app_instance_id": text(
        "Who, in an app stream: the instance id that the Firebase SDK gives.",
        default=either(f"{OWN}.appInstanceId", "$.context.device.id"),
    ),
    "client_id": _CLIENT,
    "user_id": text("The person, on whatever device.", default=path("$.userId")),
    "timestamp_micros": text(
        "When it happened: a date, or microseconds since 1970.", default=path("$.timestamp")
    ),
}
# two of Segment's actions spell it so
HEAD_CAMEL: Fields = {("clientId" if name == "client_id" else name): field for name, field in HEAD.items()}

TAIL: Fields = {
    "user_properties": record("What is known of the person; each needs a custom dimension of the user."),
    "engagement_time_msec": number(
        "How long the person was engaged; over 0, or nobody is counted.", default=1
    ),
    "params": record("Further parameters of the event."),
    "ad_user_data_consent": text("Whether Google may use the data for advertising.", choices=_CONSENTS),
    "ad_personalization_consent": text("Whether advertising may be personal.", choices=_CONSENTS),
    "within_limits": boolean(
        "Whether what Google Analytics cannot take is left out or cut; else it refuses the event.",
        default=True,
    ),
}

CURRENCY = text("The currency of the amounts, in ISO 4217.", default=path("$.properties.currency"))
CURRENCY_NEEDED = msgspec.structs.replace(CURRENCY, required=True)
VALUE = number("What it is worth.", default=path("$.properties.value"))
TOTAL = number(
    "What it is worth: the total, else the revenue.",
    default=either("$.properties.total", "$.properties.revenue"),
)
COUPON = text("The coupon that was used.", default=path("$.properties.coupon"))
AFFILIATION = text("The shop.", default=path("$.properties.affiliation"))
ORDER = text(
    "The order; a second purchase of the same is not counted.",
    required=True,
    default=path("$.properties.order_id"),
)
SHIPPING = number("What shipping cost.", default=path("$.properties.shipping"))
TAX = number("The tax.", default=path("$.properties.tax"))
PAYMENT = text("How it was paid.", default=path("$.properties.payment_method"))
LIST_NAME = text("The name of the list in which it was shown.", default=path("$.properties.category"))
LIST_NAME_OF_ONE = text("The name of the list from which it was chosen.")
LIST_ID = text("The list in which it was shown.", default=path("$.properties.list_id"))
SEARCH = text("What was searched for.", required=True, default=path("$.properties.query"))
SIGN_UP = text("How the person signed up.", default=path("$.properties.type"))
SIGN_IN = text("How the person signed in.", default=path("$.properties.method"))
NAME = text("The event's name; white space becomes underscores.", required=True, default=path("$.event"))
LOWERCASE = boolean("Whether the name is written in small letters.", default=False)

PAGE: Fields = {
    "page_location": text("The address of the page.", default=path("$.context.page.url")),
    "page_referrer": text("The page before.", default=path("$.context.page.referrer")),
    "page_title": text("The title of the page.", default=path("$.context.page.title")),
}
LOCATION = text("Where it was shown.", default=path("$.properties.position"))
PARAMETERS = record("The parameters of the event.", default=path("$.properties"))
PROMOTION: Fields = {
    "creative_name": text("The name of the creative."),
    "creative_slot": text("The slot of the creative.", default=path("$.properties.creative")),
    "promotion_id": text("The promotion's id.", default=path("$.properties.promotion_id")),
    "promotion_name": text("The promotion's name.", default=path("$.properties.name")),
}


_ITEM: Fields = {
    "item_id": text("The product's id."),
    "item_name": text("Its name."),
    "affiliation": text("Its shop."),
    "coupon": text("Its coupon."),
    "currency": text("The currency of its price, in ISO 4217."),
    "discount": number("What was taken off."),
    "index": number("Its place in the list."),
    "item_brand": text("Its brand."),
    "item_category": text("Its category."),
    "item_category2": text("Its second category."),
    "item_category3": text("Its third category."),
    "item_category4": text("Its fourth category."),
    "item_category5": text("Its fifth category."),
    "item_list_id": text("The id of the list it was shown in."),
    "item_list_name": text("The name of that list."),
    "item_variant": text("Its variant."),
    "location_id": text("Where it is."),
    "price": number("What one costs."),
    "quantity": integer("How many."),
}
_SHAPE: dict[str, Any] = {
    "item_id": either("$.product_id", "$.sku"),
    "item_name": path("$.name"),
    "affiliation": path("$.affiliation"),
    "coupon": path("$.coupon"),
    "index": path("$.position"),
    "item_brand": path("$.brand"),
    "item_category": path("$.category"),
    "item_variant": path("$.variant"),
    "price": path("$.price"),
    "quantity": path("$.quantity"),
}
_OF_PROMOTION: Fields = {name: text("The same of a single product.") for name in PROMOTION}


def product(*, required: bool = True, of_promotion: bool = False) -> Field:
    """The one product that an event's properties are."""
    return _items("$.properties", required=required, of_promotion=of_promotion)


def products(*, required: bool = True) -> Field:
    """The products in an event's properties."""
    return _items("$.properties.products", required=required)


def _items(at: str, *, required: bool, of_promotion: bool = False) -> Field:
    return record(
        "The products.",
        {**_ITEM, **_OF_PROMOTION} if of_promotion else _ITEM,
        multiple=True,
        more=True,
        required=required,
        default=each(at, _SHAPE),
    )
