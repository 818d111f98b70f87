"""Behavioural events: those that HubSpot knows, and those that are defined on the way."""

from typing import Any

import pytest

from relay.destinations.base import Request
from relay.destinations.errors import DeliveryError, HttpError, Refused
from relay.destinations.hubspot.events import SEND_EVENT
from relay.destinations.reply import Answer, Reply
from tests.destinations.driving import Outcome, Troubled, body, deliver, drive, lines, reply, route_of
from tests.destinations.hubspot.hub import SETTINGS, Hub, track

NAME = {"@template": "pe1_{{event}}"}
PROPERTIES = {"@path": "$.properties"}
MODE = "__segment_internal_sync_mode"


def _send(hub: Any, *events: dict[str, Any], is_batch: bool = False, **changes: Any) -> Outcome:
    mapping = SEND_EVENT.default_mapping(**{"eventName": NAME, "properties": PROPERTIES, **changes})
    route = route_of("hubspot", SETTINGS, ("sendCustomBehavioralEvent", 'type = "track"', mapping))
    return drive(route, *events, answer=hub, is_batch=is_batch)


def test_an_event_is_sent_by_its_full_name() -> None:
    hub = Hub()
    _send(hub, track(email="ana@example.com", total=27.5))
    assert hub.events == [
        {
            "eventName": "pe1_order_completed",
            "occurredAt": "2026-03-02T09:00:00.000Z",
            "email": "ana@example.com",
            "properties": {"email": "ana@example.com", "total": 27.5},
        }
    ]


def test_a_batch_leaves_out_what_hubspot_would_refuse() -> None:
    hub = Hub()
    fine = track(email="ana@example.com")
    outcome = _send(hub, fine, track(total=1), fine, is_batch=True)
    assert lines(outcome) == ["POST /events/v3/send/batch"]
    assert len(hub.events) == 2
    first, refused, last = outcome.errors
    assert (first, last) == (None, None)
    assert isinstance(refused, Refused)
    assert refused.fields == ("utk", "email", "objectId")


def test_a_batch_of_refused_events_asks_nothing() -> None:
    assert not _send(Hub(), track(), track(), is_batch=True).requests


def test_without_being_asked_nothing_is_batched() -> None:
    fine = track(email="ana@example.com")
    outcome = _send(Hub(), fine, fine, is_batch=True, enable_batching=None)
    assert lines(outcome) == ["POST /events/v3/send"] * 2


@pytest.mark.parametrize("hub_id", ["1", None, ""])
@pytest.mark.parametrize("name", ["Order Completed", "pe_1", "pe2x_order", "xpe1_order"])
def test_a_name_without_the_hubs_prefix_is_refused(hub_id: str | None, name: str) -> None:
    mapping = SEND_EVENT.default_mapping(eventName=name)
    settings = {**SETTINGS, "portalId": hub_id}
    route = route_of("hubspot", settings, ("sendCustomBehavioralEvent", 'type = "track"', mapping))
    (error,) = drive(route, track(email="a@b.co"), answer=Hub()).errors
    assert isinstance(error, Refused)
    assert error.fields == ("eventName",)


def _custom(mode: str, **changes: Any) -> Any:
    mapping = {
        "event_name": {"@path": "$.event"},
        "record_details": {"object_type": "contact", "email": {"@path": "$.properties.email"}},
        "properties": PROPERTIES,
        MODE: mode,
        **changes,
    }
    return route_of("hubspot", SETTINGS, ("customEvent", 'type = "track"', mapping))


EVENT = track(
    "Order Completed 🎉",
    email="ana@example.com",
    **{
        "Total Value": "27.5",
        "paid": "TRUE",
        "on": "2026-03-02",
        "at": "2026-03-02T09:00:00Z",
        "o": {"a": 1},
    },
)
TYPES = {
    "email": "string",
    "total_value": "number",
    "paid": "enumeration",
    "on": "datetime",
    "at": "datetime",
    "o": "string",
}


def test_an_event_that_hubspot_does_not_know_is_defined() -> None:
    hub = Hub()
    outcome = drive(_custom("upsert"), EVENT, answer=hub)
    assert lines(outcome) == [
        "GET /events/v3/event-definitions/order_completed___/?includeProperties=true",
        "POST /events/v3/event-definitions",
        "POST /events/v3/send",
    ]
    assert hub.definitions == {"order_completed___": TYPES}
    assert hub.events[0]["eventName"] == "pe1_order_completed___"
    assert hub.events[0]["properties"] == {
        "email": "ana@example.com",
        "total_value": 27.5,
        "paid": True,
        "on": "2026-03-02",
        "at": "2026-03-02T09:00:00Z",
        "o": '{"a":1}',
    }
    assert len(drive(_custom("update"), EVENT, answer=hub).requests) == 2


def test_properties_that_an_event_lacks_are_defined() -> None:
    hub = Hub()
    hub.definitions["order_completed___"] = {"email": "string", "paid": "enumeration"}
    assert len(drive(_custom("update"), EVENT, answer=hub).requests) == 6
    assert hub.definitions == {"order_completed___": TYPES}


@pytest.mark.parametrize(("mode", "known"), [("update", None), ("add", {"email": "string"})])
def test_a_sync_mode_that_may_not_define_refuses(mode: str, known: Any) -> None:
    hub = Hub()
    if known is not None:
        hub.definitions["order_completed___"] = known
    (error,) = drive(_custom(mode), EVENT, answer=hub).errors
    assert isinstance(error, Refused)
    assert error.code.startswith("HUBSPOT_SCHEMA")
    assert not hub.events


def test_a_number_becomes_text_where_hubspot_wants_that() -> None:
    hub = Hub()
    hub.definitions["order_completed___"] = {**TYPES, "total_value": "string"}
    drive(_custom("update"), EVENT, answer=hub)
    assert hub.events[0]["properties"]["total_value"] == "27.5"


@pytest.mark.parametrize(
    ("name", "type_"), [("email", "number"), ("total_value", "datetime"), ("o", "number")]
)
def test_a_value_of_another_type_is_refused(name: str, type_: str) -> None:
    hub = Hub()
    hub.definitions["order_completed___"] = {**TYPES, name: type_}
    (error,) = drive(_custom("upsert"), EVENT, answer=hub).errors
    assert isinstance(error, Refused)
    assert error.fields == ("properties",)
    assert "27.5" not in str(error)
    assert "ana@" not in str(error)


@pytest.mark.parametrize(
    "details",
    [
        {"object_type": "company"},
        {"object_type": "contact"},
        {"object_type": "deal", "email": "ana@example.com"},
    ],
)
def test_an_event_of_no_record_is_refused(details: dict[str, str]) -> None:
    (error,) = drive(_custom("upsert", record_details=details), EVENT, answer=Hub()).errors
    assert isinstance(error, Refused)
    assert error.fields == ("record_details.object_id",)


def test_an_event_of_another_record_has_no_email() -> None:
    hub = Hub()
    details = {"object_type": "company", "object_id": "12", "email": "ana@example.com", "utk": "u"}
    drive(_custom("upsert", record_details=details), EVENT, answer=hub)
    assert (hub.events[0]["objectId"], hub.events[0].keys() & {"email", "utk"}) == (12, set())


def test_a_property_whose_name_begins_otherwise_is_refused() -> None:
    (error,) = drive(_custom("upsert"), track("x", email="a@b.co", **{"1st": 1}), answer=Hub()).errors
    assert isinstance(error, Refused)
    assert error.fields == ("properties",)


def test_an_archived_property_is_refused() -> None:
    def answer(_: Request) -> Reply:
        known = [{"name": "email", "type": "string", "archived": True}]
        return reply({"name": "order_completed___", "fullyQualifiedName": "pe1_x", "properties": known})

    (error,) = drive(_custom("upsert"), EVENT, answer=answer).errors
    assert isinstance(error, Refused)
    assert error.fields == ("properties",)


def test_an_event_defined_meanwhile_is_tried_again() -> None:
    hub = Hub()

    def raced(request: Request) -> Reply:
        if request.method == "POST":
            hub.definitions.setdefault("order_completed___", dict(TYPES))
        return hub(request)

    assert deliver(_custom("upsert"), EVENT, answer=raced).errors == [None]
    assert len(hub.events) == 1


def test_a_property_that_cannot_be_defined_keeps_the_event_back() -> None:
    hub = Hub()
    hub.definitions["order_completed___"] = {"email": "string"}

    def answer(request: Request) -> Reply:
        is_bad = request.url.endswith("/property") and body(request)["name"] == "at"
        return reply(status=403) if is_bad else hub(request)

    (error,) = drive(_custom("upsert"), EVENT, answer=answer).errors
    assert isinstance(error, HttpError)
    assert error.reply.answer is Answer.REFUSED
    assert not hub.events


@pytest.mark.parametrize("known", [None, {"email": "string"}, TYPES])
@pytest.mark.parametrize("lost", [True, False])
def test_a_flow_begun_anew_after_any_step_comes_to_the_same(known: Any, *, lost: bool) -> None:
    def hub() -> Hub:
        made = Hub()
        if known is not None:
            made.definitions["order_completed___"] = dict(known)
        return made

    well = hub()
    steps = len(drive(_custom("upsert"), EVENT, answer=well).requests)
    for at in range(steps - lost):  # the event itself has no key: lost at the last step it counts twice
        ill = hub()
        outcome = deliver(_custom("upsert"), EVENT, answer=Troubled(ill, at, lost=lost))
        assert outcome.errors == [None]
        assert (ill.state, ill.events) == (well.state, well.events)


def test_no_message_tells_a_value() -> None:
    def refused(_: Request) -> Reply:
        return reply({"message": "ana@example.com"}, 400)

    found: list[DeliveryError | None] = drive(_custom("update"), EVENT, answer=refused).errors
    assert "ana@" not in str(found[0])
