"""POST /users/track, where events, purchases and attributes go: up to 75 objects, each with its own answer."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from relay.destinations.actions import Call
from relay.destinations.actions.dates import day_ms, iso
from relay.destinations.actions.fields import boolean, integer
from relay.destinations.actions.parts import Parts
from relay.destinations.actions.requests import bearer, json_request
from relay.destinations.base import Request, Steps
from relay.destinations.braze.who import check_mode
from relay.destinations.errors import HttpError
from relay.destinations.reply import Reply

MAX_OBJECTS = 75  # Braze: /users/track
_BATCH = {"x-braze-batch": "true"}

ENABLE_BATCHING = boolean("Whether several events may go in one request.", default=True)
BATCH_SIZE = integer("Events a request at most.", default=MAX_OBJECTS)


class Account(Protocol):
    """What requests need of the settings."""

    @property
    def api_key(self) -> str: ...
    @property
    def app_id(self) -> str | None: ...
    @property
    def endpoint(self) -> str: ...


Make = Callable[[Any, Call], dict[str, Any]]


def app(account: Account) -> dict[str, str]:
    """The app that an object is of."""
    return {} if account.app_id is None else {"app_id": account.app_id}


def moment(value: Any) -> str | None:
    """A date as Braze takes it; None for what is none."""
    ms = day_ms(value)
    return None if ms is None else iso(ms)


def track(account: Account, kind: str, objects: Sequence[Any], *, is_batch: bool) -> Request:
    """The request for `objects` of one kind."""
    headers = bearer(account.api_key) | (_BATCH if is_batch else {})
    return json_request("POST", f"{account.endpoint}/users/track", {kind: objects}, headers)


def complaints(reply: Reply) -> dict[int, HttpError]:
    """What a reply that is a success as a whole says against single objects, by their index."""
    body = reply.json()
    errors = body.get("errors") if isinstance(body, dict) else None
    found: dict[int, HttpError] = {}
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict) and type(error.get("index")) is int:
            found.setdefault(error["index"], refusal(str(error.get("type"))))
    return found


def refusal(message: str) -> HttpError:
    """An object that Braze did not take."""
    return HttpError(Reply(400, message, 0.0, "BAD_REQUEST"))


def raise_first(reply: Reply) -> None:
    """For a request of one event: raise what the reply says against it."""
    for error in complaints(reply).values():
        raise error


def sender(kind: str, make: Make, modes: tuple[str, ...]) -> Callable[[Any, Call], Steps]:
    """The flow for one event that is one object."""

    def perform(account: Account, call: Call) -> Steps:
        check_mode(call, modes)
        raise_first((yield track(account, kind, [make(account, call)], is_batch=False)))

    return perform


def batch_sender(
    kind: str, make: Make, modes: tuple[str, ...], *, is_marked: bool = False
) -> Callable[[Any, Sequence[Call]], Steps]:
    """The flow for several events that are one object each. `is_marked`: a batch even when it is only one.

    When nobody in the batch can be sent the request is sent with an empty list, as Segment does it.
    """

    def perform_batch(account: Account, calls: Sequence[Call]) -> Steps:
        check_mode(calls[0], modes)
        parts = Parts.of(calls, lambda call: make(account, call))
        is_batch = is_marked or len(parts.made) > 1
        try:
            reply = yield track(account, kind, parts.made, is_batch=is_batch)
        except HttpError as error:
            return parts.failed(error)
        for index, complaint in complaints(reply).items():
            parts.fail(index, complaint)
        return parts.results

    return perform_batch
