"""Moments as JavaScript reads them."""

import pytest

from relay.destinations.actions.dates import to_ms


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-02-30", 1_772_409_600_000),
        ("2026-04-31T10:00:00.5+01:00", 1_777_626_000_500),
        ("2026-02-29T01:00", 1_772_326_800_000),
        ("2026-02-32", None),
        ("2026-13-30", None),
    ],
)
def test_a_day_that_its_month_does_not_have_is_one_of_the_next(text: str, ms: int | None) -> None:
    assert to_ms(text) == ms
