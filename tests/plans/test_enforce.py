"""What becomes of an event under each control."""

from typing import Any

import pytest

from relay.plans.controls import Controls
from relay.plans.enforce import Enforcer
from relay.plans.ruling import Ruling, decode_ruling, encode_ruling
from tests.plans.plans import Json, about, compiled, identify, plan, ruled, track

NUMBER, TEXT = {"type": "number"}, {"type": "string"}
ORDERS = plan(
    (
        "Order Completed",
        about(required=("id",), id=TEXT, price=NUMBER, tags={"type": "array", "items": TEXT}),
    ),
    identify=about("traits", email=TEXT),
    group=about("traits", name=TEXT),
)
BAD_PRICE = ("Invalid Type", "properties.price", "Invalid type. Expected: number, given: string")
NO_ID = ("Required", "properties.id", "properties.id is required")
COMMON = plan(
    ("Order Completed", about(id=TEXT)), identify=about("traits"), group=about("traits"),
    common={
        "properties": {
            "properties": {"properties": {"price": NUMBER}},
            "traits": {"properties": {"age": NUMBER}},
            "context": {"required": ["ip"]},
        }
    },
)  # fmt: skip
WITH_IP = {"context": {"ip": "10.0.0.1"}}


def group(**traits: Any) -> Json:
    return {**identify(**traits), "type": "group", "groupId": "g"}


# everything is allowed


def test_an_event_that_keeps_the_plan_has_no_ruling() -> None:
    assert ruled(ORDERS, track(id="1", price=1)) is None
    assert ruled(ORDERS, identify(email="a")) is None


def test_what_is_not_planned_passes() -> None:
    assert ruled(ORDERS, track("Other")) is ruled(ORDERS, track(id="1", other=1)) is None
    for kind in ("page", "screen", "alias"):
        assert ruled(ORDERS, {"type": kind, "userId": "u"}) is None


def test_a_violation_is_noted_and_the_event_passes() -> None:
    assert ruled(ORDERS, track(price="1")) == Ruling(None, (NO_ID, BAD_PRICE))


def test_an_event_without_properties_lacks_what_is_required() -> None:
    event = track()
    del event["properties"]
    assert ruled(ORDERS, event) == Ruling(None, (NO_ID,))


def test_violations_of_both_schemas_are_noted_once_each() -> None:
    ruling = ruled(COMMON, {**track(id=1, price="1"), "context": {}})
    assert ruling is not None
    fields = [violation[1] for violation in ruling.violations]
    assert fields[0] == "properties.id"
    assert set(fields[1:]) == {"context.ip", "properties.price"}
    twice = plan(("A", about(id=TEXT)), common=about(id=TEXT))
    assert len((ruled(twice, track("A", id=1)) or pytest.fail("none")).violations) == 1


def test_the_common_schema_is_for_every_type_of_call() -> None:
    for kind in ("track", "identify", "group", "page", "screen", "alias"):
        ruling = ruled(COMMON, {"type": kind, "userId": "u", "context": {}})
        assert ruling == Ruling(None, (("Required", "context.ip", "context.ip is required"),)), kind


# the four controls of track


def test_an_unplanned_event_is_blocked() -> None:
    controls = {"allow_unplanned_track_events": False}
    assert ruled(ORDERS, track("Other"), **controls) == Ruling("unplanned")
    assert ruled(ORDERS, track(id="1"), **controls) is None
    for kind in ("page", "screen", "alias", "identify"):
        assert ruled(plan(), {"type": kind, "userId": "u"}, **controls) is None


def test_unplanned_properties_are_omitted() -> None:
    controls = {"allow_unplanned_track_event_properties": False}
    ruling = ruled(ORDERS, track(id="1", other=1), **controls)
    assert ruling == Ruling(None, (), (("properties", "other"),))
    assert ruled(ORDERS, track("Other", other=1), **controls) is None  # the event itself is not planned


def test_an_event_in_violation_is_blocked() -> None:
    controls = {"allow_track_event_on_violations": False, "allow_track_properties_on_violations": False}
    assert ruled(ORDERS, track(price="1"), **controls) == Ruling("schema_violation", (NO_ID, BAD_PRICE))


def test_offending_properties_are_omitted_and_what_is_missing_cannot_be() -> None:
    controls = {"allow_track_properties_on_violations": False}
    ruling = ruled(ORDERS, track(price="1"), **controls)
    assert ruling == Ruling(None, (NO_ID, BAD_PRICE), (), (("properties", "price"),))
    assert ruled(ORDERS, track(), **controls) == Ruling(None, (NO_ID,))


def test_a_wrong_item_takes_its_list_along() -> None:
    ruling = ruled(ORDERS, track(id="1", tags=["a", 1]), allow_track_properties_on_violations=False)
    assert ruling is not None
    assert ruling.omitted_on_violation == (("properties", "tags"),)


def test_what_is_outside_the_properties_is_never_omitted() -> None:
    schema = {"properties": {"context": {"properties": {"ip": NUMBER}}, "properties": {"maxProperties": 0}}}
    event = {**track("A", a=1), **WITH_IP}
    ruling = ruled(plan(("A", schema)), event, allow_track_properties_on_violations=False)
    assert ruling is not None
    assert len(ruling.violations) == 2
    assert ruling.omitted_on_violation == ()


def test_a_name_that_is_unplanned_and_in_violation_is_omitted_once() -> None:
    rule = about(id=TEXT)
    rule["properties"]["properties"]["additionalProperties"] = False
    controls = {
        "allow_unplanned_track_event_properties": False,
        "allow_track_properties_on_violations": False,
    }
    ruling = ruled(plan(("A", rule)), track("A", other=1), **controls)
    assert ruling is not None
    assert (ruling.omitted, ruling.omitted_on_violation) == ((("properties", "other"),), ())
    assert [violation[0] for violation in ruling.violations] == ["Additional Property Not Allowed"]


def test_an_event_with_thousands_of_values_is_not_gone_through() -> None:
    rule = about(tags={"type": "array", "items": TEXT}, id=TEXT)
    controls = {"allow_track_properties_on_violations": False}
    big = track("A", id="1", tags=[1] * 3000)
    first = ("Invalid Type", "properties.tags.0", "Invalid type. Expected: string, given: integer")
    paths = (("properties", "id"), ("properties", "tags"))
    assert ruled(plan(("A", rule)), big, **controls) == Ruling(None, (first,), (), paths)
    assert ruled(plan(("A", rule)), big) == Ruling(None, (first,))
    assert ruled(plan(("A", rule)), track("A", id="1", tags=["a"] * 3000), **controls) is None
    assert len((ruled(plan(("A", rule)), track("A", tags=[1] * 1000)) or pytest.fail("none")).violations) > 1


def test_a_change_of_consent_is_planned_where_destinations_ask_for_it() -> None:
    name = "Segment Consent Preference Updated"
    none, own = (
        Controls(allow_unplanned_track_events=False, allow_unplanned_track_event_properties=False),
        track(name, a=1),
    )
    common = about(a=TEXT)
    assert Enforcer(compiled(ORDERS), none)(own) == Ruling("unplanned")
    enforcer = Enforcer(compiled(ORDERS), none, has_consent=True)
    assert enforcer(own) is None
    assert enforcer(track("Other")) == Ruling("unplanned")
    said = ("Invalid Type", "properties.a", "Invalid type. Expected: string, given: integer")
    assert Enforcer(compiled(plan(common=common)), none, has_consent=True)(own) == Ruling(None, (said,))
    rule = Enforcer(compiled(plan((name, about(a=TEXT)))), none, has_consent=True)
    assert rule(own) == Ruling(None, (said,))


# the two of identify, the two of group


@pytest.mark.parametrize("kind", ["identify", "group"])
def test_traits_are_omitted(kind: str) -> None:
    name = "email" if kind == "identify" else "name"
    event = {**identify(**{name: 1, "other": 2}), "type": kind}
    unplanned, offending = (
        {f"allow_unplanned_{kind}_traits": False},
        {f"allow_{kind}_traits_on_violations": False},
    )
    violation = ("Invalid Type", f"traits.{name}", "Invalid type. Expected: string, given: integer")
    assert ruled(ORDERS, event, **unplanned) == Ruling(None, (violation,), (("traits", "other"),))
    assert ruled(ORDERS, event, **offending) == Ruling(None, (violation,), (), (("traits", name),))


def test_without_a_rule_no_trait_is_planned() -> None:
    ruling = ruled(plan(), identify(email="a"), allow_unplanned_identify_traits=False)
    assert ruling == Ruling(None, (), (("traits", "email"),))
    assert ruled(plan(), identify(), allow_unplanned_identify_traits=False) is None


def test_the_controls_of_one_call_are_not_those_of_another() -> None:
    controls = {f"allow_unplanned_{kind}": False for kind in ("track_event_properties", "group_traits")}
    assert ruled(ORDERS, identify(other=1), **controls) is None
    assert ruled(ORDERS, group(other=1), allow_unplanned_identify_traits=False) is None


# the common schema's three


@pytest.mark.parametrize(("kind", "root", "word"), [("track", "properties", "PROPERTIES"), ("identify", "traits", "TRAITS"), ("group", "traits", "TRAITS")])  # fmt: skip
def test_what_breaks_the_common_schema(kind: str, root: str, word: str) -> None:
    name = "price" if root == "properties" else "age"
    event = {"type": kind, "event": "Order Completed", root: {name: "1"}, **WITH_IP}
    said = (("Invalid Type", f"{root}.{name}", "Invalid type. Expected: number, given: string"),)
    control = f"common_{kind}_event_on_violations"
    assert ruled(COMMON, event, **{control: "ALLOW"}) == Ruling(None, said)
    assert ruled(COMMON, event, **{control: f"OMIT_{word}"}) == Ruling(None, said, (), ((root, name),))
    assert ruled(COMMON, event, **{control: "BLOCK"}) == Ruling("common_schema_violation", said)


def test_the_common_controls_are_for_what_the_standard_ones_leave() -> None:
    event = {**track(id="1", price="1"), **WITH_IP}
    ruling = ruled(
        COMMON, event, allow_unplanned_track_event_properties=False, common_track_event_on_violations="BLOCK"
    )
    assert ruling == Ruling(None, (), (("properties", "price"),))


def test_both_reasons_in_one() -> None:
    controls = {"allow_unplanned_track_events": False, "common_track_event_on_violations": "BLOCK"}
    bad, good = {**track("Other", price="1"), **WITH_IP}, {**track("Other"), **WITH_IP}
    ruling = ruled(COMMON, bad, **controls)
    assert ruling is not None
    assert ruling.blocked == "unplanned_and_schema_violation"
    assert ruled(COMMON, good, **controls) == Ruling("unplanned")
    controls["common_track_event_on_violations"] = "ALLOW"
    assert (ruled(COMMON, bad, **controls) or pytest.fail("none")).blocked == "unplanned"


# decoration


def test_a_decorated_event() -> None:
    event = {
        **track(id=1, new=1, price="1", keep={"a": 1}),
        "context": {"protocols": {"event_version": 1}, "ip": "i"},
    }
    before = str(event)
    rule = about(price=NUMBER, id=TEXT, keep={})
    controls = {
        "allow_unplanned_track_event_properties": False,
        "allow_track_properties_on_violations": False,
    }
    ruling = ruled(plan(("Order Completed", rule)), event, **controls)
    assert ruling is not None
    assert ruling.applied(event) == {
        **event,
        "properties": {"keep": {"a": 1}},
        "context": {
            "ip": "i",
            "protocols": {
                "event_version": 1,
                "sourceId": "web",
                "violations": [
                    {
                        "type": "Invalid Type",
                        "field": "properties.id",
                        "description": "Invalid type. Expected: string, given: integer",
                    },
                    {"type": "Invalid Type", "field": "properties.price", "description": BAD_PRICE[2]},
                ],
                "omitted": ["new"],
                "omitted_on_violation": ["id", "price"],
            },
        },
    }
    assert str(event) == before


def test_only_what_there_is_to_say_is_said() -> None:
    assert Ruling(None, (), (("traits", "a", 0, "b"),)).applied({"traits": {"a": [{"b": 1, "c": 1}]}, "sourceId": "s"}) == {
        "traits": {"a": [{"c": 1}]}, "sourceId": "s", "context": {"protocols": {"sourceId": "s", "omitted": ["a.0.b"]}},
    }  # fmt: skip


def test_a_blocked_event_stays_what_it_was() -> None:
    event = track()
    assert Ruling("unplanned").applied(event) is event


def test_what_went_with_something_around_it_is_no_trouble() -> None:
    paths = (
        ("properties", "a"),
        ("properties", "a", "b"),
        ("properties", "c", 7, "d"),
        ("properties", "e", "f"),
    )
    ruling = Ruling(None, (), paths)
    assert ruling.applied({"properties": {"a": {"b": 1}, "c": [], "e": 1}})["properties"] == {"c": [], "e": 1}


def test_a_ruling_that_was_written_is_the_same_when_it_is_read() -> None:
    for ruling in (
        Ruling("unplanned"),
        Ruling(None, (NO_ID,), (("traits", "a", 0, "b"),), (("traits", "c"),)),
    ):
        assert decode_ruling(encode_ruling(ruling)) == ruling


def test_no_value_is_in_a_ruling() -> None:
    controls = {
        "allow_unplanned_track_event_properties": False,
        "allow_track_properties_on_violations": False,
    }
    ruling = ruled(ORDERS, track(price="s3cr3t", other="s3cr3t"), **controls)
    assert ruling is not None
    assert b"s3cr3t" not in encode_ruling(ruling)
    assert "s3cr3t" not in str(ruling.notes())


def test_what_is_to_be_said_of_an_event() -> None:
    assert Ruling(None, (NO_ID,), (("properties", "a"),), (("properties", "b", "c"),)).notes() == (
        "tracking plan: properties.id: properties.id is required",
        "tracking plan: not planned, omitted: a",
        "tracking plan: omitted: b.c",
    )
