"""Meta's Conversions API: what relay's own defaults send, what is refused beforehand, and what answers mean."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations import CATALOGUE
from relay.destinations.actions import Subscription
from relay.destinations.actions.route import ActionRoute
from relay.destinations.base import Parcel
from relay.destinations.errors import DeliveryError
from relay.destinations.facebook_conversions_api import FacebookConversionsApi
from relay.destinations.facebook_conversions_api.people import user_data
from relay.destinations.reply import Answer, Reply
from relay.destinations.tried import Tried, run, tried
from tests.destinations.events import event

KIND = "facebook-conversions-api"
NOW = 1_772_452_800.0  # 2026-03-02T12:00:00Z
TOKEN = "EAAG-t0ken"
BROWSER = {"ip": "203.0.113.10", "userAgent": "Mozilla/5.0", "page": {"url": "https://shop.example/"}}


def settings(**more: Any) -> FacebookConversionsApi:
    made = msgspec.convert({"pixelId": "11", "accessToken": TOKEN, **more}, CATALOGUE[KIND])
    assert isinstance(made, FacebookConversionsApi)
    return made


def track(name: str, properties: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "messageId": "m-1",
        "userId": "u1",
        "event": name,
        "properties": properties or {},
        "context": BROWSER,
        "timestamp": "2026-03-02T09:38:38.266Z",
    } | more


def parcels(
    *events: dict[str, Any],
    subscriptions: Sequence[Subscription] | None = None,
    is_batch: bool = True,
    **more: Any,
) -> list[Parcel]:
    it = settings(**more)
    chosen = it.preset_subscriptions() if subscriptions is None else subscriptions
    route = ActionRoute(it, chosen, now=lambda: NOW)
    return route.parcels([event(data, n) for n, data in enumerate(events)], is_batch=is_batch)


def outcome(*events: dict[str, Any], replies: Sequence[Reply] = (), **more: Any) -> Tried:
    return asyncio.run(tried(parcels(*events, **more), iter(replies)))


def only(*events: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The one event that is sent."""
    result = outcome(*events, **more)
    assert result.errors == []
    (request,) = result.requests
    (data,) = json.loads(request.body)["data"]
    assert isinstance(data, dict)
    return data


def explicit(action: str = "custom2", **changes: Any) -> Subscription:
    """A mapping as it is moved from Segment."""
    mapping = {
        "action_source": "website",
        "event_name": {"@path": "$.event"},
        "event_time": {"@path": "$.timestamp"},
        "event_id": {"@path": "$.messageId"},
        "user_data": {"externalId": {"@path": "$.userId"}},
    }
    return Subscription(action, 'type = "track"', {**mapping, **changes})


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


ORDER = {
    "revenue": 25,
    "currency": "usd",
    "products": [{"product_id": "a", "quantity": 2, "price": 3.5}, {"sku": "b", "price": 18}],
}
TRAITS = {
    "email": " Ana@Example.com",
    "phone": "+1 (415) 555-0132",
    "firstName": "Ana",
    "birthday": "1997-12-26",
    "gender": "female",
    "address": {"country": "Germany", "state": "New York", "postalCode": "10 117"},
}


def test_an_order_is_a_purchase_with_seconds_and_the_message_id() -> None:
    assert only(track("Order Completed", ORDER)) == {
        "event_name": "Purchase",
        "event_time": 1772444318,
        "event_id": "m-1",
        "action_source": "website",
        "event_source_url": "https://shop.example/",
        "user_data": {
            "external_id": [sha("u1")],
            "client_ip_address": "203.0.113.10",
            "client_user_agent": "Mozilla/5.0",
        },
        "custom_data": {
            "currency": "USD",
            "value": 25,
            "content_type": "product",
            "contents": [{"id": "a", "quantity": 2, "item_price": 3.5}, {"id": "b", "item_price": 18}],
        },
    }


def test_a_person_is_hashed_as_meta_asks() -> None:
    properties = {"fbc": "fb.1.2.x", "fbp": "fb.1.3.y"}
    data = only(track("Signed Up", properties, context={**BROWSER, "traits": TRAITS}))
    assert data["user_data"] == {
        "em": sha("ana@example.com"),
        "ph": sha("14155550132"),
        "fn": sha("ana"),
        "db": sha("19971226"),
        "ge": sha("f"),
        "country": sha("de"),
        "st": sha("ny"),
        "zp": sha("10117"),
        "external_id": [sha("u1")],
        "client_ip_address": "203.0.113.10",
        "client_user_agent": "Mozilla/5.0",
        "fbc": "fb.1.2.x",
        "fbp": "fb.1.3.y",
    }


@pytest.mark.parametrize(
    ("name", "meta", "custom"),
    [
        ("Product Viewed", "ViewContent", {"content_type": "product", "content_ids": ["p"], "value": 5}),
        ("Product Added", "AddToCart", {"content_type": "product", "value": 5}),
        ("Products Searched", "Search", {"search_string": "tea"}),
        ("Checkout Started", "InitiateCheckout", {"value": 7}),
        ("Product Added to Wishlist", "AddToWishlist", {"value": 7}),
        ("Payment Info Entered", "AddPaymentInfo", {"value": 7}),
        ("Signed Up", "CompleteRegistration", {"value": 7}),
    ],
)
def test_what_leads_to_a_purchase_is_one_of_metas_events(
    name: str, meta: str, custom: dict[str, Any]
) -> None:
    data = only(track(name, {"product_id": "p", "price": 5, "total": 7, "query": "tea"}))
    assert data["event_name"] == meta
    contents = data["custom_data"].pop("contents", None)
    assert contents in (None, [{"id": "p", "item_price": 5}])
    assert data["custom_data"] == custom


def test_a_page_is_a_page_view_and_any_other_event_is_nothing() -> None:
    page = track("", type="page")
    del page["event"]
    assert only(page)["event_name"] == "PageView"
    assert parcels(track("Song Played")) == []
    assert parcels(track("", type="identify")) == []


def test_a_product_without_id_costs_the_products_and_not_the_event() -> None:
    data = only(track("Products Searched", {"query": "tea"}))
    assert data["custom_data"] == {"search_string": "tea"}


@pytest.mark.parametrize("context", [{}, {"page": BROWSER["page"]}, {"userAgent": "Dalvik"}])
def test_what_no_browser_sent_is_not_from_a_website(context: dict[str, Any]) -> None:
    assert only(track("Order Completed", ORDER, context=context))["action_source"] == "other"


def test_a_mapping_moved_from_segment_keeps_the_text_of_the_time() -> None:
    data = only(track("Song Played"), subscriptions=[explicit()])
    assert data["event_time"] == "2026-03-02T09:38:38.266Z"


def test_a_subscription_without_mapping_has_relays_defaults() -> None:
    data = only(track("Song Played"), subscriptions=[Subscription("custom2", 'event = "Song Played"')])
    assert (data["event_name"], data["event_time"]) == ("Song Played", 1772444318)


@pytest.mark.parametrize(
    ("moment", "is_sent"),
    [
        ("2026-02-23T12:00:00Z", True),
        ("2026-02-23T11:59:59Z", False),
        ("1772000000", True),
        ("1771000000000", False),
    ],
)
def test_an_event_over_seven_days_old_is_refused_alone(moment: str, is_sent: bool) -> None:
    events = [track("Order Completed", ORDER, timestamp=moment), track("Order Completed", ORDER)]
    result = outcome(*events)
    assert [len(json.loads(r.body)["data"]) for r in result.requests] == [1 + is_sent]
    assert [(e.reply.reason, e.reply.status) for e in result.errors] == [("EVENT_TOO_OLD", 400)] * (
        not is_sent
    )


def test_in_a_store_it_may_be_62_days_old() -> None:
    old = track("Sold", timestamp="2026-01-01T00:00:00Z")
    batch = [old, track("Sold")]
    in_store = outcome(*batch, subscriptions=[explicit(action_source="physical_store")])
    assert in_store.errors == []
    online = outcome(*batch, subscriptions=[explicit(action_source="email")])
    assert [e.reply.reason for e in online.errors] == ["EVENT_TOO_OLD"]


def test_an_old_event_alone_is_refused_by_the_presets_and_sent_by_a_moved_mapping() -> None:
    old = track("Order Completed", ORDER, timestamp="2026-01-01T00:00:00Z")
    assert [e.reply.reason for e in outcome(old, is_batch=False).errors] == ["EVENT_TOO_OLD"]
    assert len(outcome(old, subscriptions=[explicit()], is_batch=False).requests) == 1


@pytest.mark.parametrize("timestamp", ["yesterday", "9" * 5000])
def test_a_time_that_is_none_is_refused_by_name(timestamp: str) -> None:
    (error,) = outcome(track("Order Completed", ORDER, timestamp=timestamp)).errors
    assert str(error) == "event_time is no date"


def test_events_travel_together_up_to_a_thousand() -> None:
    events = [track("Order Completed", ORDER, messageId=f"m{n}") for n in range(1500)]
    result = outcome(*events)
    sent = [json.loads(request.body)["data"] for request in result.requests]
    assert [len(data) for data in sent] == [1000, 500]
    assert [one["event_id"] for data in sent for one in data] == [f"m{n}" for n in range(1500)]
    assert all(len(request.body) < 1_000_000 for request in result.requests)


def test_events_with_other_test_codes_travel_apart() -> None:
    by_event = explicit(test_event_code={"@path": "$.properties.code"})
    events = [track("A", {"code": "T1"}), track("A"), track("A", {"code": "T1"})]
    bodies = [json.loads(r.body) for r in outcome(*events, subscriptions=[by_event]).requests]
    assert [(b.get("test_event_code"), len(b["data"])) for b in bodies] == [("T1", 2), (None, 1)]
    (request,) = outcome(track("A"), subscriptions=[by_event], testEventCode="T0").requests
    assert json.loads(request.body)["test_event_code"] == "T0"


def test_wrong_events_of_a_batch_are_refused_and_the_rest_is_sent() -> None:
    wrong = track("Order Completed", {**ORDER, "currency": "euro"}, messageId="m-2")
    (parcel,) = parcels(track("Order Completed", ORDER), wrong, track("Order Completed", ORDER))
    requests: list[Any] = []
    results = run(parcel, iter(()), requests)
    assert isinstance(results, list)
    assert [error and error.fields for error in results] == [None, ("currency",), None]
    assert [one["event_id"] for one in json.loads(requests[0].body)["data"]] == ["m-1", "m-1"]


def test_a_batch_of_which_nothing_is_left_asks_nobody() -> None:
    wrong = track("Order Completed", {**ORDER, "currency": "euro"})
    result = outcome(wrong, wrong)
    assert result.requests == []
    assert [e.reply.reason for e in result.errors] == ["INVALID_CURRENCY_CODE"]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        (
            {"contents": [{"quantity": 1}], "action_source": "chat"},
            "contents[0].id",
            "PAYLOAD_VALIDATION_FAILED",
        ),
        (
            {"contents": [{"id": "a", "delivery_category": "drone"}], "action_source": "chat"},
            "contents[0].delivery_category",
            "PAYLOAD_VALIDATION_FAILED",
        ),
        ({"currency": "usd"}, "currency", "MISCONFIGURED_REQUIRED_FIELD"),
        ({}, "user_data.client_user_agent", "MISCONFIGURED_REQUIRED_FIELD"),
    ],
)
def test_a_refusal_names_the_field_and_no_value(changes: dict[str, Any], field: str, code: str) -> None:
    (error,) = outcome(track("A"), subscriptions=[explicit("addToCart2", **changes)]).errors
    assert field in str(error)
    assert error.reply.reason == code
    assert "drone" not in str(error)
    assert "usd" not in str(error)


def test_another_sync_mode_is_refused() -> None:
    (error,) = outcome(track("A"), subscriptions=[explicit(__segment_internal_sync_mode="delete")]).errors
    assert error.reply.reason == "MISCONFIGURED_SYNC_MODE"


def said(status: int, **error: Any) -> Reply:
    return Reply(status, json.dumps({"error": error}))


def answered(reply: Reply, count: int = 1) -> DeliveryError:
    (parcel,) = parcels(*[track("Order Completed", ORDER)] * count)
    result = run(parcel, iter([reply]), [])
    assert isinstance(result, DeliveryError)
    return result


@pytest.mark.parametrize("code", [2, 4, 17, 341, 613, 80004])
def test_a_limit_is_a_reason_to_wait_though_meta_says_400(code: int) -> None:
    error = answered(said(400, code=code))
    assert (error.reply.answer, error.reply.reason) == (Answer.BUSY, str(code))


def test_what_is_transient_is_tried_again() -> None:
    assert answered(said(400, code=1, is_transient=True)).reply.answer is Answer.BUSY


@pytest.mark.parametrize("error", [{"code": 190}, {"code": 200}, {"code": 100, "error_subcode": 33}])
def test_a_bad_token_is_not_looked_for_in_halves(error: dict[str, Any]) -> None:
    assert answered(said(400, **error), 3).reply.status == 403
    assert answered(said(400, **error)).reply.status == 400


@pytest.mark.parametrize("error", [{"code": 100, "error_subcode": 2804003}, {"code": [1]}, {"code": "x"}])
def test_a_wrong_event_is_looked_for_in_halves(error: dict[str, Any]) -> None:
    assert answered(said(400, **error), 3).reply.status == 400


@pytest.mark.parametrize(
    "text", ['{"events_received": 2}', '{"events_received": 0}', '{"error": {"code": 100}}']
)
def test_a_200_that_counts_too_few_events_is_no_delivery(text: str) -> None:
    assert answered(Reply(200, text), 3).reply.status == 400


@pytest.mark.parametrize("text", ['{"events_received": 3}', "{}", "[]", "thanks", '{"error": "?"}'])
def test_a_200_without_complaint_is_a_delivery(text: str) -> None:
    (parcel,) = parcels(*[track("Order Completed", ORDER)] * 3)
    assert run(parcel, iter([Reply(200, text)]), []) == [None] * 3


def test_the_token_is_a_secret_header_and_without_it_there_is_none() -> None:
    (request,) = outcome(track("Order Completed", ORDER)).requests
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert "authorization" in request.secret
    assert TOKEN not in request.url + request.body.decode()
    (request,) = outcome(track("Order Completed", ORDER), accessToken=None).requests
    assert "authorization" not in request.headers


@given(st.text(max_size=20), st.sampled_from(["email", "firstName", "city", "zip", "state", "country"]))
def test_case_and_white_space_do_not_make_another_person(value: str, field: str) -> None:
    assert user_data({field: value}) == user_data({field: f" {value}\t\n"})


@given(st.text(max_size=20), st.sampled_from(["email", "phone", "gender", "firstName", "dateOfBirth"]))
def test_what_is_hashed_stays_as_it_is(value: str, field: str) -> None:
    for theirs, hashed in user_data({field: value}).items():
        assert user_data({field: hashed}) in ({theirs: hashed}, {})
        assert len(hashed) in (0, 64)
