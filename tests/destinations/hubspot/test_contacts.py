"""Contacts: one by one and in batches, and that a flow may be begun anew after any of its steps."""

from typing import Any

import pytest

from relay.destinations.base import Request
from relay.destinations.errors import Refused
from relay.destinations.hubspot.contacts import UPSERT_CONTACT
from relay.destinations.reply import Answer, Reply
from tests.destinations.driving import Outcome, Troubled, body, deliver, drive, lines, reply, route_of
from tests.destinations.hubspot.hub import SETTINGS, Hub, identify

AT = "/crm/v3/objects/contacts"
ANA = f"{AT}/ana@example.com?idProperty=email"
STAGE = {"@path": "$.traits.stage"}


def _route(**changes: Any) -> Any:
    mapping = UPSERT_CONTACT.default_mapping(lifecyclestage=STAGE, **changes)
    return route_of("hubspot", SETTINGS, ("upsertContact", 'type = "identify"', mapping))


def _send(hub: Any, *events: dict[str, Any], is_batch: bool = False, **changes: Any) -> Outcome:
    return drive(_route(**changes), *events, answer=hub, is_batch=is_batch)


def test_a_contact_is_created_then_updated() -> None:
    hub = Hub()
    assert lines(_send(hub, identify(first_name=" Ana "))) == [f"PATCH {ANA}", f"POST {AT}"]
    assert lines(_send(hub, identify(phone="1"))) == [f"PATCH {ANA}"]
    assert hub.kind("contacts") == {
        "contacts-1": {"email": "ana@example.com", "firstname": "Ana", "phone": "1"}
    }


@pytest.mark.parametrize(
    ("company", "name"),
    [("Acme", "Acme"), ({"name": "Acme", "id": 7}, "Acme"), ({"id": 7}, None), (["a", "b"], None), (7, "7")],
)
def test_a_company_that_is_an_object_gives_its_name(company: Any, name: str | None) -> None:
    hub = Hub()
    assert _send(hub, identify(company=company)).errors == [None]
    assert hub.kind("contacts")["contacts-1"].get("company") == name


def test_a_stage_that_did_not_stick_is_cleared_and_set() -> None:
    hub = Hub()
    _send(hub, identify(stage="customer"))
    assert lines(_send(hub, identify(stage="Lead"))) == [f"PATCH {ANA}"] * 3
    assert hub.kind("contacts")["contacts-1"]["lifecyclestage"] == "lead"


def test_a_contact_that_somebody_else_created_meanwhile_is_updated() -> None:
    hub = Hub()

    def raced(request: Request) -> Reply:
        if request.method == "POST":
            hub.create("contacts", {"email": "ana@example.com"})
        return hub(request)

    outcome = _send(raced, identify(phone="1"))
    assert (lines(outcome)[-1], outcome.errors) == (f"PATCH {ANA}", [None])
    assert hub.kind("contacts") == {"contacts-1": {"email": "ana@example.com", "phone": "1"}}


@pytest.mark.parametrize(
    "email", ["a#b@example.com", "a?b@example.com", "a/b@example.com", "a%b@example.com"]
)
def test_an_email_stays_one_segment_of_the_path(email: str) -> None:
    (request,) = _send(lambda _: reply({"id": "1"}), identify(email)).requests
    assert request.url.count("/") == 7
    assert request.url.endswith("@example.com?idProperty=email")
    assert "#" not in request.url


def test_properties_of_every_shape_are_flattened() -> None:
    hub = Hub()
    values = {"a": ["x", 1, None, {"b": 2}, True], "o": {"k": [1.0]}, "n": None, "t": " t ", "f": 2.5}
    _send(hub, identify(more=values), properties={"@path": "$.traits.more"})
    kept = hub.kind("contacts")["contacts-1"]
    assert {key: kept[key] for key in ("a", "o", "t", "f")} == {
        "a": 'x;1;null;{"b":2};true',
        "o": '{"k":[1]}',
        "t": "t",
        "f": 2.5,
    }
    assert "n" not in kept


def test_a_batch_reads_creates_and_updates() -> None:
    hub = Hub()
    _send(hub, identify("Bob@Example.com"))
    outcome = _send(hub, identify("Ana@Example.com"), identify("bob@example.com", phone="2"), is_batch=True)
    assert lines(outcome) == [f"POST {AT}/batch/{verb}" for verb in ("read", "create", "update")]
    assert outcome.errors == [None, None]
    assert [one["email"] for one in hub.kind("contacts").values()] == ["bob@example.com", "ana@example.com"]


def test_events_of_one_contact_in_a_batch_are_merged() -> None:
    hub = Hub()
    both = identify("Ana@example.com", phone="1", first_name="A"), identify("ana@Example.com", phone="2")
    assert _send(hub, *both, is_batch=True).errors == [None, None]
    assert list(hub.kind("contacts").values()) == [
        {"email": "ana@example.com", "firstname": "A", "phone": "2"}
    ]


def test_with_a_mapping_of_segment_the_last_event_of_a_contact_goes() -> None:
    hub = Hub()
    both = identify(phone="1", first_name="A"), identify(phone="2")
    _send(hub, *both, is_batch=True, merge_repeated=False)
    assert list(hub.kind("contacts").values()) == [{"email": "ana@example.com", "phone": "2"}]


def test_without_being_asked_nothing_is_batched() -> None:
    mapping = {"email": {"@path": "$.traits.email"}}
    route = route_of("hubspot", SETTINGS, ("upsertContact", 'type = "identify"', mapping))
    outcome = drive(route, identify("a@b.co"), identify("c@d.co"), answer=Hub(), is_batch=True)
    assert [one.method for one in outcome.requests] == ["PATCH", "POST"] * 2


def test_batches_hold_no_more_than_a_hundred() -> None:
    events = [identify(f"u{n}@example.com") for n in range(250)]
    outcome = _send(Hub(), *events, is_batch=True)
    sizes = [len(body(one)["inputs"]) for one in outcome.requests if one.url.endswith("/read")]
    assert sizes == [100, 100, 50]


def test_stages_of_a_batch_that_did_not_stick_are_cleared_and_set() -> None:
    hub = Hub()
    _send(hub, identify(stage="customer"))
    _send(hub, identify("bob@example.com", stage="lead"))
    outcome = _send(hub, identify(stage="lead"), identify("bob@example.com", stage="customer"), is_batch=True)
    assert lines(outcome) == [f"POST {AT}/batch/{verb}" for verb in ("read", *["update"] * 3)]
    assert [len(body(one)["inputs"]) for one in outcome.requests] == [2, 2, 1, 1]
    assert [one["lifecyclestage"] for one in hub.kind("contacts").values()] == ["lead", "customer"]


def test_a_secondary_address_is_that_contact() -> None:
    hub = Hub()
    hub.kind("contacts")["9"] = {"email": "first@x.io", "hs_additional_emails": "b@x.io;ana@example.com"}

    def answer(request: Request) -> Reply:
        if request.url.endswith("/read"):
            return reply({"results": [{"id": "9", "properties": hub.kind("contacts")["9"]}]})
        return hub(request)

    outcome = _send(answer, identify(phone="1"), is_batch=True)
    assert lines(outcome) == [f"POST {AT}/batch/read", f"POST {AT}/batch/update"]
    assert hub.kind("contacts")["9"]["email"] == "first@x.io"
    assert hub.kind("contacts")["9"]["phone"] == "1"


def test_of_a_batch_partly_taken_each_event_has_its_own_result() -> None:
    hub = Hub()
    _send(hub, identify("bob@example.com"))
    _send(hub, identify("eve@example.com"))

    def answer(request: Request) -> Reply:
        if not request.url.endswith("/update"):
            return hub(request)
        (bob, eve) = body(request)["inputs"]
        errors = [{"status": "error", "category": "VALIDATION_ERROR", "context": {"ids": [eve["id"]]}}]
        return reply({"results": [{"id": bob["id"]}], "numErrors": 1, "errors": errors}, 207)

    events = identify(), identify("bob@example.com"), identify("eve@example.com"), identify("Eve@Example.com")
    fine, bob, eve, again = _send(answer, *events, is_batch=True).errors
    assert (fine, bob) == (None, None)
    assert eve is not None
    assert eve is again
    assert (eve.reply.answer, eve.reply.reason) == (Answer.REFUSED, "VALIDATION_ERROR")
    assert "eve" not in str(eve)


def test_a_rate_limit_within_a_batch_is_for_later() -> None:
    def answer(request: Request) -> Reply:
        if request.url.endswith("/read"):
            return reply()
        return reply({"results": [], "numErrors": 1, "errors": [{"category": "RATE_LIMITS"}]}, 207)

    (error,) = _send(answer, identify(), is_batch=True).errors
    assert error is not None
    assert error.reply.answer is Answer.BUSY


def test_a_read_that_fails_for_another_reason_ends_the_batch() -> None:
    def answer(_: Request) -> Reply:
        return reply(
            {"numErrors": 1, "errors": [{"category": "INVALID_EMAIL", "message": "ana@example.com"}]}
        )

    outcome = _send(answer, identify(), is_batch=True)
    (error,) = outcome.errors
    assert len(outcome.requests) == 1
    assert error is not None
    assert "ana@" not in str(error) + error.reply.text


def test_when_a_batch_conflicts_its_contacts_go_one_by_one() -> None:
    hub = Hub()

    def raced(request: Request) -> Reply:
        if request.url.endswith("/create"):
            hub.create("contacts", {"email": "ana@example.com"})
        return hub(request)

    outcome = _send(raced, identify(phone="1"), identify("bob@example.com"), is_batch=True)
    assert outcome.errors == [None, None]
    assert [one["email"] for one in hub.kind("contacts").values()] == ["ana@example.com", "bob@example.com"]


@pytest.mark.parametrize("before", [(), ("customer",), ("lead",), ("",)])
@pytest.mark.parametrize("lost", [True, False])
@pytest.mark.parametrize("is_batch", [True, False])
def test_a_flow_begun_anew_after_any_step_comes_to_the_same(
    before: tuple[str, ...], *, lost: bool, is_batch: bool
) -> None:
    events = [identify(stage="lead", phone="1")]
    if is_batch:
        events.append(identify("bob@example.com", stage="customer"))

    def hub() -> Hub:
        made = Hub()
        for stage in before:
            made.create("contacts", {"email": "ana@example.com", "lifecyclestage": stage})
        return made

    well = hub()
    steps = len(_send(well, *events, is_batch=is_batch).requests)
    for at in range(steps):
        ill = hub()
        outcome = deliver(_route(), *events, answer=Troubled(ill, at, lost=lost), is_batch=is_batch)
        assert outcome.errors == [None] * len(events)
        assert len(outcome.requests) > steps - 1
        assert ill.state == well.state


def test_an_invalid_email_is_refused_by_name_of_the_field() -> None:
    (error,) = _send(Hub(), identify("not an address")).errors
    assert isinstance(error, Refused)
    assert error.fields == ("email",)
    assert "not an address" not in str(error)
