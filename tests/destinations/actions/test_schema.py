"""Fields: what they make of a payload, and what they refuse, by name and without values."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations.actions.fields import (
    Condition,
    Field,
    When,
    boolean,
    integer,
    moment,
    number,
    record,
    text,
)
from relay.destinations.actions.schema import Fitting
from relay.destinations.errors import Refused

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def made(field: Field, value: Any) -> Any:
    return Fitting({"f": field}).fit({"f": value}).get("f", "nothing")


def refused(fields: dict[str, Field], payload: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(Refused) as caught:
        Fitting(fields).fit(payload)
    assert caught.value.status == 400
    return caught.value.fields


@pytest.mark.parametrize(
    ("field", "value", "result"),
    [
        (text("."), 5, "5"),
        (text("."), 5.0, "5"),
        (text("."), True, "true"),
        (text("."), ["a"], "a"),
        (text("."), None, "nothing"),
        (text("."), "", "nothing"),
        (text(".", allow_null=True), None, None),
        (number("."), "5", 5),
        (number("."), "1e300", 1e300),
        (number("."), 2**64, 2**64),
        (number("."), " 5.5 ", 5.5),
        (number("."), True, 1),
        (number("."), "", "nothing"),
        (number("."), ["7"], 7),
        (integer("."), "7.0", 7),
        (boolean("."), "true", True),
        (boolean("."), 0, False),
        (moment("."), 1772443098126, 1772443098126),
        (moment("."), "1772443098", "1772443098"),
        (text(".", multiple=True), "a", ["a"]),
        (text(".", multiple=True), ["a", None, 5], ["a", "5"]),
        (number(".", multiple=True), ["1", "", None, 2], [1, 2]),
        (record("."), {"a": None, "b": {"c": ""}}, {"a": None, "b": {"c": ""}}),
        (record(".", {"a": number(".")}), {"a": "1", "b": 2}, {"a": 1}),
        (record(".", {"a": number(".")}, more=True), {"a": "1", "b": 2}, {"a": 1, "b": 2}),
        (record(".", {"a": text(".")}), {"a": None}, {}),
        (record(".", {"a": text(".")}, multiple=True), {"a": 5}, [{"a": "5"}]),
        (text(".", choices=("x", "y")), "x", "x"),
    ],
)
def test_a_value_becomes_what_the_field_is(field: Field, value: Any, result: Any) -> None:
    assert made(field, value) == result
    assert type(made(field, value)) is type(result)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (text("."), {}),
        (text("."), ["a", "b"]),
        (number("."), "abc"),
        (number("."), 10**400),
        (number("."), {}),
        (integer("."), 1.5),
        (integer("."), -(10**400)),
        (boolean("."), "yes"),
        (boolean("."), 2),
        (moment("."), "not a date"),
        (record("."), "text"),
        (text(".", format="email"), "nobody"),
        (text(".", format="email"), "ü@example.com"),
        (text(".", format="uri"), "www.example.com"),
        (text(".", choices=("x", "y")), "z"),
        (text(".", maximum=3), "abcd"),
        (number(".", minimum=1), 0.5),
    ],
)
def test_what_the_field_cannot_take_refuses_the_event(field: Field, value: Any) -> None:
    assert refused({"f": field}, {"f": value}) == ("f",)


def test_every_wrong_field_is_named_where_it_is_and_no_value_is_told() -> None:
    fields = {
        "a": text(".", required=True),
        "b": number("."),
        "items": record(".", {"id": text(".", required=True), "n": number(".")}, multiple=True),
    }
    with pytest.raises(Refused) as caught:
        Fitting(fields).fit({"b": "hidden", "items": [{"id": "x"}, {"n": "hidden"}]})
    assert set(caught.value.fields) == {"a", "b", "items[1].id", "items[1].n"}
    assert "hidden" not in str(caught.value)


def test_what_no_field_is_for_goes() -> None:
    assert Fitting({"a": text(".")}).fit({"a": "x", "b": "y"}) == {"a": "x"}


@pytest.mark.parametrize(
    ("payload", "missing"),
    [
        ({}, ()),
        ({"kind": "big"}, ("size",)),
        ({"kind": "big", "size": 1}, ()),
        ({"kind": "small"}, ()),
    ],
)
def test_a_field_may_be_required_by_anothers_value(payload: dict[str, Any], missing: tuple[str, ...]) -> None:
    fields = {"kind": text("."), "size": number(".", required=When((Condition("kind", "big"),)))}
    if missing:
        assert refused(fields, payload) == missing
    else:
        assert Fitting(fields).fit(payload) == payload


@pytest.mark.parametrize(
    ("payload", "is_enough"),
    [({}, False), ({"id": "1"}, True), ({"email": "e"}, True), ({"id": None}, False)],
)
def test_one_of_two_may_be_required(payload: dict[str, Any], is_enough: bool) -> None:
    fields = {
        "id": text(".", required=When((Condition("email"),))),
        "email": text(".", required=When((Condition("id"),))),
    }
    if is_enough:
        assert Fitting(fields).fit(payload)
    else:
        assert set(refused(fields, payload)) == {"id", "email"}


def test_all_conditions_or_any_of_them() -> None:
    both = (Condition("a", 1), Condition("b", 1))
    every = {"a": number("."), "b": number("."), "c": text(".", required=When(both))}
    some = {**every, "c": text(".", required=When(both, is_any=True))}
    assert Fitting(every).fit({"a": 1, "b": 2}) == {"a": 1, "b": 2}
    assert refused(some, {"a": 1, "b": 2}) == ("c",)
    assert refused(every, {"a": 1, "b": 1}) == ("c",)


def test_inside_an_object_too() -> None:
    fields = {"o": record(".", {"k": text("."), "v": text(".", required=When((Condition("o.k", "x"),)))})}
    assert refused(fields, {"o": {"k": "x"}}) == ("o.v",)
    assert Fitting(fields).fit({"o": {"k": "y"}}) == {"o": {"k": "y"}}


@given(JSON)
def test_whatever_comes_it_fits_or_is_refused_and_is_not_changed(value: Any) -> None:
    fields = {
        "f": number("."),
        "g": text(".", multiple=True),
        "h": record(".", {"f": moment(".")}, multiple=True),
        "i": record(".", {"f": boolean(".")}),
    }
    payload = dict.fromkeys(fields, value)
    before = repr(payload)
    fit = Fitting(fields).fit
    with suppress(Refused):
        first = fit(payload)
        assert fit(first) == first, "what fits once fits again, unchanged"
    assert repr(payload) == before


def test_empty_texts_at_the_top_go_unless_they_are_to_be_kept() -> None:
    fit = Fitting({"a": text("."), "b": number("."), "c": record(".", {"d": text(".")})}).fit
    payload = {"a": "", "b": "", "c": {"d": ""}}
    assert fit(payload) == {"c": {"d": ""}}
    assert fit(payload, keeps_empty=True) == {"a": "", "c": {"d": ""}}
