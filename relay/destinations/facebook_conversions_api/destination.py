"""The destination: settings, actions, presets, and the flows that send one event or many."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from relay.destinations.actions import Action, ActionDestination, Call, Preset, by_name
from relay.destinations.actions.fields import Fields
from relay.destinations.actions.requests import bearer, json_request
from relay.destinations.base import Steps, about, secret
from relay.destinations.errors import HttpError, Refused
from relay.destinations.facebook_conversions_api import fields
from relay.destinations.facebook_conversions_api.events import Kind, event
from relay.destinations.facebook_conversions_api.replies import complaint, understood

API = "https://graph.facebook.com/v24.0"
MOST = 1000  # Meta, "Using the API": events a request


class _Flows:
    """How one kind of event is sent."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def perform(self, settings: "FacebookConversionsApi", call: Call) -> Steps:
        made = event(self.kind, call, is_aged=call.get(fields.IN_SECONDS) is True)
        yield from _post(settings, [made], call)

    def perform_batch(self, settings: "FacebookConversionsApi", calls: Sequence[Call]) -> Steps:
        made: list[dict[str, Any]] = []
        results: list[Refused | None] = []
        for call in calls:
            try:
                made.append(event(self.kind, call, is_aged=True))
                results.append(None)
            except Refused as error:
                results.append(error)
        if made:
            yield from _post(settings, made, calls[0])
        return results


def _post(settings: "FacebookConversionsApi", events: Sequence[dict[str, Any]], call: Call) -> Steps:
    body: dict[str, Any] = {"data": events}
    if code := call.get("test_event_code") or settings.test_event_code:
        body["test_event_code"] = code
    headers = bearer(settings.access_token) if settings.access_token else None
    try:
        reply = yield json_request("POST", f"{API}/{settings.pixel_id}/events", body, headers)
    except HttpError as error:
        raise understood(error, is_batch=len(events) > 1) from None
    wrong = complaint(reply, len(events))
    if wrong is not None:
        raise wrong


def _test_code(call: Call) -> str | None:
    """It is said once for a whole request."""
    code: str | None = call.get("test_event_code")
    return code


def _actions(name: str, title: str, sentence: str, own: Fields, kind: Kind) -> tuple[Action, Action]:
    """The action under its two names: Segment's second version asks for a sync mode."""
    flows = _Flows(kind)

    def made(suffix: str, sync_modes: tuple[str, ...]) -> Action:
        return Action(
            name=f"{name}{suffix}",
            title=f"{title}{' V2' if suffix else ''}",
            about=sentence,
            fields={**fields.COMMON, **own},
            perform=flows.perform,
            perform_batch=flows.perform_batch,
            max_batch=MOST,
            batch_key=_test_code,
            sync_modes=sync_modes,
        )

    return made("2", ("add",)), made("", ())


def _kind(name: str, own: Fields) -> Kind:
    return Kind(name, tuple(own))


_ACTIONS = (
    *_actions(
        "purchase",
        "Purchase",
        "Something was bought.",
        fields.PURCHASE,
        _kind("Purchase", fields.PURCHASE),
    ),
    *_actions(
        "initiateCheckout",
        "Initiate Checkout",
        "A checkout began.",
        fields.INITIATE_CHECKOUT,
        _kind("InitiateCheckout", fields.INITIATE_CHECKOUT),
    ),
    *_actions(
        "addToCart",
        "Add to Cart",
        "A product went into the cart.",
        fields.ADD_TO_CART,
        _kind("AddToCart", fields.ADD_TO_CART),
    ),
    *_actions(
        "viewContent",
        "View Content",
        "A product was looked at.",
        fields.VIEW_CONTENT,
        _kind("ViewContent", fields.VIEW_CONTENT),
    ),
    *_actions(
        "search",
        "Search",
        "Something was looked for.",
        fields.SEARCH,
        _kind("Search", fields.SEARCH),
    ),
    *_actions("pageView", "Page View", "A page was opened.", {}, Kind("PageView", None)),
    *_actions(
        "custom",
        "Custom Event",
        "Any other event, Meta's or your own.",
        {"event_name": fields.EVENT_NAME},
        Kind(None, has_source_check=False),
    ),
)

_WORTH = {"currency": fields.UPPER, "value": fields.AMOUNT}


def _standard(name: str, meta_name: str, event_name: str) -> Preset:
    """One of Meta's standard events that has no action of its own."""
    subscribe = f'type = "track" and event = "{event_name}"'
    return Preset(name, "custom2", subscribe, {"event_name": meta_name, "custom_data": _WORTH})


class FacebookConversionsApi(ActionDestination, frozen=True):
    """Settings of `type = "facebook-conversions-api"`."""

    title: ClassVar[str] = "Facebook Conversions API (Actions)"
    also_called: ClassVar[tuple[str, ...]] = ("Facebook Conversions API",)
    summary: ClassVar[str] = (
        "Meta's Conversions API: purchases and what leads to them, with hashed identities."
    )
    default_endpoint: ClassVar[str | None] = "https://graph.facebook.com"
    batch: ClassVar[int] = MOST
    max_batch: ClassVar[int] = MOST
    actions: ClassVar[Mapping[str, Action]] = by_name(*_ACTIONS)
    presets: ClassVar[Sequence[Preset]] = (
        Preset("Page View", "pageView2", 'type = "page"'),
        Preset("View Content", "viewContent2", 'type = "track" and event = "Product Viewed"'),
        Preset("Search", "search2", 'type = "track" and event = "Products Searched"'),
        Preset("Add to Cart", "addToCart2", 'type = "track" and event = "Product Added"'),
        Preset("Initiate Checkout", "initiateCheckout2", 'type = "track" and event = "Checkout Started"'),
        Preset("Purchase", "purchase2", 'type = "track" and event = "Order Completed"'),
        _standard("Add to Wishlist", "AddToWishlist", "Product Added to Wishlist"),
        _standard("Add Payment Info", "AddPaymentInfo", "Payment Info Entered"),
        _standard("Complete Registration", "CompleteRegistration", "Signed Up"),
    )
    differences: ClassVar[Sequence[str]] = (
        "Up to 1,000 events go in one request; Segment sends each alone.",
        "By default `event_time` is whole seconds, as Meta documents it; Segment sends the text of `timestamp`.",
        (
            "An event over seven days old (62 for `physical_store`) is refused alone, for Meta would refuse "
            "everything sent with it."
        ),
        "There are presets; Segment has none for Meta.",
        (
            "`action_source` is `website` by default where there is a page and a user agent, else `other`; Segment "
            "asks for it in every mapping."
        ),
        "`currency` is put in capitals by default, and `value` falls back from `revenue` to `value` and `total`.",
        (
            "Products are known by `product_id` or else `sku`, and an event that has neither is sent without "
            "`contents`; Segment's default refuses it."
        ),
        "`content_type` is `product` by default.",
        (
            "Gender and country are sent too by default, e-mail and phone fall back to the event's properties, and a "
            "birthday is written without hyphens before it is hashed, as Meta asks."
        ),
    )
    notes: ClassVar[Sequence[str]] = (
        (
            "Meta counts one of two events with the same `event_id` and `event_name` within 48 hours: give the pixel "
            "the `messageId` as its `eventID` and nothing counts twice."
        ),
        (
            "A request of which one event is wrong is refused whole; relay sends it again in halves until that "
            "event is alone."
        ),
        "App events need a dataset in place of the pixel, `action_source` `app` and `use_app_data`.",
    )

    pixel_id: Annotated[str, about("The pixel, or a dataset.")]
    access_token: Annotated[
        str | None, secret("A system user's token, from the pixel's settings in Events Manager.")
    ] = None
    test_event_code: Annotated[
        str | None, about("Shows everything among the test events of Events Manager.")
    ] = None
