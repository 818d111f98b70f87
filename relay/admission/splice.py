"""The fast way from a body to events: nothing is decoded that need not be, and the sender's bytes are kept.

An event that needs no mending, and from SDKs that is nearly every one, becomes its normalised self by a few
insertions: the corrected timestamp in place of the given one, what is known of the request into its context,
the fields of reception at its end. Only a header of it is decoded. Whatever is out of the ordinary gives None here and goes
the long way through `normalise`, which decodes all and encodes it again at five times the cost; both
come to the same, which a test holds them to.

msgspec checks the syntax of what it skips as strictly as orjson, but for two things: bytes that are not UTF-8,
looked for in the whole body at once, and numbers beyond a double, which are passed on as they are.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from relay.admission.envelope import Envelope
from relay.event import MAX_MESSAGE_ID, Event
from relay.times import format_moment

_Filled = Annotated[str, Meta(min_length=1)]
_Time = Annotated[str, Meta(min_length=24, max_length=24)]  # 2026-11-24T08:45:32.179Z
_Nothing = Annotated[
    int, Meta(gt=0, lt=1)
]  # no value has this type: a field that sends an event the long way


class _Object(msgspec.Struct, gc=False):
    """Any object; its fields are skipped."""


class _Full(msgspec.Struct, gc=False):
    """A library: any object with a name."""

    name: _Filled


class _Context(msgspec.Struct, gc=False):
    ip: _Filled | UnsetType = UNSET
    userAgent: _Filled | UnsetType = UNSET
    library: _Full | UnsetType = UNSET
    direct: _Nothing | UnsetType = UNSET
    traits: _Object | UnsetType = UNSET


class Header(msgspec.Struct, gc=False):
    """What must be known of an event. A field that is not as it is here is an error, and the long way's affair."""

    type: Literal["track", "identify", "page", "screen", "group"] | UnsetType = UNSET
    messageId: Annotated[str, Meta(min_length=1, max_length=MAX_MESSAGE_ID)] = ""
    userId: _Filled | UnsetType = UNSET
    anonymousId: _Filled | UnsetType = UNSET
    event: _Filled | UnsetType = UNSET
    timestamp: _Time | UnsetType = UNSET
    sentAt: _Time | UnsetType = UNSET
    context: _Context | UnsetType = UNSET
    integrations: dict[str, Any] | UnsetType = UNSET
    properties: _Object | UnsetType = UNSET
    traits: _Object | UnsetType = UNSET
    groupId: _Filled | UnsetType = UNSET
    writeKey: str | UnsetType = UNSET
    originalTimestamp: _Nothing | UnsetType = UNSET
    previousId: _Nothing | UnsetType = UNSET
    name: _Nothing | UnsetType = UNSET
    category: _Nothing | UnsetType = UNSET
    sequence: _Nothing | UnsetType = UNSET
    receivedAt: _Nothing | UnsetType = UNSET
    version: _Nothing | UnsetType = UNSET
    sourceId: _Nothing | UnsetType = UNSET


class BatchBody(msgspec.Struct, gc=False):
    """A batch, its events still bytes."""

    batch: list[Raw]
    sentAt: Any = None
    writeKey: Any = None
    context: Raw | UnsetType = UNSET
    integrations: Raw | UnsetType = UNSET


class _Key(msgspec.Struct, gc=False):
    writeKey: Any = None


decode_header = msgspec.json.Decoder(Header).decode
decode_batch = msgspec.json.Decoder(BatchBody).decode
decode_key = msgspec.json.Decoder(_Key).decode
_EMPTY = frozenset((b"", b"null", b"{}"))


def parse_batch(body: bytes) -> BatchBody | None:
    """A batch whose events may be spliced, None when the long way must find out what it is."""
    try:
        if not body.isascii():
            body.decode()
        batch = decode_batch(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    for shared in (batch.context, batch.integrations):
        if shared is not UNSET and bytes(shared) not in _EMPTY:
            return None
    return batch


def parse_single(body: bytes) -> Header | None:
    """The header of a single event that may be spliced, None when the long way must find out."""
    try:
        if not body.isascii():
            body.decode()
        return decode_header(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def splice(raw: bytes, header: Header, kind: str, index: int, envelope: Envelope) -> Event | None:
    """The event of `raw`, or None when it must go the long way."""
    if not _is_whole(header, kind) or raw[:1] != b"{" or raw[-1:] != b"}":
        return None
    if b"\\u00" in raw:  # a field's name could be written so, and not be found
        return None
    json = _with_times(raw[:-1], header, envelope)
    if json is None:
        return None
    context = header.context
    ip, agent, library = envelope.context_start
    if (
        context is UNSET
        or (ip and context.ip is UNSET)
        or (agent and context.userAgent is UNSET)
        or (library and context.library is UNSET)
        or (kind == "identify" and context.traits is not UNSET)
    ):
        json = _with_context(json, header, envelope)
    if json is not None and header.writeKey is not UNSET:
        json = _without(json, b'"writeKey":"%b"' % header.writeKey.encode())
    if json is None:
        return None
    pieces = [json, envelope.tail]
    if header.sentAt is UNSET and envelope.sent_at is not None:
        pieces.append(b',"sentAt":"%b"' % envelope.sent_text.encode())
    if header.type is UNSET:
        pieces.append(b',"type":"%b"' % kind.encode())
    integrations = header.integrations
    if integrations is UNSET:
        pieces.append(b',"integrations":{}')
    pieces.append(b"}")
    return Event(
        0,
        index,
        envelope.record.source,
        header.messageId,
        b"".join(pieces),
        None,
        None,
        (),
        integrations or None,  # UNSET is false
    )


def _is_whole(header: Header, kind: str) -> bool:
    """Nothing is missing that this kind of event needs."""
    if not header.messageId or (header.userId is UNSET and header.anonymousId is UNSET):
        return False
    if kind == "track":
        return header.event is not UNSET and header.type in (UNSET, kind)
    return (
        kind in _KINDS and header.type in (UNSET, kind) and (kind != "group" or header.groupId is not UNSET)
    )


_KINDS = frozenset(("identify", "page", "screen", "group"))


def _with_times(json: bytes, header: Header, envelope: Envelope) -> bytes | None:
    """With the corrected timestamp in place of the given one, which follows as originalTimestamp."""
    given = header.timestamp
    try:
        own = header.sentAt
        shift = envelope.shift if own is UNSET else envelope.received_at - _moment(own)
        if given is UNSET:
            return b'{"timestamp":"%b",%b' % (envelope.received_text.encode(), json[1:])
        timestamp = _moment(given) + shift
    except (ValueError, OverflowError):
        return None
    if timestamp > envelope.latest:
        return None
    old = given.encode()
    found = b'"timestamp":"%b"' % old
    before, there, after = json.partition(found)
    if not there or b'"timestamp"' in after or b'"timestamp"' in before:
        return None
    new = format_moment(timestamp).encode()
    return b'%b"timestamp":"%b","originalTimestamp":"%b"%b' % (before, new, old, after)


def _moment(text: str) -> datetime:
    """The moment of a time in exactly the form that relay writes itself. ValueError of any other."""
    if text[23] != "Z" or text[19] != "." or text[10] != "T" or text[7] != "-" or text[5] == "W":
        raise ValueError
    return datetime.fromisoformat(text)


def _with_context(json: bytes, header: Header, envelope: Envelope) -> bytes | None:
    """With ip and userAgent of a client, and a library for an event without."""
    context = header.context
    ip, agent, library = envelope.context_start
    if context is UNSET:
        inside = (ip + agent + library)[:-1]
        return b'{"context":{%b},%b' % (inside, json[1:])
    if context.traits is not UNSET and header.type in ("identify", UNSET):
        return None
    inside = b""
    for own, ours in ((context.ip, ip), (context.userAgent, agent), (context.library, library)):
        if own is UNSET:
            inside += ours
    found = b'"context":{"'
    before, there, after = json.partition(found)
    if not there or b'"context"' in after or b'"context"' in before:
        return None
    return b'%b"context":{%b"%b' % (before, inside, after)


def _without(json: bytes, field: bytes) -> bytes | None:
    """Without a field that stands there once; with the comma before or behind it."""
    if json.count(b'"writeKey"') != 1:
        return None
    if field + b"," in json:
        return json.replace(field + b",", b"", 1)
    return json.replace(b"," + field, b"", 1) if b"," + field in json else None
