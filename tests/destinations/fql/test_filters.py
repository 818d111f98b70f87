"""Filters: each sentence about them, what is refused and where, and whatever else one may type."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations.fql import FqlError, compile_filter
from relay.destinations.fql.filters import MAX_BYTES
from tests.destinations.fql.test_subscriptions import EVENTS, GARBAGE

CLICKED: dict[str, Any] = {
    "event": "Button Clicked",
    "type": "track",
    "context": {"library": {"name": "analytics.js", "version": "1.0"}},
    "properties": {
        "features": ["discounts", "dark-mode"],
        "product 1": {"price": "19.99"},
        "a.b": 1,
        "n": 5,
        "text": "5",
        "yes": True,
        "no": False,
        "none": None,
        "object": {"k": 1},
        "kana": "ア",
        "items": [{"sku": "s1"}],
        "pattern": "But*",
        "broken": "[",
    },
}


def holds(text: str, event: dict[str, Any] = CLICKED) -> bool:
    return compile_filter(text)(event)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("event = 'Button Clicked'", True),
        ("event = 'Screen Tapped'", False),
        ("context.path.path = '/login'", False),
        ("type = 'identify' or type = 'track'", True),
        ("event = 'Button Clicked' and type = 'track'", True),
        ("match( context.library.version, '1.*' )", True),
        ("match( context.library.version, '2.*' )", False),
        ("type = 'track' and ( event = 'Click' or match( event, 'Button *' ) )", True),
        ("!contains( context.library.name, 'js' )", False),
        ("'dark-mode' in properties.features", True),
        ("'blink' in properties.features", False),
        (r"properties.product\ 1.price = '19.99'", True),
        ("!( type in ['track', 'identify'] )", False),
        ("( type = 'page' or type = 'track' ) and ( properties.yes or match( traits.email, '*@x' ) )", True),
    ],
)
def test_the_examples_of_the_documentation(text: str, expected: bool) -> None:
    assert holds(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", True),
        (" all ", True),
        ("all = null", True),  # within a condition it is a path
        ('event = "Button Clicked"', True),
        ("event!='x'", True),
        ("properties.n>=5", True),
        ("properties.n = 5.0", True),
        ("-1 < 0.5 and 1e3 = 1000 and +1 = 1", True),
        (r"properties.a\.b = 1", True),
        ("properties.items.0.sku = 's1'", True),
        ("properties.items.1.sku = null", True),
        ("true", True),
        ("false or null", False),
        (r"\and = null", True),
        ("'it\"s' = \"it's\"", False),
        (r"'a\' = 'a\'", True),  # no escapes in texts
        ("[1, 'a', [true]] = [1, 'a', [true]]", True),
        ("properties.features = ['discounts', 'dark-mode']", True),
        ("properties.n in [1, properties.n]", True),
        ("event in [] or properties.n in [4, 6]", False),
    ],
)
def test_literals_and_paths(text: str, expected: bool) -> None:
    assert holds(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true or true and false", True),
        ("(true or true) and false", False),
        ("false and false or true", True),
        ("!false and false", False),
        ("!(false and false)", True),
        ("!!true", True),
        ("(properties.n = 5) = true", True),
        ("true and true and true and false", False),
        ("false or false or false or true", True),
    ],
)
def test_precedence_is_ordinary(text: str, expected: bool) -> None:
    assert holds(text) is expected


@pytest.mark.parametrize(
    "text",
    [
        "properties.n = '5'",
        "properties.text = 5",
        "properties.yes = 1",
        "1 = properties.yes",
        "true = 'true'",
        "[1] = [true]",
        "null = false",
        "properties.none = 0",
        "properties.yes in [1, 'true']",
        "1 in [true]",
        "properties.object = properties.features",
    ],
)
def test_equality_keeps_types_apart(text: str) -> None:
    assert not holds(text)
    assert holds(text.replace(" = ", " != ")) or " in " in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("missing and true", False),
        ("missing or true", True),
        ("!missing", True),
        ("missing = null and properties.none = null", True),
        ("missing.deeper.still = null and event.deeper = null", True),
        ("missing > 0 or missing < 0 or missing >= 0", False),
        (
            "contains(missing, 'a') or contains(event, missing) or match(missing, '*') or match(event, null)",
            False,
        ),
        ("length(missing) = 0 and length(null) < 1", True),
        ("lowercase(missing) = null and titlecase(null) = null", True),
        ("typeof(missing) = 'null'", True),
        ("'a' in missing or 'a' in null", False),
        ("missing in [null]", True),
        ("bool(missing)", False),
        ("string(missing) = '' and number(missing) = null", True),
    ],
)
def test_what_is_missing_is_null_and_never_an_error(text: str, expected: bool) -> None:
    assert holds(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("properties.text > 4", False),
        ("properties.text <= 4", False),
        ("properties.yes > 0", False),
        ("contains(properties.features, 'discounts')", False),
        ("!contains(properties.n, '5')", True),
        ("match(properties.n, '*')", False),
        ("lowercase(properties.n) = null", True),
        ("length(properties.n) > 0 or length(properties.n) < 1", False),
        ("length(properties.object) = null", True),
    ],
)
def test_a_value_of_another_type_makes_a_test_false(text: str, expected: bool) -> None:
    assert holds(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("length('a') = 1 and length(properties.kana) = 3 and length(properties.features) = 2", True),
        ("lowercase(event) = 'button clicked' and uppercase('aé') = 'AÉ'", True),
        ("snakecase('test string') = 'test_string'", True),
        ("kebabcase('test string') = 'test-string'", True),
        ("titlecase('test string') = 'Test String'", True),
        ("typeof(event) = 'string' and typeof(properties.n) = 'number' and typeof(null) = 'null'", True),
        ("typeof(properties.features) = 'list' and typeof(properties.yes) = 'bool'", True),
        ("typeof(properties.object) = 'object'", True),
        ("bool('true') and bool(1) and bool([0]) and bool('x')", True),
        ("bool('false') or bool('') or bool(0) or bool([]) or bool('0')", False),
        ("string(5.0) = '5' and string(27.5) = '27.5' and string(true) = 'true'", True),
        ('string(properties.features) = \'["discounts","dark-mode"]\'', True),
        ("number(properties.text) = 5 and number(' 2.5e1 ') = 25 and number(7) = 7", True),
        ("contains('abc', 'b') and contains(event, '') and !contains('abc', 'B')", True),
        ("match(event, properties.pattern)", True),
    ],
)
def test_functions(text: str, expected: bool) -> None:
    assert holds(text) is expected


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("event", 0),
        ("true and properties.n", 9),
        ("!properties.text", 1),
        ("properties.features or true", 0),
        ("number(event) > 1", 0),
        ("'a' in event", 7),
        ("match(event, properties.broken)", 13),
    ],
)
def test_what_cannot_be_judged_is_an_error_so_that_the_event_is_dropped(text: str, position: int) -> None:
    test = compile_filter(text)
    with pytest.raises(FqlError) as caught:
        test(CLICKED)
    assert caught.value.position == position
    assert "Clicked" not in str(caught.value)


def test_a_value_too_deep_to_compare_is_an_error_too() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    other: list[Any] = []
    for _ in range(100_000):
        other = [other]
    for text in ("a = b", "string(a) = ''"):
        with pytest.raises(FqlError):
            holds(text, {"a": deep, "b": other})


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("", 0, "the end stands where a value should"),
        ('userId = oops"', 13, "this quote is never closed"),
        ("event = 'x' and", 15, "the end stands where a value should"),
        ("event == 'x'", 7, "`=` stands where a value should"),
        ("event = 'x' AND true", 12, "`AND` stands where `and`, `or` or the end should"),
        ("not event", 4, "`event` stands where"),
        ("a = b = c", 6, "`=` stands where"),
        ("! event = 'x'", 0, "`!` negates a whole condition"),
        ("(true", 5, "the end stands where `)` should"),
        ("true)", 4, "`)` stands where"),
        ("a..b = 1", 0, "this path is not complete"),
        ("ab. = 1", 0, "this path is not complete"),
        ("5x = 1", 0, "this is no number"),
        ("a = 1.", 4, "this is no number"),
        ("a.ü = 1", 0, "this path is not complete"),
        ("a & b", 2, "`&` means nothing here"),
        ("lowercase(event)", 0, "a text stands where a truth should"),
        ("'x'", 0, "a text stands where a truth should"),
        ("!5", 1, "a number stands where a truth should"),
        ("a > '20'", 4, "a text stands where a number should"),
        ("a in 'x'", 5, "a text stands where a list should"),
        ("contains(a, 5)", 12, "a number stands where a text should"),
        ("lowercase(length(a)) = 'x'", 10, "a number stands where a text should"),
        ("contains(a)", 0, "contains() takes 2, not 1"),
        ("soundex(a) = 'x'", 0, "there is no function `soundex`"),
        ("match(a, 'x[')", 11, "this `[` is never closed"),
        ("[1 2] = a", 3, "`2` stands where `,` should"),
        ("(" * 50 + "true" + ")" * 50, 40, "nested too deeply"),
        ("!" * 5000 + "true", 40, "nested too deeply"),
    ],
)
def test_a_mistake_is_refused_with_its_place_and_reason(text: str, position: int, reason: str) -> None:
    with pytest.raises(FqlError, match="character") as caught:
        compile_filter(text)
    assert (caught.value.position, reason in caught.value.reason) == (position, True)


def test_a_text_has_at_most_5_kb() -> None:
    empty = "event != ''"
    assert compile_filter("event != '" + "ü" * ((MAX_BYTES - len(empty)) // 2) + "'")(CLICKED)
    with pytest.raises(FqlError, match="5120 bytes"):
        compile_filter("event != '" + "ü" * (MAX_BYTES // 2) + "'")


def test_paths_and_numbers_of_any_length_are_read_in_no_time() -> None:
    for text in ("a" * 5000 + ".", "a." * 2500, "5" * 5000 + "x", "1." + "5" * 5000, "a and " * 800 + "a"):
        try:
            compile_filter(text)({})
        except FqlError as problem:
            assert problem.reason  # noqa: PT017 - either is fine, but soon


@given(GARBAGE, EVENTS)
def test_any_text_is_a_filter_or_an_error(text: str, event: dict[str, Any]) -> None:
    try:
        assert compile_filter(text)(event) in {True, False}
    except FqlError as problem:
        assert 0 <= problem.position <= len(text)  # noqa: PT017


def conditions() -> st.SearchStrategy[str]:
    fields = st.sampled_from(("properties.a", "traits.b", "event", "name"))
    values = st.sampled_from(("'x'", "5", "true", "null", "[1, 'x']", "event"))
    compared = st.builds("{} {} {}".format, fields, st.sampled_from(("=", "!=")), values)
    called = st.builds("{}({}, 'a')".format, st.sampled_from(("contains", "match")), fields)
    ordered = st.builds("{} {} 3".format, fields, st.sampled_from(("<", "<=", ">", ">=")))
    return st.recursive(
        compared | called | ordered,
        lambda inner: (
            st.builds("({}) {} ({})".format, inner, st.sampled_from(("and", "or")), inner)
            | st.builds("!({})".format, inner)
        ),
    )


@given(conditions(), conditions(), EVENTS)
def test_the_laws_of_negation(one: str, other: str, event: dict[str, Any]) -> None:
    assert holds(f"!({one})", event) is not holds(one, event)
    assert holds(f"!(!({one}))", event) is holds(one, event)
    assert holds(f"!(({one}) and ({other}))", event) is holds(f"!({one}) or !({other})", event)
    assert holds(f"!(({one}) or ({other}))", event) is holds(f"!({one}) and !({other})", event)
    assert holds(f"({one}) or ({other})", event) is (holds(one, event) or holds(other, event))


@given(st.sampled_from(("properties.a", "event")), EVENTS)
def test_not_equal_is_the_negation_of_equal(path: str, event: dict[str, Any]) -> None:
    for value in ("'x'", "5", "null", "false", "traits.b", "[1]"):
        assert holds(f"{path} != {value}", event) is not holds(f"{path} = {value}", event)
        assert holds(f"{path} = {value}", event) is holds(f"{value} = {path}", event)
    assert holds(f"{path} = {path}", event)
