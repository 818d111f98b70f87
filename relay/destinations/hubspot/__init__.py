"""HubSpot: contacts, companies, behavioural events and other records, by REST with a bearer token.

api        end points, and how values are written
contacts   one at a time, or 100 in a batch with a result for each
companies  by the group's id, with their contact
events     custom behavioural events that HubSpot knows, 100 in a batch
records    deals, tickets and custom objects, found by a search

custom_events  events that are defined on the way
objects        records by a field of their own, 100 in a batch, with associations
schema         the properties of a kind of record
cleaning       names and values for both

110 requests in ten seconds for an OAuth app, 100 or more for a private one, then 429; searches five a second.
No key against repeated requests: contacts and companies are upserted, so a repeat changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from relay.destinations.actions import Action, Preset, by_name
from relay.destinations.base import Steps, about
from relay.destinations.hubspot.api import API, BATCH, CONTACTS, get
from relay.destinations.hubspot.companies import UPSERT_COMPANY
from relay.destinations.hubspot.contacts import UPSERT_CONTACT
from relay.destinations.hubspot.custom_events import CUSTOM_EVENT
from relay.destinations.hubspot.events import SEND_EVENT
from relay.destinations.hubspot.objects import UPSERT_OBJECT
from relay.destinations.hubspot.records import UPSERT_RECORD
from relay.destinations.oauth import OAuth, OAuthDestination

_SCOPES = (
    "oauth",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.schemas.companies.read",
    "crm.schemas.companies.write",  # the property segment_group_id
)
_OPTIONAL_SCOPES = (  # those that only dearer plans have; asked for as such, they do not stop a login
    "analytics.behavioral_events.send",
    "behavioral_events.event_definitions.read_write",
    "crm.objects.custom.read",
    "crm.objects.custom.write",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    "tickets",
)


class Hubspot(OAuthDestination, frozen=True):
    """Settings of `type = "hubspot"`."""

    title: ClassVar[str] = "HubSpot Cloud Mode (Actions)"
    also_called: ClassVar[tuple[str, ...]] = ("HubSpot",)
    summary: ClassVar[str] = "Contacts, companies, behavioural events and other records in HubSpot."
    default_endpoint: ClassVar[str | None] = API
    batch: ClassVar[int] = BATCH
    max_batch: ClassVar[int] = BATCH
    actions: ClassVar[Mapping[str, Action]] = by_name(
        UPSERT_CONTACT, UPSERT_COMPANY, SEND_EVENT, UPSERT_RECORD, CUSTOM_EVENT, UPSERT_OBJECT
    )
    presets: ClassVar[Sequence[Preset]] = (
        Preset("Upsert Contact", "upsertContact", 'type = "identify" and traits.email != null'),
        Preset("Upsert Company", "upsertCompany", 'type = "group"'),
    )
    oauth_at: ClassVar[OAuth] = OAuth(
        authorize_url="https://app.hubspot.com/oauth/authorize",
        token_url=f"{API}/oauth/v1/token",
        scopes=_SCOPES,
        more={"optional_scope": " ".join(_OPTIONAL_SCOPES)},
    )

    differences: ClassVar[Sequence[str]] = (
        "By default a `company` trait that is an object gives the contact its `name`; Segment refuses the contact.",
        (
            "By default a hundred contacts go in one batch, and several events of one contact in it are merged; Segment"
            " sends one at a time, and of several in a batch only the last."
        ),
        "By default an identify without `traits.email` is not sent, for HubSpot knows contacts by email.",
        (
            "By default a company is saved whether or not a contact is known, and associated with the contact of"
            " `context.traits.email`; Segment refuses a company without an identify before it."
        ),
        (
            "A contact to associate is looked up by email, and created when there is none: relay does not remember the"
            " identify before. Map `contact_id` or `contact_email` when the events name it elsewhere."
        ),
        "A contact in a batch of which HubSpot says nothing is created; Segment forgets it.",
        "A contact or company created by somebody else meanwhile (409) is updated; Segment drops the event.",
        "A slash or question mark in an email or a group id is escaped in the URL; Segment sends it as it is.",
        (
            "In a batch of records each event has a result of its own, and two records may be associated with the same"
            " third one; Segment refuses the batch, and keeps one association."
        ),
        "A batch of records that HubSpot takes in part is sent again in halves, until the record that is wrong is alone.",
        "Sync mode `add` sends nothing for a record that exists; Segment sends an empty request.",
    )
    notes: ClassVar[Sequence[str]] = (
        (
            "The access token of a private app is enough: put it in `oauth.access_token`. It does not run out, and"
            " needs neither client id nor secret."
        ),
        (
            "Track events have no preset: HubSpot (Enterprise plans) must know each event. Subscribe"
            " `sendCustomBehavioralEvent` with the name HubSpot gave it, or `customEvent`, which defines events itself"
            " with sync mode `upsert`."
        ),
        (
            "110 requests in ten seconds for an OAuth app, 100 or more for a private one by the account's plan, then 429;"
            " searches five a second."
        ),
        "HubSpot must know every property that is sent, but for those of `customEvent` and `upsertObject`.",
        (
            "The property `segment_group_id` of companies is created when HubSpot lacks it, which needs the scope"
            " `crm.schemas.companies.write`."
        ),
        (
            "HubSpot has no key against repeated events: one that it took without its answer coming back counts twice."
            " Contacts, companies and objects are set again to the same."
        ),
        (
            "`upsertCustomObjectRecord` searches an index that is behind by seconds: two events of a new record that"
            " follow each other at once may create it twice. `upsertObject` does not."
        ),
        "`upsertObject` takes no lists and no `dissociations`.",
    )

    portal_id: Annotated[str | None, about("The Hub ID of your account, a number.")] = None

    def check(self) -> Steps:
        """Whether contacts may be read."""
        yield get(f"{CONTACTS}?limit=1")
