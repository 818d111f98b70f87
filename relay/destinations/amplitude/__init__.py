"""Amplitude: events to HTTP V2, users and groups to Identify, aliases to User Mapping.

Events travel in arrays; Amplitude takes up to 2,000 in a request of 1 MB (20 MB at `/batch`) and answers 413 beyond.
It takes an `insert_id` once within seven days. fields says what is taken of an event, events what is made of it,
flows what is asked, replies what the answers to a batch mean.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from relay.destinations.actions import Action, ActionDestination, Preset, by_name
from relay.destinations.actions.fields import boolean, record, template, text
from relay.destinations.actions.requests import bare_request, basic
from relay.destinations.amplitude import fields, flows
from relay.destinations.base import Steps, about, secret

MAX_EVENTS = 2000  # Amplitude, HTTP V2: events a request
MAX_ORDERS = 200  # each with as many events as it has items
MAX_IDENTIFIES = 1024  # Amplitude, Identify and Group Identify: identifications a request

_EVENT: dict[str, Any] = {
    "perform": flows.send_event,
    "perform_batch": flows.send_events,
    "max_batch": MAX_EVENTS,
}

LOG_EVENT = Action(
    name="logEvent",
    title="Log event",
    about="An event. The campaign and the referrer are kept with the user.",
    fields={
        **fields.EVENT,
        **fields.products(is_sent=False),
        **fields.CAMPAIGN,
        **fields.SEND_REVENUE,
    },
    batch_key=flows.batch_key,
    **_EVENT,
)

LOG_EVENT_V2 = Action(
    name="logEventV2",
    title="Log event, with user properties",
    about="An event, with properties to set, to set once, or to add to for its user.",
    fields={
        **fields.EVENT,
        **fields.products(is_sent=False),
        **fields.SET,
        **fields.SEND_REVENUE,
    },
    batch_key=flows.batch_key,
    **_EVENT,
)

LOG_PURCHASE = Action(
    name="logPurchase",
    title="Log purchase",
    about="An order with its revenue, and an event `Product Purchased` for each of its items.",
    fields={
        "trackRevenuePerProduct": boolean(
            "Whether the items have the revenue, not the order.", default=False
        ),
        **fields.EVENT,
        **fields.products(is_sent=True),
        **fields.CAMPAIGN,
    },
    perform=flows.send_order,
    perform_batch=flows.send_orders,
    max_batch=MAX_ORDERS,
    batch_key=flows.batch_key,
)

IDENTIFY_USER = Action(
    name="identifyUser",
    title="Identify user",
    about="A user's properties.",
    fields={
        **fields.WHO,
        "user_properties": record("The user's properties.", default={"@path": "$.traits"}),
        "groups": record("The groups the user is in: their kinds and values."),
        **fields.DEVICE,
        "paying": boolean("Whether the user pays."),
        "start_version": text("The app's version that the user began with."),
        **fields.INSERT_ID,
        **fields.AGENT,
        **fields.CAMPAIGN,
        **fields.MIN_ID_LENGTH,
        "library": text("The library that sent the event.", default={"@path": "$.context.library.name"}),
    },
    perform=flows.identify,
    perform_batch=flows.identify_all,
    max_batch=MAX_IDENTIFIES,
    batch_key=flows.batch_key,
)

GROUP_IDENTIFY_USER = Action(
    name="groupIdentifyUser",
    title="Identify group",
    about="A group's properties, and that the user belongs to it.",
    fields={
        **fields.WHO,
        **fields.INSERT_ID,
        "time": text("When it happened.", default={"@path": "$.timestamp"}),
        "group_properties": record("The group's properties.", default={"@path": "$.traits"}),
        "group_type": text("The kind of group.", required=True),
        "group_value": text("Which group of its kind.", required=True),
        **fields.MIN_ID_LENGTH,
    },
    perform=flows.group,
    perform_batch=flows.group_all,
    max_batch=MAX_IDENTIFIES,
    batch_key=flows.batch_key,
)

MAP_USER = Action(
    name="mapUser",
    title="Map user",
    about="Two user ids that are one person.",
    fields={
        "user_id": text("The id to be mapped.", default={"@path": "$.previousId"}),
        "global_user_id": text("The id it is mapped to.", default={"@path": "$.userId"}),
        **fields.MIN_ID_LENGTH,
    },
    perform=flows.map_user,
    perform_batch=flows.map_users,
    max_batch=MAX_IDENTIFIES,
    batch_key=flows.batch_key,
)

_VIEWED = {"event_type": template("Viewed {{name}}")}


class Amplitude(ActionDestination, frozen=True):
    """Settings of `type = "amplitude"`."""

    title: ClassVar[str] = "Actions Amplitude"
    also_called: ClassVar[tuple[str, ...]] = ("Amplitude",)
    summary: ClassVar[str] = "Amplitude: events, revenue, users and groups."
    default_endpoint: ClassVar[str] = "https://api2.amplitude.com"
    batch: ClassVar[int] = 1000
    max_batch: ClassVar[int] = MAX_EVENTS
    actions: ClassVar[Mapping[str, Action]] = by_name(
        LOG_EVENT, LOG_EVENT_V2, LOG_PURCHASE, IDENTIFY_USER, GROUP_IDENTIFY_USER, MAP_USER
    )
    presets: ClassVar[Sequence[Preset]] = (
        Preset("Tracks", "logEventV2", 'type = "track" and event != "Order Completed"'),
        Preset("Orders", "logPurchase", 'type = "track" and event = "Order Completed"'),
        Preset("Pages", "logEventV2", 'type = "page"', _VIEWED),
        Preset("Screens", "logEventV2", 'type = "screen"', _VIEWED),
        Preset("Users", "identifyUser", 'type = "identify"'),
    )
    differences: ClassVar[Sequence[str]] = (
        "Events travel in batches, up to 2,000 a request, and so do users, groups and aliases.",
        "`insert_id` is the `messageId`, so that Amplitude takes an event that is sent twice only once.",
        "A track that carries `revenue` counts as revenue, not only Order Completed (`sendRevenue`).",
        "An item's `product_id` becomes its `productId`; `currency` goes along with revenue.",
        "`min_id_length` is 1, so that users and devices with short ids are not refused.",
        "Tracks send no `products` and no `use_batch_endpoint` of their own, which Amplitude has no use for.",
    )
    notes: ClassVar[Sequence[str]] = (
        "Amplitude takes 30 events a second of one user or device, and answers 429 beyond.",
        "When it refuses single events of a batch, these are dead letters and the others are sent again.",
        "Groups and aliases need a subscription of their own: they are part of paid plans only.",
    )

    api_key: Annotated[str, secret("The project's API key.")]
    secret_key: Annotated[
        str, secret("The project's secret key; it is only needed to check the credentials.")
    ] = ""
    endpoint: Annotated[Literal["north_america", "europe"], about("Where the project's data is kept.")] = (
        "north_america"
    )

    def url(self, path: str) -> str:
        """The address of one of the upload APIs in the project's region."""
        if self.endpoint == "europe":
            return f"https://api.eu.amplitude.com/{path}"
        return f"https://api{'' if path == 'usermap' else '2'}.amplitude.com/{path}"

    @property
    def place(self) -> str:
        return self.url("2/httpapi")

    @property
    def untested(self) -> str | None:
        return None if self.secret_key else "no `secretKey`"

    def check(self) -> Steps:
        """Search for a user who need not exist."""
        host = "analytics.eu.amplitude.com" if self.endpoint == "europe" else "amplitude.com"
        url = f"https://{host}/api/2/usersearch?user=testUser@example.com"
        yield bare_request("GET", url, basic(self.api_key, self.secret_key))
