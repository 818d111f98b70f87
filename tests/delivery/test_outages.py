"""A destination that hangs, refuses or is away: it is held, the others go on, and nothing is lost."""

import shutil
import time
from pathlib import Path

import pytest

from relay.delivery import delivery as delivery_room
from tests.acceptance.relay_process import eventually
from tests.delivery.choosy import Choosy, failing_for, ids_of
from tests.delivery.clock import Clock
from tests.delivery.pipeline import Pipeline, ids, pipeline, track, tracks, webhook
from tests.receiver import Receiver

pytestmark = pytest.mark.usefixtures("quick")


async def test_troubled_destinations_take_nothing_from_a_good_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_room, "STOP_SECONDS", 0.2)
    clock = Clock()
    async with (
        Receiver() as good,
        Receiver() as hung,
        Receiver() as busy,
        Receiver() as broken,
        pipeline(tmp_path, clock=clock) as line,
    ):
        hung.hang()
        busy.always(429, {"Retry-After": "600"})
        broken.always(500)
        names = {"good": good, "hung": hung, "busy": busy, "broken": broken}
        await line.apply(*(webhook(r.url, n, timeout="20m", concurrency=4) for n, r in names.items()))
        first, *events = tracks(601)
        await line.send(first)
        await line.until(lambda s: s["state"] == "held", "busy")  # its Retry-After counts from now
        for start in range(0, 600, 100):
            await line.send_batch(events[start : start + 50])
            await line.send(*events[start + 50 : start + 100])
            clock.move(100)
            await good.wait_for(start + 101)
        await line.done("good")
        assert good.counts == dict.fromkeys(ids([first, *events]), 1)
        assert not hung.events()
        assert not busy.events()
        assert not broken.events()
        states = {s["name"]: s for s in await line.delivery.status()}
        assert states["good"]["lag"] == 0
        assert states["good"]["state"] == "running"
        for name in ("hung", "busy", "broken"):
            assert states[name]["lag"] > 0, name
            assert sum(states[name]["events"].values()) == 0, name
        assert [states[n]["state"] for n in ("busy", "broken")] == ["held", "held"]


async def test_a_destination_that_hangs_gets_no_more_requests_than_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_room, "STOP_SECONDS", 0.2)
    async with Choosy() as hung, Receiver() as good, pipeline(tmp_path) as line:
        hung.hang()
        await line.apply(webhook(hung.url, "hung", concurrency=3), webhook(good.url, "good"))
        await line.send(*tracks(50))
        await good.wait_for(50)
        await eventually(lambda: hung.active > 0, 60, lambda: "it gets none")
        assert hung.most_active <= 3


async def test_a_request_without_an_answer_is_given_up_after_timeout_and_sent_again(
    receiver: Receiver, tmp_path: Path
) -> None:
    async with pipeline(tmp_path) as line:
        receiver.hang()
        await line.apply(webhook(receiver.url, timeout="50ms"))
        events = tracks(3)
        await line.send(*events)
        status = await line.until(lambda s: s["state"] == "held")
        assert status["lastError"] == "ETIMEDOUT"
        receiver.release()
        await receiver.wait_for_ids(ids(events))
        await line.until(lambda s: s["events"]["delivered"] == 3)  # one may have stepped aside


@pytest.mark.parametrize("trouble", ["away", "500", "429", "503 with Retry-After: 0"])
async def test_nothing_expires_while_a_destination_is_down_for_longer_than_retry_for(
    trouble: str, tmp_path: Path
) -> None:
    clock, now = Clock(), Clock(time.time())
    async with Receiver() as receiver, pipeline(tmp_path, clock=clock, now=now) as line:
        await line.apply(webhook(receiver.url, retry_for="1h", batch_size=10))
        if trouble == "away":
            await receiver.stop()
        elif trouble[:3] == "503":
            receiver.always(503, {"Retry-After": "0"})
        else:
            receiver.always(int(trouble))
        events = tracks(60)
        await line.send_batch(events)
        for _ in range(20):  # ten hours
            before = line.consumer().courier.gate.failures
            clock.move(1800)
            now.move(1800)
            line.wake()
            await line.until(lambda s, n=before: line.consumer().courier.gate.failures > n)  # type: ignore[misc]
        assert await line.letters() == []
        assert not receiver.events()
        receiver.always(200)
        if trouble == "away":
            await receiver.start()
        for _ in range(2):
            clock.move(60)
            now.move(7200)
            line.wake()
            await line.send(track())
        status = await line.until(lambda s: moved(line, clock, now) and s["events"]["delivered"] == 62)
        assert status["retrying"] == status["deadLetters"] == 0
        assert receiver.counts.total() == len(receiver.counts) == 62
        assert ids(events) <= receiver.counts.keys()


def moved(line: Pipeline, clock: Clock, now: Clock) -> bool:
    """Another minute: what waits for its time is tried."""
    clock.move(60)
    now.move(60)
    line.wake()
    return True


async def test_what_waited_for_a_destination_is_delivered_by_the_next_process(tmp_path: Path) -> None:
    events = tracks(30)
    now = Clock(time.time())
    async with Receiver() as receiver:
        await receiver.stop()
        async with pipeline(tmp_path, now=now) as line:
            await line.apply(webhook(receiver.url, retry_for="1h"))
            await line.send(*events[:20])
            await line.until(lambda s: s["state"] == "held")
        now.move(7200)
        async with pipeline(tmp_path, now=now) as line:
            await line.apply(webhook(receiver.url, retry_for="1h"))
            await line.send(*events[20:])
            await line.until(lambda s: s["state"] == "held")
            assert await line.letters() == []
            await receiver.start()
            await receiver.wait_for_ids(ids(events))
            status = await line.done()
            assert status["events"]["delivered"] == 30
            assert receiver.counts.total() == 30


async def test_one_probe_at_a_time_goes_to_a_destination_that_is_held(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, concurrency=8))
        await line.send(*tracks(100))
        await receiver.wait_for(100)
        await line.done()
        receiver.always(503)
        await line.send(*tracks(20))
        gate = line.consumer().courier.gate
        await line.until(lambda _: gate.is_held and gate.active <= 1)
        receiver.most_active = 0
        asked = len(receiver.requests)
        await receiver.wait_for_requests(asked + 10)
        assert receiver.most_active == 1
        receiver.always(200)
        await receiver.wait_for(120)


async def test_a_destination_that_recovers_is_sent_everything_without_a_new_event(tmp_path: Path) -> None:
    """Also what had stepped aside into the retry table: nobody else may come for hours."""
    async with Receiver() as receiver, pipeline(tmp_path) as line:
        receiver.always(500)
        await line.apply(webhook(receiver.url))
        await line.send(track())
        await line.until(lambda s: s["retrying"] == 1)
        receiver.always(200)
        await receiver.wait_for(1)
        assert (await line.until(lambda s: s["retrying"] == 0))["events"]["delivered"] == 1


async def test_a_state_that_is_older_than_the_deliveries_repeats_and_never_skips(tmp_path: Path) -> None:
    """After kill -9 the last commits of the state may be missing, the log is there."""
    events = tracks(60)
    async with Choosy(failing_for("poison")) as receiver:
        async with pipeline(tmp_path) as line:
            await line.apply(webhook(receiver.url, concurrency=4))
            await line.send(*events[:30], track(event="poison"))
            await line.until(lambda s: s["events"]["delivered"] == 30 and s["retrying"] == 1)
            await copy_state(line, tmp_path, tmp_path / "old")
            await line.send(*events[30:])
            await receiver.wait_for(60)
            await line.crash()
        for file in tmp_path.glob("state.db*"):
            file.unlink()
        for file in (tmp_path / "old").iterdir():
            shutil.copy(file, tmp_path)
        receiver.rule = lambda _: None
        async with pipeline(tmp_path) as line:
            await line.apply(webhook(receiver.url, concurrency=4))
            status = await line.until(lambda s: s["lag"] == 0 and s["retrying"] == 0)
            assert status["events"]["delivered"] == 61
            assert ids(events) <= receiver.counts.keys()
            assert all(receiver.counts[i] == 1 for i in ids_of(events[:30])), "the saved cursor was not used"
            assert all(receiver.counts[i] == 2 for i in ids_of(events[30:]))


async def copy_state(line: Pipeline, folder: Path, to: Path) -> None:
    """On the database's own thread, so that nothing is written meanwhile."""
    to.mkdir()

    def copy(_: object) -> None:
        for file in folder.glob("state.db*"):
            shutil.copy(file, to)

    await line.state.read(copy)


async def test_a_consumer_that_ends_without_a_word_repeats_what_had_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Receiver() as receiver:
        events = tracks(20)
        async with pipeline(tmp_path) as line:
            await line.apply(webhook(receiver.url, concurrency=4))
            await line.send(*events[:10])
            await receiver.wait_for(10)
            await line.done()
            receiver.hang()
            await line.send(*events[10:])
            await line.until(lambda s: line.consumer().courier.gate.active > 0)
            await line.crash()
        receiver.release()
        async with pipeline(tmp_path) as line:
            await line.apply(webhook(receiver.url, concurrency=4))
            status = await line.done()
            assert status["events"]["delivered"] == 20
            assert ids(events) == receiver.counts.keys()
            assert all(receiver.counts[i] == 1 for i in ids_of(events[:10]))
