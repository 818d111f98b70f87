"""TikTok's Events API: what relay's own defaults send, batches, and what the code in an answer means."""

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
from relay.destinations.actions import Call, Subscription
from relay.destinations.actions.route import ActionRoute
from relay.destinations.base import Parcel, Request
from relay.destinations.errors import DeliveryError
from relay.destinations.reply import Answer, Reply
from relay.destinations.tiktok_conversions import TiktokConversions
from relay.destinations.tiktok_conversions.events import event as made
from relay.destinations.tried import Tried, run, tried
from tests.destinations.events import event

KIND = "tiktok-conversions"
NOW = 1_772_452_800.0  # 2026-03-02T12:00:00Z
TOKEN = "tt-t0ken"


def settings() -> TiktokConversions:
    it = msgspec.convert({"accessToken": TOKEN, "pixelCode": "PIXEL"}, CATALOGUE[KIND])
    assert isinstance(it, TiktokConversions)
    return it


def track(name: str, properties: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "messageId": "m-1",
        "userId": "U1",
        "event": name,
        "properties": properties or {},
        "context": {},
        "timestamp": "2026-03-02T09:38:38.266Z",
    } | more


def parcels(*events: dict[str, Any], mapping: dict[str, Any] | None = None) -> list[Parcel]:
    it = settings()
    own = [Subscription("reportWebEvent", 'type = "track"', mapping)]
    route = ActionRoute(it, it.preset_subscriptions() if mapping is None else own, now=lambda: NOW)
    return route.parcels([event(data, n) for n, data in enumerate(events)], is_batch=True)


def outcome(*events: dict[str, Any], replies: Sequence[Reply] = (), **more: Any) -> Tried:
    return asyncio.run(tried(parcels(*events, **more), iter(replies)))


def body(request: Request) -> dict[str, Any]:
    said = json.loads(request.body)
    assert isinstance(said, dict)
    return said


def only(*events: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The one event that is sent."""
    result = outcome(*events, **more)
    assert result.errors == []
    (request,) = result.requests
    (data,) = body(request)["data"]
    assert isinstance(data, dict)
    return data


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_an_order_is_a_payment_with_the_message_id() -> None:
    products = [
        {"product_id": "a", "price": 3.5, "quantity": 2, "category": "tea", "name": "Tea", "brand": "B"}
    ]
    order = {
        "total": 7,
        "currency": "EUR",
        "order_id": "o1",
        "products": products,
        "email": "Ana@Example.com",
    }
    (request,) = outcome(track("Order Completed", order)).requests
    assert body(request) == {
        "event_source": "web",
        "event_source_id": "PIXEL",
        "partner_name": "Segment",
        "data": [
            {
                "event": "CompletePayment",
                "event_time": 1772444318,
                "event_id": "m-1",
                "user": {
                    "external_id": [sha("u1")],
                    "phone": [],
                    "email": [sha("ana@example.com")],
                    **dict.fromkeys(("first_name", "last_name", "city", "state", "country", "zip_code"), ""),
                },
                "properties": {
                    "contents": [
                        {
                            "content_id": "a",
                            "price": 3.5,
                            "quantity": 2,
                            "content_category": "tea",
                            "content_name": "Tea",
                            "brand": "B",
                        }
                    ],
                    "content_type": "product",
                    "currency": "EUR",
                    "value": 7,
                    "order_id": "o1",
                },
                "limited_data_use": False,
            }
        ],
    }


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("Callback Started", "Contact"),
        ("Subscription Created", "Subscribe"),
        ("Form Submitted", "SubmitForm"),
        ("Product Viewed", "ViewContent"),
        ("Product Clicked", "ClickButton"),
        ("Products Searched", "Search"),
        ("Product Added to Wishlist", "AddToWishlist"),
        ("Product Added", "AddToCart"),
        ("Checkout Started", "InitiateCheckout"),
        ("Payment Info Entered", "AddPaymentInfo"),
        ("Order Placed", "PlaceAnOrder"),
        ("Download Link Clicked", "Download"),
        ("Signed Up", "CompleteRegistration"),
    ],
)
def test_every_preset_has_tiktoks_name(name: str, theirs: str) -> None:
    assert only(track(name))["event"] == theirs


def test_a_page_is_a_page_view_and_any_other_event_is_nothing() -> None:
    page = track("", type="page")
    del page["event"]
    assert only(page)["event"] == "PageView"
    assert parcels(track("Song Played")) == []


def test_traits_in_camel_case_are_found() -> None:
    address = {"city": "San Francisco", "postalCode": "94 105", "country": "US", "state": "CA"}
    traits = {"firstName": "Ana Maria", "lastName": "Ruiz", "phone": "+1 (415) 555-0132", "address": address}
    user = only(track("Signed Up", context={"traits": traits, "ip": "203.0.113.1"}))["user"]
    assert user == {
        "external_id": [sha("u1")],
        "phone": [sha("+14155550132")],
        "email": [],
        "first_name": sha("anamaria"),
        "last_name": sha("ruiz"),
        "city": "sanfrancisco",
        "state": "ca",
        "country": "us",
        "zip_code": sha("94105"),
        "ip": "203.0.113.1",
    }


@pytest.mark.parametrize(
    ("url", "given", "expected"),
    [
        ("https://x.example/?a=1&ttclid=E.C%2BP", None, "E.C+P"),
        ("https://x.example/?ttclid=E", "F", "E"),
        ("https://x.example/?ttclid=", "F", ""),
        ("https://x.example/", "F", "F"),
        ("/relative?ttclid=E", None, None),
        ("https://[bad?ttclid=E", "F", "F"),
    ],
)
def test_the_click_id_of_the_address_goes_first(url: str, given: str | None, expected: str | None) -> None:
    data = only(track("Signed Up", {"ttclid": given}, context={"page": {"url": url}}))
    assert data["user"].get("ttclid") == expected


def test_a_vehicle_has_its_fields_in_pairs() -> None:
    car = {
        "make": "Fiat",
        "mileage_value": 10,
        "mileage_unit": "KM",
        "preferred_price_range_min": 1,
        "preferred_price_range_max": 2,
    }
    data = only(
        track("A"), mapping={"event": "Search", "event_spec_type": "vehicle_fields", "vehicle_fields": car}
    )
    assert data["properties"] == {
        "contents": [],
        "make": "Fiat",
        "mileage": {"unit": "KM", "value": 10},
        "preferred_price_range": [1, 2],
    }


def test_a_lead_is_for_a_crm() -> None:
    lead = {"lead_id": "L1", "lead_event_source": "hubspot"}
    mapping = {"event": "Lead", "event_source": "crm", "lead_fields": lead}
    assert only(track("A"), mapping=mapping)["lead"] == lead
    assert "lead" not in only(track("A"), mapping={**mapping, "event_source": "web"})
    (error,) = outcome(track("A"), mapping={"event": "Lead", "event_source": "crm"}).errors
    assert str(error) == "lead_fields is missing"


def test_without_a_timestamp_it_is_now() -> None:
    assert only(track("A"), mapping={"event": "E"})["event_time"] == NOW


def test_a_time_that_is_none_is_refused_and_the_rest_is_sent() -> None:
    (parcel,) = parcels(track("Signed Up"), track("Signed Up", timestamp="soon"), track("Signed Up"))
    requests: list[Request] = []
    results = run(parcel, iter(()), requests)
    assert isinstance(results, list)
    assert [error and str(error) for error in results] == [None, "timestamp is no date", None]
    assert len(body(requests[0])["data"]) == 2
    assert outcome(track("Signed Up", timestamp="soon")).requests == []


def test_events_travel_together_up_to_a_thousand() -> None:
    result = outcome(*[track("Signed Up", messageId=f"m{n}") for n in range(1500)])
    sent = [body(request)["data"] for request in result.requests]
    assert [len(data) for data in sent] == [1000, 500]
    assert [one["event_id"] for data in sent for one in data] == [f"m{n}" for n in range(1500)]


def test_what_is_said_once_a_request_keeps_events_apart() -> None:
    mapping = {"event": "E", "test_event_code": {"@path": "$.properties.code"}}
    result = outcome(track("A", {"code": "T"}), track("A"), track("A", {"code": "T"}), mapping=mapping)
    assert [(body(r).get("test_event_code"), len(body(r)["data"])) for r in result.requests] == [
        ("T", 2),
        (None, 1),
    ]


def answered(code: Any, count: int = 2) -> DeliveryError:
    (parcel,) = parcels(*[track("Signed Up")] * count)
    result = run(parcel, iter([Reply(200, json.dumps({"code": code, "message": "no"}))]), [])
    assert isinstance(result, DeliveryError)
    return result


@pytest.mark.parametrize(
    ("code", "status", "answer"),
    [
        (40100, 429, Answer.BUSY),
        (50002, 503, Answer.BUSY),
        (40105, 401, Answer.REFUSED),
        (40001, 403, Answer.REFUSED),
        (40002, 400, Answer.REFUSED),
        (20001, 400, Answer.REFUSED),
    ],
)
def test_a_code_in_a_200_is_a_failure_of_its_own_kind(code: int, status: int, answer: Answer) -> None:
    reply = answered(code).reply
    assert (reply.status, reply.answer, reply.reason) == (status, answer, str(code))
    assert json.loads(reply.text)["message"] == "no"


@pytest.mark.parametrize("text", ['{"code": 0}', "{}", "[]", "thanks", '{"code": "x"}'])
def test_a_200_without_code_is_a_delivery(text: str) -> None:
    (parcel,) = parcels(*[track("Signed Up")] * 2)
    assert run(parcel, iter([Reply(200, text)]), []) == [None, None]


def checked(reply: Reply) -> DeliveryError | None:
    parcel = Parcel((), "", lambda _: settings().check())
    result = run(parcel, iter([reply]), [])
    assert result is None or isinstance(result, DeliveryError)
    return result


def test_the_check_reports_nothing_and_tells_a_bad_token() -> None:
    assert body(next(settings().check()))["data"] == []
    assert checked(Reply(200, '{"code": 40002}')) is None
    error = checked(Reply(200, '{"code": 40105}'))
    assert error is not None
    assert error.reply.status == 401


def test_the_token_is_a_secret_header() -> None:
    (request,) = outcome(track("Signed Up")).requests
    assert request.headers["Access-Token"] == TOKEN
    assert request.secret == {"Access-Token"}
    assert TOKEN not in request.url + request.body.decode()


@given(st.text(max_size=20), st.sampled_from(["email", "phone_number", "external_id"]))
def test_what_is_hashed_stays_as_it_is(value: str, field: str) -> None:
    theirs = {"phone_number": "phone"}.get(field, field)

    def user(given: str) -> Any:
        return made(Call({"event": "E", field: [given]}, {}, 0))["user"][theirs]

    (hashed,) = user(value)
    assert user(hashed) == [hashed]
    assert len(hashed) in (0, 64)
