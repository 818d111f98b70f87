"""Records that relay writes itself are read back as they were written."""

from typing import Any

from relay.admission.own import RELEASED, own_events, records_of
from relay.body import encode
from relay.event import Event

Data = dict[str, Any]


def event(depth: int) -> Data:
    """An event whose properties are nested so deep."""
    inside: Any = {"line": "a\nb"}
    for _ in range(depth):
        inside = {"a": inside}
    return {
        "type": "track",
        "event": "e",
        "messageId": "m1",
        "properties": inside,
        "integrations": {"All": False},
    }


def read_back(data: Data) -> Event:
    (record,) = records_of(RELEASED, "app", 1, [("key", encode(data))])
    (found,) = own_events(record)
    return found


def test_an_event_comes_back_with_its_key() -> None:
    found = read_back(event(1))
    assert (found.data, found.seen_as, found.message_id) == (event(1), "key", "m1")
    assert found.integrations == {"All": False}


def test_an_event_nested_as_deep_as_can_be_written_is_read() -> None:
    depth = next(depth for depth in range(1000, 0, -1) if encode(event(depth)) is not None)
    for less in range(1, 30):  # the stack has to hold the way to it as well
        found = read_back(event(depth - less))
        assert (found.message_id, found.integrations) == ("m1", {"All": False})
        assert found.data["event"] == "e"
