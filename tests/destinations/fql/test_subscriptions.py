"""Subscriptions: each sentence about them, what the operator is told, and whatever else one may type."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations.fql import compile_subscription
from relay.destinations.fql.subscriptions.values import to_number, to_text


def matches(text: str, **event: Any) -> bool:
    subscription = compile_subscription(text)
    assert subscription.error is None
    return subscription.matches(event)


@pytest.mark.parametrize(
    "text", ["", "  ", "typo", "type", 'anonymousId = "a"', "messageId != null", 'integrations.x = "y"']
)
def test_what_names_no_known_field_is_invalid_and_matches_nothing(text: str) -> None:
    subscription = compile_subscription(text)
    assert subscription.error is not None
    assert subscription.tree is None
    assert not subscription.matches({"type": "track", "anonymousId": "a", "messageId": "m"})


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ('((type = "a"))', 2),
        ('(type = "a"', 1),
        ('type = "a" && event = "b"', 12),
        ('type = "a', 8),
        ('event!="x"', 6),
    ],
)
def test_an_error_says_where_and_why(text: str, position: int) -> None:
    error = compile_subscription(text).error
    assert error is not None
    assert error.endswith(f"(character {position})")


def test_the_last_connective_holds_for_the_whole_list() -> None:
    assert matches('type = "a" and event = "b" or name = "c"', name="c")
    assert matches('type = "a" and event = "b" or name = "c"', type="a")
    assert not matches('type = "a" or event = "b" and name = "c"', type="a")


def test_a_group_has_a_connective_of_its_own() -> None:
    text = 'type = "track" and (event = "A" or event = "B")'
    assert matches(text, type="track", event="B")
    assert not matches(text, type="page", event="B")


def test_a_group_ends_with_the_function_in_it() -> None:
    text = 'type = "track" and (contains(event, "x") or event = "B")'
    assert matches(text, type="page", event="B")


@pytest.mark.parametrize("text", ['!(type = "a")', 'type = "a")', 'type = "a" and', 'type = "a" or'])
def test_a_lone_negation_a_stray_parenthesis_and_a_trailing_connective_are_ignored(text: str) -> None:
    assert matches(text, type="a")
    assert not matches(text, type="b")


def test_texts_compare_strictly() -> None:
    assert not matches('properties.n = "27.5"', properties={"n": 27.5})
    assert matches('properties.n = "27.5"', properties={"n": "27.5"})
    assert matches('properties.n != "27.5"', properties={"n": 27.5})
    assert matches('properties.n != "x"')


def test_numbers_match_numbers_only() -> None:
    assert matches("properties.n = 1", properties={"n": 1.0})
    assert not matches("properties.n = 1", properties={"n": "1"})
    assert not matches("properties.n = 1", properties={"n": True})
    assert matches("properties.n != 1", properties={"n": 2})
    assert not matches("properties.n != 1", properties={"n": "2"})
    assert not matches("properties.n != 1")


@pytest.mark.parametrize(("operator", "expected"), [("<", "tff"), ("<=", "ttf"), (">", "fft"), (">=", "ftt")])
def test_orders_match_numbers_only(operator: str, expected: str) -> None:
    text = f"properties.n {operator} 5"
    assert "".join("ft"[matches(text, properties={"n": n})] for n in (4, 5, 6)) == expected
    assert not any(matches(text, properties={"n": n}) for n in ("4", "5", "6", None, True, [5]))


def test_null_asks_for_absence() -> None:
    absent: list[dict[str, Any]] = [{}, {"properties": {"a": None}}, {"properties": None}]
    for event in absent:
        assert matches("properties.a = null", **event)
        assert not matches("properties.a != null", **event)
    values: list[Any] = ["", 0, False, []]
    for value in values:
        assert matches("properties.a != null", properties={"a": value})


def test_truths_match_truths_only() -> None:
    assert matches("traits.a = true", traits={"a": True})
    assert not matches("traits.a = true", traits={"a": "true"})
    assert not matches("traits.a = true", traits={"a": 1})
    assert matches("traits.a = false", traits={"a": False})
    assert not matches("traits.a = false")


def test_not_true_is_everything_but_the_text() -> None:
    for value in (True, False, None, 1, "false"):
        assert matches("traits.a != true", traits={"a": value})
    assert not matches("traits.a != true", traits={"a": "true"})


def test_type_and_event_know_no_null() -> None:
    assert not matches("event = null", type="page")
    assert matches("event = null", event="null")
    assert matches("event != null", type="page")


@pytest.mark.parametrize("test", ['contains(name, "b")', 'match(name, "a*")', 'match(name, "*c")'])
def test_functions_and_their_negations_need_a_text(test: str) -> None:
    assert matches(test, name="abc")
    assert not matches(test, name="ABC")
    assert not matches(f"!{test}", name="abc")
    assert matches(f"!{test}", name="ABC")
    for value in (None, 5, ["abc"]):
        assert not matches(test, name=value)
        assert not matches(f"!{test}", name=value)


def test_quotes_may_be_left_out_but_not_be_single() -> None:
    assert matches("type = track", type="track")
    assert not matches("type = 'track'", type="track")


def test_upper_case_connectives_are_none() -> None:
    assert not matches('type = "a" OR type = "b"', type="a")


def test_an_empty_user_id_is_a_text_and_an_absent_one_is_not() -> None:
    assert matches('userId = ""', userId="")
    assert not matches('userId = ""')


def test_a_path_ends_at_what_is_falsy_and_knows_lengths() -> None:
    assert matches("properties.a.b = 0", properties={"a": 0})
    assert matches("properties.a.length = 2", properties={"a": ["x", "y"]})
    assert matches("properties.a.length = 3", properties={"a": "😀!"})
    assert matches(r'properties.a.\1 = "y"', properties={"a": ["x", "y"]})
    assert matches(r'properties.a\ b = "y"', properties={"a b": "y"})


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('type = "a" and event = "b" or name = "c"', '`(type = "a" and event = "b") or name = "c"`'),
        ('type = "a" and (contains(event, "x") or event = "b")', "even that of a function"),
        ('!(type = "a")', "`!` counts only before contains() and match()"),
        ('type = "a")', "`)` is skipped"),
        ('type = "a" and', "a condition is missing at the end"),
        ('type = "a" OR type = "b"', "`OR` is skipped"),
        ('type = "a" or(event = "b")', "`or` is skipped"),
        ('type = "a" and foo = "b"', "`foo` is none of the fields"),
        ('type = "a" and contains(type, "b")', "contains() of `type` is skipped"),
        ("type = 'a'", "single quotes"),
        ("event = null", 'compares with the text "null"'),
        ("properties.a != true", 'compares with the text "true"'),
        ("properties.a >=5", "`=` is taken for the value"),
        ('properties.a > "many"', "compares numbers only"),
        ("type = ", "the end is taken for the value"),
        ('match(event, "Order")', "one `*`, at the beginning or at the end"),
        ('match(event, "*der*")', "one `*`, at the beginning or at the end"),
        ("contains(event, x)", "a text in double quotes"),
        ("contains(event)", "`)` stands where `,` should"),
        ('properties.weird key = "wk"', "`key` is no comparison"),
        ("properties = 5", "`properties` is no field"),
        ("(" * 60, "no `)` is left"),
    ],
)
def test_the_operator_is_told_what_segment_makes_of_it(text: str, hint: str) -> None:
    subscription = compile_subscription(text)
    assert hint in (subscription.error or subscription.differs or "")


@pytest.mark.parametrize(
    "text",
    [
        'type = "track"',
        "type = track",
        'type = "track" and event != "x" and properties.a >= 5',
        'type = "track" and (event = "x" or event = "y")',
        '(event = "x" and traits.a = true) or (event = "y" and userId != null)',
        '!contains(event, "x") or match(name, "*y") or match(name, "*")',
        '(contains(event, "x"))',
        'properties.a > "20"',
    ],
)
def test_the_operator_is_told_nothing_when_segment_takes_it_literally(text: str) -> None:
    subscription = compile_subscription(text)
    assert subscription.error is None
    assert subscription.differs is None


WORDS = (
    r"type event properties.a.b traits.\  = != >= ( ) and or ! contains( match( , 5 -1.5 . [ ] null true no &"
)
PIECES = st.sampled_from([*WORDS.split(" "), '"x"', '"*x"', '"x*"', "'y'", '"', "\r"])
GARBAGE = st.one_of(st.text(), st.lists(PIECES).map(" ".join), st.lists(PIECES).map("".join))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abx"), inner, max_size=3),
)
EVENTS = st.dictionaries(st.sampled_from(("type", "event", "properties", "traits", "name")), JSON)


@given(GARBAGE, EVENTS)
def test_any_text_is_a_subscription_or_an_error(text: str, event: dict[str, Any]) -> None:
    subscription = compile_subscription(text)
    assert subscription.matches(event) in {True, False}
    assert (subscription.error is None) is (subscription.tree is not None)
    if subscription.error is not None:
        assert subscription.differs is None
        assert not subscription.matches(event)


@given(st.sampled_from(('contains(event, "b")', 'match(event, "a*")', 'match(event, "*c")')), st.text("abc"))
def test_of_a_text_either_the_function_or_its_negation_holds(test: str, name: str) -> None:
    assert matches(test, event=name) is not matches(f"!{test}", event=name)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (27.5, "27.5"),
        (5.0, "5"),
        (-0.0, "0"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (True, "true"),
    ],
)
def test_numbers_are_written_as_javascript_writes_them(number: float, text: str) -> None:
    assert to_text(number) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [("", 0), (" 5 ", 5), ("0x10", 16), ("1e3", 1000), (".5", 0.5), ("-Infinity", float("-inf"))],
)
def test_texts_are_numbers_as_javascript_reads_them(text: str, number: float) -> None:
    assert to_number(text) == number
    assert to_number("1_000") != to_number("1_000")
