"""The fast way from a body to events and the long way come to the same."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import HealthCheck, given, settings

from relay.admission import normalise
from relay.body import decode
from relay.errors import EventRejected
from relay.event import Event
from relay.log.record import Record
from tests.admission.generated import records
from tests.log.records import NOON

Seen = list[tuple[object, ...]]


@contextmanager
def long_way_only() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normalise, "parse_single", lambda body: None)
        patch.setattr(normalise, "parse_batch", lambda body: None)
        yield


def outcome_of(record: Record) -> Seen:
    """Everything that anybody sees of the events of a record."""
    try:
        body = normalise.parse(record.body, record.route)
    except EventRejected as error:
        return [("refused", error.code, error.message)]
    kept = copy(record)
    kept.sequence = 7
    placed = normalise.place(normalise.prepare(copy(record), body), kept, "abcd0123")
    return [("key", canonical(body.write_key)), *[seen_of(event) for event in placed]]


def seen_of(event: Event) -> tuple[object, ...]:
    return (
        event.sequence,
        event.index,
        event.source,
        event.message_id,
        event.outcome,
        event.reason,
        event.notes,
        canonical(event.integrations),
        canonical(orjson.loads(event.json)),
        canonical(event.data),
    )


def canonical(value: Any) -> bytes:
    """Bytes that are the same for the same JSON value, and only then."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # too deep for it, or a number of more than 64 bits, which it reads as a double
        again = decode(msgspec.json.encode(value))
    try:
        return orjson.dumps(again, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return msgspec.json.encode(again, order="deterministic")


def both_ways(record: Record) -> tuple[Seen, Seen]:
    fast = outcome_of(record)
    with long_way_only():
        return fast, outcome_of(record)


def single(body: str, route: str = "track") -> Record:
    return Record(NOON, "app", route, True, "1.2.3.4", "sdk/1.0", None, 1, body.encode())


@pytest.mark.timeout(600)
@settings(max_examples=800, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(record=records())
def test_the_fast_way_and_the_long_way_come_to_the_same(record: Record) -> None:
    fast, long = both_ways(record)
    assert fast == long


T = "2026-11-24T11:59:58.123Z"
START = '"messageId":"m","userId":"u","event":"e"'


@pytest.mark.parametrize(
    "body",
    [
        f'{{{START},"timestamp":"{T}","properties":{{"timestamp":"{T}"}}}}',
        f'{{{START},"properties":{{"timestamp":"{T}"}},"timestamp":"{T}"}}',
        f'{{{START},"properties":{{"timestamp":"{T}"}},"timestamp": "{T}"}}',
        f'{{{START},"properties":{{"timestamp": "{T}"}},"timestamp":"{T}"}}',
        f'{{{START},"properties":{{"timestamp":"{T}"}}}}',
        f'{{{START},"timestamp":"{T}","a":"\\"timestamp\\":\\"{T}\\""}}',
        f'{{{START},"properties":{{"a\\"timestamp":"{T}"}},"timestamp" :"{T}"}}',
        f'{{{START},"context":{{}},"properties":{{"context":{{"a":1}}}}}}',
        f'{{{START},"properties":{{"context":{{"a":1}}}}}}',
        f'{{{START},"properties":{{"context":{{"ip":"5.6.7.8"}}}},"context":{{ "a":1}}}}',
        f'{{{START},"context":{{"page":{{"context":{{"a":1}}}}}}}}',
        f'{{{START},"writeKey":"k","properties":{{"writeKey":"k"}}}}',
        f'{{{START},"writeKey" : "k","properties":{{"writeKey":"k"}}}}',
        f'{{"writeKey":"k",{START}}}',
        f'{{{START},"writeKey":"k"}}',
        f'{{{START}, "writeKey":"k" , "a":1}}',
        f'{{{START},"writeKey":"a\\/b"}}',
        f'{{{START},"integrations":{{"All":false}}}}',
        f" {{{START}}} ",
        f'{{{START}, "a" : [ ] }}',
    ],
)
@pytest.mark.parametrize("route", ["track", "batch"])
def test_what_stands_elsewhere_under_the_same_name_is_not_touched(body: str, route: str) -> None:
    if route == "batch":
        body = '{"batch":[{"type":"track",' + body.strip()[1:] + f'],"sentAt":"{T}"}}'
    fast, long = both_ways(single(body, route))
    assert fast == long
    assert fast[1][4] is None


@pytest.mark.parametrize(
    "body",
    [
        f'{{{START},"t\\u0069mestamp":"{T}","properties":{{"timestamp":"{T}"}}}}',
        f'{{{START},"c\\u006fntext":{{"a":1}},"properties":{{"context":{{"b":1}}}}}}',
        f'{{{START},"writeK\\u0065y":"k","properties":{{"writeKey":"k"}}}}',
    ],
)
def test_a_name_that_is_written_with_escapes_is_the_same_name(body: str) -> None:
    fast, long = both_ways(single(body))
    assert fast == long


@pytest.mark.parametrize("value", ["\\ud83d", "\\ude00x", "\\ud83d\\ude00", "\\\\ud83d", "\\u0000"])
@pytest.mark.parametrize("field", ["messageId", "userId", "event", "other"])
def test_escapes_of_all_kinds_come_out_the_same(field: str, value: str) -> None:
    fields = {"messageId": "m", "userId": "u", "event": "e"} | {field: "VALUE"}
    fast, long = both_ways(single(json.dumps(fields).replace("VALUE", value)))
    assert fast == long
    assert fast[1][4] is None


@pytest.mark.parametrize("field", ["name", "category", "previousId", "originalTimestamp"])
def test_the_zero_character_is_a_text_like_any_other(field: str) -> None:
    body = json.dumps({"messageId": "m", "userId": "u", field: "\0"})
    fast, long = both_ways(single(body, "page"))
    assert fast == long


@pytest.mark.parametrize("levels", [100, 250, 260, 500, 1100, 5000])
@pytest.mark.parametrize("route", ["track", "batch"])
def test_a_depth_is_too_deep_on_both_ways_or_on_none(route: str, levels: int) -> None:
    deep = "[" * levels + "]" * levels
    body = f'{{"type":"track",{START},"properties":{{"deep":{deep}}}}}'
    fast, long = both_ways(single(f'{{"batch":[{body}]}}' if route == "batch" else body, route))
    assert fast == long


@pytest.mark.parametrize(
    "body", ["[]", "1", '"text"', "null", "", "{", '{"a":1}x', "\ufeff{}", '{"batch":{}}']
)
@pytest.mark.parametrize("route", ["track", "batch"])
def test_what_is_no_event_is_refused_in_the_same_words(route: str, body: str) -> None:
    fast, long = both_ways(single(body, route))
    assert fast == long


@pytest.mark.parametrize(
    "event",
    [
        {"type": "track", "event": "e", "userId": "u", "messageId": "m"},
        {"type": "track", "event": "e", "userId": "u", "messageId": "m", "timestamp": T, "writeKey": "k"},
        {"type": "identify", "anonymousId": "a", "messageId": "m", "traits": {"x": 1}, "context": {"a": 1}},
        {"type": "page", "userId": "u", "messageId": "m", "properties": {"name": "n"}, "sentAt": T},
        {"type": "screen", "userId": "u", "messageId": "m", "context": {"library": {"name": "l"}}},
        {"type": "group", "userId": "u", "messageId": "m", "groupId": "g", "timestamp": T},
    ],
)
def test_what_sdks_send_takes_the_fast_way(event: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(normalise, "mend", None)  # the long way would need it
    body = json.dumps({"batch": [event], "sentAt": T}, separators=(",", ":"))
    (placed,) = normalise.events_of(single(body, "batch"), "abcd0123")
    assert placed.outcome is None
    assert placed.data["timestamp"].startswith("2026-11-24T1")
