"""Mappings as they are read by people."""

from typing import Any

import pytest

from relay.destinations.actions.fields import each, either, path, template
from relay.destinations.describe.mapping import Place, inside_of, readable

UPPER = {"@case": {"operator": "upper", "value": path("$.properties.currency")}}


@pytest.mark.parametrize(
    ("mapping", "text"),
    [
        (path("$.properties.order_id"), "properties.order_id"),
        (path("properties.order_id"), "properties.order_id"),
        (path("$."), "the whole event"),
        (either("$.userId", "$.anonymousId"), "userId, else anonymousId"),
        (either("$.a", "$.b", "$.c"), "a, else b, else c"),
        ({"@if": {"exists": path("$.a"), "then": path("$.a")}}, "a"),
        ({"@if": {"exists": path("$.a"), "then": path("$.a"), "else": 1}}, "a, else 1"),
        (
            {"@if": {"exists": path("$.a"), "then": "yes"}},
            '{"@if":{"exists":{"@path":"$.a"},"then":"yes"}}',
        ),
        (template("Viewed {{name}}"), "Viewed {{name}}"),
        ("Viewed", '"Viewed"'),
        (True, "true"),
        (1.5, "1.5"),
        (None, "null"),
        ({}, "{}"),
        (["a", 1], '["a",1]'),
        ({"a": path("$.b"), "c": "d"}, '{a: b, c: "d"}'),
        (UPPER, '{"@case":{"operator":"upper","value":{"@path":"$.properties.currency"}}}'),
        (each("$.properties.products", {"id": path("$.sku")}), "each of properties.products: {id: sku}"),
        ({"@arrayPath": ["$.list"]}, '{"@arrayPath":["$.list"]}'),
    ],
)
def test_a_mapping_is_put_in_words(mapping: Any, text: str) -> None:
    assert readable(Place(mapping)) == text


def test_what_is_shown_elsewhere_is_left_out() -> None:
    assert readable(Place({"a": path("$.b"), "c": 1}), known={"a"}) == "{c: 1}"
    assert readable(Place({"a": path("$.b")}), known={"a"}) == ""
    assert readable(Place(each("$.list", {"a": path("$.b")})), known={"a"}) == "each of list"


def test_paths_inside_a_list_are_told_as_the_event_has_them() -> None:
    inside = inside_of(
        Place(each("$.properties.products", {"id": either("$.id", "$.sku"), "all": path("$.")}))
    )
    assert inside is not None
    assert {key: readable(place) for key, place in inside.items()} == {
        "id": "properties.products[].id, else properties.products[].sku",
        "all": "properties.products[]",
    }


def test_an_object_that_one_directive_makes_is_not_told_singly() -> None:
    assert inside_of(Place(path("$.traits"))) is None
    assert inside_of(Place(UPPER)) is None
    assert inside_of(Place("text")) is None
    assert inside_of(None) is None
