"""Track events."""

from typing import Any

from relay.destinations.actions import Action, Call
from relay.destinations.actions.fields import moment as moment_field
from relay.destinations.actions.fields import path, record, text
from relay.destinations.braze.users_track import (
    BATCH_SIZE,
    ENABLE_BATCHING,
    MAX_OBJECTS,
    Account,
    Make,
    app,
    batch_sender,
    moment,
    sender,
)
from relay.destinations.braze.who import (
    ADD_OR_UPDATE,
    BRAZE_ID,
    EMAIL,
    EXTERNAL_ID,
    UPDATE_EXISTING_ONLY,
    USER_ALIAS,
    only_existing,
    who,
)

_FIELDS = {
    "external_id": EXTERNAL_ID,
    "user_alias": USER_ALIAS,
    "email": EMAIL,
    "braze_id": BRAZE_ID,
    "name": text("The event's name.", required=True, default=path("$.event")),
    "time": moment_field("When it happened.", required=True, default=path("$.timestamp")),
    "properties": record("What is known about it.", default=path("$.properties")),
    "enable_batching": ENABLE_BATCHING,
    "batch_size": BATCH_SIZE,
}


def _made(modes: tuple[str, ...]) -> Make:
    def make(account: Account, call: Call) -> dict[str, Any]:
        payload = call.payload
        time = moment(payload["time"])
        return {
            **who(payload),
            **app(account),
            "name": payload["name"],
            **({} if time is None else {"time": time}),
            **({"properties": payload["properties"]} if "properties" in payload else {}),
            **only_existing(call, modes),
        }

    return make


TRACK_EVENT = Action(
    name="trackEvent",
    title="Track event",
    about="A custom event.",
    fields={**_FIELDS, "_update_existing_only": UPDATE_EXISTING_ONLY},
    perform=sender("events", _made(()), ()),
    perform_batch=batch_sender("events", _made(()), ()),
    max_batch=MAX_OBJECTS,
    keeps_empty_in_batches=True,
)

TRACK_EVENT_2 = Action(
    name="trackEvent2",
    title="Track event, with a sync mode",
    about="A custom event, of people Braze knows or of anybody.",
    fields=_FIELDS,
    perform=sender("events", _made(ADD_OR_UPDATE), ADD_OR_UPDATE),
    perform_batch=batch_sender("events", _made(ADD_OR_UPDATE), ADD_OR_UPDATE),
    max_batch=MAX_OBJECTS,
    keeps_empty_in_batches=True,
    sync_modes=ADD_OR_UPDATE,
)
