"""`POST /v1/validate`: what would become of a payload. Nothing is stored, nothing sent.

The body is an event, or a batch as `/v1/batch` takes it. The answer has for each event its verdict, what its source's
tracking plan says of it, and the event as destinations would get it.
"""

from collections.abc import Callable
from typing import Any

from relay.body import decode
from relay.errors import EventRejected
from relay.event import TYPES, Event

Judge = Callable[[Event], dict[str, Any]]


def route_of(body: bytes) -> str:
    """The type of the event in `body`, or `batch`. Raises EventRejected when it is neither."""
    try:
        value = decode(body)
    except ValueError:
        raise EventRejected("bad_request", "the body is not JSON") from None
    if not isinstance(value, dict):
        raise EventRejected("bad_request", "the body must be a JSON object")
    if "batch" in value:
        return "batch"
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        known = ", ".join(sorted(TYPES))
        raise EventRejected("bad_request", f"type must be one of {known}; or send a batch")
    return kind


def verdicts(events: list[Event], route: str, judge: Judge) -> dict[str, Any]:
    """The answer: of one event its verdict, of a batch a list of these."""
    found = [judge(event) for event in events]
    said = {"events": found} if route == "batch" else found[0]
    return {"success": True, **said}
