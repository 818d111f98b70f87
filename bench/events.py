"""Requests rendered ahead of time, each with messageIds of its own.

A request is HTTP/1.1 bytes, cut wherever its number goes; `number.join(pieces)` puts one together in
a single call, whether it holds one event or a hundred. The messageId of event `i` in request `n`
is `TAG-n-i`, of fixed width, so the Content-Length never changes.
"""

import base64
import random
import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

import orjson

_NUMBER = "@" * 12
_NAMES = (
    "Product Viewed",
    "Product Added",
    "Checkout Started",
    "Order Completed",
    "Signed Up",
    "Article Read",
)
_AGENT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
)


def write_key(source: int) -> str:
    """Name the write key of the source of that number; `processes` configures relay with the same."""
    return f"key{source}"


class Requests:
    """An endless supply: `take` gives the next number, `render` its bytes, `ids` its messageIds.

    Number n is built from pattern n modulo their count, so patterns that take turns among sources
    make numbers that do.
    """

    def __init__(self, patterns: Sequence[Sequence[bytes]], tag: str, events_each: int) -> None:
        self._patterns = patterns
        self._tag = tag
        self._numbers = count()
        self.events_each = events_each

    def take(self) -> int:
        """Hand out the number of the next request."""
        return next(self._numbers)

    def render(self, number: int) -> bytes:
        """Put the whole request together: head and body."""
        return (b"%012d" % number).join(self._patterns[number % len(self._patterns)])

    def ids(self, numbers: Iterable[int]) -> Iterator[bytes]:
        """Every messageId in the requests of these numbers."""
        for number in numbers:
            for index in range(self.events_each):
                yield _message_id(self._tag, f"{number:012}", index).encode()

    @property
    def bytes_each(self) -> int:
        """The size of a request, head included, on average over the patterns."""
        return sum(len(self.render(n)) for n in range(len(self._patterns))) // len(self._patterns)


def single_events(sources: int = 1) -> Requests:
    """`POST /v1/track` of about 800 bytes of JSON; requests take turns among the sources."""
    tag, rng = secrets.token_hex(4), random.Random(1)
    patterns = [
        _pattern("/v1/track", n % sources, _track(rng, _message_id(tag, _NUMBER, 0)) | {"sentAt": _now()})
        for n in range(64 * sources)
    ]
    return Requests(patterns, tag, 1)


def batches(size: int = 100) -> Requests:
    """`POST /v1/batch` of `size` events, 117 KB at a hundred, of the first source."""
    tag, rng = secrets.token_hex(4), random.Random(2)
    patterns = []
    for _ in range(8):
        events = [_detailed(rng, _message_id(tag, _NUMBER, index)) for index in range(size)]
        patterns.append(_pattern("/v1/batch", 0, {"batch": events, "sentAt": _now()}))
    return Requests(patterns, tag, size)


def _message_id(tag: str, number: str, index: int) -> str:
    return f"{tag}-{number}-{index:03}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _pattern(path: str, source: int, content: dict[str, Any]) -> list[bytes]:
    body = orjson.dumps(content)
    login = base64.b64encode(f"{write_key(source)}:".encode()).decode()
    head = (
        f"POST {path} HTTP/1.1\r\n"
        "Host: localhost\r\n"
        "Accept: */*\r\n"
        "User-Agent: relay-bench/1\r\n"
        f"Authorization: Basic {login}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return (head.encode() + body).split(_NUMBER.encode())


def _track(rng: random.Random, message_id: str) -> dict[str, Any]:
    """Make up what a web shop sends: about 800 bytes."""
    path = f"/products/{rng.randrange(10_000)}"
    return {
        "type": "track",
        "event": rng.choice(_NAMES),
        "messageId": message_id,
        "userId": f"user-{rng.randrange(100_000)}",
        "anonymousId": f"{rng.getrandbits(128):032x}",
        "timestamp": _now(),
        "properties": {
            "product_id": f"{rng.getrandbits(48):012x}",
            "sku": f"G-{rng.randrange(1000)}",
            "name": f"Monopoly, edition {rng.randrange(100):02}",
            "category": rng.choice(("Games", "Books", "Music")),
            "price": rng.randrange(100, 10_000) / 100,
            "quantity": rng.randrange(1, 9),
            "currency": "EUR",
        },
        "context": {
            "library": {"name": "analytics.js", "version": "next-1.84.3"},
            "ip": f"203.0.113.{rng.randrange(256)}",
            "locale": "en-GB",
            "timezone": "Europe/Berlin",
            "userAgent": _AGENT,
            "page": {
                "path": path,
                "referrer": "https://search.example.org/",
                "title": "Our products",
                "url": f"https://www.example.com{path}",
            },
        },
    }


def _detailed(rng: random.Random, message_id: str) -> dict[str, Any]:
    """Make up the same with what mobile apps and campaigns add: about 1,170 bytes."""
    event = _track(rng, message_id)
    event["context"] |= {
        "app": {"name": "Shop", "version": "5.12.1", "build": "5120", "namespace": "com.example.shop"},
        "campaign": {"name": "autumn", "source": "newsletter", "medium": "email", "content": "top"},
        "device": {"id": f"{rng.getrandbits(64):016x}", "manufacturer": "Apple", "model": "iPhone17,1"},
        "network": {"wifi": True, "cellular": False, "carrier": "Example"},
        "os": {"name": "iOS", "version": "26.1"},
        "screen": {"width": 402, "height": 874, "density": 3},
    }
    return event
