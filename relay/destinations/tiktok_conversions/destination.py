"""The destination: settings, the action, its presets, and the flows that send one event or many."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Annotated, Any, ClassVar

from relay.destinations.actions import Action, ActionDestination, Call, Preset, by_name
from relay.destinations.actions.requests import json_request
from relay.destinations.base import Request, Steps, about, secret
from relay.destinations.errors import Refused
from relay.destinations.reply import Reply
from relay.destinations.tiktok_conversions.events import event, source
from relay.destinations.tiktok_conversions.fields import FIELDS, PRODUCT, PRODUCTS, WEB
from relay.destinations.tiktok_conversions.replies import complaint

TRACK = "https://business-api.tiktok.com/open_api/v1.3/event/track/"
MOST = 1000  # TikTok, Events API 2.0: events a request
PARTNER = "Segment"  # what integrations made for Segment's mappings are known as at TikTok
_HEADER = "Access-Token"
_NOT_THE_TOKEN = 400


def _report(settings: "TiktokConversions", call: Call) -> Steps:
    reply = yield settings.track(call, [event(call)])
    _raise_for(reply)


def _report_batch(settings: "TiktokConversions", calls: Sequence[Call]) -> Steps:
    made: list[dict[str, Any]] = []
    results: list[Refused | None] = []
    for call in calls:
        try:
            made.append(event(call))
            results.append(None)
        except Refused as error:
            results.append(error)
    if made:
        reply = yield settings.track(calls[0], made)
        _raise_for(reply)
    return results


def _raise_for(reply: Reply) -> None:
    error = complaint(reply)
    if error is not None:
        raise error


def _place(call: Call) -> Hashable:
    """What is said once for a whole request."""
    return source(call), call.get("test_event_code")


REPORT = Action(
    name="reportWebEvent",
    title="Report Web Event",
    about="An event of a website or a CRM.",
    fields=FIELDS,
    perform=_report,
    perform_batch=_report_batch,
    max_batch=MOST,
    batch_key=_place,
)


def _preset(name: str, subscribe: str, event_name: str, contents: Any = None) -> Preset:
    changes = {"event": event_name} | ({} if contents is None else {"contents": contents})
    return Preset(name, REPORT.name, subscribe, changes)


class TiktokConversions(ActionDestination, frozen=True):
    """Settings of `type = "tiktok-conversions"`."""

    title: ClassVar[str] = "Tiktok Conversions"
    also_called: ClassVar[tuple[str, ...]] = ("TikTok Conversions",)
    summary: ClassVar[str] = "TikTok's Events API: what visitors of a website do, with hashed identities."
    default_endpoint: ClassVar[str | None] = "https://business-api.tiktok.com"
    batch: ClassVar[int] = MOST
    max_batch: ClassVar[int] = MOST
    actions: ClassVar[Mapping[str, Action]] = by_name(REPORT)
    presets: ClassVar[Sequence[Preset]] = (
        _preset("Complete Payment", 'event = "Order Completed"', "CompletePayment", PRODUCTS),
        _preset("Contact", 'event = "Callback Started"', "Contact"),
        _preset("Subscribe", 'event = "Subscription Created"', "Subscribe"),
        _preset("Submit Form", 'event = "Form Submitted"', "SubmitForm"),
        _preset("Page View", 'type = "page"', "PageView", PRODUCTS),
        _preset("View Content", 'event = "Product Viewed"', "ViewContent", PRODUCT),
        _preset("Click Button", 'event = "Product Clicked"', "ClickButton", PRODUCT),
        _preset("Search", 'event = "Products Searched"', "Search", PRODUCT),
        _preset("Add to Wishlist", 'event = "Product Added to Wishlist"', "AddToWishlist", PRODUCT),
        _preset("Add to Cart", 'event = "Product Added"', "AddToCart", PRODUCT),
        _preset("Initiate Checkout", 'event = "Checkout Started"', "InitiateCheckout", PRODUCTS),
        _preset("Add Payment Info", 'event = "Payment Info Entered"', "AddPaymentInfo", PRODUCTS),
        _preset("Place an Order", 'event = "Order Placed"', "PlaceAnOrder", PRODUCTS),
        _preset("Download", 'event = "Download Link Clicked"', "Download"),
        _preset("Complete Registration", 'event = "Signed Up"', "CompleteRegistration"),
    )
    differences: ClassVar[Sequence[str]] = (
        "Up to 1,000 events go in one request; Segment sends each alone.",
        (
            "A `code` other than 0 in TikTok's answer is a failure: 40100 and 50000 and up are tried again, the rest "
            "are dead letters. Segment takes every 200 for a delivery."
        ),
        "A `timestamp` that is no date refuses the event; Segment sends it without a time.",
        (
            "By default names and postal codes are also found as `firstName`, `lastName` and `postalCode`, the "
            "drivetrain as `drivetrain`, and `value` falls back to `total`."
        ),
    )
    notes: ClassVar[Sequence[str]] = (
        (
            "TikTok counts one of two events with the same `event_id` and `event` within 48 hours: give the pixel "
            "the `messageId` as its `event_id` and nothing counts twice."
        ),
        (
            "A request of which one event is wrong is refused whole; relay sends it again in halves until that "
            "event is alone."
        ),
    )

    access_token: Annotated[str, secret("An access token of the Events API.")]
    pixel_code: Annotated[str, about("The pixel.")]

    def track(self, call: Call, events: Sequence[dict[str, Any]]) -> Request:
        """The request that reports `events`."""
        code = call.get("test_event_code")
        return self._request(source(call), events, {"test_event_code": code} if code else {})

    def check(self) -> Steps:
        """Reports no event at all: TikTok looks at the token first, and complains of the rest when that is good."""
        reply = yield self._request(WEB, [], {})
        error = complaint(reply)
        if error is not None and error.status != _NOT_THE_TOKEN:
            raise error

    def _request(self, place: str, events: Sequence[dict[str, Any]], more: Mapping[str, str]) -> Request:
        body = {
            "event_source": place,
            "event_source_id": self.pixel_code,
            "partner_name": PARTNER,
            **more,
            "data": events,
        }
        token = {_HEADER: self.access_token}
        return json_request("POST", TRACK, body, token, secret=frozenset((_HEADER,)))
