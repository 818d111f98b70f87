"""Moments as JavaScript reads them: what vendors' fields were written for.

Milliseconds since 1970 inside. A number is milliseconds; text is ISO 8601, or one of the older ways of writing a
date that `Date.parse` knows (RFC 2822, "March 2, 2026", "2026/03/02 10:00", "3/2/2026"). Without a zone: UTC.
"""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from relay.times import parse_moment

MAX_MS = 8_640_000_000_000_000  # ECMAScript: 100 million days either way
LONGEST = 128  # characters of a date: longer text is none, and is not looked through
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_TOO_LATE = re.compile(r"(\d{4}-\d{2})-(29|3[01])(.*)", re.DOTALL)  # a day that its month may not have
_SHORTEST = 28  # days of a month
_DAY_MS = 86_400_000
_ERA_YEARS, _ERA_MS = 400, 146_097 * _DAY_MS  # after which the Gregorian calendar repeats itself
_LAST_YEAR = 9999  # that is written with four digits
_USUAL = re.compile(  # what SDKs send, seen to be right at a glance
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?Z", re.ASCII
)
_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2}))?(Z)?")
_COMPACT = re.compile(
    r"(\d{4})[-/]?(\d{1,2})?[-/]?(\d{0,2})[Tt\s]*(\d{1,2})?:?(\d{1,2})?:?(\d{1,2})?[.:]?(\d+)?"
)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:,?\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AaPp][Mm])?)?")
_SPELT = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?(?:(?P<m1>[A-Za-z]{3,9})\.?\s+(?P<d1>\d{1,2})|(?P<d2>\d{1,2})\s+(?P<m2>[A-Za-z]{3,9})\.?)"
    r"(?:st|nd|rd|th)?,?\s+(?P<y>\d{4})"
    r"(?:,?\s+(?P<h>\d{1,2}):(?P<min>\d{2})(?::(?P<s>\d{2}))?)?\s*(?P<z>GMT|UTC|Z)?(?P<o>[+-]\d{4})?(?:\s*\(.*\))?"
)


def to_ms(value: Any) -> int | None:
    """Milliseconds since 1970 of what `new Date(value)` takes; None for what is no date."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return int(value) if abs(value) <= MAX_MS else None
    return _of_text(value.strip()) if isinstance(value, str) and len(value) <= LONGEST else None


def day_ms(value: Any) -> int | None:
    """The same for what dayjs takes: its own reading of texts of digits first ("20260302", "2026/03")."""
    if isinstance(value, str) and len(value) <= LONGEST and not value.endswith(("Z", "z")):
        match = _COMPACT.fullmatch(value)
        if match is not None:
            year, month, day, hour, minute, second, fraction = match.groups()
            return _built(
                int(year),
                int(month or 1),
                int(day or 1),
                int(hour or 0),
                int(minute or 0),
                int(second or 0),
                int((fraction or "0")[:3]),
            )
    return to_ms(value)


def is_date(value: str) -> bool:
    """Whether a text is a date: a number of seconds or milliseconds counts."""
    return bool(_USUAL.fullmatch(value) or _NUMBER.fullmatch(value)) or day_ms(value) is not None


def iso(ms: int) -> str:
    """`toISOString()`, years beyond those of Python's calendar included."""
    era, rest = divmod(ms, _ERA_MS)
    moment = _EPOCH + timedelta(milliseconds=rest)
    year = moment.year + era * _ERA_YEARS
    written = f"{year:04d}" if 0 <= year <= _LAST_YEAR else f"{year:+07d}"
    return f"{written}-{moment:%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


@lru_cache(1024)  # a date is read when it is checked, and again when it is sent
def _of_text(text: str) -> int | None:
    moment = parse_moment(text)
    if moment is not None:
        return _ms(moment)
    if (match := _TOO_LATE.fullmatch(text)) is not None:
        start = parse_moment(f"{match[1]}-{_SHORTEST}{match[3]}")
        return None if start is None else _ms(start) + (int(match[2]) - _SHORTEST) * _DAY_MS
    if (match := _PARTIAL.fullmatch(text)) is not None:
        return _built(int(match[1]), int(match[2] or 1), 1)
    if (match := _SLASHED.fullmatch(text)) is not None:
        month, day, year, hour, minute, second, half = match.groups()
        hours = int(hour or 0) % 12 + 12 * (half.lower() == "pm") if half else int(hour or 0)
        return _built(int(year), int(month), int(day), hours, int(minute or 0), int(second or 0))
    return _spelt(text)


def _spelt(text: str) -> int | None:
    match = _SPELT.fullmatch(text)
    if match is None:
        return _of_mail(text)
    month = _MONTHS.get((match["m1"] or match["m2"])[:3].lower())
    if month is None:
        return None
    ms = _built(
        int(match["y"]),
        month,
        int(match["d1"] or match["d2"]),
        int(match["h"] or 0),
        int(match["min"] or 0),
        int(match["s"] or 0),
    )
    if ms is None or not match["o"]:
        return ms
    offset = int(match["o"][1:3]) * 60 + int(match["o"][3:])
    return ms - (1 if match["o"][0] == "+" else -1) * offset * 60_000


def _of_mail(text: str) -> int | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return _ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _built(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, ms: int = 0
) -> int | None:
    """The moment of these parts; too many of one spill over, as JavaScript has it."""
    try:
        start = datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC)
        return _ms(start + timedelta(days=day - 1, hours=hour, minutes=minute, seconds=second)) + ms
    except (ValueError, OverflowError):
        return None


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND
