"""Moments as JavaScript reads them."""

import pytest

from relay.destinations.actions.dates import LONGEST, MAX_MS, day_ms, iso, to_ms


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


@pytest.mark.parametrize(
    "text", ["March 2 2026{}x", "2026-03-02{}", "1/2/2026{}x", "{}", "(" * LONGEST + "{}"]
)
def test_longer_text_than_any_date_is_none(text: str) -> None:
    for more in (" ", "1"):
        long = text.format(more * (LONGEST + 1))
        assert to_ms(long) is None
        assert day_ms(long) is None


@pytest.mark.parametrize("number", [10**400, -(10**400), MAX_MS + 1, float("inf")])
def test_a_number_beyond_the_last_moment_is_none(number: float) -> None:
    assert to_ms(number) is None


@pytest.mark.parametrize(
    ("ms", "written"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, "+010000-01-01T00:00:00.000Z"),
        (1_772_445_600_000_000, "+058136-07-25T16:00:00.000Z"),
        (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        (-62_167_219_200_001, "-000001-12-31T23:59:59.999Z"),
        (MAX_MS, "+275760-09-13T00:00:00.000Z"),
        (-MAX_MS, "-271821-04-20T00:00:00.000Z"),
    ],
)
def test_every_moment_is_written(ms: int, written: str) -> None:
    assert iso(ms) == written
