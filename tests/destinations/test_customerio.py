"""Customer.io: what the presets send, what becomes of parts of a batch, dates and identifiers."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations import CATALOGUE
from relay.destinations.actions import Subscription
from relay.destinations.actions.route import ActionRoute
from relay.destinations.base import Parcel, Request
from relay.destinations.customerio import Customerio
from relay.destinations.customerio.entries import person, with_seconds
from relay.destinations.errors import DeliveryError, Refused
from relay.destinations.reply import Answer, Reply
from relay.destinations.tried import GOOD, run
from tests.destinations.events import event

NOW = 1_772_452_800.0  # 2026-03-02T12:00:00Z
KEY = "k3y-of-the-w0rkspace"
MOMENT, SECONDS = "2026-03-02T09:38:38.266Z", 1_772_444_318


def settings(**more: Any) -> Customerio:
    made = msgspec.convert({"siteId": "site-5ecret", "apiKey": KEY, **more}, CATALOGUE["customerio"])
    assert isinstance(made, Customerio)
    return made


def said(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "messageId": "m-1", "userId": "u1", "timestamp": MOMENT} | more


def track(name: str, **properties: Any) -> dict[str, Any]:
    return said("track", event=name, properties=properties)


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


def mapped(action: str, **mapping: Any) -> list[Subscription]:
    return [Subscription(action, 'type != "nothing"', mapping)]


def sent(*events: dict[str, Any], **more: Any) -> list[Any]:
    """The bodies of the requests for `events`, all of them answered well."""
    requests: list[Request] = []
    for parcel in parcels(*events, **more):
        assert run(parcel, iter(()), requests) in (None, [None] * len(parcel.events))
    return [json.loads(request.body) for request in requests]


def entry(data: dict[str, Any], **more: Any) -> Any:
    (body,) = sent(data, is_batch=False, **more)
    return body


def by_u1(action: str, **more: Any) -> dict[str, Any]:
    return {"type": "person", "action": action, "identifiers": {"id": "u1"}} | more


def of_object(action: str, object_id: str, object_type: str = "1", **more: Any) -> dict[str, Any]:
    who = {"object_id": object_id, "object_type_id": object_type}
    return {"type": "object", "action": action, "identifiers": who} | more


PHONE = {"device": {"token": "t", "type": "ios"}, "app": {"version": "2"}}
PRESETS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        said(
            "identify", traits={"email": "a@b.co", "createdAt": "2026-03-02", "plan": {"since": "2026-03-02"}}
        ),
        by_u1(
            "identify",
            attributes={"email": "a@b.co", "created_at": 1_772_409_600, "plan": {"since": 1_772_409_600}},
            timestamp=SECONDS,
        ),
    ),
    (
        track("Signed Up", at=MOMENT, list=[MOMENT]),
        by_u1(
            "event",
            id="m-1",
            name="Signed Up",
            attributes={"at": SECONDS, "list": [MOMENT]},
            timestamp=SECONDS,
        ),
    ),
    (
        said("page", properties={"url": "https://shop.example/"}),
        by_u1(
            "page",
            id="m-1",
            name="https://shop.example/",
            attributes={"url": "https://shop.example/"},
            timestamp=SECONDS,
        ),
    ),
    (said("screen", name="Home"), by_u1("screen", id="m-1", name="Home", timestamp=SECONDS)),
    (
        said("group", groupId="g1", traits={"name": "Acme", "object_type_id": "2", "createdAt": MOMENT}),
        of_object(
            "identify",
            "g1",
            "2",
            attributes={"name": "Acme", "createdAt": SECONDS},
            created_at=SECONDS,
            cio_relationships=[{"identifiers": {"id": "u1"}}],
        ),
    ),
    (
        said("alias", previousId="cio_77"),
        {"type": "person", "action": "merge", "primary": {"id": "u1"}, "secondary": {"cio_id": "77"}},
    ),
    (
        track("Application Opened") | {"context": PHONE},
        by_u1(
            "add_device",
            device={
                "token": "t",
                "platform": "ios",
                "last_used": SECONDS,
                "attributes": {"app_version": "2"},
            },
        ),
    ),
    (track("Device Deleted") | {"context": PHONE}, by_u1("delete_device", device={"token": "t"})),
    (
        track("Relationship Deleted", objectId="o1"),
        of_object("delete_relationships", "o1", cio_relationships=[{"identifiers": {"id": "u1"}}]),
    ),
    (track("Object Deleted", objectId="o1"), of_object("delete", "o1")),
    (track("User Deleted"), by_u1("delete")),
    (track("User Suppressed"), by_u1("suppress")),
    (track("User Unsuppressed"), by_u1("unsuppress")),
    (
        track("Report Content Event", actionType="viewed_content") | {"anonymousId": "a1"},
        {
            "type": "person",
            "action": "viewed_content",
            "identifiers": {"anonymous_id": "a1"},
            "name": "viewed_content",
            "attributes": {},
            "timestamp": SECONDS,
        },
    ),
    (
        track("Report Delivery Event", deliveryId="d", metric="clicked", href="/x", actionName="ok"),
        {
            "delivery_id": "d",
            "metric": "clicked",
            "timestamp": SECONDS,
            "href": "/x",
            "metadata": {"action_name": "ok"},
        },
    ),
]


@pytest.mark.parametrize(("data", "body"), PRESETS)
def test_the_presets_send_each_event_once(data: dict[str, Any], body: dict[str, Any]) -> None:
    before = json.dumps(data)
    assert entry(data) == body
    assert json.dumps(data) == before


def test_every_preset_is_tried_above() -> None:
    actions = [one.action for one in settings().preset_subscriptions()]
    assert len(actions) == len(set(actions)) == len(PRESETS) == len(settings().actions)


@pytest.mark.parametrize(
    ("region", "host"),
    [("US 🇺🇸", "track"), ("US", "track"), ("EU 🇪🇺", "track-eu"), ("EU", "track-eu")],
)
def test_the_region_says_where_requests_go(region: str, host: str) -> None:
    requests: list[Request] = []
    run(parcels(track("A"), accountRegion=region)[0], iter(()), requests)
    steps = settings(accountRegion=region).check()
    requests.append(next(steps))
    assert [request.url for request in requests] == [
        f"https://{host}.customer.io/api/v2/batch",
        f"https://{host}.customer.io/auth",
    ]
    assert all(request.secret == {"authorization"} for request in requests)


@pytest.mark.parametrize(
    ("person_id", "who"),
    [
        ("u1", {"id": "u1"}),
        ("cio_03000", {"cio_id": "03000"}),
        ("a@b.co", {"email": "a@b.co"}),
        ("a@b", {"id": "a@b"}),
    ],
)
def test_a_person_is_told_by_the_form_of_the_id(person_id: str, who: dict[str, str]) -> None:
    assert person(person_id) == who


@pytest.mark.parametrize(
    ("given", "who", "attributes"),
    [
        (
            {"id": "u", "email": "a@b.co", "anonymous_id": "x"},
            {"id": "u"},
            {"email": "a@b.co", "anonymous_id": "x"},
        ),
        (
            {"email": "a@b.co", "anonymous_id": "x"},
            {"email": "a@b.co"},
            {"email": "a@b.co", "anonymous_id": "x"},
        ),
        ({"anonymous_id": "x"}, {"anonymous_id": "x"}, {}),
    ],
)
def test_the_best_identifier_is_taken(given: dict[str, Any], who: Any, attributes: Any) -> None:
    body = entry(track("A"), subscriptions=mapped("createUpdatePerson", **given))
    assert (body["identifiers"], body["attributes"]) == (who, attributes)


def test_an_identify_can_tie_the_person_to_an_object() -> None:
    traits = {"objectId": "o1", "relationshipAttributes": {"role": "owner"}, "objectTypeId": 3}
    body = entry(said("identify", traits=traits))
    assert body["cio_relationships"] == [
        {
            "identifiers": {"object_type_id": "3", "object_id": "o1"},
            "relationship_attributes": {"role": "owner"},
        }
    ]
    assert body["attributes"] == {"objectId": "o1"}


def test_a_groups_traits_are_the_objects_attributes_unless_there_are_objects_attributes() -> None:
    plain = entry(said("group", groupId="g", traits={"name": "Acme"}))
    marked = entry(said("group", groupId="g", traits={"name": "Acme", "objectAttributes": {"seats": 5}}))
    assert (plain["attributes"], marked["attributes"]) == ({"name": "Acme"}, {"seats": 5})


def test_a_delivery_without_a_date_was_now() -> None:
    for moment in (None, {"timestamp": 1_700_000_000}, {"timestamp": "1700000000"}):
        body = entry(
            track("A"),
            subscriptions=mapped("reportDeliveryEvent", delivery_id="d", metric="opened", **(moment or {})),
        )
        assert body["timestamp"] == (int(NOW) if moment is None else 1_700_000_000)


def test_dates_stay_as_they_are_where_no_conversion_is_asked_for() -> None:
    for more in ({}, {"convert_timestamp": False}):
        body = entry(
            track("A"), subscriptions=mapped("trackEvent", id="u", name="A", data={"at": MOMENT}, **more)
        )
        assert body["attributes"] == {"at": MOMENT}


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_date_becomes_its_seconds(moment: datetime) -> None:
    seconds = int(moment.replace(microsecond=0).timestamp())
    for text in (moment.isoformat(), moment.isoformat().replace("+00:00", "Z")):
        assert with_seconds({"a": {"b": text}, "c": [text]}) == {"a": {"b": seconds}, "c": [text]}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_is_no_date_is_not_changed(value: Any) -> None:
    assert with_seconds({"a": value}) == {"a": value}


@pytest.mark.parametrize("text", ["2026-13-01", "2026-03-02T25:00:00Z", "20260302", "1772444318", "2026-03"])
def test_what_only_looks_like_a_date_stays_text(text: str) -> None:
    assert with_seconds({"a": text}) == {"a": text}


def test_of_a_batch_only_what_is_named_is_refused_by_field_and_reason() -> None:
    answer = {
        "errors": [{"batch_index": 1, "field": "name", "reason": "invalid", "message": "Se-cret is bad"}]
    }
    (parcel,) = parcels(track("A"), track("Se-cret"), track("C"))
    results = run(parcel, iter([Reply(207, json.dumps(answer))]), [])
    assert isinstance(results, list)
    assert [results[0], results[2]] == [None, None]
    reply = results[1].reply
    assert (reply.status, reply.answer, reply.text) == (400, Answer.REFUSED, "name invalid")


@pytest.mark.parametrize("error", [{"reason": "required"}, {"batch_index": 7}, {"batch_index": "1"}, "bad"])
def test_an_error_that_names_no_entry_is_everybodys(error: Any) -> None:
    (parcel,) = parcels(track("A"), track("B"))
    result = run(parcel, iter([Reply(200, json.dumps({"errors": [error]}))]), [])
    assert isinstance(result, DeliveryError)
    assert (result.reply.status, result.is_final) == (400, True)


@pytest.mark.parametrize("answer", ["", "[]", "null", '{"errors":null}', '{"errors":[]}', "<html>"])
def test_any_other_good_answer_is_good_for_all(answer: str) -> None:
    (parcel,) = parcels(track("A"), track("B"))
    assert run(parcel, iter([Reply(200, answer)]), []) == [None, None]


def groups() -> list[dict[str, Any]]:
    known = said("group", groupId="g1", traits={})
    anonymous = said("group", groupId="g2", traits={}, userId=None, anonymousId="a")
    return [anonymous, known]


def test_objects_of_known_and_anonymous_people_go_in_two_requests() -> None:
    first, second = sent(*groups())
    assert [one["action"] for one in first["batch"] + second["batch"]] == ["identify", "identify_anonymous"]


@pytest.mark.parametrize("place", [0, 1])
def test_when_one_of_the_two_is_busy_all_is_tried_again(place: int) -> None:
    replies = [GOOD, GOOD]
    replies[place] = Reply(503, "")
    requests: list[Request] = []
    (parcel,) = parcels(*groups())
    error = run(parcel, iter(replies), requests)
    assert isinstance(error, DeliveryError)
    assert not error.is_final
    assert run(parcel, iter(()), requests) == [None, None]
    assert [request.body for request in requests[:2]] == [request.body for request in requests[2:]]


def test_errors_of_the_two_go_to_the_right_events() -> None:
    answer = Reply(207, json.dumps({"errors": [{"batch_index": 0, "reason": "invalid"}]}))
    (parcel,) = parcels(*groups())
    results = run(parcel, iter([GOOD, answer]), [])
    assert isinstance(results, list)
    assert [one is None for one in results] == [False, True]


def test_a_batch_holds_50_and_at_most_100() -> None:
    events = [track("A") for _ in range(250)]
    assert [len(body["batch"]) for body in sent(*events)] == [50] * 5
    asked = mapped("trackEvent", id="u", name="A", batch_size=100)
    assert [len(body["batch"]) for body in sent(*events, subscriptions=asked)] == [100, 100, 50]
    unasked = mapped("trackEvent", id="u", name="A")
    assert [len(body["batch"]) for body in sent(*events, subscriptions=unasked)] == [100, 100, 50]


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (said("alias"), ("secondary",)),
        (said("page", properties={}), ("url",)),
        (track("Application Opened"), ("device_id", "platform")),
        (track("Report Delivery Event", deliveryId="d", metric="Se-cret"), ("metric",)),
    ],
)
def test_what_is_refused_beforehand_names_the_fields_and_no_value(data: Any, fields: tuple[str, ...]) -> None:
    (parcel,) = parcels(data)
    requests: list[Request] = []
    error = run(parcel, iter(()), requests)
    assert isinstance(error, Refused)
    assert (error.fields, requests) == (fields, [])
    assert "Se-cret" not in str(error)
