"""From a record of the log to events with the common fields of the Segment spec.

Pure and deterministic: the same record gives the same events on every read, message ids included. It runs for
every event there is, so what can be known once for a record is found once (`Envelope`). The gateway prepares the
events of a request while its body is decoded and in the processor's cache, which halves the cost; whoever
reads the log later does it from the record.
"""

from typing import Any

import msgspec
import orjson
from msgspec import UNSET

from relay.admission.envelope import Envelope
from relay.admission.mend import mend
from relay.admission.own import ROUTES as OWN_ROUTES
from relay.admission.own import own_events
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
from relay.event import MAX_BATCH_EVENTS, MAX_EVENT, Event
from relay.log.record import Record
from relay.outcome import Outcome
from relay.times import format_iso
from relay.tracking import problem

_SLACK = 8192  # what normalisation takes away is less, so below this no second look at the size is needed

_dumps = orjson.dumps


def events_of(record: Record, log_id: str) -> list[Event]:
    """The events of a record of the log, in order, each good or rejected with its reason."""
    if record.route in OWN_ROUTES:
        return own_events(record)
    return place(prepare(record, parse(record.body, record.route)), record, log_id)


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


def place(events: list[Event], record: Record, log_id: str) -> list[Event]:
    """Give prepared events their sequence, and an id to those that came without."""
    sequence, received_at = record.sequence, record.received_at
    for event in events:
        event.sequence = sequence
        event.received_at = received_at
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
    notes = mend(raw, kind, envelope)
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
