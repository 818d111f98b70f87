"""Google Analytics 4: what relay's own defaults send, what is fitted into its limits, and how events are put together."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay.destinations import CATALOGUE
from relay.destinations.actions import Subscription
from relay.destinations.actions.route import ActionRoute
from relay.destinations.base import Parcel, Request
from relay.destinations.google_analytics_4 import GoogleAnalytics4
from relay.destinations.google_analytics_4.limits import MAX_BODY, MAX_PARAMETERS, RESERVED_EVENTS, fitted
from relay.destinations.reply import Answer, Reply
from relay.destinations.tried import Tried, run, tried
from tests.destinations.events import event

KIND = "google-analytics-4"
SECRET = "ga4-5ecret"
WEB = "https://www.google-analytics.com/mp/collect?api_secret=ga4-5ecret&measurement_id=G-1"
APP = "https://www.google-analytics.com/mp/collect?api_secret=ga4-5ecret&firebase_app_id=1:2:ios:f"
MICROS = 1_772_444_318_266_000  # of the events' timestamp
BOTH = {"measurementId": "G-1", "firebaseAppId": "1:2:ios:f"}


def settings(**streams: str) -> GoogleAnalytics4:
    it = msgspec.convert({"apiSecret": SECRET, **(streams or BOTH)}, CATALOGUE[KIND])
    assert isinstance(it, GoogleAnalytics4)
    return it


def track(called: str = "Clicked", properties: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "messageId": "m-1",
        "userId": "U1",
        "event": called,
        "properties": properties or {},
        "timestamp": "2026-03-02T09:38:38.266Z",
    } | more


def parcels(
    *events: dict[str, Any],
    it: GoogleAnalytics4 | None = None,
    own: Subscription | None = None,
    is_batch: bool = True,
) -> list[Parcel]:
    it = it or settings()
    route = ActionRoute(it, it.preset_subscriptions() if own is None else [own])
    return route.parcels([event(data, n) for n, data in enumerate(events)], is_batch=is_batch)


def outcome(*events: dict[str, Any], replies: Sequence[Reply] = (), **more: Any) -> Tried:
    return asyncio.run(tried(parcels(*events, **more), iter(replies)))


def body(request: Request) -> dict[str, Any]:
    said = json.loads(request.body)
    assert isinstance(said, dict)
    return said


def only(*events: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The body of the one request that is sent."""
    result = outcome(*events, **more)
    assert result.errors == []
    (request,) = result.requests
    return body(request)


def params(*events: dict[str, Any], **more: Any) -> dict[str, Any]:
    (sent,) = only(*events, **more)["events"]
    assert isinstance(sent["params"], dict)
    return sent["params"]


def custom(**mapping: Any) -> Subscription:
    said = {"clientId": {"@path": "$.userId"}, "name": {"@path": "$.event"}, **mapping}
    return Subscription("customEvent", 'type = "track"', said)


def test_any_event_is_sent_with_its_properties() -> None:
    (request,) = outcome(track("Plan  Chosen", {"plan": "pro", "seats": 3, "is_new": True})).requests
    assert (request.method, request.url) == ("POST", WEB)
    assert body(request) == {
        "client_id": "U1",
        "user_id": "U1",
        "timestamp_micros": MICROS,
        "events": [
            {
                "name": "Plan__Chosen",
                "params": {"engagement_time_msec": 1, "plan": "pro", "seats": 3, "is_new": "true"},
            }
        ],
    }


@pytest.mark.parametrize(
    ("properties", "sent"),
    [
        ({"list": [1], "object": {"a": 1}, "nothing": None, "kept": 1}, {"kept": 1}),
        ({"n" * 41: 1}, {"n" * 40: 1}),
        ({"n" * 30_000: 1}, {"n" * 40: 1}),
        ({"v": "x" * 101}, {"v": "x" * 100}),
        (
            {"page_location": "x" * 1001, "page_title": "x" * 301},
            {"page_location": "x" * 1000, "page_title": "x" * 300},
        ),
        ({"Plan name!": "pro"}, {"Plan_name_": "pro"}),
        ({"größe": 1}, {"größe": 1}),
        ({"_private": 1, "ga_x": 1, "google_x": 1, "firebase_x": 1, "gtag.x": 1, "1st": 1, "": 1}, {}),
        ({"currency": "eur"}, {"currency": "EUR"}),
        ({"items": [{"item_id": "a", "more": {"b": 1}}, 5, None]}, {"items": [{"item_id": "a"}]}),
    ],
)
def test_what_google_cannot_take_is_left_out_or_cut(properties: dict[str, Any], sent: dict[str, Any]) -> None:
    assert params(track("Clicked", properties)) == {"engagement_time_msec": 1, **sent}


def test_the_first_25_parameters_are_sent() -> None:
    sent = params(track("Clicked", {f"p{n}": n for n in range(40)}))
    assert list(sent) == ["engagement_time_msec", *(f"p{n}" for n in range(24))]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=60), JSON, max_size=40))
@example({"google:": False})
def test_whatever_comes_is_fitted_into_the_limits(values: dict[str, Any]) -> None:
    made = fitted(values)
    assert len(made) <= MAX_PARAMETERS
    for name, value in made.items():
        assert name[0].isalpha()
        assert len(name) <= 40
        assert name == "items" or type(value) in (str, int, float)
        assert type(value) is not str or len(value) <= 1000
    assert fitted(made) == made


@pytest.mark.parametrize("properties", [{"a": [1]}, {"a": {"b": 1}}, {"a": None}])
def test_a_mapping_moved_from_segment_refuses_them_all_the_same(properties: dict[str, Any]) -> None:
    result = outcome(track("Clicked", properties), own=custom(params={"@path": "$.properties"}))
    assert result.requests == []
    assert result.worst is not None
    assert (result.worst.reply.status, result.worst.reply.error) == (400, "PAYLOAD_VALIDATION_FAILED")
    assert "params" in str(result.worst)


def test_a_mapping_moved_from_segment_cuts_nothing() -> None:
    sent = params(track("Clicked", {"é" * 50: "x" * 200}), own=custom(params={"@path": "$.properties"}))
    assert sent == {"é" * 50: "x" * 200}


def test_user_properties_are_fitted_too() -> None:
    said = {"n" * 30: "x" * 40, "user_id": "no", "list": [1], "gone": None, "vip": True}
    mapping = custom(user_properties={"@literal": said}, within_limits=True)
    assert only(track(), own=mapping)["user_properties"] == {
        "n" * 24: {"value": "x" * 36},
        "gone": {"value": None},
        "vip": {"value": "true"},
    }


@pytest.mark.parametrize("name", [*sorted(RESERVED_EVENTS)[:3], "screen_view", "2nd visit", "  "])
def test_a_name_that_google_drops_is_refused(name: str) -> None:
    result = outcome(track(name))
    assert result.requests == []
    assert result.worst is not None
    assert "name" in str(result.worst)


def test_a_name_is_cut_to_40_characters() -> None:
    assert only(track("n" * 50))["events"][0]["name"] == "n" * 40


def test_a_screen_is_a_screen_view_of_the_app() -> None:
    own = {"Google Analytics 4 Cloud": {"appInstanceId": "abc"}}
    screen = track(type="screen", name="Home", integrations=own, properties={"tab": 1})
    (request,) = outcome(screen).requests
    assert request.url == APP
    assert body(request)["app_instance_id"] == "abc"
    (sent,) = body(request)["events"]
    assert sent == {
        "name": "screen_view",
        "params": {"engagement_time_msec": 1, "tab": 1, "screen_name": "Home"},
    }


def test_the_id_of_the_device_stands_in_for_the_one_of_the_app() -> None:
    screen = track(type="screen", name="Home", context={"device": {"id": "D1"}})
    assert only(screen)["app_instance_id"] == "D1"


def test_without_the_stream_of_an_app_screens_are_not_asked_for_and_with_one_alone_pages_are() -> None:
    screen, page = (event(track(type=kind, name="Home")) for kind in ("screen", "page"))
    web, app = settings(measurementId="G-1"), settings(firebaseAppId="1:2:ios:f")
    assert [web.route().wants(one) for one in (screen, page)] == [False, True]
    assert [app.route().wants(one) for one in (screen, page)] == [True, True]
    assert [settings().route().wants(one) for one in (screen, page)] == [True, True]
    own = Subscription("customEvent", 'type = "screen"')
    assert web.route([own]).wants(screen)


def test_a_screen_without_any_is_refused_by_name() -> None:
    result = outcome(track(type="screen", name="Home"))
    assert result.worst is not None
    assert "app_instance_id is missing" in str(result.worst)


def test_with_an_app_alone_all_goes_to_its_stream() -> None:
    it = settings(firebaseAppId="1:2:ios:f")
    (request,) = outcome(track(context={"device": {"id": "D1"}}), it=it).requests
    assert request.url == APP


def test_an_event_for_a_stream_that_is_not_set_is_refused() -> None:
    it = settings(measurementId="G-1")
    result = outcome(track(type="screen", name="Home", context={"device": {"id": "D1"}}), it=it)
    assert "firebaseAppId" in str(result.worst)


def test_settings_without_any_stream_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="measurementId or firebaseAppId"):
        msgspec.convert({"apiSecret": SECRET}, CATALOGUE[KIND])


def test_a_page_is_a_page_view() -> None:
    page = track(type="page", context={"page": {"url": "https://x.example/a", "title": "A", "referrer": "r"}})
    (sent,) = only(page)["events"]
    assert sent == {
        "name": "page_view",
        "params": {
            "page_location": "https://x.example/a",
            "page_referrer": "r",
            "page_title": "A",
            "engagement_time_msec": 1,
        },
    }


def test_an_order_is_a_purchase_with_its_revenue_and_skus() -> None:
    order = {"order_id": "o1", "revenue": 7, "currency": "EUR", "products": [{"sku": "s", "name": "Tea"}]}
    (sent,) = only(track("Order Completed", order))["events"]
    assert sent == {
        "name": "purchase",
        "params": {
            "transaction_id": "o1",
            "value": 7,
            "currency": "EUR",
            "items": [{"item_id": "s", "item_name": "Tea"}],
            "engagement_time_msec": 1,
        },
    }


def test_every_event_has_exactly_one_subscription() -> None:
    route = ActionRoute(settings(), settings().preset_subscriptions())
    names = [preset.name for preset in settings().presets if "event =" in preset.subscribe]
    assert len(names) == 16
    for name in [*names, "Clicked"]:
        assert len([leg for leg in route.legs if leg.matches(track(name))]) == 1
    for kind in ("identify", "group", "alias"):
        assert not route.wants(event(track(type=kind)))


def test_25_events_of_one_visitor_go_in_a_request() -> None:
    result = outcome(*(track(timestamp=f"2026-03-02T09:00:{n:02}Z", properties={"n": n}) for n in range(30)))
    assert [len(body(request)["events"]) for request in result.requests] == [25, 5]
    first = body(result.requests[0])
    assert "timestamp_micros" not in first
    assert [one["params"]["n"] for one in first["events"]] == list(range(25))
    times = [one["timestamp_micros"] for one in first["events"]]
    assert times == [1_772_442_000_000_000 + n * 1_000_000 for n in range(25)]


def test_events_of_two_visitors_do_not() -> None:
    result = outcome(*(track(userId=f"U{n % 2}") for n in range(6)))
    assert [(body(r)["client_id"], len(body(r)["events"])) for r in result.requests] == [("U0", 3), ("U1", 3)]


def test_user_properties_of_a_batch_are_dated_as_its_last_event() -> None:
    own = custom(timestamp_micros={"@path": "$.timestamp"}, user_properties={"plan": "pro"})
    sent = only(track(timestamp="2026-03-02T09:00:00Z"), track(), own=own)
    assert sent["timestamp_micros"] == MICROS
    assert sent["user_properties"] == {"plan": {"value": "pro"}}


def test_events_that_say_something_else_of_the_visitor_go_apart() -> None:
    own = custom(user_properties={"plan": {"@path": "$.properties.plan"}})
    result = outcome(*(track("Clicked", {"plan": plan}) for plan in ("a", "b", "a")), own=own)
    assert [len(body(request)["events"]) for request in result.requests] == [2, 1]


def test_one_bad_event_of_a_batch_is_refused_alone() -> None:
    added = {"product_id": "p", "currency": "EUR"}
    events = [track("Product Added", added), track("Product Added", {**added, "currency": "XYZ"})]
    (parcel,) = parcels(*events)
    sent: list[Request] = []
    results = run(parcel, iter(()), sent)
    assert isinstance(results, list)
    assert [None if error is None else error.reply.error for error in results] == [
        None,
        "INVALID_CURRENCY_CODE",
    ]
    assert len(body(sent[0])["events"]) == 1


def test_a_body_is_smaller_than_130_kb() -> None:
    own = custom(params={"@path": "$.properties"})
    result = outcome(
        *(track("Clicked", {f"p{n}": "x" * 1000 for n in range(20)}) for _ in range(25)), own=own
    )
    assert len(result.requests) > 1
    assert max(len(request.body) for request in result.requests) < MAX_BODY
    assert sum(len(body(request)["events"]) for request in result.requests) == 25


def test_when_half_a_batch_fails_the_other_half_is_not_sent_again() -> None:
    own = custom(params={"@path": "$.properties"})
    (parcel,) = parcels(
        *(track("Clicked", {f"p{n}": "x" * 1000 for n in range(20)}) for _ in range(8)), own=own
    )
    results = run(parcel, iter([Reply(204, ""), Reply(503, "")]), [])
    assert isinstance(results, list)
    answers = [Answer.DELIVERED if error is None else error.reply.answer for error in results]
    assert answers == [Answer.DELIVERED] * 4 + [Answer.BUSY] * 4


@pytest.mark.parametrize(
    ("said", "micros"),
    [
        ("1772444318266000", MICROS),
        ("2026-03-02T09:38:38.266Z", MICROS),
        ("2026-03-02T10:38:38.266+01:00", MICROS),
        (1772444318266000, MICROS),
    ],
)
def test_a_time_is_a_date_or_microseconds(said: Any, micros: int) -> None:
    assert only(track(timestamp=said))["timestamp_micros"] == micros


def test_the_secret_and_the_ids_are_in_no_message() -> None:
    for bad in (track("Order Completed", {"currency": "v4lue"}), track("error"), track(userId=None)):
        worst = outcome(bad).worst
        assert worst is not None
        assert not any(word in str(worst) for word in (SECRET, "v4lue", "U1"))
