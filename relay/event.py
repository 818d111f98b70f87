"""An event as every room sees it, and the limits of the Tracking API."""

from collections.abc import Mapping
from typing import Any

import msgspec

from relay.body import decode
from relay.outcome import Outcome

MAX_EVENT = 32 * 1024  # Segment: 32 KB an event, as compact UTF-8 JSON
MAX_BATCH = 512_000  # Segment's SDKs cut at 500 KB and mean 512,000 bytes
MAX_BATCH_EVENTS = 2500  # Segment: beyond these a batch's events are rejected
MAX_MESSAGE_ID = 100  # Segment: characters

# of a person who has changed what they consent to, in Segment's SDKs
PREFERENCE_UPDATED = "Segment Consent Preference Updated"

TYPES = frozenset(("track", "identify", "page", "screen", "group", "alias"))


class Event(msgspec.Struct, gc=False):
    """One admitted event: `json` is the Segment-spec object, encoded once for all who send it on.

    `sequence` and `index` say where it stands in the log. `outcome` is None for a good event, else its verdict,
    with `reason`. `notes` are what admission corrected, `received_at` is when its request came. `data` is the object
    itself; nobody changes it.
    """

    sequence: int
    index: int
    source: str
    message_id: str
    json: bytes
    outcome: Outcome | None = None
    reason: str | None = None
    notes: tuple[str, ...] = ()
    integrations: dict[str, Any] | None = None  # the event's own, unless it is empty
    decoded: dict[str, Any] | None = None
    violations: tuple[tuple[str, str, str], ...] = ()  # of its tracking plan: type, field, description
    received_at: int = 0  # ms since 1970
    seen_as: str = ""  # what duplicates of it are told by, when that is not the messageId

    @property
    def data(self) -> dict[str, Any]:
        """The decoded object, made when somebody first asks.

        Most are only passed on, and as bytes they take a sixth of the memory and nothing of the garbage
        collector's time.
        """
        if self.decoded is None:
            self.decoded = decode(self.json)
        return self.decoded


def name_of(data: Mapping[str, Any]) -> str:
    """What an event is called: the name of a track, page or screen if it has one, else its type."""
    kind: str = data["type"]
    name = data.get("event" if kind == "track" else "name") if kind in ("track", "page", "screen") else None
    return name if isinstance(name, str) and name else kind
