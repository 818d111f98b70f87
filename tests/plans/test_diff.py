"""What became of a plan, in words; and that whatever breaks an event is called breaking."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.plans.diff import Change, plan_changes
from relay.plans.shapes import read_plan
from tests.plans.plans import Json, about, compiled, plan

COMMON = "common schema"


def changes(old: Any, new: Any) -> list[Change]:
    return plan_changes(compiled(old).plan, compiled(new).plan)


def said(old: Any, new: Any) -> list[tuple[str, bool]]:
    return [(str(change), change.is_breaking) for change in changes(old, new)]


def of(old: Json, new: Json) -> list[tuple[str, bool]]:
    """What is said of a property whose schema was `old` and is `new`."""
    before, after = (plan(("A", about(it=schema))) for schema in (old, new))
    place = "A: properties.it"
    found = [(text.removeprefix(place).removeprefix(": "), breaks) for text, breaks in said(before, after)]
    assert all(str(change).startswith(place) for change in changes(before, after))
    return found


# a difference of shape is none

SCHEMA = about(required=("a",), a={"type": "string"})
PUBLIC = {"data": {"rules": [{"type": "TRACK", "key": "A", "version": 1, "jsonSchema": SCHEMA}]}}
SHORTHAND = {
    "tracking_plan": {
        "rules": {
            "events": [
                {
                    "name": "A",
                    "rules": {
                        "labels": {"team": "x"},
                        "properties": {
                            "type": "object",
                            "required": ["a"],
                            "properties": {"a": {"type": ["string"]}},
                        },
                    },
                }
            ]
        }
    }
}


@pytest.mark.parametrize("other", [PUBLIC, SHORTHAND])
def test_the_shape_of_a_plan_is_no_difference(other: Json) -> None:
    one = plan(("A", SCHEMA))
    assert changes(one, other) == changes(other, one) == []


def test_descriptions_and_labels_are_no_difference() -> None:
    old, new = about(a={"description": "x", "id": "/properties/properties/a"}), about(a={"description": "y"})
    assert changes(plan(("A", old)), plan(("A", {**new, "labels": {"team": "x"}}))) == []


# events


def test_an_event_that_is_new_breaks_nothing_and_one_that_is_gone_does() -> None:
    old, new = plan(("A", SCHEMA), ("B", {})), plan(("B", {}), ("C", SCHEMA))
    assert said(old, new) == [("A: event removed: it is unplanned now", True), ("C: event added", False)]


def test_a_new_version_breaks_nothing() -> None:
    old, new = plan(("A", SCHEMA)), plan(("A", SCHEMA), ("A", about(required=("b",)), 2))
    assert said(old, new) == [("A: version 2 added", False)]


def test_a_version_that_is_gone_is_held_against_the_oldest() -> None:
    old = plan(("A", SCHEMA), ("A", about(a={"type": "number"}), 2))
    assert said(old, plan(("A", SCHEMA))) == [
        ("A: version 2 removed: its events are held to version 1", True),
        ("A (version 2): properties.a: type changed: number → string", True),
        ("A (version 2): properties.a: is required now", True),
    ]
    loose = plan(("A", SCHEMA), ("A", SCHEMA, 2))
    assert said(loose, plan(("A", SCHEMA))) == [
        ("A: version 2 removed: its events are held to version 1", False)
    ]


def test_an_older_version_is_that_of_all_events_without_one() -> None:
    old, new = plan(("A", {}, 2)), plan(("A", {}, 2), ("A", about(required=("a",)), 1))
    assert said(old, new) == [
        ("A: version 1 added", False),
        ("A: events without a version are held to version 1 now", True),
        ("A: properties.a: is required now", True),
    ]


def test_a_rule_for_calls_that_there_are_anyway_breaks_what_it_asks_for() -> None:
    traits = about("traits", required=("email",), email={"type": "string"})
    assert said(plan(), plan(identify=traits)) == [
        ("identify: rule added", False),
        ("identify: traits.email: property added (string), required", True),
    ]
    assert said(plan(), plan(("Page Viewed", SCHEMA)))[1] == (
        "Page Viewed: properties.a: property added (string), required",
        True,
    )
    assert [breaks for _, breaks in said(plan(identify=traits), plan())] == [False]


def test_a_page_without_its_rule_is_held_to_that_of_all_pages() -> None:
    rules = [
        {"type": "PAGE", "key": "Home", "version": 1, "jsonSchema": {}},
        {"type": "PAGE", "key": "", "version": 1, "jsonSchema": SCHEMA},
    ]
    assert said({"rules": rules}, {"rules": rules[1:]}) == [
        ("page Home: rule removed: the rule of other page calls counts", True),
        ("page Home: properties.a: property added (string), required", True),
    ]


def test_the_common_schema_comes_first() -> None:
    common = {"properties": {"context": {"required": ["library"]}}}
    assert said(plan(("A", {})), plan(("A", SCHEMA), common=common)) == [
        (f"{COMMON}: rule added", False),
        (f"{COMMON}: context.library: is required now", True),
        ("A: properties.a: property added (string), required", True),
    ]


# properties


def test_properties_come_and_go() -> None:
    old = plan(("A", about(a={"type": "string"}, b={})))
    new = plan(("A", about(required=("d",), b={}, c={"type": "number"}, d={})))
    omitted = "it is unplanned now, and omitted where the source's controls omit what is unplanned"
    assert said(old, new) == [
        (f"A: properties.a: property removed: {omitted}", False),
        ("A: properties.c: property added (number)", False),
        ("A: properties.d: property added (any), required", True),
    ]


_NAMES: list[Json] = [{"a": {}, "b": {}}, {"a": {}}]


def test_a_property_that_is_removed_where_others_are_not_allowed_breaks() -> None:
    old, new = ({"type": "object", "properties": names, "additionalProperties": False} for names in _NAMES)
    assert of(old, new) == [(".b: property removed, and others than those listed are not allowed", True)]


TEXT, NUMBER, LIST = {"type": "string"}, {"type": "number"}, {"type": "array"}


@pytest.mark.parametrize(
    ("old", "new", "what", "breaks"),
    [
        (NUMBER, {"type": "integer"}, "type narrowed: number → integer", True),
        ({"type": "integer"}, NUMBER, "type widened: integer → number", False),
        (TEXT, {"type": ["string", "null"]}, "type widened: string → string or null", False),
        (TEXT, NUMBER, "type changed: string → number", True),
        ({}, TEXT, "type narrowed: any → string", True),
        ({"type": "any"}, {}, None, False),
        ({"enum": ["a", "b"]}, {"enum": ["b", "c"]}, 'does not allow "a" any more', True),
        ({"enum": ["b"]}, {"enum": ["b", "c"]}, 'allows "c" too', False),
        ({"enum": ["b"]}, {}, "allows any value now", False),
        ({}, {"enum": ["b", 1]}, 'allows only "b", 1 now', True),
        ({"const": 1}, {"enum": [1]}, None, False),
        ({"const": 1}, {"const": 2}, "does not allow 1 any more", True),
        (TEXT, TEXT | {"pattern": "^a"}, "pattern added: ^a", True),
        ({"pattern": "^a"}, {}, "pattern removed: was ^a", False),
        ({"pattern": "^a"}, {"pattern": "a"}, "pattern changed, which may be breaking: ^a → a", True),
        (TEXT, TEXT | {"format": "email"}, "format added: email", True),
        ({"minimum": 1}, {"minimum": 2}, "minimum tightened: 1 → 2", True),
        ({"minimum": 2}, {"exclusiveMinimum": 1}, "minimum loosened: 2 → more than 1", False),
        ({"minimum": 2}, {"exclusiveMinimum": 2}, "minimum tightened: 2 → more than 2", True),
        ({"maximum": 2}, {"maximum": 3}, "maximum loosened: 2 → 3", False),
        (
            {"maximum": 2},
            {"maximum": 2, "exclusiveMaximum": True},
            "maximum tightened: 2 → less than 2",
            True,
        ),
        ({}, {"maxLength": 5}, "greatest length added: 5", True),
        ({"maxLength": 5}, {"maxLength": 6}, "greatest length loosened: 5 → 6", False),
        ({"minItems": 1}, {"minItems": 0}, "least number of items removed: was 1", False),
        ({}, {"multipleOf": 5}, "must be a multiple of 5 now", True),
        ({"multipleOf": 10}, {"multipleOf": 5}, "must be a multiple of 5 now", False),
        ({}, {"uniqueItems": True}, "items must be different from each other now", True),
        (LIST, LIST | {"items": TEXT}, ".$: type narrowed: any → string", True),
        (LIST | {"items": [TEXT]}, LIST, "`items` has changed, which may be breaking", True),
        (
            {},
            {"additionalProperties": False},
            "properties that are not listed are not allowed any more",
            True,
        ),
        ({"additionalProperties": False}, {}, "properties that are not listed are allowed now", False),
        (
            {"additionalProperties": TEXT},
            {"additionalProperties": {}},
            ".*: type widened: string → any",
            False,
        ),
        ({"required": ["a"]}, {}, ".a: is not required any more", False),
        ({"anyOf": [TEXT]}, {"anyOf": [NUMBER]}, "`anyOf` was changed, which may be breaking", True),
        ({"x-ours": 1}, {}, "`x-ours` was removed, which may be breaking", True),
    ],
)
def test_what_becomes_of_a_property(old: Json, new: Json, what: str | None, breaks: bool) -> None:
    found = of(old, new)
    assert found[:1] == ([] if what is None else [(what, breaks)])


def test_a_schema_that_allows_nothing() -> None:
    assert of({"not": {}}, {"not": {}}) == []
    old, new = ({"properties": {"properties": {"properties": {"it": it}}}} for it in (True, False))
    assert said(plan(("A", old)), plan(("A", new))) == [("A: properties.it: is not allowed any more", True)]
    assert said(plan(("A", new)), plan(("A", old))) == [("A: properties.it: is allowed now", False)]


# the promise

NAMES = st.sampled_from(["a", "b", "c"])
TYPES = st.sampled_from(["string", "number", "integer", "boolean", "null", "object", "array"])
FEW = st.integers(0, 3)
SCALARS = st.none() | st.booleans() | st.integers(-1, 4) | st.sampled_from([0.5, 2.0, "", "a", "ab", "abcd"])
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(NAMES, v, max_size=3), max_leaves=6
)


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
            "properties": st.fixed_dictionaries({"a": inner, "b": inner}),
            "required": st.lists(NAMES, max_size=2, unique=True),
            "additionalProperties": inner,
            "items": inner | st.lists(inner, min_size=1, max_size=2),
            "uniqueItems": st.booleans(),
            "enum": st.lists(SCALARS, min_size=1, max_size=3, unique_by=repr),
            "const": SCALARS,
            **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), FEW),
            **dict.fromkeys(
                ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), FEW
            ),
            "multipleOf": st.integers(1, 3),
            "pattern": st.sampled_from(["^a", "b"]),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
        },
    )


SCHEMAS: st.SearchStrategy[Any] = st.recursive(st.booleans() | st.just({}), _schemas, max_leaves=6)


@settings(max_examples=300, deadline=None)
@given(SCHEMAS, SCHEMAS, st.lists(VALUES, max_size=6))
def test_what_breaks_an_event_is_called_breaking(old: Any, new: Any, values: list[Any]) -> None:
    before, after = (plan(("A", about(it=schema))) for schema in (old, new))
    one, other = compiled(before), compiled(after)
    broken = [v for v in values if _keeps(one, v) and not _keeps(other, v)]
    if broken:
        found = plan_changes(one.plan, other.plan)
        # the one exception that there is: see schema_diff
        assert any(change.is_breaking or "property added" in change.said for change in found), broken


def _keeps(plan: Any, value: Any) -> bool:
    message = {"type": "track", "event": "A", "properties": {"it": value}}
    return bool(plan.rule_of(message).is_valid(message))


@settings(max_examples=100, deadline=None)
@given(SCHEMAS, SCHEMAS)
def test_a_plan_is_no_different_from_itself_and_any_two_are_compared(old: Any, new: Any) -> None:
    before, after = (read_plan(plan(("A", about(it=schema))))[0] for schema in (old, new))
    assert plan_changes(before, before) == []
    assert all(change.said for change in plan_changes(before, after))
