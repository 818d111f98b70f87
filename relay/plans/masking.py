"""An event without its values, to be shown to whoever mends a tracking plan: what was sent where, not what it was.

Keys, lists and null stay as they are. Of values only those stay by which the event is told from others: its type, its name,
its messageId and its times.
"""

from typing import Any

from relay.times import parse_moment

Data = dict[str, Any]

TIMES = frozenset(("timestamp", "originalTimestamp", "sentAt", "receivedAt"))
NAMES = {"track": "event", "page": "name", "screen": "name"}


def masked_event(data: Data) -> Data:
    """A copy of an event that has no values but those that say which event it is."""
    kept = {"type", "messageId", NAMES.get(data["type"], "type")}
    return {
        key: value if key in kept or _is_time(key, value) else masked(value) for key, value in data.items()
    }


def masked(value: Any) -> Any:
    """`value` with what kind it is in the place of every text, number and boolean in it."""
    if isinstance(value, dict):
        return {key: masked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    return None if value is None else _KINDS[type(value)]


_KINDS = {str: "<string>", int: "<number>", float: "<number>", bool: "<boolean>"}


def _is_time(key: str, value: Any) -> bool:
    return key in TIMES and parse_moment(value) is not None
