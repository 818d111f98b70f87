"""Personal data as advertisers take it: cleaned, then SHA-256 in hex; what is hashed already goes as it is."""

import hashlib
import re
from collections.abc import Callable

from relay.destinations.mapping.javascript import WHITESPACE_AND_LINES

_HASHED = re.compile(r"[0-9a-fA-F]{64}")
_SPACES = str.maketrans(dict.fromkeys(WHITESPACE_AND_LINES))
_NO_DIGIT = re.compile(r"[^0-9]+")


def sha256(value: str, clean: Callable[[str], str] = str.strip) -> str:
    """The hash of `value` made uniform by `clean`; a hash is kept, and what is blank gives the empty text."""
    if not value.strip():
        return ""
    if _HASHED.fullmatch(value):
        return value
    return hashlib.sha256(clean(value).encode()).hexdigest()


def has_hash(value: str) -> bool:
    """Whether there is a hash anywhere in it."""
    return _HASHED.search(value) is not None


def squeezed(value: str) -> str:
    """Lower case, without white space."""
    return value.translate(_SPACES).lower()


def digits(value: str) -> str:
    """Only the digits 0 to 9."""
    return _NO_DIGIT.sub("", value)
