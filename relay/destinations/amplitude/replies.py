"""What Amplitude's answers to a batch say of single events.

400: nothing of the batch was taken; events are named by their place, in lists by field (`events_with_invalid_fields`,
`events_with_missing_fields`, `events_with_invalid_id_lengths`) or in one list (`silenced_events`). 429: likewise nothing
was taken, and `throttled_events` lists those of users and devices that send too much. So what is named is done with,
and the rest is sent again.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from relay.destinations.errors import DeliveryError, HttpError, of_status
from relay.destinations.reply import Reply

_LISTS = {
    "events_with_missing_fields": "is missing",
    "events_with_invalid_fields": "is not as Amplitude wants it",
    "events_with_invalid_id_lengths": "is too short",
}
_SILENCED = "Amplitude keeps this event out"
_THROTTLED = "too many events of this user or device"
INVALID, TOO_MANY = 400, 429


def faults(error: HttpError, count: int) -> dict[int, DeliveryError]:
    """The events of a batch of `count` that the answer names, by their place."""
    body = error.reply.json()
    if not isinstance(body, dict):
        return {}
    if error.status == TOO_MANY:
        return {
            place: HttpError(Reply(TOO_MANY, _THROTTLED))
            for place in _places(body, "throttled_events", count)
        }
    if error.status != INVALID:
        return {}
    found = {place: of_status(INVALID, _SILENCED) for place in _places(body, "silenced_events", count)}
    for key, what in _LISTS.items():
        fields: Any = body.get(key)
        for field in fields if isinstance(fields, dict) else ():
            found |= {place: of_status(INVALID, f"{field} {what}") for place in _places(fields, field, count)}
    return {place: fault for place, fault in found.items() if fault is not None}


def _places(lists: Mapping[str, Any], key: str, count: int) -> Iterator[int]:
    places = lists.get(key)
    for place in places if isinstance(places, list) else ():
        if type(place) is int and 0 <= place < count:
            yield place
