"""Klaviyo: what its presets send, phone numbers, jobs of which parts fail, lists and consent."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations import CATALOGUE
from relay.destinations.base import Request
from relay.destinations.errors import Refused
from relay.destinations.klaviyo import Klaviyo
from relay.destinations.klaviyo.people import e164
from relay.destinations.reply import Reply
from tests.destinations.driving import Outcome, Troubled, body, deliver, drive, lines, reply, route_of

KEY = "kl4viyo-5ecret"
SETTINGS = {"api_key": KEY}
MOMENT = "2026-03-02T09:38:38.266Z"
ANA = "ana@example.com"


def said(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "messageId": "m-1", "userId": "u1", "timestamp": MOMENT} | more


def track(name: str, properties: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return said("track", event=name, properties=properties or {}, **more)


def identify(user: str = "u1", **traits: Any) -> dict[str, Any]:
    return said("identify", userId=user, traits=traits)


def order(message_id: str = "m-1", products: int = 2) -> dict[str, Any]:
    listed = [{"product_id": f"p{n}", "price": n} for n in range(products)]
    properties = {"order_id": "o1", "total": 27.5, "products": listed}
    return track("Order Completed", properties, messageId=message_id)


def presets() -> Any:
    return route_of("klaviyo", SETTINGS)


def by(action: str, **mapping: Any) -> Any:
    """One subscription to everything, with a mapping."""
    return route_of("klaviyo", SETTINGS, (action, 'type != "nothing"', mapping))


def changed(action: str, **changes: Any) -> Any:
    """One subscription to everything, with the action's defaults but for `changes`."""
    return by(action, **Klaviyo.actions[action].default_mapping(**changes))


def answers(*replies: Reply) -> Callable[[Request], Reply]:
    left = iter(replies)
    return lambda _: next(left)


def data(request: Request) -> Any:
    return body(request)["data"]


def statuses(outcome: Outcome) -> list[int | None]:
    return [None if error is None else error.reply.status for error in outcome.errors]


def blames(*indexes: int) -> Reply:
    pointer = "/data/attributes/events-bulk-create/data/{}/attributes/events"
    errors = [{"status": 400, "detail": "no", "source": {"pointer": pointer.format(n)}} for n in indexes]
    return reply({"errors": errors}, 400)


# presets


def test_an_identify_call_is_a_profile_with_all_its_traits() -> None:
    traits = {"email": ANA, "firstName": "Ana", "phone": "+14155550132", "plan": "pro"}
    (request,) = drive(presets(), identify(**traits)).requests
    assert (request.method, request.url) == ("POST", "https://a.klaviyo.com/api/profiles/")
    assert request.headers["authorization"] == f"Klaviyo-API-Key {KEY}"
    assert request.headers["revision"] == "2025-01-15"
    assert data(request) == {
        "type": "profile",
        "attributes": {
            "email": ANA,
            "phone_number": "+14155550132",
            "external_id": "u1",
            "first_name": "Ana",
            "location": {},
            "properties": traits,
        },
    }


def test_a_track_call_is_an_event_with_its_revenue_and_the_messages_id() -> None:
    context = {"traits": {"email": ANA, "phone": "unreadable"}}
    event = track("Trial Ended", {"revenue": 9.5}, context=context, anonymousId="a1")
    (request,) = drive(presets(), event).requests
    assert request.url == "https://a.klaviyo.com/api/events/"
    person = {"email": ANA, "external_id": "u1", "anonymous_id": "a1"}
    assert data(request)["attributes"] == {
        "metric": {"data": {"type": "metric", "attributes": {"name": "Trial Ended"}}},
        "profile": {"data": {"type": "profile", "attributes": person}},
        "properties": {"revenue": 9.5},
        "time": MOMENT,
        "value": 9.5,
        "unique_id": "m-1",
    }


def test_an_event_needs_no_properties() -> None:
    (request,) = drive(presets(), said("track", event="Ping")).requests
    assert data(request)["attributes"]["properties"] == {}


def test_an_order_is_an_event_and_one_for_each_product() -> None:
    outcome = drive(presets(), order(), answer=lambda _: reply(status=202))
    first, *others = [data(request)["attributes"] for request in outcome.requests]
    assert (first["value"], first["unique_id"]) == (27.5, "m-1")
    assert len(first["properties"]["products"]) == 2
    assert [one["metric"]["data"]["attributes"]["name"] for one in others] == ["Ordered Product"] * 2
    assert [one["properties"] for one in others] == [
        {"order_id": "o1", "total": 27.5, "product_id": "p0", "price": 0},
        {"order_id": "o1", "total": 27.5, "product_id": "p1", "price": 1},
    ]


def test_every_call_has_one_preset_at_most() -> None:
    calls = {"track": 1, "identify": 1, "page": 0, "screen": 0, "group": 0, "alias": 0}
    for kind, count in calls.items():
        assert len(drive(presets(), said(kind, event="A", properties={}, traits={})).errors) == count


def test_nobody_in_particular_is_refused_by_the_names_of_the_fields() -> None:
    (error,) = drive(presets(), track("A", userId=None)).errors
    assert isinstance(error, Refused)
    assert error.fields == ("email", "phone_number", "external_id", "anonymous_id")


# orders


def unique_ids(outcome: Outcome) -> list[str]:
    return [data(request)["attributes"]["unique_id"] for request in outcome.requests]


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("lost", [True, False])
def test_trying_an_order_again_adds_no_event(at: int, *, lost: bool) -> None:
    seen: set[str] = set()

    def vendor(request: Request) -> Reply:
        seen.add(data(request)["attributes"]["unique_id"])
        return reply(status=202)

    outcome = deliver(presets(), order(), answer=Troubled(vendor, at, lost=lost))
    assert outcome.errors == [None]
    assert len(seen) == 3


def test_products_of_different_orders_have_different_keys() -> None:
    keys = [
        key
        for message_id in ("m-1", "m-2")
        for key in unique_ids(drive(presets(), order(message_id), answer=lambda _: reply(status=202)))[1:]
    ]
    assert len(set(keys)) == 4
    assert all(UUID(key).version == 5 for key in keys)


def test_an_order_that_klaviyo_only_heard_of_has_no_product_events() -> None:
    assert len(drive(presets(), order(), answer=lambda _: reply(status=200)).requests) == 1


def test_orders_of_a_batch_go_in_one_job_with_their_products() -> None:
    outcome = drive(presets(), order("m-1"), order("m-2", products=1), is_batch=True)
    assert lines(outcome) == ["POST /api/event-bulk-create-jobs/"]
    people = data(outcome.requests[0])["attributes"]["events-bulk-create"]["data"]
    assert [len(one["attributes"]["events"]["data"]) for one in people] == [3, 2]


def test_a_job_has_no_more_than_1000_events() -> None:
    orders = [order(f"m-{n}", products=399) for n in range(5)]
    outcome = drive(presets(), *orders, is_batch=True)
    assert outcome.errors == [None] * 5
    jobs = [data(request)["attributes"]["events-bulk-create"]["data"] for request in outcome.requests]
    assert [sum(len(one["attributes"]["events"]["data"]) for one in job) for job in jobs] == [800, 800, 400]


def test_an_orders_products_need_the_action_to_be_asked_for_in_a_mapping_moved_from_segment() -> None:
    mapping = {"profile": {"external_id": {"@path": "$.userId"}}, "properties": {"@path": "$.properties"}}
    assert lines(drive(by("orderCompleted", **mapping), order(), order(), is_batch=True)) == [
        "POST /api/events/",
        "POST /api/events/",
    ]


# jobs of events


def test_a_job_leaves_out_whom_it_cannot_name() -> None:
    events = [track("A"), track("B", userId=None), track("C")]
    outcome = drive(presets(), *events, is_batch=True)
    (request,) = outcome.requests
    assert len(data(request)["attributes"]["events-bulk-create"]["data"]) == 2
    assert statuses(outcome) == [None, 400, None]


def test_when_klaviyo_blames_an_event_the_others_are_sent_again() -> None:
    events = [track("A", userId=None), track("B"), track("C"), track("D")]
    replies = answers(blames(1), reply(status=202))
    outcome = deliver(presets(), *events, answer=replies, is_batch=True)
    assert len(outcome.requests) == 2
    assert sorted(status or 200 for status in statuses(outcome)) == [200, 200, 400, 400]


def test_who_is_blamed_is_counted_among_those_that_were_sent() -> None:
    events = [track("A", userId=None), track("B"), track("C")]
    outcome = drive(presets(), *events, answer=answers(blames(1, 7)), is_batch=True)
    assert statuses(outcome) == [400, 429, 400]


def test_what_goes_in_a_job_goes_in_one_when_it_is_alone() -> None:
    assert lines(drive(presets(), track("A"), is_batch=True)) == ["POST /api/event-bulk-create-jobs/"]


@pytest.mark.parametrize("status", [401, 429, 503])
def test_what_says_nothing_of_single_events_is_said_of_all(status: int) -> None:
    outcome = drive(presets(), track("A"), track("B"), answer=lambda _: reply(status=status), is_batch=True)
    assert statuses(outcome) == [status, status]


# phone numbers


@pytest.mark.parametrize(
    ("number", "country", "written"),
    [
        ("+14155550132", None, "+14155550132"),
        ("+14155550132", "DE", "+14155550132"),
        ("(415) 555-0132", "US", "+14155550132"),
        ("030 901820", "DE", "+4930901820"),
        ("11 98765-4321", "BR", "+5511987654321"),
        ("tel:+49-30-901820", "DE", "+4930901820"),
    ],
)
def test_a_phone_number_is_written_in_e164(number: str, country: str | None, written: str) -> None:
    assert e164(number, country) == written


@pytest.mark.parametrize(
    ("number", "country"),
    [("(415) 555-0132", None), ("123", "US"), ("abc", "US"), ("0049 30 901820", "US"), ("+0123", None)],
)
def test_what_is_no_phone_number_is_refused_without_being_repeated(number: str, country: str | None) -> None:
    with pytest.raises(Refused) as refused:
        e164(number, country)
    assert refused.value.fields == ("phone_number",)
    assert number not in str(refused.value)


@given(st.from_regex(r"\+[1-9][0-9]{1,14}", fullmatch=True))
def test_what_is_e164_already_stays_as_it_is(number: str) -> None:
    assert e164(number, "US") == number


@given(st.text(max_size=20), st.sampled_from(("US", "DE", "AQ", "TW", None)))
def test_whatever_is_said_to_be_a_number_is_e164_or_refused(number: str, country: str | None) -> None:
    try:
        written = e164(number, country)
    except Refused:
        return
    assert written[0] == "+"
    assert written[1:].isdecimal()


def test_the_country_of_a_number_is_not_part_of_the_profile() -> None:
    route = changed("upsertProfile", country_code="US")
    for traits in ({"phone": "415 555 0132"}, {"email": ANA}):
        (request,) = drive(route, identify(**traits)).requests
        assert "country_code" not in data(request)["attributes"]
        assert data(request)["attributes"].get("phone_number") in ("+14155550132", None)


# profiles


def test_a_profile_that_exists_is_changed_and_put_on_its_list() -> None:
    exists = reply({"errors": [{"meta": {"duplicate_profile_id": "D1"}}]}, 409)
    route = changed("upsertProfile", list_id="L1")
    outcome = drive(route, identify(email=ANA), answer=answers(exists, reply(), reply(status=204)))
    assert lines(outcome) == [
        "POST /api/profiles/",
        "PATCH /api/profiles/D1",
        "POST /api/lists/L1/relationships/profiles/",
    ]
    assert data(outcome.requests[1])["id"] == "D1"
    assert data(outcome.requests[2]) == [{"type": "profile", "id": "D1"}]
    assert outcome.errors == [None]


@pytest.mark.parametrize("action", ["upsertProfile", "addProfileToList"])
@pytest.mark.parametrize("status", [400, 409, 429, 500])
def test_a_profile_that_cannot_be_made_is_put_on_no_list(action: str, status: int) -> None:
    route = by(action, email=ANA, list_id="L1")
    outcome = drive(route, identify(), answer=lambda _: reply(status=status))
    assert lines(outcome) == ["POST /api/profiles/"]
    assert statuses(outcome) == [status]


def test_an_answer_without_an_id_is_an_error_of_its_own() -> None:
    (error,) = drive(by("addProfileToList", email=ANA, list_id="L1"), identify()).errors
    assert isinstance(error, Refused)
    assert error.code == "NO_ID"


def test_profiles_are_imported_by_list_and_the_unreadable_left_out() -> None:
    route = changed("upsertProfile", list_id={"@path": "$.traits.list"})
    people = [
        identify("u1", list="L1"),
        identify("u2", list="L2"),
        identify("u3", list="L1", phone="no number"),
        identify("u4", list="L1"),
    ]
    outcome = drive(route, *people, is_batch=True)
    assert lines(outcome) == ["POST /api/profile-bulk-import-jobs/"] * 2
    job = data(outcome.requests[0])
    assert job["relationships"] == {"lists": {"data": [{"type": "list", "id": "L1"}]}}
    found = [one["attributes"]["external_id"] for one in job["attributes"]["profiles"]["data"]]
    assert found == ["u1", "u4"]
    assert (
        not {"list_id", "batch_size", "batch_keys"}
        & job["attributes"]["profiles"]["data"][0]["attributes"].keys()
    )
    assert statuses(outcome) == [None, 400, None, None]


def test_a_mapping_moved_from_segment_upserts_one_by_one_unless_it_says_otherwise() -> None:
    people = [identify("u1"), identify("u2")]
    mapping = {"external_id": {"@path": "$.userId"}}
    single = drive(by("upsertProfile", **mapping), *people, is_batch=True)
    assert lines(single) == ["POST /api/profiles/"] * 2
    several = drive(by("upsertProfile", **mapping, enable_batching=True), *people, is_batch=True)
    assert lines(several) == ["POST /api/profile-bulk-import-jobs/"]


def test_the_list_a_mapping_was_connected_to_in_segment_holds() -> None:
    saved = {"retlOnMappingSave": {"outputs": {"id": "SAVED"}}}
    route = by("upsertProfile", external_id="u1", list_id="L1", **saved)
    outcome = drive(route, identify(), answer=lambda _: reply({"data": {"id": "P1"}}))
    assert lines(outcome)[1] == "POST /api/lists/SAVED/relationships/profiles/"


def test_an_id_that_is_too_long_is_refused() -> None:
    (error,) = drive(presets(), identify("x" * 256)).errors
    assert isinstance(error, Refused)
    assert error.fields == ("external_id",)


# lists


def found(*ids: str, following: str | None = None) -> Reply:
    links = {"self": "x", "next": following}
    return reply({"data": [{"type": "profile", "id": one} for one in ids], "links": links})


def test_profiles_to_be_removed_are_looked_up_first_each_once() -> None:
    route = by(
        "removeProfile", email={"@path": "$.traits.email"}, external_id={"@path": "$.userId"}, list_id="L1"
    )
    outcome = drive(
        route, identify(email=ANA), answer=answers(found("P1"), found("P1", "P2"), reply(status=204))
    )
    assert lines(outcome) == [
        "GET /api/profiles/?filter=any(external_id,[%22u1%22])",
        "GET /api/profiles/?filter=any(email,[%22ana@example.com%22])",
        "DELETE /api/lists/L1/relationships/profiles/",
    ]
    assert data(outcome.requests[2]) == [{"type": "profile", "id": "P1"}, {"type": "profile", "id": "P2"}]


def test_all_pages_of_an_answer_are_read() -> None:
    page = "https://a.klaviyo.com/api/profiles/?page[cursor]=2"
    replies = answers(found("P1", following=page), found("P2"), reply(status=204))
    outcome = drive(by("removeProfile", external_id="u1", list_id="L1"), identify(), answer=replies)
    assert outcome.requests[1].url == page
    assert [one["id"] for one in data(outcome.requests[2])] == ["P1", "P2"]


def test_a_page_elsewhere_is_not_asked_for_with_the_key() -> None:
    replies = answers(found("P1", following="https://evil.example/api/"), reply(status=204))
    outcome = drive(by("removeProfile", external_id="u1", list_id="L1"), identify(), answer=replies)
    assert {request.url.split("/")[2] for request in outcome.requests} == {"a.klaviyo.com"}


def test_a_page_that_leads_back_to_itself_is_asked_for_once() -> None:
    page = "https://a.klaviyo.com/api/profiles/?page[cursor]=2"
    answer = found("P1", following=page)
    outcome = drive(by("removeProfile", external_id="u1", list_id="L1"), identify(), answer=lambda _: answer)
    assert len(outcome.requests) == 2
    assert [error and error.is_final for error in outcome.errors] == [True]


def test_who_is_not_known_cannot_be_removed_and_in_a_batch_need_not() -> None:
    route = by("removeProfile", external_id={"@path": "$.userId"}, list_id="L1", enable_batching=True)
    (error,) = drive(route, identify(), answer=lambda _: found()).errors
    assert isinstance(error, Refused)
    together = drive(route, identify("u1"), identify("u2"), answer=lambda _: found(), is_batch=True)
    assert together.errors == [None, None]
    assert lines(together) == ["GET /api/profiles/?filter=any(external_id,[%22u1%22,%22u2%22])"]


def test_look_ups_are_of_100_profiles_at_most() -> None:
    route = changed("removeProfile", external_id={"@path": "$.userId"}, list_id="L1")
    outcome = drive(route, *(identify(f"u{n}") for n in range(101)), answer=lambda _: found(), is_batch=True)
    assert [request.url.count("%22") // 2 for request in outcome.requests] == [100, 1]


def test_ids_cannot_change_the_request() -> None:
    route = by("removeProfile", external_id={"@path": "$.userId"}, list_id="a/../b")
    outcome = drive(route, identify("x&y#z%"), answer=lambda _: found("P1"))
    assert outcome.requests[0].url.endswith("any(external_id,[%22x%26y%23z%25%22])")
    assert "/lists/a%2F..%2Fb/" in outcome.requests[1].url


@pytest.mark.parametrize("user_id", ['u1","u2', 'u1"', "u1\\"])
def test_an_id_cannot_name_other_people_to_be_removed(user_id: str) -> None:
    route = by("removeProfile", external_id={"@path": "$.userId"}, list_id="L1", enable_batching=True)
    outcome = drive(route, identify(user_id), identify("u3"), answer=lambda _: found("P1"), is_batch=True)
    refused, done = outcome.errors
    assert isinstance(refused, Refused)
    assert refused.fields == ("external_id",)
    assert done is None
    assert outcome.requests[0].url.endswith("any(external_id,[%22u3%22])")


# consent


def test_consent_is_to_what_somebody_can_be_reached_by() -> None:
    person = identify(email=ANA, phone="+14155550132")
    (request,) = drive(changed("subscribeProfile", list_id="L1"), person).requests
    (profile,) = data(request)["attributes"]["profiles"]["data"]
    given_to = {"marketing": {"consent": "SUBSCRIBED"}}
    assert profile["attributes"]["subscriptions"] == {"email": given_to, "sms": given_to}
    assert data(request)["attributes"]["custom_source"] == "-59"
    assert data(request)["relationships"] == {"list": {"data": {"type": "list", "id": "L1"}}}


def test_consent_that_is_withdrawn_is_withdrawn_from_all_text_messages() -> None:
    (request,) = drive(changed("unsubscribeProfile"), identify(phone="+14155550132")).requests
    assert request.url.endswith("/api/profile-subscription-bulk-delete-jobs")
    (profile,) = data(request)["attributes"]["profiles"]["data"]
    no = {"consent": "UNSUBSCRIBED"}
    assert profile["attributes"]["subscriptions"] == {"sms": {"marketing": no, "transactional": no}}
    assert "relationships" not in data(request)


def test_when_consent_was_given_before_it_says_when() -> None:
    (request,) = drive(changed("subscribeProfile", historical_import=True), identify(email=ANA)).requests
    (profile,) = data(request)["attributes"]["profiles"]["data"]
    assert profile["attributes"]["subscriptions"]["email"]["marketing"]["consented_at"] == MOMENT


@pytest.mark.parametrize("action", ["subscribeProfile", "unsubscribeProfile"])
def test_consent_goes_100_a_request_by_list_and_nobodys_is_lost_silently(action: str) -> None:
    route = changed(action, list_id={"@path": "$.traits.list"})
    people = [identify(email=f"a{n}@example.com", list="L1") for n in range(101)]
    others = [identify(email=ANA, list="L2"), identify(phone="12", list="L1")]
    outcome = drive(route, *people, *others, is_batch=True)
    sizes = [len(data(request)["attributes"]["profiles"]["data"]) for request in outcome.requests]
    assert sorted(sizes) == [1, 1, 100]
    assert sorted(status or 200 for status in statuses(outcome)) == [200] * 102 + [400]


# settings


def test_the_key_is_tried_by_asking_for_the_account() -> None:
    it = msgspec.convert(SETTINGS, CATALOGUE["klaviyo"])
    steps = it.check()
    assert steps is not None
    request = next(steps)
    assert (request.method, request.url) == ("GET", "https://a.klaviyo.com/api/accounts/")
    assert "authorization" in request.secret


def test_the_key_is_in_no_message() -> None:
    outcome = drive(presets(), track("A"), answer=lambda _: Reply(401, KEY))
    assert statuses(outcome) == [401]
    assert not any(KEY in str(error) for error in outcome.errors)
