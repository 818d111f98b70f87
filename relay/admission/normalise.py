"""From a record of the log to events with the common fields of the Segment spec.

Pure and deterministic: the same record gives the same events on every read, message ids included. It runs for
every event there is, so what can be known once for a record is found once (`Envelope`). The gateway prepares the
events of a request while its body is decoded and in the processor's cache, which halves the cost; whoever
reads the log later does it from the record.
"""

import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
import orjson
from msgspec import UNSET

from relay.admission.splice import (
    BatchBody,
    Header,
    decode_header,
    decode_key,
    parse_batch,
    parse_single,
    splice,
)
from relay.body import decode, encode
from relay.errors import EventRejected
from relay.event import MAX_BATCH_EVENTS, MAX_EVENT, MAX_MESSAGE_ID, Event
from relay.log.record import Record
from relay.outcome import Outcome
from relay.times import format_iso, format_moment, parse_moment
from relay.tracking import problem

_AHEAD = timedelta(days=1)  # a corrected timestamp further in the future is not believed
_SLACK = 8192  # what normalisation takes away is less, so below this no second look at the size is needed
_LIBRARY = re.compile(r"([\w@./-]*[A-Za-z][\w@./-]*)/(\d[\w.+-]*)")

_NO_SHIFT = timedelta(0)
_dumps = orjson.dumps


class Envelope:
    """What all events of a record share."""

    __slots__ = (
        "context",
        "context_start",
        "integrations",
        "latest",
        "library",
        "received_at",
        "received_text",
        "record",
        "sent_at",
        "sent_text",
        "shift",
        "tail",
    )

    def __init__(self, record: Record, sent_at: Any, context: Any, integrations: Any) -> None:
        self.record = record
        self.received_at, self.received_text, self.latest = _received(record.received_at)
        self.library = library_of(record.user_agent)
        self.sent_at = None if sent_at is None else parse_moment(sent_at)
        if self.sent_at is None and record.sent_at is not None:
            self.sent_at = parse_moment(record.sent_at)
        self.sent_text = ""
        self.shift = _NO_SHIFT
        if self.sent_at is not None:
            self.shift = self.received_at - self.sent_at
            self.sent_text = format_moment(self.sent_at)
        self.context = _dict_or_none(context)
        self.integrations = _dict_or_none(integrations)
        self.tail = _tail(self.received_text, record.source)
        ip = record.ip if record.client else None
        agent = record.user_agent if record.client else None
        self.context_start = _context_start(ip, agent, record.user_agent)


@lru_cache(16)
def _received(ms: int) -> tuple[datetime, str, datetime]:
    """The moment, as text, and the latest timestamp that is believed; records of one millisecond share them."""
    text = format_iso(ms)
    moment = datetime.fromisoformat(text)
    return moment, text, moment + _AHEAD


@lru_cache(256)
def _tail(received_text: str, source: str) -> bytes:
    """What is known of every event, as the last fields of its object."""
    return b',"receivedAt":"%b","version":2,"sourceId":%b' % (received_text.encode(), _dumps(source))


@lru_cache(1000)
def _context_start(
    ip: str | None, agent: str | None, library_agent: str | None
) -> tuple[bytes, bytes, bytes]:
    """What a request adds to the context of its events, each as JSON fields with a comma behind."""
    library = library_of(library_agent)
    return (
        b"" if ip is None else b'"ip":%b,' % _dumps(ip),
        b"" if agent is None else b'"userAgent":%b,' % _dumps(agent),
        b"" if library is None else b'"library":%b,' % _dumps(library),
    )


def _dict_or_none(value: Any) -> dict[str, Any] | None:
    return value if type(value) is dict and value else None


@lru_cache(1000)
def library_of(user_agent: str | None) -> dict[str, str] | None:
    """`{"name", "version"}` of a `name/version` user agent, as SDKs send it; None for a browser's."""
    match = _LIBRARY.fullmatch(user_agent) if user_agent else None
    return {"name": match[1], "version": match[2]} if match else None


def events_of(record: Record, log_id: str) -> list[Event]:
    """The events of a record of the log, in order, each good or rejected with its reason."""
    return place(prepare(record, parse(record.body, record.route)), record.sequence, log_id)


class Body(msgspec.Struct, gc=False):
    """A body as far as it had to be decoded: events as bytes with (or without) header, or as they were decoded."""

    write_key: Any
    sent_at: Any = None
    context: Any = None
    integrations: Any = None
    header: Header | None = None
    members: list[Any] | None = None
    single: Any = None


def parse(body: bytes, route: str) -> Body:
    """What `body` holds. Raises EventRejected when it is not JSON, no object, or `batch` no array."""
    if route != "batch":
        header = parse_single(body)
        if header is not None:
            return Body(None if header.writeKey is UNSET else header.writeKey, header=header, single=body)
        value = _decoded(body)
        return Body(value.get("writeKey"), single=value)
    batch = parse_batch(body)
    if batch is not None:
        return Body(_key_of(batch), batch.sentAt, members=batch.batch)
    value = _decoded(body)
    members = value.get("batch")
    if type(members) is not list:
        raise EventRejected("bad_request", "batch must be an array")
    key = value.get("writeKey")
    if key is None and members and type(members[0]) is dict:
        key = members[0].get("writeKey")
    return Body(key, value.get("sentAt"), value.get("context"), value.get("integrations"), None, members)


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        value = decode(body)
    except ValueError:
        raise EventRejected("bad_request", "the body is not JSON") from None
    if type(value) is not dict:
        raise EventRejected("bad_request", "the body must be a JSON object")
    return value


def _key_of(batch: BatchBody) -> Any:
    """The write key of the envelope, else of the first event."""
    if batch.writeKey is not None or not batch.batch:
        return batch.writeKey
    try:
        return decode_key(batch.batch[0]).writeKey
    except msgspec.ValidationError:  # the first event is no object
        return None


def prepare(record: Record, body: Body) -> list[Event]:
    """The events in `body` before they have a place in the log."""
    envelope = Envelope(record, body.sent_at, body.context, body.integrations)
    members = body.members
    if members is None:
        return [_single(body, envelope)]
    some = members if len(members) <= MAX_BATCH_EVENTS else members[:MAX_BATCH_EVENTS]
    events = [_member(member, index, envelope) for index, member in enumerate(some)]
    if len(members) > MAX_BATCH_EVENTS:
        events.append(_excess(record, len(members) - MAX_BATCH_EVENTS))
    return events


def _single(body: Body, envelope: Envelope) -> Event:
    route = envelope.record.route
    if body.header is None:
        return _event(body.single, route, 0, envelope)
    event = splice(body.single, body.header, route, 0, envelope)
    if event is None:
        return _event(decode(body.single), route, 0, envelope)
    return _of_right_size(event, route, envelope)


def _member(member: Any, index: int, envelope: Envelope) -> Event:
    if type(member) is not msgspec.Raw:
        return _event(member, "batch", index, envelope)
    raw = bytes(member)
    try:
        header = decode_header(raw)
    except (msgspec.DecodeError, RecursionError):
        return _event(_decoded_member(raw), "batch", index, envelope)
    if type(header.type) is str:
        event = splice(raw, header, header.type, index, envelope)
        if event is not None:
            return _of_right_size(event, header.type, envelope)
    return _event(_decoded_member(raw), "batch", index, envelope)


def _decoded_member(raw: bytes) -> Any:
    try:
        return decode(raw)
    except ValueError:  # nested too deeply: everything else the batch's syntax excludes
        return None


def _of_right_size(event: Event, kind: str, envelope: Envelope) -> Event:
    if len(event.json) > MAX_EVENT and _size_as_sent(envelope.record, event.index) > MAX_EVENT:
        too_large = ("payload_too_large", "Exceed payload limit")
        return _rejected({"type": kind}, event.index, envelope.record, *too_large)
    return event


def place(events: list[Event], sequence: int, log_id: str) -> list[Event]:
    """Give prepared events their sequence, and an id to those that came without."""
    for event in events:
        event.sequence = sequence
        if not event.message_id and event.outcome is None:
            event.message_id = f"relay-{log_id}-{sequence}-{event.index}"
            event.json = encode({"messageId": event.message_id, **event.data}) or event.json
            event.decoded = None
    return events


def _excess(record: Record, count: int) -> Event:
    data = {"type": "batch", "receivedAt": format_iso(record.received_at)}
    note = f"{count} events beyond {MAX_BATCH_EVENTS:,} were rejected"
    return Event(
        0, MAX_BATCH_EVENTS, record.source, "", _dumps(data), Outcome.REJECTED, "batch_too_long", (note,)
    )


def _event(raw: Any, route: str, index: int, envelope: Envelope) -> Event:
    record = envelope.record
    wrong = problem(raw, route)
    if wrong is not None:
        return _rejected(raw, index, record, *wrong)
    kind = raw["type"] if route == "batch" else route
    notes = _normalise(raw, kind, envelope)
    json = encode(raw)
    if json is None:
        return _rejected({"type": kind}, index, record, "bad_request", "nested too deeply")
    if len(json) > MAX_EVENT - _SLACK and _size_as_sent(record, index) > MAX_EVENT:
        return _rejected({"type": kind}, index, record, "payload_too_large", "Exceed payload limit")
    integrations = raw["integrations"] or None
    return Event(0, index, record.source, raw.get("messageId", ""), json, None, None, notes, integrations)


def _size_as_sent(record: Record, index: int) -> int:
    body = decode(record.body)
    return len(encode(body["batch"][index] if record.route == "batch" else body) or b"")


def _rejected(raw: Any, index: int, record: Record, code: str, why: str) -> Event:
    data = raw if type(raw) is dict else {"value": raw}
    json = encode(data)
    if json is None or len(json) > MAX_EVENT:
        data = {"type": str(data.get("type"))[:100]}
        json = _dumps(data)
    return Event(0, index, record.source, "", json, Outcome.REJECTED, code, (why,))


def _normalise(event: dict[str, Any], kind: str, envelope: Envelope) -> tuple[str, ...]:
    """Bring `event` into shape, in place. Returns what was corrected.

    The common case of each field is tested first: this runs for every event, and most have nothing to mend.
    """
    get = event.get
    notes: tuple[str, ...] = ()
    event["type"] = kind
    message_id = get("messageId")
    if type(message_id) is not str or not message_id or len(message_id) > MAX_MESSAGE_ID:
        if message_id is not None:
            notes = ("messageId is not a string of 1 to 100 characters: a new one was given",)
        event.pop("messageId", None)  # `place` gives one
    notes += _set_times(event, envelope)
    _clean_ids(event)
    for name in _REST & event.keys():
        _CLEAN[name](event, name)
    context = event["context"] = get("context") or {}
    if envelope.context is not None:
        context = event["context"] = {**envelope.context, **context}
    if envelope.record.client or "direct" in context:
        _fill_from_request(context, envelope.record)
    if envelope.library is not None and not context.get("library"):
        context["library"] = envelope.library
    integrations = event["integrations"] = get("integrations") or {}
    if envelope.integrations is not None:
        event["integrations"] = {**envelope.integrations, **integrations}
    event["version"] = 2
    event["sourceId"] = envelope.record.source
    if kind in _FILL:
        _FILL[kind](event)
    return notes


def _set_times(event: dict[str, Any], envelope: Envelope) -> tuple[str, ...]:
    """Timestamp = receivedAt - (sentAt - originalTimestamp), so that the sender's clock does not matter."""
    event["receivedAt"] = envelope.received_text
    sent_at = envelope.sent_at
    if "sentAt" in event:
        own = parse_moment(event.pop("sentAt"))
        if own is not None:
            sent_at = own
            event["sentAt"] = format_moment(own)
    if sent_at is envelope.sent_at and sent_at is not None:
        event["sentAt"] = envelope.sent_text
    given: Any = event.get("originalTimestamp") or event.get("timestamp")
    original = parse_moment(given)
    if original is None:
        event.pop("originalTimestamp", None)
        event["timestamp"] = envelope.received_text
        return (
            ()
            if given is None or given == ""
            else ("timestamp is not an ISO 8601 time: receivedAt was taken",)
        )
    is_canonical = len(given) == 24 and given[23] == "Z" and given[19] == "." and given[10] == "T"  # noqa: PLR2004
    event["originalTimestamp"] = given if is_canonical else format_moment(original)
    try:
        if sent_at is None:
            timestamp = original
        elif sent_at is envelope.sent_at:
            timestamp = original + envelope.shift
        else:
            timestamp = original + (envelope.received_at - sent_at)
    except OverflowError:
        timestamp = original
    if timestamp > envelope.latest:
        event["timestamp"] = envelope.received_text
        return ("timestamp is more than a day in the future: receivedAt was taken",)
    event["timestamp"] = format_moment(timestamp)
    return ()


def _clean_ids(event: dict[str, Any]) -> None:
    """Ids become strings; null and empty ones are absent."""
    for name in ("userId", "anonymousId", "groupId", "previousId"):
        if name in event:
            value = event[name]
            if value is None or value == "":
                del event[name]
            elif type(value) is not str:
                event[name] = str(int(value)) if value == int(value) else str(value)


def _drop(event: dict[str, Any], name: str) -> None:
    del event[name]


def _clean_object(event: dict[str, Any], name: str) -> None:
    if event[name] is None:
        del event[name]
    elif not event[name]:
        event[name] = {}  # PHP's empty object is a list


def _clean_text(event: dict[str, Any], name: str) -> None:
    if event[name] is None or event[name] == "":
        del event[name]


_CLEAN = {
    "writeKey": _drop,
    "sequence": _drop,
    "properties": _clean_object,
    "traits": _clean_object,
    "name": _clean_text,
    "category": _clean_text,
}
_REST = frozenset(_CLEAN)


def _fill_from_request(context: dict[str, Any], record: Record) -> None:
    if record.ip is not None and not context.get("ip") and (record.client or context["direct"] is True):
        context["ip"] = record.ip
    if record.client and record.user_agent is not None and not context.get("userAgent"):
        context["userAgent"] = record.user_agent


def _fill_page(event: dict[str, Any]) -> None:
    given = event.get("properties") or {}
    missing = {n: event[n] for n in ("name", "category") if n in event and not given.get(n)}
    if missing:
        event["properties"] = {**given, **missing}


def _fill_identify(event: dict[str, Any]) -> None:
    traits = event["context"].get("traits")
    if not event.get("traits") and type(traits) is dict:
        event["traits"] = traits


_FILL = {"page": _fill_page, "screen": _fill_page, "identify": _fill_identify}
