"""Google Ads conversions: what an upload says, and what becomes of each conversion of it."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from relay.destinations import CATALOGUE
from relay.destinations.actions import Subscription
from relay.destinations.actions.route import ActionRoute
from relay.destinations.base import Parcel, Request, Results
from relay.destinations.errors import DeliveryError, HttpError
from relay.destinations.google_enhanced_conversions import GoogleEnhancedConversions
from relay.destinations.reply import Answer, Reply
from relay.destinations.tried import run, signed
from tests.destinations.events import event

KIND = "google-enhanced-conversions"
NOW = 1_772_452_800.0  # 2026-03-02T12:00:00Z
URL = "https://googleads.googleapis.com/v21/customers/1234567890"
CLICK, ADJUSTMENT, CALL = "uploadClickConversion2", "uploadConversionAdjustment2", "uploadCallConversion2"
TOKENS = ("access-t0ken", "dev-t0ken")


def settings(**more: Any) -> GoogleEnhancedConversions:
    said = {"customerId": "123-456-7890", "developerToken": TOKENS[1], "oauth": {"access_token": TOKENS[0]}}
    it = msgspec.convert(said | more, CATALOGUE[KIND])
    assert isinstance(it, GoogleEnhancedConversions)
    return it


def track(**properties: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "messageId": "m-1",
        "event": "Order Completed",
        "properties": properties,
        "context": {"traits": {"phone": "+1 (415) 555-0132"}},
        "timestamp": "2026-03-02T09:38:38.266Z",
    }


def parcels(
    *events: dict[str, Any],
    action: str = CLICK,
    it: GoogleEnhancedConversions | None = None,
    is_batch: bool = True,
    **changes: Any,
) -> list[Parcel]:
    it = it or settings()
    mapping = it.actions[action].default_mapping(conversion_action=77, **changes)
    route = ActionRoute(it, [Subscription(action, 'type = "track"', mapping)], now=lambda: NOW)
    return route.parcels([event(data, n) for n, data in enumerate(events)], is_batch=is_batch)


def sent(*events: dict[str, Any], replies: Sequence[Reply] = (), **more: Any) -> list[Request]:
    requests: list[Request] = []
    for parcel in parcels(*events, **more):
        run(parcel, iter(replies), requests)
    return requests


def body(request: Request) -> dict[str, Any]:
    said = json.loads(request.body)
    assert isinstance(said, dict)
    return said


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def partial(*errors: tuple[int, str]) -> Reply:
    """An answer of 200 in which the conversions at these places failed."""
    details = [
        {
            "errorCode": {"conversionUploadError": code},
            "message": "no v4lue",
            "location": {
                "fieldPathElements": [{"fieldName": "conversions", "index": place}, {"fieldName": "x"}]
            },
        }
        for place, code in errors
    ]
    fault = {"code": 3, "message": "no v4lue", "details": [{"errors": details}]}
    return Reply(200, json.dumps({"partialFailureError": fault, "results": []}))


def errors_of(results: Results | DeliveryError | None) -> list[str | None]:
    assert isinstance(results, list)
    return [None if error is None else error.reply.reason for error in results]


def test_a_conversion_is_told_by_its_click_its_order_and_its_person() -> None:
    product = {"product_id": "p", "quantity": 2, "price": 3.5}
    order = track(
        gclid="g", order_id="o1", total=7, currency="EUR", email="Ana.B@Gmail.com", products=[product]
    )
    (request,) = sent(order)
    assert request.url == f"{URL}:uploadClickConversions"
    assert body(request) == {
        "partialFailure": True,
        "conversions": [
            {
                "conversionAction": "customers/1234567890/conversionActions/77",
                "conversionDateTime": "2026-03-02 09:38:38+00:00",
                "gclid": "g",
                "orderId": "o1",
                "conversionValue": 7,
                "currencyCode": "EUR",
                "cartData": {"items": [{"productId": "p", "quantity": 2, "unitPrice": 3.5}]},
                "userIdentifiers": [
                    {"hashedEmail": sha("anab@gmail.com")},
                    {"hashedPhoneNumber": sha("+14155550132")},
                ],
            }
        ],
    }


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("A.n.a.B@googlemail.com", "anab@googlemail.com"),
        ("a.b@gmailx.example", "a.b@gmailx.example"),
        ("a.b@gmail.com.example", "a.b@gmail.com.example"),
    ],
)
def test_dots_in_the_name_are_left_out_of_gmail_addresses_only(address: str, written: str) -> None:
    (conversion,) = body(sent(track(email=address))[0])["conversions"]
    assert conversion["userIdentifiers"][0] == {"hashedEmail": sha(written)}


def test_without_an_order_the_message_id_makes_a_repetition_harmless() -> None:
    assert body(sent(track())[0])["conversions"][0]["orderId"] == "m-1"


def test_both_tokens_are_sent_and_never_shown() -> None:
    request = signed(settings(), sent(track())[0])
    assert request.headers["developer-token"] == TOKENS[1]
    assert request.headers["authorization"] == f"Bearer {TOKENS[0]}"
    assert {"developer-token", "authorization"} <= request.secret


def test_a_manager_account_is_named() -> None:
    request = sent(track(), it=settings(loginCustomerId=" 111-222-3333 "))[0]
    assert request.headers["login-customer-id"] == "1112223333"


def test_the_version_can_be_a_living_one() -> None:
    assert "/v26/customers/" in sent(track(), it=settings(apiVersion="v26"))[0].url


def test_many_conversions_go_in_one_request() -> None:
    (request,) = sent(*(track(order_id=f"o{n}") for n in range(50)))
    assert [one["orderId"] for one in body(request)["conversions"]] == [f"o{n}" for n in range(50)]


def test_a_mapping_that_says_so_sends_one_by_one() -> None:
    assert len(sent(track(), track(), enable_batching=False)) == 2


def test_only_the_conversions_that_google_names_are_refused() -> None:
    (parcel,) = parcels(*(track(order_id=f"o{n}") for n in range(4)))
    results = run(parcel, iter([partial((1, "EXPIRED_EVENT"), (3, "UNPARSEABLE_GCLID"))]), [])
    assert errors_of(results) == [None, "EXPIRED_EVENT", None, "UNPARSEABLE_GCLID"]
    assert isinstance(results, list)
    assert [error.is_final for error in results if error is not None] == [True, True]
    assert not any("v4lue" in str(error) for error in results)


def test_what_is_too_recent_is_tried_again() -> None:
    (parcel,) = parcels(track(), track())
    results = run(parcel, iter([partial((0, "TOO_RECENT_EVENT"))]), [])
    assert isinstance(results, list)
    assert [error and error.reply.answer for error in results] == [Answer.BUSY, None]


def test_a_failure_of_no_place_is_everybodys() -> None:
    (parcel,) = parcels(track(), track())
    fault = {"partialFailureError": {"code": 3, "message": "m", "details": []}}
    assert errors_of(run(parcel, iter([Reply(200, json.dumps(fault))]), [])) == ["INVALID_ARGUMENT"] * 2


def test_a_single_one_that_fails_inside_a_200_is_refused() -> None:
    (parcel,) = parcels(track(), is_batch=False)
    error = run(parcel, iter([partial((0, "EXPIRED_EVENT"))]), [])
    assert isinstance(error, DeliveryError)
    assert (error.reply.status, error.reply.reason, error.is_final) == (400, "EXPIRED_EVENT", True)


def test_a_bad_address_refuses_its_own_event_and_moves_the_places() -> None:
    (parcel,) = parcels(track(email="v4lue"), track(order_id="a"), track(order_id="b"))
    requests: list[Request] = []
    results = run(parcel, iter([partial((1, "EXPIRED_EVENT"))]), requests)
    assert errors_of(results) == ["PAYLOAD_VALIDATION_FAILED", None, "EXPIRED_EVENT"]
    assert [one["orderId"] for one in body(requests[0])["conversions"]] == ["a", "b"]
    assert isinstance(results, list)
    assert "email_address" in str(results[0])
    assert "v4lue" not in str(results[0])


def test_when_the_whole_request_fails_all_wait() -> None:
    (parcel,) = parcels(track(), track())
    error = run(parcel, iter([Reply(429, "")]), [])
    assert isinstance(error, HttpError)
    assert not error.is_final


@pytest.mark.parametrize("count", [1, 3])
def test_custom_variables_are_looked_up_once_a_request(count: int) -> None:
    row = {
        "conversionCustomVariable": {
            "name": "tier",
            "resourceName": "customers/1/conversionCustomVariables/7",
        }
    }
    found = Reply(200, json.dumps([{"results": [row]}]))
    asked, upload = sent(*[track()] * count, replies=[found], custom_variables={"tier": "gold", "other": 1})
    assert asked.url == f"{URL}/googleAds:searchStream"
    for one in body(upload)["conversions"]:
        assert one["customVariables"] == [
            {"conversionCustomVariable": "customers/1/conversionCustomVariables/7", "value": "gold"}
        ]


def test_an_account_without_custom_variables_sends_none() -> None:
    _, upload = sent(track(), replies=[Reply(200, "[]")], custom_variables={"tier": "gold"})
    assert "customVariables" not in body(upload)["conversions"][0]


def test_a_refund_takes_the_conversion_back() -> None:
    order = track(order_id="o1", firstName="Ana", address={"city": "Berlin", "street": "Weg 1"})
    (request,) = sent(order, action=ADJUSTMENT, adjustment_type="RETRACTION")
    assert request.url == f"{URL}:uploadConversionAdjustments"
    assert body(request)["conversionAdjustments"] == [
        {
            "conversionAction": "customers/1234567890/conversionActions/77",
            "adjustmentType": "RETRACTION",
            "adjustmentDateTime": "2026-03-02 09:38:38+00:00",
            "orderId": "o1",
            "gclidDateTimePair": {},
            "userIdentifiers": [
                {"hashedPhoneNumber": sha("+14155550132")},
                {
                    "addressInfo": {
                        "hashedFirstName": sha("Ana"),
                        "hashedStreetAddress": sha("Weg 1"),
                        "city": "Berlin",
                    }
                },
            ],
        }
    ]


def test_an_adjustment_without_a_time_is_of_now() -> None:
    (request,) = sent(
        track(),
        action=ADJUSTMENT,
        adjustment_type="RESTATEMENT",
        restatement_value=3,
        adjustment_timestamp=None,
    )
    (made,) = body(request)["conversionAdjustments"]
    assert made["adjustmentDateTime"] == "2026-03-02 12:00:00+00:00"
    assert made["restatementValue"] == {"adjustedValue": 3}


def test_a_call_is_told_by_its_number_and_time() -> None:
    (request,) = sent(
        track(total=5), action=CALL, caller_id="+14155550132", call_timestamp="2026-03-02T09:00:00Z"
    )
    assert request.url == f"{URL}:uploadCallConversions"
    (made,) = body(request)["conversions"]
    assert (made["callerId"], made["callStartDateTime"]) == ("+14155550132", "2026-03-02 09:00:00+00:00")


@pytest.mark.parametrize(
    ("number", "country", "written"),
    [
        ("4155550132", None, "+14155550132"),
        ("030 123456", "49", "+49030123456"),
        ("+49 30 123456", "+49", "+4930123456"),
    ],
)
def test_a_phone_number_has_its_country_before_it_is_hashed(
    number: str, country: str | None, written: str
) -> None:
    changes: dict[str, Any] = {} if country is None else {"phone_country_code": country}
    (made,) = body(sent(track(phone=number), **changes)[0])["conversions"]
    assert made["userIdentifiers"] == [{"hashedPhoneNumber": sha(written)}]


def test_a_hash_is_sent_as_it_is() -> None:
    (made,) = body(sent(track(email=sha("a"), phone=sha("b")))[0])["conversions"]
    assert made["userIdentifiers"] == [{"hashedEmail": sha("a")}, {"hashedPhoneNumber": sha("b")}]


def test_without_an_account_all_is_refused_by_the_settings_name() -> None:
    (parcel,) = parcels(track(), track(), it=settings(customerId=None))
    error = run(parcel, iter(()), [])
    assert isinstance(error, DeliveryError)
    assert "customerId" in str(error)


def test_another_sync_mode_is_refused() -> None:
    (parcel,) = parcels(track(), __segment_internal_sync_mode="delete")
    error = run(parcel, iter(()), [])
    assert isinstance(error, DeliveryError)
    assert error.reply.reason == "INTEGRATION_ERROR"


def test_the_credentials_are_tried_by_asking_which_accounts_there_are() -> None:
    (request,) = settings().check()
    assert (request.method, request.url) == (
        "GET",
        "https://googleads.googleapis.com/v21/customers:listAccessibleCustomers",
    )
