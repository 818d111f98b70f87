"""One row of the log: an accepted request, its body verbatim, and the envelope it came in."""

import msgspec

from relay.event import Event


class Record(msgspec.Struct, gc=False):
    """An accepted request. `received_at` in ms; `sequence` is 0 until the log has given one.

    `prepared` are the events of the body while they are at hand from its arrival, so that what was decoded
    for the answer need not be decoded again; it is not stored.
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
    prepared: list[Event] | None = None
