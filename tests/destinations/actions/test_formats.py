"""The formats of text fields."""

import pytest

from relay.destinations.actions.formats import is_date_time, is_email, is_uri


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-02T09:38:38.266Z",
        "2026-03-02 09:38:38",
        "2026-03-02t09:38:38+02:00",
        "2024-02-29T00:00:00-0530",
        "2026-03-02T23:59:60Z",
    ],
)
def test_a_day_and_a_time_are_a_moment(value: str) -> None:
    assert is_date_time(value)


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-02",
        "2026-02-30T09:00:00Z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T09:60:00Z",
        "2026-03-02T09:00:60Z",
        "2026-03-02T9:00:00Z",
        "1772443098",
        "٢026-03-02T09:00:00Z",
        "",
    ],
)
def test_anything_else_is_none(value: str) -> None:
    assert not is_date_time(value)


@pytest.mark.parametrize(
    "value",
    [
        "https://example.com",
        "https://me:pw@example.com:8443/a;b/c?d=e/f?#g?h",
        "http://[::1]:80/",
        "mailto:ana@example.com",
        "a:/b/%20",
    ],
)
def test_a_scheme_and_what_may_follow_it_are_a_url(value: str) -> None:
    assert is_uri(value)


@pytest.mark.parametrize("value", ["example.com", "https://a b", "https://a/%2", "://a", "a", ""])
def test_a_url_without_scheme_or_with_other_characters_is_none(value: str) -> None:
    assert not is_uri(value)


@pytest.mark.parametrize("part", [":", ":1", "/", "b", "@:", "%41", "?", "a."])
def test_text_that_nearly_is_a_url_or_an_address_is_seen_through_in_one_pass(part: str) -> None:
    assert not is_uri(f"a://{part * 10_000} ")
    assert not is_email(f"a@{part * 10_000} ")
