"""Mixpanel: events to /import, identities to /track, profiles to /engage and /groups; each takes up to 2,000 at once.

An event is deduplicated by its name, time, `distinct_id` and `$insert_id`. fields says what is taken of an event, events
and profiles what is made of it, flows what is asked and what the answers mean.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from relay.destinations.actions import Action, ActionDestination, Preset, by_name
from relay.destinations.actions.fields import boolean, either, path, record, template, text
from relay.destinations.actions.requests import json_request
from relay.destinations.base import Steps, about, secret
from relay.destinations.mixpanel import fields, flows

MAX_EVENTS = 2000  # Mixpanel, Import Events, Track Events, User and Group Profile Limits: a request
MAX_ORDERS = 200  # each with as many events as it has items
USUAL_EVENTS = 1000

_NAME = {"event": text("The event's name.", default=path("$.event"), required=True)}
_IDS = {
    "user_id": text("The user's id.", default=path("$.userId"), allow_null=True),
    "anonymous_id": text(
        "The id from before the user was known.", default=path("$.anonymousId"), allow_null=True
    ),
}
_IP = {"ip": text("The IP address, for the place; it is not kept.", default=path("$.context.ip"))}

TRACK_EVENT = Action(
    name="trackEvent",
    title="Track event",
    about="An event.",
    fields={**_NAME, **fields.EVENT},
    perform=flows.track,
    perform_batch=flows.track_all,
    max_batch=MAX_EVENTS,
    keeps_empty_in_batches=True,
)

TRACK_PURCHASE = Action(
    name="trackPurchase",
    title="Track purchase",
    about="An order, and an event `Product Purchased` for each of its items.",
    fields={
        "generatePurchaseEventPerProduct": boolean("Whether items have events of their own.", default=True),
        **fields.EVENT,
        **fields.PRODUCTS,
        **_NAME,
    },
    perform=flows.purchase,
    perform_batch=flows.purchase_all,
    max_batch=MAX_ORDERS,
    keeps_empty_in_batches=True,
)

IDENTIFY_USER = Action(
    name="identifyUser",
    title="Identify user",
    about="A user's traits, and that the anonymous id is the same user.",
    fields={**_IP, **_IDS, "traits": record("The user's traits.", default=path("$.traits"))},
    perform=flows.identify,
    perform_batch=flows.identify_all,
    max_batch=MAX_EVENTS,
)

GROUP_IDENTIFY_USER = Action(
    name="groupIdentifyUser",
    title="Identify group",
    about="A group's traits.",
    fields={
        "group_key": text(
            "The kind of group, as it is set up in Mixpanel; `$group_id` where nothing is said."
        ),
        "group_id": text(
            "The group; a trait named like the kind goes before.", default=path("$.groupId"), required=True
        ),
        "traits": record("The group's traits.", default=path("$.traits")),
    },
    perform=flows.group,
    perform_batch=flows.group_all,
    max_batch=MAX_EVENTS,
)

ALIAS = Action(
    name="alias",
    title="Alias",
    about="Another id of a user, for projects that do not merge identities yet.",
    fields={
        "alias": text("The other id.", default=either("$.userId", "$.anonymousId"), allow_null=True),
        "distinct_id": text("The id that it is for.", default=path("$.previousId")),
    },
    perform=flows.alias,
    perform_batch=flows.alias_all,
    max_batch=MAX_EVENTS,
)

INCREMENT_PROPERTIES = Action(
    name="incrementProperties",
    title="Increment properties",
    about="Numbers to add to those of a user.",
    fields={
        **_IP,
        **_IDS,
        "increment": record(
            "What to add, by the property's name.", default=path("$.properties.increment"), required=True
        ),
    },
    perform=flows.increment,
    perform_batch=flows.increment_all,
    max_batch=MAX_EVENTS,
)

_VIEWED = {"event": template("Viewed {{name}}")}
_HOSTS = {"US": "api", "EU": "api-eu", "IN": "api-in"}


class Mixpanel(ActionDestination, frozen=True):
    """Settings of `type = "mixpanel"`."""

    title: ClassVar[str] = "Mixpanel (Actions)"
    also_called: ClassVar[tuple[str, ...]] = ("Mixpanel",)
    summary: ClassVar[str] = "Mixpanel: events, users and groups."
    default_endpoint: ClassVar[str] = "https://api.mixpanel.com"
    batch: ClassVar[int] = USUAL_EVENTS
    max_batch: ClassVar[int] = MAX_EVENTS
    actions: ClassVar[Mapping[str, Action]] = by_name(
        TRACK_EVENT, TRACK_PURCHASE, IDENTIFY_USER, GROUP_IDENTIFY_USER, ALIAS, INCREMENT_PROPERTIES
    )
    presets: ClassVar[Sequence[Preset]] = (
        Preset("Tracks", "trackEvent", 'type = "track" and event != "Order Completed"'),
        Preset("Orders", "trackPurchase", 'type = "track" and event = "Order Completed"'),
        Preset("Pages", "trackEvent", 'type = "page"', _VIEWED),
        Preset("Screens", "trackEvent", 'type = "screen"', _VIEWED),
        Preset("Users", "identifyUser", 'type = "identify"'),
        Preset("Groups", "groupIdentifyUser", 'type = "group"'),
    )
    differences: ClassVar[Sequence[str]] = (
        "Users, groups and aliases travel in batches too, up to 2,000 a request.",
        "Of a batch that Mixpanel refuses in part only the refused events are dead letters.",
        "A `messageId` that Mixpanel refuses as `$insert_id`, as those of analytics.js, is hashed (`fit_insert_id`).",
        "An answer 200 that says nothing was taken is a refusal.",
    )
    notes: ClassVar[Sequence[str]] = (
        "Mixpanel takes 2 GB a minute, about 30,000 events a second, and answers 429 beyond.",
        "It refuses events from before 1971 or more than an hour ahead, and ids such as `anonymous` or `null`.",
        "Aliases need a subscription of their own: projects that merge identities have no use for them.",
    )

    project_token: Annotated[str, secret("The project's token.")]
    api_secret: Annotated[str, secret("The project's API secret.")]
    api_region: Annotated[
        Literal["US", "EU", "IN", "US 🇺🇸", "EU 🇪🇺", "IN 🇮🇳"], about("Where the project's data is kept.")
    ] = "US"
    source_name: Annotated[str | None, about("Sent with every event as `segment_source_name`.")] = None
    strict_mode: Annotated[
        Literal["1", "0"], about("`1`: Mixpanel says which events it refuses. `0`: it drops them silently.")
    ] = "1"

    def url(self, path: str) -> str:
        """The address of one of the ingestion APIs in the project's region."""
        return f"https://{_HOSTS[self.api_region[:2]]}.mixpanel.com/{path}"

    @property
    def place(self) -> str:
        return self.url("import")

    def check(self) -> Steps:
        """Ask whether token and secret belong together."""
        yield json_request(
            "POST",
            "https://mixpanel.com/api/app/validate-project-credentials/",
            {"api_secret": self.api_secret, "project_token": self.project_token},
        )
