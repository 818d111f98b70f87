"""Times as SDKs write them, spans and sizes as people do."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.times import Duration, Size, format_iso, format_moment, parse_moment
from tests.moments import parse_iso

FIRST = parse_iso("0001-01-01T00:00:00.000Z")
LAST = parse_iso("9999-12-31T23:59:59.999Z")
NOON = 1_423_051_200_000  # 2015-02-04T12:00:00Z


def test_the_epoch_is_zero() -> None:
    assert parse_iso("1970-01-01T00:00:00Z") == 0


@pytest.mark.parametrize(
    "text",
    [
        "2015-02-04T12:00:00Z",
        "2015-02-04T12:00:00z",
        "2015-02-04t12:00:00z",
        "2015-02-04 12:00:00Z",
        "2015-02-04 12:00:00 Z",
        "2015-02-04T12:00Z",
        "2015-02-04T12:00:00+00:00",
        "2015-02-04T12:00:00-00:00",
        "2015-02-04T17:30:00+05:30",
        "2015-02-04T17:30:00+0530",
        "2015-02-04T04:00:00-08",
        "2015-02-05T02:00:00+14:00",
        "2015-02-04T12:00:00",
        " 2015-02-04T12:00:00Z\n",
        "2015-2-04T12:00:00Z",
        "2015-2-4T12:00:00.000Z",
        "2015-2-4 17:30:00.0+05:30",
        "2015-2-4T17:30+0530",
        "2015-2-4T4:00:00-08",
        "20150204T120000Z",
    ],
)
def test_every_way_to_write_a_moment_is_understood(text: str) -> None:
    assert parse_iso(text) == NOON


@pytest.mark.parametrize("text", ["2015-02-02", "2015-2-02", "2015-2-2", "2015-02-2", "2015-2-02T0:00"])
def test_a_day_alone_begins_at_midnight(text: str) -> None:
    assert parse_iso(text) == NOON - 60 * 3_600_000


@pytest.mark.parametrize("point", [".", ","])
@pytest.mark.parametrize("day", ["2015-02-04", "2015-2-4"])
def test_fractions_of_no_to_nine_digits_are_cut_at_milliseconds(day: str, point: str) -> None:
    digits = "987999999"
    assert parse_iso(f"{day}T12:00:00Z") == NOON
    for length in range(1, 10):
        expected = NOON + int(digits[:length].ljust(3, "0")[:3])
        assert parse_iso(f"{day}T12:00:00{point}{digits[:length]}Z") == expected
        assert parse_iso(f"{day}T17:30:00{point}{digits[:length]}+05:30") == expected


def test_before_1970_milliseconds_are_cut_as_they_are_written() -> None:
    assert parse_iso("1969-12-31T23:59:59.999999Z") == -1
    assert parse_iso("1969-12-31T23:59:59.9Z") == -100


@pytest.mark.parametrize("year", [1, 1969, 1970, 2026, 9999])
def test_no_millisecond_of_any_year_is_lost_to_rounding(year: int) -> None:
    for ms in range(1000):
        text = f"{year:04}-12-31T23:59:59.{ms:03}Z"
        assert format_iso(parse_iso(text) or 0) == text


@pytest.mark.parametrize(
    "value",
    [
        None,
        0,
        1_423_051_200_000,
        1.5,
        True,
        b"2015-02-04T12:00:00Z",
        [],
        {},
        datetime(2015, 2, 4, tzinfo=UTC),
    ],
)
def test_what_is_no_text_is_no_time(value: object) -> None:
    assert parse_iso(value) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "Z",
        "now",
        "2015",
        "2015-02",
        "2015-00-01",
        "2015-13-01",
        "2015-02-30",
        "2015-2-30",
        "15-02-04",
        "02/04/2015",
        "2015-02-04T25:00:00Z",
        "2015-02-04T12:60:00Z",
        "2015-02-04T12:00:61Z",
        "2015-02-04T12:00:00+25:00",
        "2015-2-04T12:00:00+99:00",
        "2015-02-04T12:00:00 UTC",
        "Wed, 04 Feb 2015 12:00:00 GMT",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "-0001-01-01T00:00:00Z",
        "٢٠١٥-٢-٤",
    ],
)
def test_what_is_no_time_gives_none(text: str) -> None:
    assert parse_iso(text) is None


@pytest.mark.parametrize("text", ["1423051200", "1423051200000", "1512010412345", "20150204"])
def test_digits_alone_are_not_guessed_to_be_a_date(text: str) -> None:
    assert parse_iso(text) is None


def test_an_offset_that_leads_out_of_the_calendar_gives_none() -> None:
    assert parse_iso("0001-01-01T00:00:00+14:00") is None
    assert parse_iso("9999-12-31T23:59:59-00:01") is None
    assert parse_iso("0001-1-1T00:00:00+00:01") is None
    assert parse_iso("0001-01-01T14:00:00+14:00") == FIRST
    assert parse_iso("9999-12-31T09:59:59.999-14:00") == LAST


@given(st.text())
def test_no_text_raises(text: str) -> None:
    parse_iso(text)


@given(st.from_regex(r"\d{1,5}-\d{1,2}-\d{1,2}([Tt ]\d{1,2}:\d\d(:\d\d)?([.,]\d*)?)? ?(Z|z|[+-]\d\d:?\d\d)?"))
def test_what_is_read_can_be_written_and_read_again(text: str) -> None:
    ms = parse_iso(text)
    if ms is not None:
        assert parse_iso(format_iso(ms)) == ms


@given(st.integers(FIRST, LAST))
def test_what_is_written_reads_the_same(ms: int) -> None:
    text = format_iso(ms)
    assert len(text) == len("2026-11-24T08:45:32.179Z")
    assert parse_iso(text) == ms


@given(
    st.datetimes(
        datetime(1, 1, 2),  # noqa: DTZ001  the zone is drawn beside it
        datetime(9999, 12, 30),  # noqa: DTZ001
        timezones=st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    )
)
def test_python_and_relay_agree_about_every_moment(moment: datetime) -> None:
    ms = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert parse_iso(moment.isoformat()) == ms
    assert parse_iso(f"{moment.year:04}-{moment.month}-{moment.day}{moment.isoformat()[10:]}") == ms


@given(st.datetimes(datetime(1, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_moment_is_written_as_python_writes_it_and_read_in_utc(moment: datetime) -> None:
    text = format_moment(moment)
    assert text == moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    found = parse_moment(text)
    assert found == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert found.tzinfo is UTC


def test_a_moment_with_an_offset_is_turned_to_utc() -> None:
    for text in ("2015-02-04T17:30:00+05:30", "2015-2-4T17:30:00+05:30"):
        assert str(parse_moment(text)) == "2015-02-04 12:00:00+00:00"


def test_a_span_is_in_seconds() -> None:
    spans = ("200ms", "10s", "5m", "4h", "30d", "1.5s", " 2 s ")
    assert [Duration(text) for text in spans] == [0.2, 10, 300, 14_400, 2_592_000, 1.5, 2]


def test_a_size_is_in_powers_of_ten() -> None:
    sizes = ("5B", "1KB", "500MB", "50GB", "2TB", "1.5 kb")
    assert [Size(text) for text in sizes] == [5, 1000, 500_000_000, 50 * 10**9, 2 * 10**12, 1500]


@pytest.mark.parametrize(
    "text", ["", "30", "-1d", "-1GB", "d", "GB", "1 week", "1e3s", "9" * 400 + "d", "1 GiB"]
)
def test_other_spans_and_sizes_are_refused_without_repeating_them(text: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a duration such as 200ms, 10s, 5m, 4h or 30d$"):
        Duration(text)
    with pytest.raises(ValueError, match=r"^expected a size such as 500MB or 50GB$"):
        Size(text)


@given(st.text() | st.from_regex(r"\d+(\.\d+)? ?[a-zA-Z]{1,2}"))
def test_any_text_is_a_size_and_a_span_or_a_value_error(text: str) -> None:
    for kind in (Duration, Size):
        with contextlib.suppress(ValueError):
            assert kind(text) >= 0
