"""Personal data as advertisers take it: cleaned, then SHA-256 in hex; what is hashed already goes as it is."""

import hashlib
import re
from collections.abc import Callable

_HASHED = re.compile(r"[0-9a-fA-F]{64}")


def sha256(value: str, clean: Callable[[str], str] = str.strip) -> str:
    """The hash of `value` made uniform by `clean`; a value that is a hash already is kept."""
    if _HASHED.fullmatch(value):
        return value
    return hashlib.sha256(clean(value).encode()).hexdigest()
