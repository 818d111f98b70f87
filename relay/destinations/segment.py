"""Segment, or anything else that speaks its Tracking API: events go on in batches.

The receiver corrects timestamps by what it reads in `sentAt`, so the corrected `timestamp` is sent as the only
one, with `sentAt` = now: the correction then changes nothing. `messageId` and `context.ip` stay, so that
the receiver finds duplicates and does not take relay's address for a person's.
"""

import time
from base64 import b64encode
from collections.abc import Sequence
from typing import Annotated, ClassVar

from relay.body import encode
from relay.destinations.base import Destination, Request, Steps, secret
from relay.destinations.errors import Refused
from relay.event import Event
from relay.times import format_iso

_NOWHERE = "https://relay.invalid"  # for a subclass that has no place of its own: `endpoint` replaces it
_OURS = ("originalTimestamp", "receivedAt", "sentAt", "version", "sourceId")


class Segment(Destination, frozen=True):
    """Settings of `type = "segment"`."""

    title: ClassVar[str] = "Segment"
    also_called: ClassVar[tuple[str, ...]] = ("Segment.io",)
    summary: ClassVar[str] = "Segment's Tracking API, or any other of its kind, in batches."
    default_endpoint: ClassVar[str | None] = "https://api.segment.io"
    batch: ClassVar[int] = 100
    max_batch: ClassVar[int] = 2500
    max_bytes: ClassVar[int] = 440_000  # Segment: 500 KB a batch; one more event of 32 KB must still fit

    write_key: Annotated[str, secret("The write key of the source it goes to.")]

    def requests(self, events: Sequence[Event], *, is_batch: bool = False) -> Steps:  # noqa: ARG002
        """One POST to /v1/batch."""
        sent_at = format_iso(int(time.time() * 1000))
        body = b'{"batch":[%b],"sentAt":"%b"}' % (
            b",".join(_forwarded(event) for event in events),
            sent_at.encode(),
        )
        headers = {
            "Content-Type": "application/json",
            "Authorization": "Basic " + b64encode(f"{self.write_key}:".encode()).decode(),
        }
        yield Request(
            "POST",
            f"{self.default_endpoint or _NOWHERE}/v1/batch",
            headers,
            body,
            frozenset(("Authorization",)),
        )


def _forwarded(event: Event) -> bytes:
    forwarded = encode({key: value for key, value in event.data.items() if key not in _OURS})
    if forwarded is None:
        raise Refused("nested too deeply")
    return forwarded
