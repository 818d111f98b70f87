"""How much at once: `rate_limit` and `concurrency`, counted where the requests arrive."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.delivery.choosy import Choosy
from tests.delivery.clock import Clock
from tests.delivery.pipeline import ids, pipeline, tracks, webhook
from tests.receiver import Receiver

pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize("cap", [1, 3, 8])
async def test_concurrency_is_reached_and_never_exceeded(cap: int, tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, concurrency=cap))
        await line.send(*tracks(100))
        await receiver.wait_for(100)
        receiver.wakes = lambda: receiver.active >= cap or receiver.counts.total() >= 150
        events = tracks(60)
        await line.send_batch(events)
        await receiver.wait_for_ids(ids(events))
        assert receiver.most_active == cap


async def test_parked_events_are_sent_within_the_same_limit(tmp_path: Path) -> None:
    async with Choosy(lambda b: (400, {}) if b"later" in b else None) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, concurrency=2))
        await line.send(*tracks(40, event="later"))
        await line.until(lambda s: s["deadLetters"] == 40)
        receiver.rule = lambda _: None
        assert await line.dead_letters.retry("hook", None) == 40
        await line.send(*tracks(60))
        await line.until(lambda s: s["events"]["delivered"] == 100)
        assert receiver.most_active <= 2


async def test_a_rate_is_kept_on_a_clock_moved_by_hand(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver() as receiver, pipeline(tmp_path, clock=clock) as line:
        await line.apply(webhook(receiver.url, rate_limit=20.0, concurrency=8))
        await line.send(*tracks(50))
        await receiver.wait_for(2)  # what the bucket holds
        for moves in range(1, 9):
            clock.move(0.1)
            line.wake()
            await receiver.wait_for_requests(2 + 2 * moves)
            await asyncio.sleep(0)
            assert len(receiver.requests) == 2 + 2 * moves


async def test_a_rate_is_kept_in_real_time(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, rate_limit=50.0))
        started = time.monotonic()
        await line.send(*tracks(45))
        await receiver.wait_for(45)
        seconds = time.monotonic() - started
        assert seconds >= 0.75, "45 requests, of which 5 may go at once, are 0.8 s at 50 a second"
