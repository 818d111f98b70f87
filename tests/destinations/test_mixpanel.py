"""Mixpanel: what the presets send, and what becomes of parts of a batch."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations.base import Request
from relay.destinations.mixpanel import MAX_EVENTS, MAX_ORDERS, Mixpanel
from relay.destinations.mixpanel.events import fitted
from relay.destinations.reply import Reply
from tests.destinations.driving import Outcome, body, drive, lines, reply, route_of

SECRET = "very-5ecret"
SETTINGS = {"projectToken": "t0ken", "apiSecret": SECRET}
LONG = "ajs-next-1772001098126-0018f5e2-4b2a-4c1d-9e8f-a1a1a1a1a1a1"


def track(name: str = "Clicked", number: int = 1, **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": name, "messageId": f"m-{number}", "userId": f"u{number}", **more}


def send(*events: dict[str, Any], **more: Any) -> Outcome:
    return drive(route_of("mixpanel", SETTINGS), *events, **more)


def sent(*events: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    (request,) = send(*events, **more).requests
    made: list[dict[str, Any]] = body(request)
    return made


def data(request: Request) -> Any:
    return json.loads(parse_qs(request.body.decode())["data"][0])


def partly(*indexes: int) -> Any:
    """A vendor that refuses the events at `indexes`, and takes the rest."""
    records = [{"index": index, "field": "properties.time", "message": "too old"} for index in indexes]
    return lambda _: reply({"code": 400, "num_records_imported": 1, "failed_records": records}, 400)


def test_a_track_is_known_by_its_message() -> None:
    (made,) = sent(track(timestamp="2026-03-02T09:00:00Z", anonymousId="a", properties={"size": "L"}))
    assert made == {
        "event": "Clicked",
        "properties": {
            "$insert_id": "m-1",
            "$source": "segment",
            "$user_id": "u1",
            "$identified_id": "u1",
            "$anon_id": "a",
            "$device_id": "a",
            "distinct_id": "u1",
            "id": "u1",
            "time": 1_772_442_000_000,
            "event_original_name": "Clicked",
            "size": "L",
        },
    }


def test_events_travel_together_as_many_as_mixpanel_takes() -> None:
    outcome = send(*(track(number=n) for n in range(MAX_EVENTS + 1)), is_batch=True)
    assert [len(body(request)) for request in outcome.requests] == [MAX_EVENTS, 1]
    assert lines(outcome) == ["POST /import?strict=1"] * 2


def test_orders_travel_in_smaller_numbers_for_their_items() -> None:
    outcome = send(*(track("Order Completed", n) for n in range(MAX_ORDERS + 1)), is_batch=True)
    assert [len(body(request)) for request in outcome.requests] == [MAX_ORDERS, 1]


def test_refused_events_are_dead_letters_and_the_rest_has_landed() -> None:
    outcome = send(*(track(number=n) for n in range(4)), answer=partly(1, 3), is_batch=True)
    assert len(outcome.requests) == 1
    assert [error and error.reply.text for error in outcome.errors] == [None, "too old", None, "too old"]
    assert all(error is None or error.is_final for error in outcome.errors)


def test_an_order_is_refused_when_an_event_of_one_of_its_items_is() -> None:
    items = [{"sku": "a"}, {"sku": "b"}]
    orders = [track("Order Completed", n, properties={"products": items}) for n in (1, 2)]
    outcome = send(*orders, answer=partly(4), is_batch=True)
    assert [error is None for error in outcome.errors] == [True, False]


@pytest.mark.parametrize("answer", [{}, {"failed_records": []}, {"failed_records": [{"index": 9}]}, [], "no"])
def test_a_refusal_that_names_no_event_is_for_all_of_them(answer: Any) -> None:
    outcome = send(track(number=1), track(number=2), answer=lambda _: reply(answer, 400), is_batch=True)
    assert [error and error.reply.status for error in outcome.errors] == [400, 400]


@pytest.mark.parametrize("status", [401, 413, 429, 502])
def test_any_other_trouble_is_for_all_of_them(status: int) -> None:
    outcome = send(track(number=1), track(number=2), answer=lambda _: reply({}, status), is_batch=True)
    assert [error and error.reply.status for error in outcome.errors] == [status, status]


def test_a_message_id_that_mixpanel_refuses_is_hashed() -> None:
    (first,), (again,) = (sent(track() | {"messageId": LONG}) for _ in range(2))
    made = first["properties"]["$insert_id"]
    assert made == again["properties"]["$insert_id"]
    assert made != LONG
    assert len(made) == 36


def test_a_mapping_of_ones_own_sends_the_id_as_it_is() -> None:
    mapping = {"event": "Clicked", "insert_id": {"@path": "$.messageId"}}
    route = route_of("mixpanel", SETTINGS, ("trackEvent", 'type = "track"', mapping))
    (request,) = drive(route, track() | {"messageId": LONG}).requests
    assert body(request)[0]["properties"]["$insert_id"] == LONG


@given(st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=60))
def test_fitted_ids_are_taken_and_stay_apart(first: str, second: str) -> None:
    made = [fitted(one, {"fit_insert_id": True}) for one in (first, second)]
    assert all(
        len(one) <= 36 and one.replace("-", "a").isascii() and one.replace("-", "a").isalnum() for one in made
    )
    assert (made[0] == made[1]) == (first == second)


def test_items_have_ids_and_times_of_their_own() -> None:
    items = [{"sku": "a", "price": 2}, {"sku": "b"}]
    whole, first, second = sent(
        track("Order Completed", timestamp="2026-03-02T09:00:00Z", properties={"products": items, "total": 5})
    )
    assert [one["event"] for one in (first, second)] == ["Product Purchased"] * 2
    assert [one["properties"]["$insert_id"] for one in (whole, first, second)] == ["m-1", "0m-1", "1m-1"]
    assert [one["properties"]["time"] - 1_772_442_000_000 for one in (whole, first, second)] == [0, -1, -2]
    assert first["properties"]["sku"] == "a"
    assert "total" not in first["properties"]


def test_a_text_that_is_empty_goes_along_in_a_batch_only() -> None:
    events = [track(number=n, context={"page": {"referrer": ""}}) for n in (1, 2)]
    assert all(one["properties"]["$referrer"] == "" for one in sent(*events, is_batch=True))
    assert "$referrer" not in sent(events[0])[0]["properties"]


def test_a_mapping_that_wants_no_batches_gets_none() -> None:
    mapping = {"event": {"@path": "$.event"}, "enable_batching": False, "referrer": ""}
    route = route_of("mixpanel", SETTINGS, ("trackEvent", 'type = "track"', mapping))
    outcome = drive(route, track(), track(), is_batch=True)
    assert [len(body(request)) for request in outcome.requests] == [1, 1]
    assert "$referrer" not in body(outcome.requests[0])[0]["properties"]


def user(number: int, **traits: Any) -> dict[str, Any]:
    return {"type": "identify", "messageId": f"i{number}", "userId": f"u{number}", "traits": traits}


def test_users_travel_in_arrays_their_ids_first() -> None:
    outcome = send(user(1, email="a@b.example"), user(2) | {"anonymousId": "a2"}, is_batch=True)
    assert lines(outcome) == ["POST /track", "POST /engage"]
    (joined,), (update,) = (data(request) for request in outcome.requests)
    assert joined["properties"] == {"$identified_id": "u2", "$anon_id": "a2", "token": "t0ken"}
    assert update == {"$token": "t0ken", "$distinct_id": "u1", "$set": {"$email": "a@b.example"}}


def test_a_user_who_is_alone_is_no_array() -> None:
    (request,) = send(user(1, firstName="Ada", lastName="Lovelace")).requests
    assert data(request)["$set"] == {"$first_name": "Ada", "$last_name": "Lovelace", "$name": "Ada Lovelace"}


def test_nothing_is_asked_where_there_is_nothing_to_say() -> None:
    assert send(user(1), user(2), is_batch=True).requests == []


def test_groups_travel_in_an_array_without_those_that_are_refused() -> None:
    groups = [{"type": "group", "groupId": f"g{n}", "traits": {"plan": n}} for n in (1, 2)]
    outcome = send(groups[0], {"type": "group", "groupId": "g"}, groups[1], is_batch=True)
    assert [one["$group_id"] for one in data(outcome.requests[0])] == ["g1", "g2"]
    assert [error is None for error in outcome.errors] == [True, False, True]
    assert str(outcome.errors[1]) == "traits is missing"


def test_increments_travel_in_an_array_without_those_that_are_refused() -> None:
    route = route_of("mixpanel", SETTINGS, ("incrementProperties", 'type = "track"', None))
    good = [track(number=n, properties={"increment": {"seats": n}}) for n in (1, 2)]
    bad = [
        track(properties={"increment": more})
        for more in ({"seats": SECRET}, {"seats": "Infinity"}, dict.fromkeys("abcdefghijklmnopqrstu", 1))
    ]
    outcome = drive(route, good[0], *bad, good[1], is_batch=True)
    assert [one["$add"] for one in data(outcome.requests[0])] == [{"seats": 1}, {"seats": 2}]
    assert [str(error) for error in outcome.errors[1:4]] == [
        "increment.seats must be a number",
        "increment.seats must be a number",
        "increment has more than 20 properties",
    ]


def test_aliases_travel_in_an_array() -> None:
    route = route_of("mixpanel", SETTINGS, ("alias", 'type = "alias"', None))
    aliases = [{"type": "alias", "userId": f"new{n}", "previousId": f"old{n}"} for n in (1, 2)]
    (request,) = drive(route, *aliases, is_batch=True).requests
    assert [one["properties"]["alias"] for one in data(request)] == ["new1", "new2"]


@pytest.mark.parametrize("text", ["0", '{"status": 0, "error": "token, missing or empty"}'])
def test_an_answer_that_says_nothing_was_taken_is_a_refusal(text: str) -> None:
    outcome = send(user(1, plan="free"), answer=lambda _: Reply(200, text))
    (error,) = outcome.errors
    assert error is not None
    assert error.is_final
    assert error.reply.status == 400


@pytest.mark.parametrize("text", ["1", '{"status": 1}', '{"status": "OK"}', "", "<html>"])
def test_any_other_good_answer_is_one(text: str) -> None:
    assert send(user(1, plan="free"), answer=lambda _: Reply(200, text)).errors == [None]


@pytest.mark.parametrize(
    ("region", "host"), [("EU", "api-eu"), ("EU 🇪🇺", "api-eu"), ("IN 🇮🇳", "api-in"), ("US", "api")]
)
def test_data_stays_in_its_region(region: Any, host: str) -> None:
    it = Mixpanel(project_token="t", api_secret="s", api_region=region)
    assert it.url("import") == f"https://{host}.mixpanel.com/import"


def test_the_sources_name_goes_along_with_everything() -> None:
    route = route_of("mixpanel", {**SETTINGS, "sourceName": "web", "strictMode": "0"})
    tracked, joined = drive(route, track(), user(1) | {"anonymousId": "a"}).requests
    assert tracked.url.endswith("?strict=0")
    assert body(tracked)[0]["properties"]["segment_source_name"] == "web"
    assert data(joined)["properties"]["segment_source_name"] == "web"


def test_credentials_are_checked_together() -> None:
    request = next(Mixpanel(project_token="t", api_secret="s").check())
    assert body(request) == {"api_secret": "s", "project_token": "t"}


def test_a_refusal_names_fields_and_no_values() -> None:
    outcome = send(track(context={"screen": {"width": SECRET}, "network": {"wifi": SECRET}}), is_batch=True)
    (error,) = outcome.errors
    assert set(str(error).split("; ")) == {"screen_width must be a number", "wifi must be true or false"}
