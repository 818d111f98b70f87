"""One row of the log: an accepted request, its body verbatim, and the envelope it came in."""

from typing import Any

import msgspec


class Record(msgspec.Struct, gc=False):
    """An accepted request. `received_at` in ms; `sequence` is 0 until the log has given one.

    `decoded` is the parsed body while somebody still has use for it: admission takes it and leaves None;
    it is not stored.
    """

    received_at: int
    source: str
    route: str
    client: bool
    ip: str | None
    user_agent: str | None
    sent_at: str | None
    events: int
    body: bytes
    sequence: int = 0
    decoded: Any = None
