"""Braze: what its presets send, what becomes of parts of a batch, and where the defaults lose less than Segment's."""

from typing import Any

import msgspec
import pytest

from relay.destinations import CATALOGUE
from relay.destinations.braze.catalogs import UPSERT_CATALOG_ITEM
from relay.destinations.errors import DeliveryError, Refused
from relay.destinations.reply import Reply
from relay.destinations.tried import run
from tests.destinations.driving import Outcome, body, deliver, drive, lines, reply, route_of
from tests.destinations.events import event

KEY = "br4ze-5ecret"
SETTINGS = {"api_key": KEY, "app_id": "app", "endpoint": "https://rest.fra-02.braze.eu"}
MOMENT = "2026-03-02T09:38:38.266Z"
TRACK = "/users/track"


def said(kind: str, **more: Any) -> dict[str, Any]:
    known = {
        "messageId": "m-1",
        "userId": "u1",
        "timestamp": MOMENT,
        "receivedAt": "2026-03-02T10:00:00.000Z",
    }
    return {"type": kind, **known, **more}


def track(name: str, properties: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return said("track", event=name, properties=properties or {}, **more)


def presets() -> Any:
    return route_of("braze", SETTINGS)


def by(action: str, **mapping: Any) -> Any:
    """One subscription to everything: the action's defaults, or a mapping."""
    return route_of("braze", SETTINGS, (action, 'type != "nothing"', mapping or None))


def changed(action: str, **changes: Any) -> Any:
    return by(action, **CATALOGUE["braze"].actions[action].default_mapping(**changes))  # type: ignore[attr-defined]


def only(outcome: Outcome, kind: str) -> Any:
    """The one object that was sent."""
    (request,) = outcome.requests
    (found,) = body(request)[kind]
    return found


def of_index(*indexes: int) -> Any:
    errors = [{"type": "'x' is not allowed", "input_array": "events", "index": index} for index in indexes]
    return lambda _: reply({"message": "success", "errors": errors}, 201)


def statuses(outcome: Outcome) -> list[int | None]:
    return [None if error is None else error.reply.status for error in outcome.errors]


def test_a_track_call_is_an_event_at_the_time_it_happened() -> None:
    outcome = drive(presets(), track("Signed Up", {"plan": "pro"}))
    assert only(outcome, "events") == {
        "external_id": "u1",
        "app_id": "app",
        "name": "Signed Up",
        "time": MOMENT,
        "properties": {"plan": "pro"},
        "_update_existing_only": False,
    }
    (request,) = outcome.requests
    assert request.url == "https://rest.fra-02.braze.eu/users/track"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert "x-braze-batch" not in request.headers


def test_an_identify_call_is_a_profile() -> None:
    traits = {
        "email": "ana@example.com",
        "firstName": "Ana",
        "gender": "Female",
        "plan": "pro",
        "braze_id": "b1",
        "address": {"city": "Porto"},
    }
    sent = only(drive(presets(), said("identify", traits=traits)), "attributes")
    assert sent == {
        "external_id": "u1",
        "braze_id": "b1",
        "email": "ana@example.com",
        "first_name": "Ana",
        "gender": "F",
        "home_city": "Porto",
        "plan": "pro",
        "address": {"city": "Porto"},
        "_update_existing_only": False,
    }


@pytest.mark.parametrize(
    ("name", "theirs", "key"),
    [
        ("Order Completed", "ecommerce.order_placed", "order_id"),
        ("Order Refunded", "ecommerce.order_refunded", "order_id"),
        ("Order Cancelled", "ecommerce.order_cancelled", "order_id"),
        ("Checkout Started", "ecommerce.checkout_started", "checkout_id"),
    ],
)
def test_an_order_as_the_spec_has_it_is_taken(name: str, theirs: str, key: str) -> None:
    products = [{"product_id": "p1", "sku": "s1", "name": "Tea", "price": 5, "category": "drinks"}]
    order = {"order_id": "o1", "revenue": 25, "currency": "eur", "products": products}
    sent = only(drive(presets(), track(name, order)), "events")
    assert sent["name"] == theirs
    properties = sent["properties"]
    assert (properties[key], properties["total_value"], properties["currency"]) == ("o1", 25, "EUR")
    assert properties["source"] == "relay"
    assert properties["products"] == [
        {"product_id": "p1", "product_name": "Tea", "variant_id": "s1", "price": 5, "quantity": 1}
    ]
    assert ("cancel_reason" in properties) is (name == "Order Cancelled")


def test_a_product_viewed_is_an_event_of_its_own() -> None:
    seen = {"product_id": "p1", "name": "Tea", "price": 5, "currency": "EUR"}
    context = {"library": {"name": "analytics.js"}}
    sent = only(drive(presets(), track("Product Viewed", seen, context=context)), "events")
    assert sent["name"] == "ecommerce.product_viewed"
    assert sent["properties"] == {
        "currency": "EUR",
        "source": "analytics.js",
        "product_id": "p1",
        "product_name": "Tea",
        "variant_id": "p1",
        "price": 5,
    }


def test_every_event_has_one_preset_and_page_calls_none() -> None:
    names = ["Signed Up", "Order Completed", "Checkout Started", "Product Viewed", "Order Cancelled"]
    for name in names:
        assert len(presets().parcels([event(track(name))], is_batch=False)) == 1
    assert not presets().wants(event(said("page")))


def test_nobody_in_particular_is_refused_by_the_names_of_the_fields() -> None:
    outcome = drive(presets(), track("Signed Up", userId=None, anonymousId="a1"))
    (error,) = outcome.errors
    assert isinstance(error, Refused)
    assert error.fields == ("external_id", "user_alias", "braze_id", "email")
    assert outcome.requests == []


def test_a_batch_is_marked_and_leaves_out_who_cannot_be_sent() -> None:
    events = [track("A"), track("B", userId=None), track("C")]
    outcome = drive(presets(), *events, is_batch=True)
    (request,) = outcome.requests
    assert request.headers["x-braze-batch"] == "true"
    assert [one["name"] for one in body(request)["events"]] == ["A", "C"]
    assert statuses(outcome) == [None, 400, None]


def test_an_error_belongs_to_the_event_it_names_though_others_were_left_out() -> None:
    events = [track("A", userId=None), track("B"), track("C"), track("D")]
    outcome = drive(presets(), *events, answer=of_index(1), is_batch=True)
    assert statuses(outcome) == [400, None, 400, None]
    error = outcome.errors[2]
    assert error is not None
    assert error.is_final
    assert error.reply.text == "'x' is not allowed"


def test_an_error_in_a_success_is_no_delivery_for_a_single_event_either() -> None:
    assert statuses(drive(presets(), track("A"), answer=of_index(0))) == [400]


@pytest.mark.parametrize("errors", [["minor"], "none", [{"index": "0"}], [{"index": 99}], None, [{}]])
def test_errors_of_nobody_are_nobodys(errors: Any) -> None:
    outcome = drive(
        presets(), track("A"), track("B"), answer=lambda _: reply({"errors": errors}, 201), is_batch=True
    )
    assert statuses(outcome) == [None, None]


def test_a_request_holds_75_events() -> None:
    outcome = drive(presets(), *(track(f"E{n}") for n in range(151)), is_batch=True)
    assert [len(body(request)["events"]) for request in outcome.requests] == [75, 75, 1]


@pytest.mark.parametrize("status", [401, 429, 503])
def test_when_braze_cannot_those_that_were_refused_stay_so(status: int) -> None:
    outcome = drive(
        presets(),
        track("A"),
        track("B", userId=None),
        answer=lambda _: reply(status=status),
        is_batch=True,
    )
    assert statuses(outcome) == [status, 400]


def test_a_batch_that_braze_calls_bad_is_for_delivery_to_take_apart() -> None:
    events = [track("A"), track("B", userId=None), track("C")]
    (parcel,) = presets().parcels([event(one) for one in events], is_batch=True)
    error = run(parcel, iter([reply(status=400)]), [])
    assert isinstance(error, DeliveryError)
    assert not error.reply.is_ours


def order(products: int, **more: Any) -> dict[str, Any]:
    listed = [{"product_id": f"p{n}", "price": 1.5, "quantity": 2, "size": "L"} for n in range(products)]
    return track("Order Completed", {"order_id": "o1", "currency": "EUR", "products": listed} | more)


def test_each_product_is_a_purchase_in_the_orders_currency() -> None:
    outcome = drive(by("trackPurchase2"), order(2, email="ana@example.com"))
    (request,) = outcome.requests
    first, second = body(request)["purchases"]
    assert first == {
        "external_id": "u1",
        "email": "ana@example.com",
        "app_id": "app",
        "time": MOMENT,
        "_update_existing_only": False,
        "product_id": "p0",
        "currency": "EUR",
        "price": 1.5,
        "quantity": 2,
        "properties": {"size": "L", "order_id": "o1", "currency": "EUR", "email": "ana@example.com"},
    }
    assert second["product_id"] == "p1"
    assert request.headers["x-braze-batch"] == "true"


def test_a_mapping_moved_from_segment_keeps_us_dollars() -> None:
    mapping = {
        "external_id": {"@path": "$.userId"},
        "time": {"@path": "$.receivedAt"},
        "products": {"@path": "$.properties.products"},
    }
    assert only(drive(by("trackPurchase", **mapping), order(1)), "purchases")["currency"] == "USD"


def test_a_request_holds_the_purchases_of_as_many_orders_as_have_room() -> None:
    orders = [order(40), order(35), order(1), order(0), order(74), order(2)]
    outcome = drive(by("trackPurchase"), *orders, is_batch=True)
    assert [len(body(request)["purchases"]) for request in outcome.requests] == [75, 1, 76 - 2, 2]
    assert statuses(outcome) == [None, None, None, 400, None, None]


def test_an_order_beyond_any_request_is_refused_in_a_batch() -> None:
    outcome = drive(by("trackPurchase"), order(76), order(1), is_batch=True)
    assert statuses(outcome) == [413, None]


def test_an_error_of_any_product_is_its_orders() -> None:
    orders = [order(2), order(2), order(0)]
    assert statuses(drive(by("trackPurchase"), *orders, answer=of_index(3), is_batch=True)) == [
        None,
        400,
        400,
    ]


def profile(traits: dict[str, Any], **changes: Any) -> Any:
    return only(drive(changed("updateUserProfile", **changes), said("identify", traits=traits)), "attributes")


@pytest.mark.parametrize(
    ("said", "meant"),
    [("female", "F"), ("W", "F"), ("Man", "M"), ("prefer not to say", "P"), ("fluid", "fluid")],
)
def test_a_gender_is_a_letter(said: str, meant: str) -> None:
    assert profile({"gender": said})["gender"] == meant


def test_dates_are_in_brazes_form_and_what_is_none_goes() -> None:
    traits = {"born": "1991-04-18T10:00:00+02:00", "seen": 1_772_443_098_126}
    sent = profile(traits, dob={"@path": "$.traits.born"}, date_of_last_session={"@path": "$.traits.seen"})
    assert sent["dob"] == "1991-04-18"
    assert sent["date_of_last_session"] == "2026-03-02T09:18:18.126Z"


def test_null_takes_an_attribute_away() -> None:
    sent = profile({"email": None, "gender": None, "dob": None}, dob={"@path": "$.traits.dob"})
    assert (sent["email"], sent["gender"], sent["dob"]) == (None, None, None)


def test_a_place_without_coordinates_is_not_sent() -> None:
    assert "current_location" not in profile({})


def test_custom_attributes_do_not_repeat_what_braze_knows() -> None:
    sent = profile({"firstName": "Ana", "avatar": "https://a.example/x", "language": "pt", "team": "red"})
    assert sent["team"] == "red"
    assert sent["image_url"] == "https://a.example/x"
    assert not {"firstName", "avatar", "language"} & sent.keys()


@pytest.mark.parametrize(
    ("action", "mode"),
    [
        ("trackEvent2", "delete"),
        ("updateUserProfile2", "add"),
        ("ecommerce", "upsert"),
        ("createAlias2", "update"),
        ("identifyUser2", "delete"),
    ],
)
def test_a_sync_mode_that_the_action_has_not_is_refused(action: str, mode: str) -> None:
    fields = {
        "name": "ecommerce.product_viewed",
        "currency": "EUR",
        "products": [],
        "time": MOMENT,
        "alias_name": "a",
        "alias_label": "l",
        "external_id": "u1",
        "source": "web",
        "user_alias": {"alias_name": "a", "alias_label": "l"},
        "enable_batching": True,
        "batch_size": 75,
    }
    outcome = drive(by(action, **fields, __segment_internal_sync_mode=mode), track("A"))
    assert [error.reply.error for error in outcome.errors if error] == ["INVALID_SYNC_MODE"]
    assert outcome.requests == []


def test_update_leaves_out_people_braze_does_not_know() -> None:
    route = changed("trackEvent2", __segment_internal_sync_mode="update")
    assert only(drive(route, track("A")), "events")["_update_existing_only"] is True


def test_aliases_go_50_a_request_and_fail_one_by_one() -> None:
    named = {"alias_name": {"@path": "$.properties.alias"}, "alias_label": "crm"}
    events = [track("Create Alias", {"alias": f"a{n}"}) for n in range(51)]
    outcome = drive(changed("createAlias", **named), *events, answer=of_index(0), is_batch=True)
    assert [len(body(request)["user_aliases"]) for request in outcome.requests] == [50, 1]
    assert [n for n, status in enumerate(statuses(outcome)) if status == 400] == [0, 50]


def test_a_mapping_moved_from_segment_creates_aliases_one_by_one() -> None:
    route = by("createAlias", alias_name={"@path": "$.userId"}, alias_label="crm")
    assert lines(drive(route, track("A"), track("B"), is_batch=True)) == ["POST /users/alias/new"] * 2


def test_an_address_is_identified_by_its_priorities() -> None:
    mapping = {
        "external_id": "u1",
        "email_to_identify": "ana@example.com",
        "prioritization": {"first_priority": "unidentified", "second_priority": "most_recently_updated"},
    }
    (request,) = drive(by("identifyUser2", **mapping), track("A")).requests
    assert body(request) == {
        "emails_to_identify": [
            {
                "external_id": "u1",
                "email": "ana@example.com",
                "prioritization": ["unidentified", "most_recently_updated"],
            }
        ]
    }


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"broadcast": True, "recipients": [{"external_user_id": "u1"}]}, "exclude"),
        ({"broadcast": False, "recipients": []}, "missing"),
    ],
)
def test_a_message_is_for_some_people_or_for_all(more: dict[str, Any], word: str) -> None:
    (error,) = drive(by("triggerCampaign", campaign_id="c1", **more), track("A")).errors
    assert isinstance(error, Refused)
    assert word in str(error)


def test_a_canvas_is_sent_with_its_recipients_priorities() -> None:
    mapping = {
        "canvas_id": "c1",
        "recipients": [{"email": {"@path": "$.userId"}}],
        "prioritization": {"first_priority": "identified"},
    }
    (request,) = drive(by("triggerCanvas", **mapping), track("A")).requests
    assert request.url.endswith("/canvas/trigger/send")
    assert body(request) == {
        "canvas_id": "c1",
        "recipients": [{"email": "u1", "prioritization": ["identified"]}],
    }


ITEM: dict[str, Any] = {
    "item": {"@path": "$.properties.item"},
    "item_id": {"@path": "$.properties.id"},
    "enable_batching": True,
    "onMappingSave": {"outputs": {"catalog_name": "teas"}},
}


def item(item_id: str, **item: Any) -> dict[str, Any]:
    return track("Item", {"id": item_id, "item": item})


def test_items_are_written_together_and_a_second_of_one_id_by_itself_later() -> None:
    events = [item("a", x=1), item("b", x=2), item("a", x=3), item("c d", x=1)]
    outcome = drive(by("upsertCatalogItem", **ITEM), *events, is_batch=True)
    assert lines(outcome) == ["PUT /catalogs/teas/items/"]
    assert body(outcome.requests[0])["items"] == [{"x": 1, "id": "a"}, {"x": 2, "id": "b"}]
    assert statuses(outcome) == [None, None, 503, 400]
    again = deliver(by("upsertCatalogItem", **ITEM), *events, answer=lambda _: reply(), is_batch=True)
    assert [body(request)["items"] for request in again.requests[1:]] == [[{"x": 3, "id": "a"}]]
    assert again.errors.count(None) == 3


def test_when_braze_takes_none_of_them_the_good_ones_are_for_later() -> None:
    errors = [{"id": "invalid-fields", "message": "no", "parameters": ["id"], "parameter_values": ["a"]}]
    outcome = drive(
        by("upsertCatalogItem", **ITEM),
        item("a", x=1),
        item("b", x=2),
        answer=lambda _: reply({"errors": errors}, 400),
        is_batch=True,
    )
    assert [error.is_final for error in outcome.errors if error] == [True, False]


def test_an_item_that_is_gone_already_is_deleted() -> None:
    mapping = ITEM | {"__segment_internal_sync_mode": "delete"}
    missing = reply({"errors": [{"id": "item-not-found"}]}, 404)
    outcome = drive(by("upsertCatalogItem", **mapping), item("a"), answer=lambda _: missing)
    assert lines(outcome) == ["DELETE /catalogs/teas/items/a"]
    assert outcome.errors == [None]


def test_a_catalog_must_be_named() -> None:
    (error,) = drive(changed("upsertCatalogItem", item={"x": 1}, item_id="a"), track("A")).errors
    assert isinstance(error, Refused)
    assert error.fields == ("onMappingSave.outputs.catalog_name",)
    assert UPSERT_CATALOG_ITEM.max_batch == 50


def test_an_endpoint_is_one_of_brazes() -> None:
    with pytest.raises(msgspec.ValidationError, match="endpoint"):
        msgspec.convert(SETTINGS | {"endpoint": "https://rest.example.com"}, CATALOGUE["braze"])


def test_the_key_is_in_no_message() -> None:
    outcome = drive(presets(), track("A", userId=None), answer=lambda _: Reply(401, KEY))
    assert not any(KEY in str(error) for error in outcome.errors)
    (request,) = drive(presets(), track("A")).requests
    assert "authorization" in request.secret
