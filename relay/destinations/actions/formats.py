"""The formats of text fields: an address, a URL, a date, a moment."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from relay.destinations.actions.dates import is_date

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}")  # RFC 5322, without its rarities

_CHARACTER = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})"
_URI = re.compile(  # RFC 3986, absolute
    rf"[A-Za-z][A-Za-z0-9+.\-]*:"
    rf"(?://{_CHARACTER}*(?:\[[0-9A-Fa-f:.]+\])?(?::\d*)?(?:/{_CHARACTER}*)*|/?(?:{_CHARACTER}+(?:/{_CHARACTER}*)*)?)"
    rf"(?:\?(?:{_CHARACTER}|[/?])*)?(?:#(?:{_CHARACTER}|[/?])*)?"
)

_DATE_TIME = re.compile(  # RFC 3339, but for the zone, which may be missing
    r"(\d{4})-(\d\d)-(\d\d)[Tt\s](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_LEAP_SECOND = (23, 59, 60)


def is_email(value: str) -> bool:
    return _EMAIL.fullmatch(value) is not None


def is_uri(value: str) -> bool:
    return bool(re.search(r"[/:]", value)) and _URI.fullmatch(value) is not None


def is_date_time(value: str) -> bool:
    match = _DATE_TIME.fullmatch(value)
    if match is None:
        return False
    year, month, day, hour, minute, second = map(int, match.groups())
    if (hour, minute, second) == _LEAP_SECOND:
        second -= 1
    try:
        datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return False
    return True


FORMATS: dict[str, Callable[[str], bool]] = {
    "email": is_email,
    "uri": is_uri,
    "date-like": is_date,
    "date-time": is_date_time,
}
