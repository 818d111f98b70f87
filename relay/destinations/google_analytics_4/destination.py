"""Settings of `type = "google-analytics-4"`, and which events go there when nobody says otherwise."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from relay.destinations.actions import Action, ActionDestination, Preset
from relay.destinations.actions.fields import path
from relay.destinations.base import about, secret
from relay.destinations.google_analytics_4.events import ACTIONS
from relay.destinations.google_analytics_4.fields import APP, WEB

# Segment's events, and what they are called here
_NAMED: Mapping[str, str] = {
    "Order Completed": "purchase",
    "Order Refunded": "refund",
    "Product Added": "addToCart",
    "Product Removed": "removeFromCart",
    "Product Viewed": "viewItem",
    "Product Clicked": "selectItem",
    "Product List Viewed": "viewItemList",
    "Product Added to Wishlist": "addToWishlist",
    "Cart Viewed": "viewCart",
    "Checkout Started": "beginCheckout",
    "Payment Info Entered": "addPaymentInfo",
    "Promotion Viewed": "viewPromotion",
    "Promotion Clicked": "selectPromotion",
    "Products Searched": "search",
    "Signed Up": "signUp",
    "Signed In": "login",
}
_SCREEN: Mapping[str, Any] = {
    "data_stream_type": APP,
    "name": "screen_view",
    "params": {
        "@merge": {
            "objects": [path("$.properties"), {"screen_name": path("$.name")}],
            "direction": "right",
        }
    },
}


class GoogleAnalytics4(ActionDestination, frozen=True):
    """Settings: a stream of the web, of an app, or one of each."""

    title: ClassVar[str] = "Google Analytics 4 Cloud"
    also_called: ClassVar[tuple[str, ...]] = ("Google Analytics 4",)
    summary: ClassVar[str] = "Reports on what visitors do: GA4's own events by the Measurement Protocol."
    default_endpoint: ClassVar[str | None] = "https://www.google-analytics.com"
    batch: ClassVar[int] = 500  # looked through together for events of the same visitor; a request takes 25
    max_batch: ClassVar[int] = 2500
    actions: ClassVar[Mapping[str, Action]] = ACTIONS
    presets: ClassVar[Sequence[Preset]] = (
        *(Preset(event, action, f'type = "track" and event = "{event}"') for event, action in _NAMED.items()),
        Preset("Pages", "pageView", 'type = "page"'),
        Preset("Screens", "customEvent", 'type = "screen"', _SCREEN, needs="firebase_app_id"),
        Preset(
            "Other events",
            "customEvent",
            'type = "track"' + "".join(f' and event != "{event}"' for event in _NAMED),
        ),
    )
    differences: ClassVar[Sequence[str]] = (
        "Other events carry their properties as parameters; Segment sends none unless a mapping says so.",
        (
            "Parameters that Google Analytics cannot take are left out (objects, lists, null, reserved names, those"
            " beyond 25) or cut (names over 40 characters, texts over 100), and the event is sent; Segment refuses"
            " it, or sends it to be dropped. With `within_limits` false in a mapping relay does so too."
        ),
        (
            "Screens are sent as `screen_view` to the stream of the app, if there is a `firebaseAppId`; Segment sends"
            " none."
        ),
        "Up to 25 events of one visitor and one kind go in a request, each with its own time; Segment sends one.",
        "`user_id` is the user's id; Segment leaves it out.",
        (
            "An order without a total is worth its revenue, a product without a product_id is known by its sku, and"
            " a single product keeps its position."
        ),
        "Refunds carry their tax and coupon, payment details their coupon, sign-ins their method.",
        "Events go to the stream of the app when the settings have no other and the mapping names none.",
    )
    notes: ClassVar[Sequence[str]] = (
        "Google Analytics answers 2xx to everything: delivered means received, not counted.",
        "It takes an event that is older than 72 hours to be 72 hours old: replay old ones with care.",
        (
            "Events of an app need the instance id of its Firebase SDK; send it in"
            ' `integrations`: `{"Google Analytics 4 Cloud": {"appInstanceId": "…"}}`.'
        ),
        "Only orders are safe against repetition, by their id: a request whose answer is lost counts twice.",
        "`batch_size` is how many events are looked through for ones of the same visitor.",
        "For processing in the EU set `endpoint` to https://region1.google-analytics.com.",
    )

    api_secret: Annotated[str, secret("The API secret of the stream's Measurement Protocol.")]
    measurement_id: Annotated[
        str | None, about("The web stream's measurement id (G-…); this or `firebaseAppId` is needed.")
    ] = None
    firebase_app_id: Annotated[str | None, about("The Firebase app id of an app's stream.")] = None

    def __post_init__(self) -> None:
        if not (self.measurement_id or self.firebase_app_id):
            raise ValueError("measurementId or firebaseAppId is needed")

    @property
    def stream(self) -> str:
        """The stream of an event that names none."""
        return WEB if self.measurement_id or not self.firebase_app_id else APP
