"""What transformations make of events; and never of the event given."""

import base64
import copy
import hashlib
import hmac
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations.fql import FqlError
from relay.destinations.transformations import Transformation, compile_transformations

EVENT: dict[str, Any] = {
    "type": "track",
    "event": "order_completed",
    "userId": "u1",
    "properties": {"total": 5, "order": {"id": 7, "lines": [{"sku": "A1"}]}, "unit price": 2, "none": None},
    "context": {"ip": "203.0.113.7", "consent": {"categoryPreferences": {"C1": True}}},
}

Said = dict[str, Any]


def made(*said: Said, of: dict[str, Any] = EVENT) -> dict[str, Any] | None:
    """What these make of an event, as they stand in relay.toml."""
    step = compile_transformations(msgspec.convert(said, tuple[Transformation, ...]))
    assert step is not None
    return step(of)


def properties(*said: Said) -> Any:
    left = made(*said)
    assert left is not None
    return left["properties"]


def renames(*pairs: tuple[str, str]) -> Said:
    return {"property_renames": [{"old_name": old, "new_name": new} for old, new in pairs]}


def sets(path: str, value: Any) -> Said:
    return {"property_value_transformations": [{"property_paths": [path], "property_value": value}]}


def defines(path: str, fql: str) -> Said:
    return {"fql_defined_properties": [{"property_name": path, "fql": fql}]}


def hashes(path: str, **more: str) -> Said:
    return {"hash_properties": {"algorithm": "sha256", "paths": [path], **more}}


def test_without_any_that_is_enabled_there_is_nothing_to_do() -> None:
    assert compile_transformations([]) is None
    assert compile_transformations([Transformation(enabled=False, drop=True)]) is None


def test_an_event_that_none_matches_is_the_event_itself() -> None:
    assert made({"if": 'type = "page"', "drop": True}, {"if": 'event = "x"'} | sets("traits.a", 1)) is EVENT


def test_an_event_is_dropped() -> None:
    assert made({"if": 'event = "order_completed"', "drop": True}) is None


def test_an_event_that_a_condition_cannot_judge_is_an_error() -> None:
    with pytest.raises(FqlError):
        made({"if": "properties.total", "drop": True})


def test_a_track_event_gets_another_name_and_no_other_event_does() -> None:
    assert made({"new_event_name": "Order Completed"}) == EVENT | {"event": "Order Completed"}
    page = {"type": "page", "name": "Home"}
    assert made({"new_event_name": "Order Completed"}, of=page) is page


def test_each_sees_what_the_one_before_made() -> None:
    first = {"if": 'event = "order_completed"', "new_event_name": "Order Completed"}
    second = {"if": 'event = "Order Completed"'} | sets("properties.seen", True)
    assert properties(first, second)["seen"] is True
    assert "seen" not in properties(second, first)


def test_a_property_is_renamed_and_moved_into_and_out_of_objects() -> None:
    left = properties(
        renames(("properties.total", "properties.order.total"), ("properties.order.id", "properties.id"))
    )
    assert left == {
        "order": {"lines": [{"sku": "A1"}], "total": 5},
        "id": 7,
        "unit price": 2,
        "none": None,
    }


def test_two_names_are_swapped() -> None:
    swap = renames(("properties.total", "properties.none"), ("properties.none", "properties.total"))
    assert (properties(swap)["total"], properties(swap)["none"]) == (None, 5)


@pytest.mark.parametrize("path", ["properties.unit price", r"properties.unit\ price"])
def test_a_path_may_have_any_character(path: str) -> None:
    assert properties(renames((path, "properties.price")))["price"] == 2


def test_what_is_not_there_is_not_renamed() -> None:
    assert made(renames(("properties.nothing", "properties.a"))) is EVENT
    assert made(renames(("properties.order.lines.sku", "properties.a"))) is EVENT


def test_nothing_is_moved_into_what_is_no_object_and_nothing_is_lost() -> None:
    left = properties(renames(("properties.order", "properties.total.order")))
    assert left == EVENT["properties"]
    assert made(sets("properties.total.a", 1)) == EVENT


def test_a_value_is_set_everywhere_it_is_wanted() -> None:
    said = {
        "property_value_transformations": [
            {"property_paths": ["properties.currency", "context.app.currency"], "property_value": "USD"},
            {"property_paths": ["properties.none"], "property_value": {"a": [1]}},
        ]
    }
    left = made(said)
    assert left is not None
    assert left["properties"] == EVENT["properties"] | {"currency": "USD", "none": {"a": [1]}}
    assert left["context"] == EVENT["context"] | {"app": {"currency": "USD"}}


@pytest.mark.parametrize(
    ("fql", "value"),
    [
        ("uppercase(event)", "ORDER_COMPLETED"),
        ("titlecase(event)", "Order_completed"),
        ("snakecase(context.ip)", "203.0.113.7"),
        ("kebabcase('a b')", "a-b"),
        ("lowercase('A')", "a"),
        ("properties.total", 5),
        ("string(properties.total)", "5"),
        ("properties.total > 3 and type = 'track'", True),
        ("[event, properties.total]", ["order_completed", 5]),
    ],
)
def test_a_property_is_what_an_expression_says(fql: str, value: Any) -> None:
    assert properties(defines("properties.new", fql))["new"] == value


def test_an_expression_that_gives_nothing_sets_nothing() -> None:
    assert made(defines("properties.total", "lowercase(properties.total)")) is EVENT


def test_an_expression_that_has_no_answer_is_an_error() -> None:
    with pytest.raises(FqlError):
        made(defines("properties.new", "number(event)"))


def test_of_what_paths_lead_into_only_what_they_name_stays() -> None:
    left = made({"allow_properties": ["properties.order.id", "properties.nothing"]})
    assert left == EVENT | {"properties": {"order": {"id": 7}}}
    assert made({"allow_properties": ["traits.plan"]}) == EVENT


def test_an_allow_list_never_takes_consent_away() -> None:
    left = made({"allow_properties": ["context.page"]})
    assert left == EVENT | {"context": {"consent": EVENT["context"]["consent"]}}


def test_a_text_becomes_its_digest_and_any_other_value_that_of_its_json() -> None:
    text = hashlib.sha256(b"203.0.113.7").hexdigest()
    left = made(hashes("context.ip"))
    assert left is not None
    assert left["context"]["ip"] == text
    for path, json in (("properties.total", b"5"), ("properties.order.lines", b'[{"sku":"A1"}]')):
        left = made(hashes(path) | {"if": "all"})
        assert left is not None
        name = path.rsplit(".", 1)[-1]
        found = left["properties"].get(name) or left["properties"]["order"][name]
        assert found == hashlib.sha256(json).hexdigest()


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "sha384", "sha1", "md5", "SHA256"])
def test_every_algorithm_with_a_key_and_without(algorithm: str) -> None:
    plain = hashlib.new(algorithm.lower(), b"5").digest()
    keyed = hmac.digest(b"secret", b"5", algorithm.lower())
    base = {"algorithm": algorithm, "encoding": "base64"}
    assert properties(hashes("properties.total", **base))["total"] == base64.b64encode(plain).decode()
    coded = properties(hashes("properties.total", **base | {"key": "secret", "encoding": "hex"}))["total"]
    assert coded == keyed.hex()


def test_what_is_absent_or_null_is_not_hashed() -> None:
    assert made(hashes("properties.none")) is EVENT
    assert made(hashes("properties.nothing.deeper")) is EVENT


def test_in_one_transformation_digests_come_last_and_know_new_names() -> None:
    said = renames(("properties.total", "properties.sum")) | hashes("properties.sum")
    assert properties(said)["sum"] == hashlib.sha256(b"5").hexdigest()


# laws

KEYS = st.text(st.sampled_from("abc $-ä"), min_size=1, max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inside: st.lists(inside, max_size=2) | st.dictionaries(KEYS, inside, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)
EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(("track", "page")), "event": st.sampled_from(("A", "B"))},
    optional={"properties": OBJECTS, "traits": OBJECTS, "context": OBJECTS},
)
PATHS = st.builds(
    lambda root, keys: ".".join((root, *keys)),
    st.sampled_from(("properties", "traits", "context")),
    st.lists(KEYS, min_size=1, max_size=3),
)
SAID = st.one_of(
    st.builds(lambda old, new: renames((old, new)), PATHS, PATHS),
    st.builds(sets, PATHS, VALUES),
    st.builds(lambda path: defines(path, "properties"), PATHS),
    st.builds(lambda paths: {"allow_properties": paths}, st.lists(PATHS, min_size=1, max_size=3)),
    st.builds(hashes, PATHS),
    st.just({"new_event_name": "C"}),
)


@given(EVENTS, st.lists(SAID, min_size=1, max_size=4))
def test_the_event_given_is_never_changed(event: dict[str, Any], said: list[Said]) -> None:
    before = copy.deepcopy(event)
    made(*said, of=event)
    assert event == before


@given(EVENTS, st.lists(SAID, min_size=1, max_size=4))
def test_the_same_event_gives_the_same_every_time(event: dict[str, Any], said: list[Said]) -> None:
    assert made(*said, of=event) == made(*said, of=copy.deepcopy(event))


@given(EVENTS, KEYS)
def test_what_is_renamed_and_renamed_back_is_as_it_was(event: dict[str, Any], key: str) -> None:
    there, back = (f"properties.{key}", "properties.new"), ("properties.new", f"properties.{key}")
    assert made(renames(there), renames(back), of=event) == event


@given(EVENTS, st.lists(SAID, min_size=1, max_size=4))
def test_nothing_but_the_name_and_three_objects_is_changed(event: dict[str, Any], said: list[Said]) -> None:
    event["userId"] = "u"
    left = made(*said, of=event)
    assert left is not None
    mine = {"event", "properties", "traits", "context"}
    assert {k: v for k, v in left.items() if k not in mine} == {"type": event["type"], "userId": "u"}


# the same objects elsewhere


def test_an_object_with_segments_names_becomes_one_of_ours_and_back() -> None:
    fields = [(f.name, f.type, f.default) for f in msgspec.structs.fields(Transformation)]
    public = msgspec.defstruct("Public", fields, rename="camel", frozen=True)
    ours = Transformation(name="n", new_event_name="E", allow_properties=("properties.a",))
    theirs = msgspec.convert(ours, public, from_attributes=True)
    assert msgspec.to_builtins(theirs)["newEventName"] == "E"
    assert msgspec.convert(theirs, Transformation, from_attributes=True) == ours
