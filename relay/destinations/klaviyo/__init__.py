"""Klaviyo: profiles, lists, consent and events, by its JSON:API of revision 2025-01-15.

Events are deduplicated by `unique_id`, which is the messageId, for one person and metric. Jobs take many profiles
or events a request; Klaviyo works through them later and does not say what became of each.

api     requests, and what their answers mean
people  ids and phone numbers
events, orders, profiles, lists, consent   the actions
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from relay.destinations.actions import Action, ActionDestination, Preset, by_name
from relay.destinations.base import Steps, secret
from relay.destinations.klaviyo.api import API, get
from relay.destinations.klaviyo.consent import SUBSCRIBE_PROFILE, UNSUBSCRIBE_PROFILE
from relay.destinations.klaviyo.events import MAX_EVENTS, TRACK_EVENT
from relay.destinations.klaviyo.lists import REMOVE_PROFILE, REMOVE_PROFILE_FROM_LIST
from relay.destinations.klaviyo.orders import ORDER_COMPLETED
from relay.destinations.klaviyo.profiles import ADD_PROFILE_TO_LIST, UPSERT_PROFILE

_ORDER = "Order Completed"


class Klaviyo(ActionDestination, frozen=True, rename=None):
    """Settings of `type = "klaviyo"`."""

    title: ClassVar[str] = "Klaviyo (Actions)"
    also_called: ClassVar[tuple[str, ...]] = ("Klaviyo",)
    summary: ClassVar[str] = "Klaviyo: profiles, lists, consent and events."
    default_endpoint: ClassVar[str | None] = "https://a.klaviyo.com"
    batch: ClassVar[int] = MAX_EVENTS
    max_batch: ClassVar[int] = 10_000  # Klaviyo: /profile-bulk-import-jobs/
    actions: ClassVar[Mapping[str, Action]] = by_name(
        UPSERT_PROFILE,
        ADD_PROFILE_TO_LIST,
        REMOVE_PROFILE_FROM_LIST,
        TRACK_EVENT,
        ORDER_COMPLETED,
        SUBSCRIBE_PROFILE,
        UNSUBSCRIBE_PROFILE,
        REMOVE_PROFILE,
    )
    presets: ClassVar[Sequence[Preset]] = (
        Preset("Upsert profile", "upsertProfile", 'type = "identify"'),
        Preset("Track event", "trackEvent", f'type = "track" and event != "{_ORDER}"'),
        Preset("Order completed", "orderCompleted", f'type = "track" and event = "{_ORDER}"'),
    )
    differences: ClassVar[Sequence[str]] = (
        "There are presets, for identify and track calls and for Order Completed; Segment has none.",
        "An event belongs to the person with the user id, the anonymous id and the address in `context.traits`.",
        "A profile has the user id as `external_id`, and all traits as properties of its own.",
        "An event without properties is sent with none.",
        "An event's value is its revenue, an order's its total, else its revenue.",
        (
            "Each product of an order is an event of its own, with a key made of the messageId, so that trying again"
            " adds none."
        ),
        "Profiles, consent and orders go in jobs too, not one by one.",
        "A profile that cannot be made is not put on a list: the error decides what happens next.",
        (
            "An event of a batch with a phone number that cannot be read is refused, also when consent is given or"
            " withdrawn."
        ),
        "`country_code` may also be PS, TW or XK.",
        "Profiles of several lists never share a request.",
        "Profiles to be removed are looked up 100 at a time, and on all pages of the answer.",
    )
    notes: ClassVar[Sequence[str]] = (
        (
            "Phone numbers must be E.164 (`+14155550132`); others are refused unless `country_code` says of which"
            " country they are."
        ),
        (
            "Klaviyo limits each path to so many requests a second and a minute: 350 and 3,500 for events, 75 and 700"
            " for profiles, 10 and 150 for jobs and lists. A 429 says how long to wait, and relay does."
        ),
        "A request holds 5 MB, an event 300 properties.",
        "What a job does with each profile or event is shown in Klaviyo only.",
    )

    api_key: Annotated[str, secret("A private API key, with read and write access to what is used.")]

    def check(self) -> Steps:
        """Ask for the account the key belongs to."""
        yield get(self, f"{API}/accounts/")
