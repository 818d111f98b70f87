"""What the conformance test tries: every type of the catalogue, with each kind of flow that it has.

A subject is a destination made so that a plain track event "Tested" is sent and its messageId arrives, the vendor that
takes it, and what that vendor has of its own: limits, refusals of single events, other words for "later".
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from relay.destinations import CATALOGUE
from relay.destinations.actions import ActionDestination, Subscription
from relay.destinations.actions.fields import path, template
from relay.destinations.actions.route import SYNC_MODE
from tests.destinations import worlds
from tests.destinations.vendor import Door, Said, World
from tests.destinations.worlds import plain

SECRET = "very-5ecret"
LARGE = MappingProxyType({"text": "x" * 30_000})  # properties

MESSAGE = path("$.messageId")
EMAIL = template("{{messageId}}@example.com")
TEXT = path("$.properties.text")
WITH_MESSAGE = {"@merge": {"objects": [{"message": MESSAGE}, path("$.properties")], "direction": "right"}}

Settings = dict[str, Any]
Subscriptions = tuple[Subscription, ...] | None


class Later(msgspec.Struct, frozen=True):
    """An answer that means "later" and does not look so. `after`: the seconds it asks for."""

    said: Said
    after: float | None = None


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A destination, and its vendor.

    `most`, `most_bytes`: what a request may carry. `own_words`: what a dead letter says for a status instead of the
    vendor's reply. `sets_again`: begun anew it may set the same a second time.
    """

    kind: str
    settings: Settings
    doors: tuple[Door, ...]
    subscriptions: Subscriptions = None
    most: int = 1
    most_bytes: int | None = None
    large: Mapping[str, Any] = LARGE
    world: Callable[[], World] = plain(worlds.good)
    partial: World = worlds.whole
    later: tuple[Later, ...] = ()
    own_words: Mapping[int, str] = {}
    sets_again: bool = False

    @property
    def is_batched(self) -> bool:
        return self.most > 1


def asks(kind: str, action: str, **changes: Any) -> tuple[Subscription, ...]:
    """A subscription of all track events, its mapping the default one with `changes`."""
    it = CATALOGUE[kind]
    assert issubclass(it, ActionDestination)
    return (Subscription(action, 'type = "track"', it.actions[action].default_mapping(**changes)),)


def taking(method: str, at: str) -> Door:
    """A request by which events arrive."""
    return Door(method, at, takes=True)


LOGIN: Settings = {
    "oauth": {"access_token": SECRET, "clientId": f"id-{SECRET}", "clientSecret": f"client-{SECRET}"}
}
GOOGLE_ANALYTICS: Settings = {"apiSecret": SECRET, "measurementId": "G-1"}
SALESFORCE: Settings = {
    "instanceUrl": "https://it.my.salesforce.com",
    "auth_password": SECRET,
    "security_token": SECRET,
    **LOGIN,
}
WEBHOOK: Settings = {
    "url": "https://vendor.invalid/in",
    "headers": {"Authorization": SECRET},
    "sharedSecret": SECRET,
}
TOO_MANY_DEVICES = {"code": 429, "error": "Too many requests", "throttled_events": [0]}
RATE_LIMITS = {"results": [], "numErrors": 1, "errors": [{"category": "RATE_LIMITS"}]}
LIMIT_EXCEEDED, LOCKED = [{"errorCode": "REQUEST_LIMIT_EXCEEDED"}], [{"errorCode": "UNABLE_TO_LOCK_ROW"}]
DATA = "/services/data/v53[.]0"

SUBJECTS: dict[str, Subject] = {
    "webhook": Subject(kind="webhook", settings=WEBHOOK, doors=(taking("POST", "/in"),), most=10_000),
    "webhook mapped": Subject(
        kind="webhook",
        settings=WEBHOOK,
        subscriptions=asks("webhook", "send", url="https://vendor.invalid/mapped", method="PUT"),
        doors=(taking("PUT", "/mapped"),),
        most=10_000,
    ),
    "segment": Subject(
        kind="segment",
        settings={"writeKey": SECRET},
        doors=(taking("POST", "/v1/batch"),),
        most=2500,
        most_bytes=500_000,
    ),
    "relay": Subject(
        kind="relay",
        settings={"writeKey": SECRET},
        doors=(taking("POST", "/v1/batch"),),
        most=2500,
        most_bytes=500_000,
    ),
    "google-analytics-4": Subject(
        kind="google-analytics-4",
        settings=GOOGLE_ANALYTICS,
        subscriptions=asks("google-analytics-4", "customEvent", params=WITH_MESSAGE),
        doors=(taking("POST", f"/mp/collect[?]api_secret={SECRET}&measurement_id=G-1"),),
        most=25,
        most_bytes=130_000,
        large={f"parameter_{number}": "\N{SNOWMAN}" * 100 for number in range(24)},
        world=plain(lambda _: Said(204, "")),
    ),
    "google-enhanced-conversions": Subject(
        kind="google-enhanced-conversions",
        settings={**LOGIN, "developerToken": SECRET, "customerId": "123-456-7890"},
        subscriptions=asks(
            "google-enhanced-conversions",
            "uploadClickConversion2",
            conversion_action=1,
            custom_variables={"text": TEXT, "message": MESSAGE},
        ),
        doors=(
            Door("POST", "/v21/customers/1234567890/googleAds:searchStream"),
            taking("POST", "/v21/customers/1234567890:uploadClickConversions"),
        ),
        most=2000,
        world=plain(worlds.google_ads),
        partial=worlds.google_ads_partly,
        later=(
            Later(Said(body=worlds.google_ads_fault("TOO_RECENT_EVENT", 0), taken=worlds.NOT_TAKEN)),
            Later(Said(body=worlds.google_ads_fault("RESOURCE_EXHAUSTED", 0), taken=worlds.NOT_TAKEN)),
        ),
    ),
    "amplitude": Subject(
        kind="amplitude",
        settings={"apiKey": SECRET, "secretKey": SECRET},
        doors=(taking("POST", "/2/httpapi"),),
        most=2000,
        world=plain(lambda asked: Said(body={"code": 200, "events_ingested": len(asked.ids)})),
        partial=worlds.amplitude_partly,
        later=(Later(Said(429, TOO_MANY_DEVICES, {"Retry-After": "30"}), 30),),
    ),
    "mixpanel": Subject(
        kind="mixpanel",
        settings={"projectToken": SECRET, "apiSecret": SECRET},
        doors=(taking("POST", "/import[?]strict=1"),),
        most=2000,
        world=plain(worlds.mixpanel),
        partial=worlds.mixpanel_partly,
    ),
    "mixpanel users": Subject(
        kind="mixpanel",
        settings={"projectToken": SECRET, "apiSecret": SECRET},
        subscriptions=asks("mixpanel", "identifyUser", anonymous_id=MESSAGE, traits=WITH_MESSAGE),
        doors=(Door("POST", "/track"), taking("POST", "/engage")),
        most=2000,
        world=plain(worlds.mixpanel),
        partial=worlds.mixpanel_partly,
    ),
    "slack": Subject(
        kind="slack",
        settings={},
        subscriptions=asks(
            "slack",
            "postToChannel",
            url="https://hooks.slack.com/services/T0/B0/XyZ",
            text=template("{{messageId}} {{properties.text}}"),
        ),
        doors=(taking("POST", "/services/T0/B0/XyZ"),),
        world=plain(lambda _: Said(body="ok")),
    ),
    "intercom contacts": Subject(
        kind="intercom",
        settings=LOGIN,
        subscriptions=asks(
            "intercom", "identifyContact", external_id=MESSAGE, custom_attributes=WITH_MESSAGE
        ),
        doors=(
            Door("POST", "/contacts/search"),
            taking("POST", "/contacts"),
            taking("PUT", r"/contacts/m-\d+"),
        ),
        world=plain(worlds.intercom),
        later=(Later(Said(409, {"type": "error.list", "errors": [{"code": "conflict"}]})),),
    ),
    "intercom companies": Subject(
        kind="intercom",
        settings=LOGIN,
        subscriptions=asks("intercom", "groupIdentifyContact", company_id=MESSAGE),
        doors=(
            Door("POST", "/contacts/search"),
            Door("POST", "/companies"),
            taking("POST", "/contacts/c1/companies"),
        ),
        world=plain(worlds.intercom_knows),
    ),
    "intercom events": Subject(
        kind="intercom",
        settings=LOGIN,
        subscriptions=asks(
            "intercom", "trackEvent", user_id=path("$.nothing"), email=EMAIL, metadata=WITH_MESSAGE
        ),
        doors=(Door("POST", "/contacts/search"), taking("POST", "/events")),
        world=plain(worlds.intercom_knows),
    ),
    "customerio": Subject(
        kind="customerio",
        settings={"siteId": SECRET, "apiKey": SECRET},
        subscriptions=asks("customerio", "trackEvent", batch_size=100),
        doors=(taking("POST", "/api/v2/batch"), taking("POST", "/api/v2/entity")),
        most=100,
        most_bytes=500_000,
        partial=worlds.customerio_partly,
    ),
    "hubspot contacts": Subject(
        kind="hubspot",
        settings=LOGIN,
        subscriptions=asks("hubspot", "upsertContact", email=EMAIL, properties={"text": TEXT}),
        doors=(
            Door("POST", "/crm/v3/objects/contacts/batch/read"),
            taking("POST", "/crm/v3/objects/contacts/batch/create"),
            taking("POST", "/crm/v3/objects/contacts/batch/update"),
            taking("PATCH", r"/crm/v3/objects/contacts/m-\d+@example.com[?]idProperty=email"),
            taking("POST", "/crm/v3/objects/contacts"),
        ),
        most=100,
        world=worlds.hubspot_contacts,
        partial=worlds.hubspot_contacts_partly,
        later=(Later(Said(207, RATE_LIMITS, taken=worlds.NOT_TAKEN)),),
        sets_again=True,
    ),
    "hubspot companies": Subject(
        kind="hubspot",
        settings=LOGIN,
        subscriptions=asks(
            "hubspot",
            "upsertCompany",
            groupid=MESSAGE,
            associateContact=True,
            contact_email="it@example.com",
            description=TEXT,
        ),
        doors=(
            Door("GET", "/crm/v3/objects/contacts/it@example.com[?]idProperty=email"),
            Door("POST", "/crm/v3/objects/contacts"),
            Door("PATCH", r"/crm/v3/objects/companies/m-\d+[?]idProperty=segment_group_id"),
            Door("POST", "/crm/v3/objects/companies"),
            taking("PUT", r"/crm/v3/objects/companies/m-\d+/associations/contacts/77/company_to_contact"),
        ),
        world=worlds.hubspot_companies,
    ),
    "hubspot behavioural events": Subject(
        kind="hubspot",
        settings=LOGIN,
        subscriptions=asks(
            "hubspot",
            "sendCustomBehavioralEvent",
            eventName="pe1_tested",
            email="it@example.com",
            properties=WITH_MESSAGE,
        ),
        doors=(taking("POST", "/events/v3/send"), taking("POST", "/events/v3/send/batch")),
        most=100,
    ),
    "hubspot custom events": Subject(
        kind="hubspot",
        settings=LOGIN,
        subscriptions=asks(
            "hubspot",
            "customEvent",
            event_name=path("$.event"),
            record_details={"object_type": "contact", "email": "it@example.com"},
            properties=WITH_MESSAGE,
            **{SYNC_MODE: "upsert"},
        ),
        doors=(
            Door("GET", "/events/v3/event-definitions/tested/[?]includeProperties=true"),
            Door("POST", "/events/v3/event-definitions"),
            Door("POST", "/events/v3/event-definitions/pe1_tested/property"),
            taking("POST", "/events/v3/send"),
        ),
        world=worlds.hubspot_definitions,
    ),
    "hubspot records": Subject(
        kind="hubspot",
        settings=LOGIN,
        subscriptions=asks(
            "hubspot",
            "upsertCustomObjectRecord",
            objectType="deals",
            properties=WITH_MESSAGE,
            customObjectSearchFields={"message": MESSAGE},
            toObjectType="companies",
            searchFieldsToAssociateCustomObjects={"domain": "example.com"},
            associationLabel="HUBSPOT_DEFINED:5",
        ),
        doors=(
            Door("POST", "/crm/v3/objects/deals/search"),
            Door("POST", "/crm/v3/objects/companies/search"),
            taking("POST", "/crm/v3/objects/deals"),
            taking("PATCH", r"/crm/v3/objects/deals/m-\d+"),
            Door("PUT", r"/crm/v4/objects/deals/m-\d+/associations/companies/88"),
        ),
        world=plain(worlds.hubspot_records),
        own_words={400: "HubSpot cannot search by these fields"},
        sets_again=True,
    ),
    "hubspot objects": Subject(
        kind="hubspot",
        settings=LOGIN,
        subscriptions=asks(
            "hubspot",
            "upsertObject",
            object_details={
                "object_type": "tickets",
                "id_field_name": "key",
                "id_field_value": MESSAGE,
                "property_group": "it",
            },
            properties=WITH_MESSAGE,
            associations=[
                {
                    "object_type": "companies",
                    "association_label": "HUBSPOT_DEFINED:1",
                    "id_field_name": "domain",
                    "id_field_value": "example.com",
                }
            ],
            **{SYNC_MODE: "upsert"},
        ),
        doors=(
            Door("GET", "/crm/v3/properties/tickets"),
            Door("POST", "/crm/v3/properties/tickets/batch/create"),
            Door("POST", "/crm/v3/objects/tickets/batch/upsert"),
            Door("POST", "/crm/v3/objects/companies/batch/upsert"),
            taking("POST", "/crm/v4/associations/tickets/companies/batch/create"),
        ),
        most=100,
        world=worlds.hubspot_objects,
    ),
    "braze": Subject(
        kind="braze",
        settings={"api_key": SECRET},
        subscriptions=asks("braze", "trackEvent", properties=WITH_MESSAGE),
        doors=(taking("POST", "/users/track"),),
        most=75,
        world=plain(lambda _: Said(201, {"message": "success"})),
        partial=worlds.braze_partly,
    ),
    "klaviyo events": Subject(
        kind="klaviyo",
        settings={"api_key": SECRET},
        doors=(taking("POST", "/api/event-bulk-create-jobs/"), taking("POST", "/api/events/")),
        most=1000,
        world=plain(lambda _: Said(202, "")),
        partial=worlds.klaviyo_events_partly,
    ),
    "klaviyo profiles": Subject(
        kind="klaviyo",
        settings={"api_key": SECRET},
        subscriptions=asks(
            "klaviyo", "upsertProfile", external_id=MESSAGE, list_id="L1", properties=WITH_MESSAGE
        ),
        doors=(
            taking("POST", "/api/profile-bulk-import-jobs/"),
            Door("POST", "/api/profiles/"),
            Door("PATCH", r"/api/profiles/m-\d+"),
            taking("POST", "/api/lists/L1/relationships/profiles/"),
        ),
        most=10_000,
        world=plain(worlds.klaviyo_profiles),
    ),
    "klaviyo removals": Subject(
        kind="klaviyo",
        settings={"api_key": SECRET},
        subscriptions=asks("klaviyo", "removeProfile", external_id=MESSAGE, list_id="L1"),
        doors=(
            Door("GET", "/api/profiles/[?]filter=.*"),
            taking("DELETE", "/api/lists/L1/relationships/profiles/"),
        ),
        most=100,
        world=plain(worlds.klaviyo_pages),
    ),
    "facebook-conversions-api": Subject(
        kind="facebook-conversions-api",
        settings={"pixelId": "5", "accessToken": SECRET},
        subscriptions=asks("facebook-conversions-api", "custom2", custom_data=path("$.properties")),
        doors=(taking("POST", "/v24.0/5/events"),),
        most=1000,
        world=plain(worlds.meta),
        partial=worlds.meta_refuses,
        later=(
            Later(Said(400, {"error": {"code": 80004}}, {"Retry-After": "40"}), 40),
            Later(Said(403, {"error": {"code": 4}})),
            Later(Said(400, {"error": {"code": 1, "is_transient": True}})),
        ),
    ),
    "tiktok-conversions": Subject(
        kind="tiktok-conversions",
        settings={"accessToken": SECRET, "pixelCode": "P1"},
        subscriptions=asks("tiktok-conversions", "reportWebEvent", event="Tested", description=TEXT),
        doors=(taking("POST", "/open_api/v1.3/event/track/"),),
        most=1000,
        world=plain(worlds.tiktok),
        partial=worlds.tiktok_refuses,
        later=(
            Later(Said(200, {"code": 40100}, {"Retry-After": "20"}, worlds.NOT_TAKEN), 20),
            Later(Said(200, {"code": 50000}, taken=worlds.NOT_TAKEN)),
        ),
    ),
    "salesforce records": Subject(
        kind="salesforce",
        settings=SALESFORCE,
        subscriptions=asks(
            "salesforce",
            "lead2",
            last_name=MESSAGE,
            traits={"Email": EMAIL},
            customFields={"Text__c": TEXT},
            **{SYNC_MODE: "upsert"},
        ),
        doors=(
            Door("GET", f"{DATA}/query/[?]q=SELECT.*"),
            taking("POST", f"{DATA}/sobjects/Lead"),
            taking("PATCH", rf"{DATA}/sobjects/Lead/m-\d+"),
        ),
        world=plain(worlds.salesforce_records),
        later=(Later(Said(403, LIMIT_EXCEEDED), 60), Later(Said(400, LOCKED))),
    ),
    "salesforce bulk": Subject(
        kind="salesforce",
        settings=SALESFORCE,
        subscriptions=asks(
            "salesforce",
            "lead2",
            last_name=MESSAGE,
            customFields={"Text__c": TEXT},
            enable_batching=True,
            **{SYNC_MODE: "add"},
        ),
        doors=(
            Door("POST", f"{DATA}/jobs/ingest"),
            taking("PUT", f"{DATA}/jobs/ingest/750[0-9]+/batches"),
            Door("PATCH", f"{DATA}/jobs/ingest/750[0-9]+"),
            Door("GET", f"{DATA}/jobs/ingest/750[0-9]+", is_usual=False),
            taking("POST", f"{DATA}/sobjects/Lead"),
        ),
        most=5000,
        most_bytes=150_000_000,
        world=worlds.salesforce_bulk,
        later=(Later(Said(403, LIMIT_EXCEEDED), 60),),
    ),
}
