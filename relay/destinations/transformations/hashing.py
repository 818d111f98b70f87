"""From a value to its digest. A text counts as its UTF-8 bytes, any other value as its compact JSON."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from relay.body import encode
from relay.destinations.fql.errors import FqlError

ALGORITHMS = ("sha256", "sha512", "sha384", "sha1", "md5")
ENCODINGS: dict[str, Callable[[bytes], str]] = {
    "hex": bytes.hex,
    "base64": lambda digest: base64.b64encode(digest).decode(),
    "base64url": lambda digest: base64.urlsafe_b64encode(digest).decode(),
}


def hashing(algorithm: str, encoding: str, key: str | None) -> Callable[[Any], str]:
    """What makes a digest of a value: a plain one, or an HMAC with `key`."""
    write, digest = ENCODINGS[encoding], _digest(algorithm, key)
    return lambda value: write(digest(_bytes(value)))


def _digest(algorithm: str, key: str | None) -> Callable[[bytes], bytes]:
    if key is not None:
        secret = key.encode(errors="surrogatepass")
        return lambda content: hmac.digest(secret, content, algorithm)
    return lambda content: hashlib.new(algorithm, content, usedforsecurity=False).digest()


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode(errors="surrogatepass")
    json = encode(value)
    if json is None:
        raise FqlError(0, "the value to hash is nested too deeply")
    return json
