"""How entries are sent: one to `/api/v2/entity`, several to `/api/v2/batch`, whose answer may name some that failed."""

from collections.abc import Callable, Sequence
from typing import Any

from relay.destinations.actions import Action, Call
from relay.destinations.actions.fields import Fields, boolean, number
from relay.destinations.base import Steps
from relay.destinations.customerio.account import Account
from relay.destinations.customerio.entries import Entry
from relay.destinations.errors import DeliveryError, HttpError
from relay.destinations.reply import Reply

MAX_BATCH = 100  # what Segment's own integration allows
DEFAULT_BATCH = 50

BATCHING: Fields = {
    "enable_batching": boolean("Whether several may go in one request.", default=True),
    "batch_size": number("Entries a request at most.", default=DEFAULT_BATCH, minimum=2, maximum=MAX_BATCH),
}

Build = Callable[[dict[str, Any]], Entry]


def sends(build: Build, *, name: str, title: str, about: str, fields: Fields) -> Action:
    """An action that sends the entry `build` makes of its payload."""

    def perform(account: Account, call: Call) -> Steps:
        yield account.post("/api/v2/entity", build(call.payload))

    def perform_batch(account: Account, calls: Sequence[Call]) -> Steps:
        return (yield from batch(account, [build(call.payload) for call in calls]))

    return Action(
        name=name,
        title=title,
        about=about,
        fields={**fields, **BATCHING},
        perform=perform,
        perform_batch=perform_batch,
        max_batch=MAX_BATCH,
        keeps_empty_in_batches=True,
    )


def batch(account: Account, entries: Sequence[Entry]) -> Steps:
    """Send `entries` in one request; returns what became of each."""
    reply = yield account.post("/api/v2/batch", {"batch": entries})
    return failures(reply, len(entries))


def failures(reply: Reply, size: int) -> list[DeliveryError | None]:
    """The errors of an answer, each at its entry's place. One that names no entry is everybody's."""
    answer = reply.json()
    errors = answer.get("errors") if isinstance(answer, dict) else None
    results: list[DeliveryError | None] = [None] * size
    for error in errors if isinstance(errors, list) else []:
        place = error.get("batch_index") if isinstance(error, dict) else None
        if not isinstance(place, int) or not 0 <= place < size:
            raise _refusal(error)
        results[place] = _refusal(error)
    return results


def _refusal(error: Any) -> DeliveryError:
    """By field and reason only: the message may repeat a value of the event."""
    said = [error.get(name) for name in ("field", "reason")] if isinstance(error, dict) else []
    return HttpError(Reply(400, " ".join(str(one) for one in said if one) or "an entry was refused"))
