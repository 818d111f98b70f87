"""Values read as JavaScript reads them."""

from typing import Any

import pytest

from relay.destinations.mapping.javascript import (
    MISSING,
    is_falsy,
    length,
    number_text,
    text,
    to_number,
    unit,
)
from relay.destinations.mapping.json_text import encode


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (27.0, "27"),
        (27.5, "27.5"),
        (-0.0, "0"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (-1.5e300, "-1.5e+300"),
        (0.000001, "0.000001"),
        (1e-7, "1e-7"),
        (1.25e-5, "0.0000125"),
        (1.2e17, "120000000000000000"),
        (2**53 + 1, "9007199254740992"),
        (10**400, "Infinity"),
        (float("nan"), "NaN"),
    ],
)
def test_numbers_are_written_as_javascript_writes_them(number: float, written: str) -> None:
    assert number_text(number) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ([1, None, [2, MISSING], "x"], "1,,2,,x"),
        ({}, "[object Object]"),
        (True, "true"),
        (None, ""),
        ([], ""),
    ],
)
def test_values_are_written_as_inside_a_joined_list(value: Any, written: str) -> None:
    assert text(value) == written


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("", 0),
        (" 4\n", 4),
        ("0x1F", 31),
        ("1e3", 1000),
        (None, 0),
        (True, 1),
        (["7"], 7),
        ("-Infinity", -1e999),
    ],
)
def test_values_are_read_as_numbers(value: Any, number: float) -> None:
    assert to_number(value) == number


@pytest.mark.parametrize("value", ["x", "1_000", "nan", "infinity", {}, MISSING, [1, 2]])
def test_what_is_no_number_is_nan(value: Any) -> None:
    assert to_number(value) != to_number(value)


def test_empty_objects_and_lists_are_not_falsy() -> None:
    assert not any(map(is_falsy, ({}, [], "0", -1, True)))
    assert all(map(is_falsy, (0, 0.0, "", None, False, MISSING, float("nan"))))


def test_length_counts_utf16_units() -> None:
    assert length("a😀") == 3
    assert unit("a😀b", 3) == "b"
    assert unit("a😀b", 1) == "\ufffd"


def test_json_text_has_indexes_first_and_no_missing_values() -> None:
    assert encode({"b": 1.0, "10": 2, "9": [MISSING], "x": MISSING, "01": "ü\n"}) == (
        '{"9":[null],"10":2,"b":1,"01":"ü\\n"}'
    )


def test_text_that_nearly_is_a_number_is_seen_through_in_one_pass() -> None:
    assert str(to_number("1" * 1_000_000 + "x")) == "nan"
