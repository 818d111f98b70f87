"""One event through normalisation, as a request of its own and in a batch: both must come to the same."""

import json
from typing import Any

from relay.admission.normalise import events_of
from relay.event import Event
from relay.log.record import Record
from tests.log.records import NOON

RECEIVED = "2026-11-24T12:00:00.000Z"
LOG_ID = "abcd0123"
Json = dict[str, Any]


def request(
    body: object,
    route: str = "batch",
    *,
    client: bool = False,
    ip: str | None = "203.0.113.7",
    agent: str | None = None,
    sent_at: str | None = None,
    sequence: int = 7,
    source: str = "app",
) -> Record:
    """A request as the log keeps it, received at noon."""
    text = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    return Record(NOON, source, route, client, ip, agent, sent_at, 1, text, sequence)


def admitted(event: Json, *, envelope: Json | None = None, **how: Any) -> Event:
    """The event of `event` in a batch, and the same of the route of its type."""
    (batched,) = events_of(request({**(envelope or {}), "batch": [event]}, **how), LOG_ID)
    if not envelope:
        (single,) = events_of(request(event, event["type"], **how), LOG_ID)
        assert (single.outcome, single.reason, single.notes) == (
            batched.outcome,
            batched.reason,
            batched.notes,
        )
        assert (single.data, single.message_id) == (batched.data, batched.message_id)
    return batched


def normal(event: Json, **how: Any) -> Json:
    """The normalised object of a good event."""
    found = admitted(event, **how)
    assert found.outcome is None
    return dict(found.data)


def track(**fields: Any) -> Json:
    """A track event that needs no mending, with other fields; a field that is `...` is left out."""
    whole = {"type": "track", "event": "Ordered", "userId": "u-1", "messageId": "m-1", **fields}
    return {name: value for name, value in whole.items() if value is not ...}


def event(kind: str, **fields: Any) -> Json:
    """The same of another type."""
    return track(**{"type": kind, "event": ..., **fields})
