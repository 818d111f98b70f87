"""The actions: each makes one of GA4's events, of the fields that become its parameters, after some checks."""

from collections.abc import Mapping
from typing import Final

from relay.destinations.actions import Action, by_name
from relay.destinations.actions.fields import Fields
from relay.destinations.google_analytics_4 import checks
from relay.destinations.google_analytics_4.checks import Check
from relay.destinations.google_analytics_4.fields import (
    AFFILIATION,
    COUPON,
    CURRENCY,
    CURRENCY_NEEDED,
    HEAD,
    HEAD_CAMEL,
    LIST_ID,
    LIST_NAME,
    LIST_NAME_OF_ONE,
    LOCATION,
    LOWERCASE,
    NAME,
    ORDER,
    PAGE,
    PARAMETERS,
    PAYMENT,
    PROMOTION,
    SEARCH,
    SHIPPING,
    SIGN_IN,
    SIGN_UP,
    TAIL,
    TAX,
    TOTAL,
    VALUE,
    product,
    products,
)
from relay.destinations.google_analytics_4.limits import MAX_EVENTS
from relay.destinations.google_analytics_4.requests import Kind, flows, visitor

_SHOP = (checks.currency, checks.products)
_MONEY = (checks.currency, checks.valued, checks.priced, checks.products)
_WORTH: Final[Fields] = {"currency": CURRENCY, "value": VALUE}


def _action(
    name: str, event: str, about: str, own: Fields, tests: tuple[Check, ...] = (), *, head: Fields = HEAD
) -> Action:
    one, several = flows(Kind(event, tuple(own), tests))
    return Action(
        name=name,
        title=event or "custom event",
        about=about,
        fields={**head, **TAIL, **own},
        perform=one,
        perform_batch=several,
        max_batch=MAX_EVENTS,
        batch_key=visitor,
    )


_ORDERED: Fields = {
    "affiliation": AFFILIATION,
    "coupon": COUPON,
    "items": products(),
    "transaction_id": ORDER,
    "shipping": SHIPPING,
    "tax": TAX,
    "value": TOTAL,
}
_PROMOTED: Fields = {**PROMOTION, "location_id": LOCATION}

ACTIONS: Mapping[str, Action] = by_name(
    _action(
        "purchase",
        "purchase",
        "Something was bought.",
        {**_ORDERED, "currency": CURRENCY_NEEDED},
        _SHOP,
    ),
    _action(
        "refund",
        "refund",
        "An order was paid back.",
        {**_ORDERED, "currency": CURRENCY, "items": products(required=False)},
        _MONEY,
    ),
    _action(
        "addToCart", "add_to_cart", "A product was put into the cart.", {**_WORTH, "items": product()}, _SHOP
    ),
    _action(
        "removeFromCart",
        "remove_from_cart",
        "A product was taken out of the cart.",
        {**_WORTH, "items": product()},
        _MONEY,
    ),
    _action("viewCart", "view_cart", "The cart was looked at.", {**_WORTH, "items": products()}, _MONEY),
    _action(
        "addToWishlist",
        "add_to_wishlist",
        "A product was put on a list of wishes.",
        {**_WORTH, "items": product()},
        _MONEY,
    ),
    _action("viewItem", "view_item", "A product was looked at.", {**_WORTH, "items": product()}, _SHOP),
    _action(
        "viewItemList",
        "view_item_list",
        "A list of products was looked at.",
        {"item_list_id": LIST_ID, "item_list_name": LIST_NAME, "items": products()},
        (checks.products,),
    ),
    _action(
        "selectItem",
        "select_item",
        "A product was chosen from a list.",
        {"item_list_id": LIST_ID, "item_list_name": LIST_NAME_OF_ONE, "items": product()},
        (checks.products,),
    ),
    _action(
        "beginCheckout",
        "begin_checkout",
        "Somebody went to the checkout.",
        {**_WORTH, "coupon": COUPON, "items": products()},
        _SHOP,
    ),
    _action(
        "addPaymentInfo",
        "add_payment_info",
        "Somebody said how to pay.",
        {**_WORTH, "coupon": COUPON, "payment_type": PAYMENT, "items": products()},
        (checks.some_product, checks.currency, checks.valued_payment, checks.priced, checks.products),
    ),
    _action(
        "viewPromotion",
        "view_promotion",
        "A promotion was seen.",
        {**_PROMOTED, "items": product(of_promotion=True)},
        (checks.products,),
    ),
    _action(
        "selectPromotion",
        "select_promotion",
        "A promotion was chosen.",
        {**_PROMOTED, "items": product(required=False, of_promotion=True)},
        (checks.products,),
    ),
    _action("search", "search", "Something was searched for.", {"search_term": SEARCH}),
    _action("signUp", "sign_up", "Somebody signed up.", {"method": SIGN_UP}),
    _action("login", "login", "Somebody signed in.", {"method": SIGN_IN}),
    _action(
        "generateLead",
        "generate_lead",
        "Somebody may become a customer.",
        _WORTH,
        (checks.currency, checks.valued),
    ),
    _action("pageView", "page_view", "A page was seen.", PAGE, head=HEAD_CAMEL),
    _action(
        "customEvent",
        "",
        "Any event, by its own name.",
        {"name": NAME, "lowercase": LOWERCASE, "params": PARAMETERS},
        head=HEAD_CAMEL,
    ),
)
