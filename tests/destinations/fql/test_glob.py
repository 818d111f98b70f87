"""Globs, against a plain matcher that tries everything, and against patterns made to be slow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations.fql.glob import MAX_PATTERN, BadPattern, compile_glob


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("abcd", "a*d", True),
        ("", "*", True),
        ("", "", True),
        ("abc", "ab", False),
        ("abcd", "a??d", True),
        ("abcd", "*d", True),
        ("ab*d", r"ab\*d", True),
        ("abxd", r"ab\*d", False),
        ("abCd", "ab[cC]d", True),
        ("abcd", "ab[a-z]d", True),
        ("abcd", "ab[A-Z]d", False),
        ("abcd", "ab[^a-z]d", False),
        ("ab1d", "ab[^a-z]d", True),
        ("ABC", "abc", False),
        ("ab/c", "a*", True),
        ("a\nb", "a*b", True),
        ("a\n", "a?", True),
        ("a\n", "a", False),
        ("ア", "?", True),
        ("*", "[*]", True),
        ("]", r"[\]]", True),
        ("-", r"[\-]", True),
        ("^", r"[\^]", True),
        ("b", "[c-a]", False),
        ("b", "[^c-a]", True),
        ("a]", "a]", True),
        ("a.c", "a.c", True),
        ("abc", "a.c", False),
        ("a&&b", "a[&&]&b", True),
        ("aab", "*ab", True),
        ("abab", "**ab", True),
    ],
)
def test_globs(text: str, pattern: str, expected: bool) -> None:
    assert compile_glob(pattern)(text) is expected


@pytest.mark.parametrize(
    ("pattern", "at"),
    [("a[", 1), ("a[]", 2), ("[-a]", 1), ("[a-]", 3), ("[^]", 2), ("ab\\", 2), ("[a\\", 2), ("[a", 0)],
)
def test_a_bad_pattern_says_where(pattern: str, at: int) -> None:
    with pytest.raises(BadPattern) as caught:
        compile_glob(pattern)
    assert caught.value.at == at


def test_a_pattern_is_no_longer_than_a_filter() -> None:
    with pytest.raises(BadPattern):
        compile_glob("a" * (MAX_PATTERN + 1))


@pytest.mark.parametrize("pattern", ["*a*a*a*a*b", "*a" * 500 + "*b", "*?a*?a*?a*b", "*[ab]*[ab]*[ab]c"])
def test_no_pattern_takes_exponential_time(pattern: str) -> None:
    """With one that does, this test would not end."""
    assert not compile_glob(pattern)("a" * 10_000)


def plainly(pattern: str, text: str) -> bool:
    """The meaning of `*` and `?`, with no thought of speed."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(plainly(pattern[1:], text[cut:]) for cut in range(len(text) + 1))
    return bool(text) and pattern[0] in {"?", text[0]} and plainly(pattern[1:], text[1:])


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=10))
def test_stars_match_as_if_every_cut_were_tried(pattern: str, text: str) -> None:
    assert compile_glob(pattern)(text) is plainly(pattern, text)


@given(st.text(), st.text())
def test_any_pattern_is_one_or_is_refused(pattern: str, text: str) -> None:
    try:
        assert compile_glob(pattern)(text) in {True, False}
    except BadPattern as problem:
        assert problem.at < len(pattern)  # noqa: PT017


@given(st.text())
def test_each_character_can_be_escaped(text: str) -> None:
    assert compile_glob("".join(f"\\{char}" for char in text))(text)
