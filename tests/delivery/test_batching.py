"""What goes into one request: how many, how long they wait, how large it gets, and in which order."""

import json
from pathlib import Path

import pytest

from relay.destinations.segment import Segment
from relay.destinations.webhook import Webhook
from relay.log.memory import MemoryLog
from tests.delivery.choosy import ids_of
from tests.delivery.clock import Clock
from tests.delivery.pipeline import ids, pipeline, target, track, tracks, webhook
from tests.receiver import Receiver

pytestmark = pytest.mark.usefixtures("quick")


async def test_everything_arrives_once_and_in_order_batch_by_batch(
    receiver: Receiver, tmp_path: Path
) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, batch_size=10, concurrency=1))
        events = tracks(95)
        await line.send(*events[:25])
        await line.send_batch(events[25:])
        await receiver.wait_for(95)
        assert ids_of(receiver.events()) == ids_of(events)
        assert receiver.counts.total() == 95
        assert max(len(list(r.events())) for r in receiver.requests) == 10
        status = await line.done()
        assert status["events"]["delivered"] == 95
        assert status["deadLetters"] == status["retrying"] == 0


async def test_the_log_in_memory_serves_as_well(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path, log=MemoryLog()) as line:
        await line.apply(webhook(receiver.url))
        events = tracks(5)
        await line.send_batch(events)
        await receiver.wait_for_ids(ids(events))
        assert (await line.done())["events"]["delivered"] == 5


async def test_a_webhook_posts_the_event_itself_one_a_request(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url))
        events = tracks(3, properties={"é": "✓"})
        await line.send_batch(events)
        await receiver.wait_for(3)
        assert {r.json["messageId"] for r in receiver.requests} == ids(events)
        assert all(r.json["properties"] == {"é": "✓"} for r in receiver.requests)
        assert [r.method for r in receiver.requests] == ["POST"] * 3


async def test_with_a_batch_size_over_one_the_body_is_an_array(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, batch_size=4, concurrency=1))
        await line.send_batch(tracks(8))
        await receiver.wait_for(8)
        assert [len(r.json) for r in receiver.requests] == [4, 4]
        assert all(type(r.json) is list for r in receiver.requests)


async def test_a_lone_event_of_a_batching_webhook_is_an_array_too(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, batch_size=4))
        await line.send(track())
        await receiver.wait_for(1)
        assert type(receiver.requests[0].json) is list


async def test_an_event_waits_for_company_as_long_as_batch_wait_and_no_longer(
    receiver: Receiver, tmp_path: Path
) -> None:
    clock = Clock()
    async with Receiver() as other, pipeline(tmp_path, clock=clock) as line:
        await line.apply(
            webhook(receiver.url, batch_size=100, batch_wait="5s"), webhook(other.url, name="other")
        )
        events = tracks(3)
        await line.send(*events)
        await other.wait_for(3)
        await line.until(lambda s: line.consumer().window.taken == 3)
        clock.move(4.9)
        last = track()
        await line.send(last)  # wakes the consumer: it looks at the clock, and waits on
        await other.wait_for(4)
        await line.until(lambda s: line.consumer().window.taken == 4)
        assert receiver.requests == []
        clock.move(0.1)
        await line.send(track(integrations={"All": False}))
        await receiver.wait_for(4)
        assert [ids_of(r.json) for r in receiver.requests] == [ids_of([*events, last])]


async def test_a_full_batch_does_not_wait(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path, clock=Clock()) as line:
        await line.apply(webhook(receiver.url, batch_size=3, batch_wait="1h"))
        await line.send(*tracks(6))
        await receiver.wait_for(6)
        assert [len(r.json) for r in receiver.requests] == [3, 3]


async def test_a_batch_of_large_events_is_cut_by_its_bytes(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        segment = Segment(write_key="k")
        await line.apply(
            target("seg", "segment", segment, endpoint=receiver.url, batch_size=2500, batch_wait="50ms")
        )
        events = tracks(45, properties={"text": "x" * 30_000})
        for start in range(0, 45, 15):
            await line.send_batch(events[start : start + 15])
        await receiver.wait_for_ids(ids(events))
        assert len(receiver.requests) >= 3
        assert max(len(r.body) for r in receiver.requests) < 500_000
        assert receiver.counts.total() == 45


async def test_a_webhooks_own_byte_limit_holds_for_any_batch_size(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, batch_size=10_000, batch_wait="1h", concurrency=1))
        events = tracks(150, properties={"text": "x" * 30_000})
        for start in range(0, 150, 15):
            await line.send_batch(events[start : start + 15])
        await receiver.wait_for_requests(2)
        sizes = [len(r.body) for r in receiver.requests]
        assert max(sizes) <= Webhook.max_bytes + 32_768
        assert max(sizes) > 1_000_000, "batches were cut for no reason"


async def test_only_the_sources_that_are_named_are_sent(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, sources=("web", "app")))
        wanted, not_wanted = [*tracks(2)], tracks(2)
        await line.send(wanted[0], source="web")
        await line.send_batch(not_wanted, source="server")
        await line.send(wanted[1], source="app")
        await receiver.wait_for(2)
        status = await line.done()
        assert ids_of(receiver.events()) == ids_of(wanted)
        assert sum(status["events"].values()) == 2


async def test_methods_and_headers_of_the_settings_are_used(tmp_path: Path) -> None:
    async with Receiver({("PUT", "/in")}) as receiver, pipeline(tmp_path) as line:
        settings = {"method": "PUT", "headers": {"X-Source": "relay"}}
        await line.apply(webhook(receiver.url + "/in?a=b", settings=settings))
        await line.send(track())
        await receiver.wait_for(1)
        (request,) = receiver.requests
        assert request.headers["X-Source"] == "relay"
        assert request.headers["Content-Type"] == "application/json"
        assert json.loads(request.body)["event"] == "Tested"
