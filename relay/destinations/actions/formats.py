"""The formats of text fields: an address, a URL, a date."""

import re
from collections.abc import Callable

from relay.destinations.actions.dates import is_date

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}")  # RFC 5322, without its rarities

_CHARACTER = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})"
_URI = re.compile(  # RFC 3986, absolute
    rf"[A-Za-z][A-Za-z0-9+.\-]*:"
    rf"(?://(?:{_CHARACTER}|:)*(?:\[[0-9A-Fa-f:.]+\])?(?::\d*)?(?:/{_CHARACTER}*)*|/?(?:{_CHARACTER}+(?:/{_CHARACTER}*)*)?)"
    rf"(?:\?(?:{_CHARACTER}|[/?])*)?(?:#(?:{_CHARACTER}|[/?])*)?"
)


def is_email(value: str) -> bool:
    return _EMAIL.fullmatch(value) is not None


def is_uri(value: str) -> bool:
    return bool(re.search(r"[/:]", value)) and _URI.fullmatch(value) is not None


FORMATS: dict[str, Callable[[str], bool]] = {"email": is_email, "uri": is_uri, "date-like": is_date}
