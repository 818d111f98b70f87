"""Webhook: any URL, the event as it is; with `batch_size` over 1 an array of events.

Signed when there is a shared secret: `X-Signature` is the hex HMAC-SHA1 of the event's JSON text exactly as it is
sent, in a batch that of the first event, as Segment's own webhook does it.
"""

import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from relay.destinations.base import Destination, Request, at_endpoint
from relay.event import Event

_JSON = {"Content-Type": "application/json"}


class Webhook(Destination, frozen=True):
    """Settings of `type = "webhook"`."""

    title: ClassVar[str] = "Webhook"
    summary: ClassVar[str] = "Any URL: the event as JSON, one a request or an array of them."
    max_batch: ClassVar[int] = 10_000

    url: str
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    headers: Mapping[str, str] = {}
    shared_secret: str | None = None

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:  # its text would quote the URL, which may hold a secret
            is_url = False
        if not is_url:
            raise ValueError("url must be an http or https URL")

    def requests(
        self, events: Sequence[Event], endpoint: str | None, *, is_batch: bool = False
    ) -> Iterator[Request]:
        """One request for all `events`: an array for a webhook that takes batches, else the event itself."""
        headers = {**({} if "content-type" in map(str.lower, self.headers) else _JSON), **self.headers}
        if self.shared_secret is not None:
            headers["X-Signature"] = hmac.digest(self.shared_secret.encode(), events[0].json, "sha1").hex()
        yield Request(
            self.method,
            at_endpoint(self.url, endpoint),
            headers,
            _body(events, is_array=is_batch or len(events) > 1),
            events,
            frozenset(self.headers) | {"X-Signature"},
        )


def _body(events: Sequence[Event], *, is_array: bool) -> bytes:
    return b"[" + b",".join([e.json for e in events]) + b"]" if is_array else events[0].json
