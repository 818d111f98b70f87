"""Records that relay itself writes into the log: events that were normalised once before, with the time they have.

    released   what a plan had blocked, to be held against the plan again, which was mended meanwhile
    forwarded  what a source gives to another one: no plan looks at it

The body is lines of JSON: an array of keys, then the events. A key for each event is what duplicates are told by instead
of the messageId, so that writing the same again after a crash gives nothing twice, and an event that was seen before, and
blocked then, is no duplicate of itself. No route of the gateway leads here. Lines, since an event may be nested as deep as
can be read: within something else it could not be read again.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from relay.body import decode, encode
from relay.event import Event
from relay.log.record import Record

RELEASED = "released"
FORWARDED = "forwarded"
ROUTES = frozenset((RELEASED, FORWARDED))

MOST_EVENTS = 100  # of one record
MOST_BYTES = 256_000


class _Header(msgspec.Struct):
    messageId: str  # noqa: N815
    integrations: dict[str, Any] | None = None


_decode_header = msgspec.json.Decoder(_Header).decode


def records_of(
    route: str, source: str, received_at: int, events: Iterable[tuple[str, bytes | None]]
) -> Iterator[Record]:
    """Records for the log: `events` are pairs of key and JSON; None: nested too deeply to be written, and left out."""
    some: list[tuple[str, bytes]] = []
    size = 0
    for key, body in events:
        if body is None:
            continue
        if some and (len(some) == MOST_EVENTS or size + len(body) > MOST_BYTES):
            yield _record(route, source, received_at, some)
            some, size = [], 0
        some.append((key, body))
        size += len(body)
    if some:
        yield _record(route, source, received_at, some)


def _record(route: str, source: str, received_at: int, events: list[tuple[str, bytes]]) -> Record:
    body = b"\n".join([encode([key for key, _ in events]) or b"[]", *(body for _, body in events)])
    return Record(received_at, source, route, False, None, None, None, len(events), body)  # noqa: FBT003


def own_events(record: Record) -> list[Event]:
    """The events of such a record."""
    keys, *lines = record.body.split(b"\n")
    events = []
    for index, (json, key) in enumerate(zip(lines, decode(keys), strict=True)):
        header = _header(json)
        event = Event(record.sequence, index, record.source, header.messageId, json)
        event.integrations = header.integrations or None
        event.seen_as = key
        event.received_at = record.received_at
        events.append(event)
    return events


def _header(json: bytes) -> _Header:
    try:
        return _decode_header(json)
    except RecursionError:  # how deep msgspec goes is a matter of the stack at the moment
        data = decode(json)
        return _Header(data["messageId"], data.get("integrations"))
