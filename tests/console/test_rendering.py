"""What is shown of values that anybody may have sent."""

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.body import decode
from relay.console.rendering import (
    CUT,
    TOO_DEEP,
    coded,
    cut,
    html,
    masked,
    number,
    pretty,
    remaining,
    seconds,
    visible,
    when,
    who,
)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("plain", "plain"),
        ("a\x00b", "a\u2400b"),
        ("\x1b[31m", "\u241b[31m"),
        ("\x7f", "\u2421"),
        ("\x85", "\u27e8U+0085\u27e9"),
        ("abc\u202etxt.exe", "abc\u27e8U+202E\u27e9txt.exe"),
        ("a\u200bb\ufeff", "a\u27e8U+200B\u27e9b\u27e8U+FEFF\u27e9"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\ud800", "\ufffd"),
        ("\u05d0\u05d1", "\u05d0\u05d1"),  # Hebrew stays Hebrew
        (12, "12"),
        (None, "None"),
    ],
)
def test_nothing_is_hidden(sent: object, shown: str) -> None:
    assert visible(sent) == shown


@given(st.text())
def test_what_is_shown_can_be_sent_in_utf_8_and_turns_nothing(text: str) -> None:
    shown = visible(text)
    shown.encode()
    assert not set(shown) & {"\u202a", "\u202e", "\u2066", "\u200f", "\x00", "\x1b", "\x85"}


def test_in_a_list_a_value_is_one_short_line() -> None:
    assert cut("a\nb\tc") == "a\u240ab\u2409c"
    assert cut("x" * 32_000) == "x" * CUT + "\u2026"
    assert cut("x" * CUT) == "x" * CUT


def test_json_is_shown_with_its_controls() -> None:
    assert pretty({"a": "\u202e\x00"}) == '{\n  "a": "\u27e8U+202E\u27e9\\u0000"\n}'


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "\u2013"),
        (0, "0 ms"),
        (0.0344, "34 ms"),
        (1, "1 s"),
        (2.44, "2.4 s"),
        (59, "59 s"),
        (300, "5 min"),
        (7200, "2 h"),
        (200_000, "2 d"),
    ],
)
def test_a_span_is_said_in_one_unit(value: float | None, said: str) -> None:
    assert seconds(value) == said


def test_numbers_have_commas() -> None:
    assert [number(n) for n in (0, 1.26, 12.6, 1_234_567)] == ["0", "1.3", "13", "1,234,567"]


def test_a_moment_is_said_as_how_long_ago_it_is() -> None:
    said = when(1_000_000, now=lambda: 1_300.0)
    assert (
        said == '<time datetime="1970-01-01T00:16:40.000Z" title="1970-01-01T00:16:40.000Z">5 min ago</time>'
    )
    assert ">in 5 min<" in when(1_600_000, now=lambda: 1_300.0)
    assert when("<b>", now=lambda: 0.0) == "<bdi>&lt;b&gt;</bdi>"


def test_of_a_key_the_end_is_shown() -> None:
    assert masked("0123456789abcdef") == "\u2026cdef"
    assert masked("short") == "\u2026"


def test_markup_of_others_is_text() -> None:
    shown = html(
        "wrong.html",
        {
            "said": "<script>alert(1)</script>",
            "path": "/",
            "version": "1",
            "session": None,
            "flash": "",
            "can_change": False,
            "form_token": "",
            "address": str,
            "is_built": bool,
        },
    )
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)" in shown


@pytest.mark.parametrize("value", [10**18, -(10**18), 10**30, True, [1], "9" * 5000, "0001-01-01T00:00:00"])
def test_a_moment_that_is_none_is_shown_all_the_same(value: Any) -> None:
    assert when(value, now=lambda: 0.0)


def test_json_that_orjson_cannot_write_is_shown_in_a_line() -> None:
    assert pretty({"n": 10**30}) == '{"n":1000000000000000000000000000000}'
    deep = decode(b"[" * 300 + b"]" * 300)
    assert pretty(deep) == "[" * 300 + "]" * 300


def test_what_is_nested_too_deeply_is_said_to_be() -> None:
    deep: list[Any] = []
    for _ in range(sys.getrecursionlimit()):
        deep = [deep]
    assert {cut(deep), visible(deep), pretty(deep)} == {TOO_DEEP}


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("It is `a` in <b>, or `b`.", "It is <code>a</code> in &lt;b&gt;, or <code>b</code>."),
        ("a ` alone", "a ` alone"),
        ("`<i>`", "<code>&lt;i&gt;</code>"),
    ],
)
def test_what_stands_between_backticks_is_code(sentence: str, shown: str) -> None:
    assert coded(sentence) == shown


def test_what_is_left_until_a_moment_is_a_span() -> None:
    at = "2026-01-01T00:10:00.000Z"
    assert ">8 min<" in remaining(at, lambda: 1767225720.0)
    assert ">0 ms<" in remaining(at, lambda: 1767229999.0)


def test_an_event_says_whose_it_is() -> None:
    assert who({"userId": "u", "anonymousId": "a"}) == "u"
    assert who({"userId": None, "anonymousId": "a"}) == "a"
    assert who({}) == ""
