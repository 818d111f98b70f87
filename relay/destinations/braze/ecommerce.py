"""Braze's recommended ecommerce events: a product seen, and what becomes of a cart and an order."""

from collections.abc import Mapping
from typing import Any

from relay.destinations.actions import Action, Call
from relay.destinations.actions.dates import day_ms, iso
from relay.destinations.actions.fields import (
    Condition,
    Fields,
    When,
    boolean,
    each,
    either,
    integer,
    number,
    path,
    record,
    text,
)
from relay.destinations.braze.users_track import MAX_OBJECTS, Account, app, batch_sender, sender
from relay.destinations.braze.who import ADD_OR_UPDATE, EXTERNAL_ID
from relay.destinations.errors import Refused

PRODUCT_VIEWED = "ecommerce.product_viewed"
CHECKOUT_STARTED = "ecommerce.checkout_started"
ORDER_PLACED = "ecommerce.order_placed"
ORDER_CANCELLED = "ecommerce.order_cancelled"
ORDER_REFUNDED = "ecommerce.order_refunded"

_ORDERS = (ORDER_PLACED, ORDER_CANCELLED, ORDER_REFUNDED)
_CARTS = (CHECKOUT_STARTED, *_ORDERS)

_CURRENCIES = (  # ISO 4217
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD"
    " CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP"
    " GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW"
    " KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN"
    " NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD"
    " SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW"
    " UZS VED VES VND VUV WST XAD XAF XCD XCG XDR XOF XPF XSU XUA YER ZAR ZMW ZWG"
)


def _when(*names: str) -> When:
    return When(tuple(Condition("name", name) for name in names), is_any=True)


def _first(*mappings: Any) -> Any:
    """The first of `mappings` that gives something; the last may be a value."""
    first, *others = mappings
    if not others:
        return first
    return {"@if": {"exists": first, "then": first, "else": _first(*others)}}


def _product(at: str) -> dict[str, Any]:
    """Where a product's fields are below `at`."""
    product_id, sku = path(f"{at}.product_id"), path(f"{at}.sku")
    return {
        "product_id": _first(product_id, sku),
        "product_name": _first(path(f"{at}.name"), product_id, sku),
        "variant_id": _first(path(f"{at}.variant"), sku, product_id),
        "image_url": path(f"{at}.image_url"),
        "product_url": path(f"{at}.url"),
        "price": path(f"{at}.price"),
    }


_PRODUCT: Fields = {
    "product_id": text("The product.", required=True),
    "product_name": text("Its name.", required=True),
    "variant_id": text("Its variant.", required=True),
    "image_url": text("A picture of it.", format="uri"),
    "product_url": text("Its page.", format="uri"),
    "price": number("What one costs.", required=True),
}
_LINE: Fields = {**_PRODUCT, "quantity": number("How many.", required=True)}

_FIELDS: Fields = {
    "name": text(
        "Which of Braze's ecommerce events it is.", required=True, choices=(PRODUCT_VIEWED, *_CARTS)
    ),
    "external_id": EXTERNAL_ID,
    "user_alias": record(
        "The person's alias.",
        {
            "alias_name": text("The alias itself.", required=True),
            "alias_label": text("What kind of alias it is.", required=True),
        },
    ),
    "email": text(
        "The person's address.",
        format="email",
        default=either("$.context.traits.email", "$.properties.email"),
    ),
    "phone": text(
        "The person's phone number.",
        allow_null=True,
        default=either("$.context.traits.phone", "$.properties.phone"),
    ),
    "braze_id": text(
        "The person's id with Braze.",
        allow_null=True,
        default=either("$.context.traits.braze_id", "$.properties.braze_id"),
    ),
    "cancel_reason": text(
        "Why an order was cancelled.",
        required=_when(ORDER_CANCELLED),
        default=_first(path("$.properties.reason"), "unspecified"),
    ),
    "time": text("When it happened.", format="date-time", required=True, default=path("$.timestamp")),
    "checkout_id": text(
        "The checkout.",
        required=_when(CHECKOUT_STARTED),
        default=either("$.properties.checkout_id", "$.properties.order_id"),
    ),
    "order_id": text("The order.", required=_when(*_ORDERS), default=path("$.properties.order_id")),
    "cart_id": text("The cart.", default=path("$.properties.cart_id")),
    "total_value": number(
        "What all of it costs.",
        required=_when(*_CARTS),
        default=_first(path("$.properties.total"), path("$.properties.value"), path("$.properties.revenue")),
    ),
    "total_discounts": number("What was taken off.", default=path("$.properties.discount")),
    "discounts": record(
        "Each discount.",
        {
            "code": text("Its code.", required=True),
            "amount": number("What it took off.", required=True),
        },
        multiple=True,
        default=each("$.properties.discount_items", {"code": path("$.code"), "amount": path("$.amount")}),
    ),
    "currency": text(
        "The currency of the amounts.",
        required=True,
        choices=tuple(_CURRENCIES.split()),
        default={"@case": {"operator": "upper", "value": path("$.properties.currency")}},
    ),
    "source": text(
        "Where the event comes from.",
        required=True,
        default=_first(path("$.properties.source"), path("$.context.library.name"), "relay"),
    ),
    "metadata": record("What else is known about it."),
    "enable_batching": boolean("Whether several events may go in one request.", required=True, default=True),
    "batch_size": integer(
        "Events a request at most.", required=True, default=MAX_OBJECTS, minimum=2, maximum=MAX_OBJECTS
    ),
}

# of each event: what it has beside what all have, and beside the list of products
_OWN = {
    CHECKOUT_STARTED: ("checkout_id", "cart_id"),
    ORDER_PLACED: ("order_id", "total_discounts", "discounts", "cart_id"),
    ORDER_REFUNDED: ("order_id", "total_discounts", "discounts"),
    ORDER_CANCELLED: ("order_id", "cancel_reason", "total_discounts", "discounts"),
}
_WHO = ("external_id", "braze_id", "email", "phone", "user_alias")


def _event(account: Account, call: Call) -> dict[str, Any]:
    payload = call.payload
    found = {name: payload[name] for name in _WHO if payload.get(name)}
    if not found:
        raise Refused(f"one of {', '.join(_WHO)} is needed", fields=_WHO)
    is_update = "user_alias" in found or call.sync_mode == "update"
    return {
        **found,
        **app(account),
        "name": payload["name"],
        "time": _time(payload["time"]),
        "properties": _properties(payload),
        **({"_update_existing_only": True} if is_update else {}),
    }


def _time(value: str) -> str:
    ms = day_ms(value)
    if ms is None:
        raise Refused("time must be a date", fields=("time",))
    return iso(ms)


def _properties(payload: Mapping[str, Any]) -> dict[str, Any]:
    names = ("currency", "source", "metadata")
    shared = {name: payload[name] for name in names if name in payload}
    if payload["name"] == PRODUCT_VIEWED:
        return {**shared, **payload.get("product", {})}
    if "products" not in payload:
        raise Refused("products is missing: this event is one of several products", fields=("products",))
    own = {name: payload[name] for name in ("total_value", *_OWN[payload["name"]]) if name in payload}
    if not own.get("cart_id", True):
        del own["cart_id"]
    return {**shared, "products": [_line(product) for product in payload["products"]], **own}


def _line(product: Mapping[str, Any]) -> dict[str, Any]:
    """What Braze has no place for is the product's metadata."""
    known = {name: value for name, value in product.items() if name in _LINE}
    other = {name: value for name, value in product.items() if name not in _LINE}
    return {**known, "metadata": other} if other else known


ECOMMERCE = Action(
    name="ecommerce",
    title="Ecommerce event of several products",
    about="A checkout started, or an order placed, refunded or cancelled.",
    fields={
        **_FIELDS,
        "products": record(
            "The products.",
            _LINE,
            multiple=True,
            more=True,
            required=True,
            default=each(
                "$.properties.products", {**_product("$"), "quantity": _first(path("$.quantity"), 1)}
            ),
        ),
    },
    perform=sender("events", _event, ADD_OR_UPDATE),
    perform_batch=batch_sender("events", _event, ADD_OR_UPDATE, is_marked=True),
    max_batch=MAX_OBJECTS,
    keeps_empty_in_batches=True,
    sync_modes=ADD_OR_UPDATE,
)

ECOMMERCE_SINGLE_PRODUCT = Action(
    name="ecommerceSingleProduct",
    title="Ecommerce event of one product",
    about="A product viewed.",
    fields={
        **_FIELDS,
        "product": record("The product.", _PRODUCT, required=True, default=_product("$.properties")),
    },
    perform=sender("events", _event, ADD_OR_UPDATE),
    perform_batch=batch_sender("events", _event, ADD_OR_UPDATE, is_marked=True),
    max_batch=MAX_OBJECTS,
    keeps_empty_in_batches=True,
    sync_modes=ADD_OR_UPDATE,
)
