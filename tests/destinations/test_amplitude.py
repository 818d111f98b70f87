"""Amplitude: what the presets send, and what becomes of parts of a batch."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations.amplitude import MAX_EVENTS, MAX_ORDERS, Amplitude
from relay.destinations.amplitude.replies import faults
from relay.destinations.base import Request
from relay.destinations.errors import HttpError
from relay.destinations.reply import Reply
from relay.destinations.tried import run
from tests.destinations.driving import Outcome, body, drive, lines, reply, route_of
from tests.destinations.events import event

SECRET = "very-5ecret"
SETTINGS = {"apiKey": SECRET, "secretKey": "als0-secret"}
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"


def track(name: str = "Clicked", number: int = 1, **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": name, "messageId": f"m-{number}", "userId": f"u{number}", **more}


def paid(**properties: Any) -> dict[str, Any]:
    return track("Subscription Renewed", properties=properties)


def order(number: int = 1, **properties: Any) -> dict[str, Any]:
    return track("Order Completed", number, properties=properties)


def sent(*events: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """The events of the one request that is made for `events`."""
    (request,) = drive(route_of("amplitude", SETTINGS), *events, **more).requests
    made: list[dict[str, Any]] = body(request)["events"]
    return made


def form(request: Request) -> dict[str, Any]:
    return {
        name: json.loads(value) if value[:1] in "[{" else value
        for name, (value,) in parse_qs(request.body.decode()).items()
    }


class Choosy:
    """A vendor that refuses the events of some messages, and says which."""

    def __init__(self, *refused: str, status: int = 400) -> None:
        self.refused, self.status = refused, status
        self.taken: list[str] = []

    def __call__(self, request: Request) -> Reply:
        ids = [one["insert_id"] for one in body(request)["events"]]
        places = [place for place, name in enumerate(ids) if name in self.refused]
        if not places:
            self.taken += ids
            return reply({"code": 200, "events_ingested": len(ids)})
        if self.status == 429:
            return reply({"code": 429, "throttled_events": places, "throttled_users": {"u": 31}}, 429)
        return reply({"code": 400, "events_with_invalid_fields": {"time": places}}, 400)


def batch(answer: Any, *events: dict[str, Any]) -> Outcome:
    return drive(route_of("amplitude", SETTINGS), *events, answer=answer, is_batch=True)


def test_a_track_is_known_by_its_message_and_its_user() -> None:
    (made,) = sent(track(timestamp="2026-03-02T09:00:00Z", context={"userAgent": CHROME}))
    assert made == {
        "event_type": "Clicked",
        "insert_id": "m-1",
        "user_id": "u1",
        "time": 1_772_442_000_000,
        "os_name": "Windows",
        "os_version": "131",
        "device_model": "Windows",
    }


@pytest.mark.parametrize(
    ("kind", "platform"),
    [("ios", "iOS"), ("ANDROID tv", "Android tv"), ("İİ ios", "İİ iOS"), ("Roku", "Roku"), (None, "Web")],
)
def test_platforms_are_written_as_amplitude_writes_them(kind: str | None, platform: str) -> None:
    context = {"device": {"type": kind}, "library": {"name": "analytics.js"}}
    (made,) = sent(track(context=context))
    assert made["platform"] == platform


@pytest.mark.parametrize("kind", ["page", "screen"])
def test_a_page_and_a_screen_are_viewed(kind: str) -> None:
    (made,) = sent({"type": kind, "name": "Home", "messageId": "m", "anonymousId": "a"})
    assert (made["event_type"], made["device_id"]) == ("Viewed Home", "a")


def test_a_track_that_carries_revenue_counts_as_revenue() -> None:
    (made,) = sent(paid(revenue=25, currency="USD", product_id="P1", revenueType="renewal"))
    wanted = {"revenue": 25, "currency": "USD", "productId": "P1", "revenueType": "renewal"}
    assert {name: made[name] for name in wanted} == wanted


def test_price_and_quantity_go_along_where_they_come_to_the_revenue() -> None:
    (made,) = sent(paid(revenue=29.97, price=9.99, quantity=3))
    assert (made["revenue"], made["price"], made["quantity"]) == (29.97, 9.99, 3)


def test_a_revenue_is_not_replaced_by_price_times_quantity() -> None:
    (made,) = sent(paid(revenue=25, price=18.99, quantity=1))
    assert made["revenue"] == 25
    assert not {"price", "quantity"} & made.keys()


def test_a_price_alone_is_no_revenue() -> None:
    (made,) = sent(track("Product Viewed", properties={"price": 18.99, "quantity": 1, "currency": "USD"}))
    assert not {"revenue", "price", "quantity", "currency"} & made.keys()
    assert made["event_properties"]["price"] == 18.99


def test_the_items_of_an_order_keep_their_ids() -> None:
    items = [{"product_id": "P1", "price": 3, "quantity": 2}, {"productId": "P2", "price": 4, "quantity": 1}]
    whole, first, second = sent(order(revenue=10, currency="EUR", products=items))
    assert (whole["revenue"], whole["currency"], whole["revenueType"]) == (10, "EUR", "Purchase")
    assert [one["event_type"] for one in (first, second)] == ["Product Purchased"] * 2
    assert [one["event_properties"]["productId"] for one in (first, second)] == ["P1", "P2"]
    assert [one["insert_id"] for one in (whole, first, second)] == ["m-1", "m-1-2", "m-1-3"]


def test_short_ids_are_allowed_for_every_kind() -> None:
    events = [
        track(),
        order(revenue=1),
        {"type": "identify", "messageId": "i", "userId": "u", "traits": {"plan": "free"}},
    ]
    tracked, ordered, identified = drive(route_of("amplitude", SETTINGS), *events).requests
    assert body(tracked)["options"] == body(ordered)["options"] == {"min_id_length": 1}
    assert form(identified)["options"] == {"min_id_length": 1}


def test_events_travel_together() -> None:
    outcome = batch(Choosy(), *(track(number=n) for n in range(1, MAX_EVENTS + 2)))
    assert [len(body(request)["events"]) for request in outcome.requests] == [MAX_EVENTS, 1]
    assert lines(outcome) == ["POST /2/httpapi"] * 2


def test_orders_travel_in_smaller_numbers_for_their_items() -> None:
    outcome = batch(Choosy(), *(order(n, revenue=1) for n in range(MAX_ORDERS + 1)))
    assert [len(body(request)["events"]) for request in outcome.requests] == [MAX_ORDERS, 1]


def test_what_a_request_says_once_is_the_same_for_all_of_it() -> None:
    mapping = {
        "event_type": {"@path": "$.event"},
        "min_id_length": {"@path": "$.properties.least"},
        "use_batch_endpoint": {"@path": "$.properties.slow"},
    }
    route = route_of("amplitude", SETTINGS, ("logEvent", 'type = "track"', mapping))
    kinds = [{"least": 2}, {"least": 3}, {"least": 2, "slow": True}, {"least": 2}]
    outcome = drive(route, *(track(properties=kind) for kind in kinds), is_batch=True)
    assert lines(outcome) == ["POST /2/httpapi", "POST /2/httpapi", "POST /batch"]
    assert [body(one)["options"]["min_id_length"] for one in outcome.requests] == [2, 3, 2]
    assert [len(body(one)["events"]) for one in outcome.requests] == [2, 1, 1]


def test_refused_events_are_dead_letters_and_the_rest_is_sent_again() -> None:
    vendor = Choosy("m-2", "m-4")
    outcome = batch(vendor, *(track(number=n) for n in range(1, 6)))
    assert vendor.taken == ["m-1", "m-3", "m-5"]
    assert [None if error is None else error.reply.text for error in outcome.errors] == [
        None,
        "time is not as Amplitude wants it",
        None,
        "time is not as Amplitude wants it",
        None,
    ]
    assert all(error is None or error.is_final for error in outcome.errors)


def test_an_order_is_refused_whole_when_one_of_its_events_is() -> None:
    vendor = Choosy("m-1-2")
    outcome = batch(vendor, order(1, revenue=1, products=[{"sku": "a"}, {"sku": "b"}]), order(2, revenue=2))
    assert vendor.taken == ["m-2"]
    assert [error is None for error in outcome.errors] == [False, True]


def test_throttled_events_wait_and_the_rest_is_sent_again() -> None:
    vendor = Choosy("m-1", status=429)
    outcome = batch(vendor, track(number=1), track(number=2))
    busy, none = outcome.errors
    assert vendor.taken == ["m-2"]
    assert busy is not None
    assert not busy.is_final
    assert none is None


@pytest.mark.parametrize("status", [401, 413, 429, 500, 503])
def test_an_answer_that_names_no_event_is_for_all_of_them(status: int) -> None:
    outcome = batch(lambda _: reply({"code": status}, status), track(number=1), track(number=2))
    assert len(outcome.requests) == 1
    assert [error and error.reply.status for error in outcome.errors] == [status, status]


def test_when_all_are_throttled_the_destination_is_busy() -> None:
    outcome = batch(Choosy("m-1", "m-2", status=429), track(number=1), track(number=2))
    assert len(outcome.requests) == 1
    assert [error and error.reply.status for error in outcome.errors] == [429, 429]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
LISTS = ["events_with_missing_fields", "events_with_invalid_fields", "silenced_events", "throttled_events"]


@given(
    JSON | st.dictionaries(st.sampled_from(LISTS), JSON), st.sampled_from([400, 429, 500]), st.integers(0, 5)
)
def test_any_answer_is_understood(answer: Any, status: int, count: int) -> None:
    found = faults(HttpError(Reply(status, json.dumps(answer))), count)
    assert all(0 <= place < count for place in found)
    assert status != 500 or not found


def test_users_travel_in_one_array() -> None:
    users = [
        {"type": "identify", "messageId": f"i{n}", "userId": f"u{n}", "traits": {"n": n}} for n in (1, 2)
    ]
    (request,) = drive(route_of("amplitude", SETTINGS), *users, is_batch=True).requests
    made = form(request)["identification"]
    assert [(one["user_id"], one["insert_id"], one["user_properties"]) for one in made] == [
        ("u1", "i1", {"n": 1}),
        ("u2", "i2", {"n": 2}),
    ]


def test_groups_travel_as_members_and_as_groups() -> None:
    mapping = {
        "user_id": {"@path": "$.userId"},
        "group_type": "company",
        "group_value": {"@path": "$.groupId"},
        "group_properties": {"@path": "$.traits"},
        "time": {"@path": "$.timestamp"},
    }
    route = route_of("amplitude", SETTINGS, ("groupIdentifyUser", 'type = "group"', mapping))
    groups: list[dict[str, Any]] = [
        {"type": "group", "userId": "u1", "groupId": "g1", "timestamp": "2026-03-02T09:00:00Z"},
        {"type": "group", "groupId": "g2", "traits": {"plan": "pro"}},
    ]
    outcome = drive(route, *groups, is_batch=True)
    assert lines(outcome) == ["POST /identify", "POST /groupidentify"]
    members, all_groups = (form(request)["identification"] for request in outcome.requests)
    assert [(one["user_id"], one["groups"], one["time"]) for one in members] == [
        ("u1", {"company": "g1"}, 1_772_442_000_000)
    ]
    assert [one["group_value"] for one in all_groups] == ["g1", "g2"]


def test_aliases_travel_in_one_array() -> None:
    route = route_of("amplitude", SETTINGS, ("mapUser", 'type = "alias"', None))
    aliases = [{"type": "alias", "userId": f"new{n}", "previousId": f"old{n}"} for n in (1, 2)]
    (request,) = drive(route, *aliases, is_batch=True).requests
    assert request.url == "https://api.amplitude.com/usermap"
    assert [(one["user_id"], one["global_user_id"]) for one in form(request)["mapping"]] == [
        ("old1", "new1"),
        ("old2", "new2"),
    ]


def test_data_of_europe_stays_there() -> None:
    it = Amplitude(api_key=SECRET, endpoint="europe")
    assert {it.url(path).split("/")[2] for path in ("2/httpapi", "batch", "identify", "usermap")} == {
        "api.eu.amplitude.com"
    }


def test_credentials_are_checked_by_looking_for_a_user() -> None:
    steps = Amplitude(api_key=SECRET, secret_key="als0-secret").check()
    assert steps is not None
    request = next(steps)
    assert (request.method, request.url.partition("?")[0]) == (
        "GET",
        "https://amplitude.com/api/2/usersearch",
    )
    assert "authorization" in request.secret
    assert Amplitude(api_key=SECRET, secret_key="als0-secret").untested is None
    assert Amplitude(api_key=SECRET).untested == "no `secretKey`"


def test_a_refusal_names_fields_and_no_values() -> None:
    route = route_of("amplitude", SETTINGS)
    (parcel,) = route.parcels(
        [event(track(context={"app": {"version": {"secret": SECRET}}, "locale": [SECRET, SECRET]}))],
        is_batch=True,
    )
    error = run(parcel, iter(()), [])
    assert str(error) == "app_version must be text; language must be text"
