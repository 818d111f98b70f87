"""Forwarding to Segment, or to another relay: what the receiver makes of it is what was sent."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.body import encode
from relay.console.search import Search
from relay.destinations.base import Destination
from relay.destinations.relay import Relay
from relay.destinations.segment import Segment
from relay.event import Event
from relay.times import format_iso
from tests.acceptance.relay_process import running, source
from tests.acceptance.relay_process import webhook as webhook_table
from tests.delivery.pipeline import Pipeline, ids, pipeline, target, track, tracks
from tests.destinations.events import event
from tests.moments import parse_iso
from tests.receiver import Receiver

pytestmark = pytest.mark.usefixtures("quick")

KEY = "receiving-key"
KINDS: dict[str, Destination] = {"segment": Segment(write_key=KEY), "relay": Relay(write_key=KEY)}


def forwarding(kind: str, url: str, **fields: Any) -> Any:
    return target("next", kind, KINDS[kind], endpoint=url, **fields)


def from_a_wrong_clock(**fields: Any) -> dict[str, Any]:
    """An event of an hour ago by a device whose clock is three days slow."""
    now = datetime.now(UTC) - timedelta(days=3)
    return track(
        timestamp=format_iso(int((now.timestamp() - 3600) * 1000)),
        sentAt=format_iso(int(now.timestamp() * 1000)),
        **fields,
    )


@pytest.mark.parametrize("kind", KINDS)
async def test_a_second_relay_takes_the_events_as_they_are(
    kind: str, receiver: Receiver, tmp_path: Path
) -> None:
    config = source("second", KEY) + webhook_table(receiver.url)
    (tmp_path / "second").mkdir()
    async with running(tmp_path / "second", config) as second, pipeline(tmp_path) as line:
        await line.apply(forwarding(kind, second.public))
        sent = [
            from_a_wrong_clock(context={"ip": "203.0.113.9", "library": {"name": "x", "version": "1"}}),
            from_a_wrong_clock(context={"ip": "2001:db8::1"}),
            track(timestamp="2019-01-02T03:04:05.678Z", properties={"é": [None, 1.5]}),
            {"type": "identify", "userId": "u", "traits": {"plan": "free"}, "messageId": "identify-1"},
            track(integrations={"All": True, "Other": {"a": 1}}),
        ]
        first = await corrected(line, sent)
        await receiver.wait_for_ids(ids(sent))
        for given_event in sent:
            here = first[given_event["messageId"]]
            there = receiver.find(given_event["messageId"])
            apart = (parse_iso(there["timestamp"]) or 0) - (parse_iso(here["timestamp"]) or 0)
            assert abs(apart) < 600_000, "not another hour; on the way it may have been for a while"
            for name in ("type", "userId", "event", "properties", "traits", "integrations"):
                assert there.get(name) == here.get(name), name
            assert there["context"].get("ip") == here["context"].get("ip")
            assert there["sourceId"] == "second"
        assert (await line.done("next"))["events"]["delivered"] == 5
        assert receiver.counts == dict.fromkeys(ids(sent), 1)


async def corrected(line: Pipeline, events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Send, and return by messageId what the first relay made of it."""
    await line.send(*events)
    shown = line.debugger.newest(Search(), 100)
    return {one["event"]["messageId"]: one["event"] for one in shown}


@pytest.mark.parametrize("kind", KINDS)
async def test_the_request_is_a_batch_with_basic_auth(kind: str, tmp_path: Path) -> None:
    async with Receiver({("POST", "/v1/batch")}) as receiver, pipeline(tmp_path) as line:
        await line.apply(forwarding(kind, receiver.url, batch_size=4))
        await line.send_batch([from_a_wrong_clock() for _ in range(4)])
        await receiver.wait_for(4)
        (request,) = receiver.requests
        assert request.headers["Authorization"] == "Basic " + b64encode(f"{KEY}:".encode()).decode()
        assert request.headers["Content-Type"] == "application/json"
        assert set(request.json) == {"batch", "sentAt"}
        for one in request.json["batch"]:
            assert not {"sentAt", "originalTimestamp", "receivedAt", "version", "sourceId"} & one.keys()
            an_hour_ago = datetime.now(UTC).timestamp() - 3600
            assert abs((parse_iso(one["timestamp"]) or 0) / 1000 - an_hour_ago) < 600


async def test_an_event_sent_again_after_an_outage_is_sent_at_that_moment(tmp_path: Path) -> None:
    """Else the receiver's clock correction moves its timestamp by the length of the outage."""
    async with Receiver() as receiver, pipeline(tmp_path) as line:
        receiver.answers((503, {"Retry-After": "0.1"}))
        await line.apply(forwarding("segment", receiver.url))
        await line.send(track())
        await receiver.wait_for(1)
        first, second = (parse_iso(request.json["sentAt"]) or 0 for request in receiver.requests)
        assert second - first >= 50


def test_segments_own_place_is_the_default() -> None:
    (request,) = Segment(write_key=KEY).requests([event(track())])
    assert (request.method, request.url) == ("POST", "https://api.segment.io/v1/batch")


@pytest.mark.parametrize("batch_size", [100, 2500])
@pytest.mark.parametrize("size", [10, 400, 5_000, 32_000])
async def test_a_body_stays_within_segments_limits(
    batch_size: int, size: int, receiver: Receiver, tmp_path: Path
) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(forwarding("segment", receiver.url, batch_size=batch_size, batch_wait="50ms"))
        n = min(3000, 1_500_000 // size)
        events = tracks(n, properties={"text": "x" * size})
        each = max(1, 300_000 // (size + 300))
        for start in range(0, n, each):
            await line.send_batch(events[start : start + each])
        await receiver.wait_for_ids(ids(events))
        assert max(len(r.body) for r in receiver.requests) < 500_000
        assert max(len(r.json["batch"]) for r in receiver.requests) <= min(batch_size, 2500)


async def test_redriven_events_stay_within_segments_limits_too(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        receiver.always(403)
        await line.apply(forwarding("segment", receiver.url, batch_wait="50ms"))
        events = tracks(40, properties={"text": "x" * 30_000})
        for start in range(0, 40, 10):
            await line.send_batch(events[start : start + 10])
        await line.until(lambda s: s["deadLetters"] == 40, "next")
        receiver.always(200)
        await line.dead_letters.retry("next", None)
        await receiver.wait_for_ids(ids(events))
        assert max(len(r.body) for r in receiver.requests) < 500_000


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(values=st.lists(JSON_VALUES, min_size=1, max_size=5))
def test_whatever_an_event_holds_is_forwarded_unchanged(values: list[Any]) -> None:
    events = []
    for value in values:
        text = json.dumps({"messageId": "m", "properties": value}, allow_nan=False)
        try:
            encoded = text.encode()
            encoded.decode()
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:  # half a surrogate pair: admission mends it
            continue
        events.append(Event(1, 0, "web", "m", encoded))
    if events:
        (request,) = Segment(write_key=KEY).requests(events)
        assert json.loads(request.body)["batch"] == [json.loads(e.json) for e in events]


@pytest.mark.parametrize(
    "number", ["1e400", "-1e400", "12345678901234567890123", "1e400, 12345678901234567890123"]
)
async def test_an_event_with_numbers_beyond_a_double_is_forwarded(
    number: str, receiver: Receiver, tmp_path: Path
) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(forwarding("segment", receiver.url))
        text = f'{{"userId":"u","event":"E","messageId":"m","properties":{{"n":[{number}]}}}}'
        await line._append(text.encode(), "track", 1, "web")
        await line.admit()
        assert (await line.done("next"))["events"]["delivered"] == 1


async def test_a_deeply_nested_event_is_forwarded_or_refused_at_the_door(
    receiver: Receiver, tmp_path: Path
) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(forwarding("segment", receiver.url))
        nested = '{"a":' * 300 + "1" + "}" * 300
        text = f'{{"userId":"u","event":"E","messageId":"m","properties":{nested}}}'
        await line._append(text.encode(), "track", 1, "web")
        await line.admit()
        status = await line.done("next")
        (shown,) = line.debugger.newest(Search(), 1)
        assert shown["verdict"] == "rejected" or status["events"]["delivered"] == 1
        assert encode(shown)


def test_what_the_browser_has_sent_itself_segment_is_told() -> None:
    said = {
        "bundled": ["Segment.io", "Tool"],
        "unbundled": ["Slack"],
        "bundledIds": ["id-1"],
        "retryCount": 2,
    }
    (request,) = Segment(write_key=KEY).requests([event(track(_metadata=said, integrations={"All": False}))])
    (forwarded,) = json.loads(request.body)["batch"]
    assert (forwarded["_metadata"], forwarded["integrations"]) == (said, {"All": False})
