"""The long way of one event: decoded as a whole, brought into shape field by field.

What `splice` cannot do by insertion comes here: fields of odd types, nulls, missing ids of times, traits in the
wrong place, an envelope's context to be merged.
"""

from typing import Any

from relay.admission.envelope import Envelope
from relay.event import MAX_MESSAGE_ID
from relay.log.record import Record
from relay.times import format_moment, parse_moment


def mend(event: dict[str, Any], kind: str, envelope: Envelope) -> tuple[str, ...]:
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
