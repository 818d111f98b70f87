"""An event as every room sees it, and the limits of the Tracking API."""

from typing import Any

import msgspec

from relay.outcome import Outcome

MAX_EVENT = 32 * 1024  # Segment: 32 KB an event, as compact UTF-8 JSON
MAX_BATCH = 512_000  # Segment's SDKs cut at 500 KB and mean 512,000 bytes
MAX_BATCH_EVENTS = 2500  # Segment: beyond these a batch's events are rejected
MAX_MESSAGE_ID = 100  # Segment: characters

TYPES = frozenset(("track", "identify", "page", "screen", "group", "alias"))


class Event(msgspec.Struct, gc=False):
    """One admitted event. `data` is the Segment-spec object, `json` the same encoded once for all.

    `sequence` and `index` say where it stands in the log. `outcome` is None for a good event,
    else its verdict, with `reason`. `notes` are what admission corrected. Nobody changes `data`.
    """

    sequence: int
    index: int
    source: str
    data: dict[str, Any]
    json: bytes
    outcome: Outcome | None = None
    reason: str | None = None
    notes: tuple[str, ...] = ()
