"""Braze: profiles, events, purchases, catalogs and messages, by its REST API.

/users/track takes 75 objects a request (events, attributes, or a purchase for each product) and answers for each of
them. There is no key that events are deduplicated by: what is sent twice is counted twice.

who          the ids people are known by
users_track  the request that most actions make
events, purchases, ecommerce, profiles, aliases, messages, catalogs   the actions
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from relay.destinations.actions import Action, ActionDestination, Preset, by_name
from relay.destinations.actions.fields import path
from relay.destinations.base import about, secret
from relay.destinations.braze import ecommerce
from relay.destinations.braze.aliases import CREATE_ALIAS, CREATE_ALIAS_2, IDENTIFY_USER, IDENTIFY_USER_2
from relay.destinations.braze.catalogs import UPSERT_CATALOG_ITEM
from relay.destinations.braze.events import TRACK_EVENT, TRACK_EVENT_2
from relay.destinations.braze.messages import TRIGGER_CAMPAIGN, TRIGGER_CANVAS
from relay.destinations.braze.profiles import UPDATE_USER_PROFILE, UPDATE_USER_PROFILE_2
from relay.destinations.braze.purchases import TRACK_PURCHASE, TRACK_PURCHASE_2
from relay.destinations.braze.users_track import MAX_OBJECTS

_DEFAULT_ENDPOINT = "https://rest.iad-01.braze.com"
Endpoint = Literal[
    "https://rest.iad-01.braze.com",
    "https://rest.iad-02.braze.com",
    "https://rest.iad-03.braze.com",
    "https://rest.iad-04.braze.com",
    "https://rest.iad-05.braze.com",
    "https://rest.iad-06.braze.com",
    "https://rest.iad-07.braze.com",
    "https://rest.iad-08.braze.com",
    "https://rest.us-09.braze.com",
    "https://rest.us-10.braze.com",
    "https://rest.fra-01.braze.eu",
    "https://rest.fra-02.braze.eu",
    "https://rest.au-01.braze.com",
    "https://rest.id-01.braze.com",
    "https://rest.jp-01.braze.com",
]

_ORDERS = {  # of the Segment spec's events: what Braze calls them, and the page kept as metadata
    "Order Completed": (ecommerce.ORDER_PLACED, "order_status_url"),
    "Checkout Started": (ecommerce.CHECKOUT_STARTED, "checkout_url"),
    "Order Refunded": (ecommerce.ORDER_REFUNDED, "order_status_url"),
    "Order Cancelled": (ecommerce.ORDER_CANCELLED, "order_status_url"),
}
_PRODUCT_VIEWED = "Product Viewed"


def _order(event: str, name: str, page: str) -> Preset:
    changes: dict[str, Any] = {"name": name, "metadata": {page: path(f"$.properties.{page}")}}
    return Preset(event, "ecommerce", f'type = "track" and event = "{event}"', changes)


def _other_tracks() -> str:
    names = (*_ORDERS, _PRODUCT_VIEWED)
    return " and ".join(['type = "track"', *(f'event != "{name}"' for name in names)])


class Braze(ActionDestination, frozen=True, rename=None):
    """Settings of `type = "braze"`."""

    title: ClassVar[str] = "Braze Cloud Mode (Actions)"
    also_called: ClassVar[tuple[str, ...]] = ("Braze",)
    summary: ClassVar[str] = "Braze: profiles, events, purchases and messages."
    default_endpoint: ClassVar[str | None] = _DEFAULT_ENDPOINT
    batch: ClassVar[int] = MAX_OBJECTS
    max_batch: ClassVar[int] = MAX_OBJECTS
    actions: ClassVar[Mapping[str, Action]] = by_name(
        UPDATE_USER_PROFILE,
        TRACK_EVENT,
        TRACK_PURCHASE,
        CREATE_ALIAS,
        IDENTIFY_USER,
        IDENTIFY_USER_2,
        TRACK_EVENT_2,
        TRACK_PURCHASE_2,
        UPDATE_USER_PROFILE_2,
        CREATE_ALIAS_2,
        UPSERT_CATALOG_ITEM,
        TRIGGER_CAMPAIGN,
        TRIGGER_CANVAS,
        ecommerce.ECOMMERCE,
        ecommerce.ECOMMERCE_SINGLE_PRODUCT,
    )
    presets: ClassVar[Sequence[Preset]] = (
        Preset("Track calls", "trackEvent", _other_tracks()),
        *(_order(event, name, page) for event, (name, page) in _ORDERS.items()),
        Preset(
            "Product viewed",
            "ecommerceSingleProduct",
            f'type = "track" and event = "{_PRODUCT_VIEWED}"',
            {"name": ecommerce.PRODUCT_VIEWED},
        ),
        Preset("Identify calls", "updateUserProfile", 'type = "identify"'),
    )
    differences: ClassVar[Sequence[str]] = (
        "Events and purchases are dated by `timestamp`, when they happened, not by `receivedAt`.",
        (
            "Ecommerce events are not refused for what the Segment spec does not ask for: `source` falls back to the"
            " library's name, `variant_id` to the sku and the product's id, a product's name to its id, its quantity"
            " to 1, `total_value` to `value` and `revenue`, `checkout_id` to the order's id, `cancel_reason` to"
            ' "unspecified"; a currency in small letters is taken.'
        ),
        "A purchase whose product names no currency has the order's, before US dollars.",
        "The address of a purchase comes from `context.traits` or `properties`: track events have no `traits`.",
        "`braze_id` of a profile comes from `traits`, that of an event also from `context.traits`.",
        (
            "Orders are put into requests of 75 purchases at most; Segment fills one and tries the others again"
            " later."
        ),
        "Aliases are created 50 a request.",
        "Of two events of one catalog item in a request the later one is sent by itself; Segment refuses it.",
        (
            "What Braze reports against a single object in a reply that is a success fails that event, also when it"
            " was sent alone."
        ),
    )
    notes: ClassVar[Sequence[str]] = (
        "Braze has no key to tell an event sent twice by: after a lost answer an event may be counted twice.",
        "75 objects a request, 3,000 requests in 3 seconds to /users/track; attributes count as data points.",
        "An event needs a user id, an alias, a `braze_id` or an address; one with an anonymous id only is refused.",
        "Segment waits 30 seconds for Braze's answer: `timeout` says how long relay does.",
        "An instance that is not among the endpoints: give its URL as the destination's own `endpoint`.",
    )

    api_key: Annotated[
        str, secret("A REST API key with the permissions users.track and those of what else is used.")
    ]
    app_id: Annotated[str | None, about("The app that events are of.")] = None
    endpoint: Annotated[Endpoint, about("The REST endpoint of your instance.")] = (
        "https://rest.iad-01.braze.com"
    )

    @property
    def place(self) -> str:
        """The instance's endpoint."""
        return self.endpoint
