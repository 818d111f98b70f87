"""Which names are planned."""

from typing import Any

import pytest

from relay.plans.names import keeping, names_of
from tests.plans.plans import Json, about

TEXT = {"type": "string"}


def unplanned(schema: Json, value: Json) -> list[str]:
    names = names_of(schema, "properties")
    found = [".".join(map(str, path)) for path in names.unplanned(value)]
    assert keeping(names)(value) is (not found)
    return found


def test_names_that_the_rule_does_not_list() -> None:
    assert unplanned(about(a=TEXT, b=TEXT), {"a": 1, "c": 2, "d": 3}) == ["c", "d"]
    assert unplanned(about(a=TEXT), {"a": 1}) == unplanned(about(a=TEXT), {}) == []


def test_a_rule_without_names_plans_none() -> None:
    schemas: tuple[Json, ...] = (about(), {}, {"properties": {}}, {"properties": {"properties": {}}})
    for schema in schemas:
        assert unplanned(schema, {"a": 1}) == ["a"]


def test_names_inside_objects_and_lists() -> None:
    schema = about(o={"properties": {"x": TEXT}}, items={"items": {"properties": {"sku": TEXT}}})
    value = {"o": {"x": 1, "y": 2}, "items": [{"sku": 1}, {"q": 1, "sku": 1}, 3], "z": {"x": 1}}
    assert unplanned(schema, value) == ["z", "o.y", "items.1.q"]


def test_an_object_of_which_no_names_are_listed_may_hold_anything() -> None:
    assert unplanned(about(o={"type": "object"}, l={"items": TEXT}), {"o": {"x": 1}, "l": [{"y": 1}]}) == []


def test_names_that_match_a_pattern_are_planned() -> None:
    schema = about(o={"properties": {"a": TEXT}, "patternProperties": {"^x_": TEXT}})
    assert unplanned(schema, {"o": {"a": 1, "x_1": 1, "y_1": 1}}) == ["o.y_1"]
    below = about(o={"patternProperties": {"^x_": {}}, "properties": {"a": {"properties": {"b": {}}}}})
    assert unplanned(below, {"o": {"x_1": 1, "a": {"c": 1}}}) == ["o.a.c"]


def test_a_schema_for_all_other_names_plans_them() -> None:
    assert (
        unplanned(about(o={"properties": {"a": TEXT}, "additionalProperties": TEXT}), {"o": {"b": 1}}) == []
    )
    others: tuple[Any, ...] = (True, False, {})
    for given in others:
        schema = about(o={"properties": {"a": TEXT}, "additionalProperties": given})
        assert unplanned(schema, {"o": {"b": 1}}) == ["o.b"]


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_names_that_a_part_lists_are_planned(keyword: str) -> None:
    schema = about(o={"properties": {"a": TEXT}, keyword: [{"properties": {"b": TEXT}}, True]})
    assert unplanned(schema, {"o": {"a": 1, "b": 1, "c": 1}}) == ["o.c"]


def test_names_of_a_condition_and_of_a_dependency_are_planned() -> None:
    o: Any = {
        "if": {"properties": {"a": TEXT}},
        "then": {"properties": {"b": TEXT}},
        "else": {"properties": {"c": TEXT}},
    }
    o["dependencies"] = {"a": {"properties": {"d": TEXT}}, "b": ["a"]}
    assert unplanned(about(o=o), {"o": {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}}) == ["o.e"]


def test_what_is_said_in_two_places_is_put_together() -> None:
    schema = about(
        o={
            "allOf": [
                {"properties": {"a": {"properties": {"x": {}}}}},
                {"properties": {"a": {"properties": {"y": {}}}}},
            ]
        }
    )
    assert unplanned(schema, {"o": {"a": {"x": 1, "y": 1, "z": 1}}}) == ["o.a.z"]


def test_a_schema_may_refer_to_itself() -> None:
    schema = about(tree={"$ref": "#/definitions/tree"})
    tree = {"properties": {"left": {"$ref": "#/definitions/tree"}, "a/b": {"$ref": "#/definitions/x~1y"}}}
    schema["definitions"] = {"tree": tree, "x/y": {"properties": {"q": {}}}}
    value: Json = {"left": {"left": {"z": 1}, "a/b": {"q": 1, "r": 1}}}
    assert unplanned(schema, {"tree": value}) == ["tree.left.left.z", "tree.left.a/b.r"]


def test_nobody_looks_deeper_than_people_write() -> None:
    schema = about(tree={"$ref": "#/definitions/tree"})
    schema["definitions"] = {"tree": {"properties": {"left": {"$ref": "#/definitions/tree"}}}}
    value: Json = {"z": 1}
    for _ in range(900):
        value = {"left": value}
    assert list(names_of(schema, "properties").unplanned({"tree": value})) == []
