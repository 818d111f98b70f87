"""Custom behavioural events: POST /events/v3/send, or up to 100 by /events/v3/send/batch.

HubSpot must know the event (Enterprise plans) by its full name, `pe<hub id>_<name>`. A batch is taken or refused as a
whole; delivery then sends its halves. There is no key against repeated events.
"""

import re
from collections.abc import Sequence
from typing import Any, Protocol

from relay.destinations.actions import Action, Call
from relay.destinations.actions.fields import boolean, either, moment, path, record, text
from relay.destinations.base import Steps
from relay.destinations.errors import Refused
from relay.destinations.hubspot.api import API, BATCH, flat, post

SEND = f"{API}/events/v3/send"
_SPACES = re.compile("[\\s\u00a0\ufeff.]+")
_PREFIX = re.compile(r"pe[0-9]+_")
_WHO = ("utk", "email", "objectId")


class _Hub(Protocol):
    @property
    def portal_id(self) -> str | None: ...


def _completion(settings: _Hub, call: Call) -> dict[str, Any]:
    """The event as HubSpot takes it. Raises `Refused`."""
    name = _SPACES.sub("_", call.payload["eventName"]).lower()
    hub = settings.portal_id
    if not (name.startswith(f"pe{hub}_") if hub else _PREFIX.match(name)):
        raise Refused(f"eventName must begin with pe{hub or '<hub id>'}_", fields=("eventName",))
    if not any(call.get(field) for field in _WHO):
        raise Refused("one of email, utk and objectId is needed", fields=_WHO)
    made = {"eventName": name}
    made |= {field: call.payload[field] for field in ("occurredAt", *_WHO) if field in call.payload}
    return made if call.get("properties") is None else made | {"properties": flat(call.payload["properties"])}


def send(settings: _Hub, call: Call) -> Steps:
    """One event."""
    yield post(SEND, _completion(settings, call))


def send_batch(settings: _Hub, calls: Sequence[Call]) -> Steps:
    """Many events; those that HubSpot would refuse are left out."""
    errors: list[Refused | None] = []
    inputs: list[dict[str, Any]] = []
    for call in calls:
        try:
            inputs.append(_completion(settings, call))
            errors.append(None)
        except Refused as error:
            errors.append(error)
    if inputs:
        yield post(f"{SEND}/batch", {"inputs": inputs})
    return errors


SEND_EVENT = Action(
    name="sendCustomBehavioralEvent",
    title="Send Custom Behavioral Event",
    about="Records an event that HubSpot knows by name.",
    fields={
        "eventName": text("HubSpot's internal name of the event: pe<hub id>_<name>.", required=True),
        "occurredAt": moment("When it happened; now when not said.", default=path("$.timestamp")),
        "email": text(
            "The contact's address.",
            format="email",
            default=either("$.properties.email", "$.context.traits.email"),
        ),
        "utk": text("HubSpot's own token of the visitor."),
        "objectId": text("HubSpot's id of the contact, company or other record."),
        "properties": record("The event's properties, by HubSpot's internal names; it must know them."),
        "enable_batching": boolean("Whether a hundred may go in one request.", default=True),
    },
    perform=send,
    perform_batch=send_batch,
    max_batch=BATCH,
    batches_unasked=False,
)
