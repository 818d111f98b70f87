"""The formats of text fields."""

import pytest

from relay.destinations.actions.formats import is_date_time


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
