"""Time and size as people write them: ISO 8601 in events, `30d` and `50GB` in relay.toml.

Inside relay a moment is an integer of milliseconds since 1970 in UTC, a span is a float of seconds.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Self

import orjson

_DURATION = re.compile(r"(\d{1,18}(?:\.\d+)?)\s*(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"(\d{1,18}(?:\.\d+)?)\s*(B|KB|MB|GB|TB)", re.IGNORECASE)
_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_LENIENT = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:[Tt ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*(Z|z|[+-]\d{2}(?::?\d{2})?)?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Duration(float):
    """A span in seconds, written `200ms`, `10s`, `5m`, `4h` or `30d`."""

    def __new__(cls, text: str) -> Self:
        match = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
        if match is None:
            raise ValueError("expected a duration such as 200ms, 10s, 5m, 4h or 30d")
        return super().__new__(cls, float(match[1]) * _SECONDS[match[2]])


class Size(int):
    """A number of bytes, written `500MB` or `50GB` (powers of ten)."""

    def __new__(cls, text: str) -> Self:
        match = _SIZE.fullmatch(text.strip()) if isinstance(text, str) else None
        if match is None:
            raise ValueError("expected a size such as 500MB or 50GB")
        return super().__new__(cls, int(float(match[1]) * _BYTES[match[2].upper()]))


def parse_moment(text: object) -> datetime | None:
    """The moment in UTC of an ISO 8601 time, `None` when it is none or not in the years 1 to 9999.

    Takes `Z` and offsets, 0 to 9 fraction digits, and unpadded months and days; no zone means UTC.
    """
    if type(text) is not str or text.isdigit():  # digits alone are an epoch: not ours to guess its unit
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is UTC:
            return moment
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except ValueError:
        return _parse_lenient(text)
    except OverflowError:
        return None


def _parse_lenient(text: str) -> datetime | None:
    match = _LENIENT.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    padded = f"{year}-{int(month):02}-{int(day):02}"
    padded += f"T{int(hour or 0):02}:{minute or '00'}:{second or '00'}.{(fraction or '0')[:6].ljust(6, '0')}"
    try:
        return datetime.fromisoformat(padded + (zone or "Z").upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def moment_ms(text: str, now: int) -> int:
    """The moment, in ms, that is meant by an ISO 8601 time or by a duration back from `now`. ValueError if none is.

    It is not before 1970.
    """
    try:
        ms = now - Duration(text) * 1000
    except ValueError:
        moment = parse_moment(text)
        if moment is None:
            raise ValueError("must be an ISO 8601 time, or a duration such as 2h or 3d") from None
        ms = moment.timestamp() * 1000
    return max(0, round(ms))


def format_moment(moment: datetime) -> str:
    """`2026-11-24T08:45:32.179Z` of a moment in UTC; what is finer than milliseconds is cut off."""
    text = orjson.dumps(moment)  # ten times faster than isoformat
    return (text[1:24] if moment.microsecond else text[1:20] + b".000").decode() + "Z"


def format_iso(ms: int) -> str:
    """`2026-11-24T08:45:32.179Z` of milliseconds since 1970."""
    return format_moment(_EPOCH + timedelta(milliseconds=ms))
