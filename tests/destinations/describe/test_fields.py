"""An action's fields as rows."""

from typing import Any

import pytest

from relay.destinations.actions.fields import (
    Condition,
    Field,
    When,
    boolean,
    each,
    integer,
    moment,
    number,
    path,
    record,
    text,
)
from relay.destinations.describe.fields import FieldRow, rows_of


def row(field: Field) -> FieldRow:
    return next(rows_of({"it": field}))


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (text("It."), "text"),
        (integer("It."), "whole number"),
        (moment("It."), "date"),
        (boolean("It."), "boolean"),
        (text("It.", format="email"), "e-mail address"),
        (text("It.", format="uri", multiple=True), "list of URLs"),
        (text("It.", format="email", multiple=True), "list of e-mail addresses"),
        (text("It.", multiple=True), "list of text"),
        (record("It.", multiple=True), "list of objects"),
        (text("It.", choices=("a", "b")), '"a" or "b"'),
        (number("It.", choices=(1, 2, 3)), "1, 2 or 3"),
        (text("It.", choices=("a", "b"), multiple=True), 'list of "a" or "b"'),
        (integer("It.", choices=tuple(range(30))), "0, 1, 2 or another of 30"),
        (text("It.", minimum=1, maximum=1500), "text, 1 to 1,500 characters"),
        (number("It.", minimum=1), "number, at least 1"),
        (number("It.", maximum=2.5), "number, at most 2.5"),
    ],
)
def test_a_type_is_put_in_words(field: Field, said: str) -> None:
    assert row(field).type == said


@pytest.mark.parametrize(
    ("required", "said"),
    [
        (False, ""),
        (True, "yes"),
        (When((Condition("a"),)), "when a is missing"),
        (When((Condition("a", is_not=True),)), "when a is there"),
        (
            When((Condition("a", "x"), Condition("b", value=True, is_not=True))),
            'when a is "x" and b is not true',
        ),
        (When((Condition("a", "x"), Condition("b")), is_any=True), 'when a is "x" or b is missing'),
    ],
)
def test_when_a_field_is_needed_is_put_in_words(required: Any, said: str) -> None:
    assert row(text("It.", required=required)).required == said


def test_properties_of_objects_and_lists_are_rows_of_their_own() -> None:
    inner = {"id": text("Its id.", required=True), "price": number("What it costs.")}
    items = each("$.properties.products", {"id": path("$.sku"), "colour": path("$.colour")})
    place = {"city": path("$.traits.city")}
    fields = {
        "items": record("The products.", inner, multiple=True, default=items),
        "place": record("Where.", {"city": text("The town."), "zip": text("The code.")}, default=place),
        "more": record("Others.", {"a": text("One.")}, default=path("$.traits")),
    }
    assert [(one.name, one.default_text) for one in rows_of(fields)] == [
        ("items", "each of properties.products: {colour: colour}"),
        ("items[].id", "properties.products[].sku"),
        ("items[].price", ""),
        ("place", ""),
        ("place.city", "traits.city"),
        ("place.zip", ""),
        ("more", "traits"),
        ("more.a", ""),
    ]


def test_a_field_without_a_default_has_none_in_json_either() -> None:
    assert row(text("It.")).default_text == ""
    assert row(text("It.", default=None)).default is None
    assert row(text("It.", default=None)).default_text == "null"
