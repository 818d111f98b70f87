"""Stopping, pausing, leaving and coming back: where a destination goes on."""

import asyncio
from pathlib import Path

import pytest

from relay.delivery import delivery as delivery_room
from tests.acceptance.relay_process import eventually
from tests.delivery.choosy import Choosy, failing_for, ids_of
from tests.delivery.pipeline import ids, pipeline, target, track, tracks, webhook
from tests.receiver import Receiver

pytestmark = pytest.mark.usefixtures("quick")


async def test_a_stop_lets_what_is_on_its_way_arrive_and_nothing_is_sent_again(tmp_path: Path) -> None:
    events = tracks(40)
    async with Choosy() as receiver:
        async with pipeline(tmp_path) as line:
            await line.apply(webhook(receiver.url, concurrency=4))
            await line.send(*events[:20])
            await receiver.wait_for(20)
            receiver.wakes = lambda: False
            await line.send(*events[20:])
            gate, courier = line.consumer().courier.gate, line.consumer().courier
            await line.until(lambda s: receiver.active == gate.active == gate.concurrency.limit > 1)
            on_its_way = receiver.active
            stopping = asyncio.create_task(line.delivery.close())
            await eventually(lambda: courier.is_stopping, 60, lambda: "it does not stop")
            await receiver.let_go()
            await stopping
        assert len(receiver.events()) == 20 + on_its_way
        async with pipeline(tmp_path) as line:
            await line.apply(webhook(receiver.url, concurrency=4))
            await receiver.wait_for(40)
            status = await line.done()
            assert receiver.counts == dict.fromkeys(ids(events), 1)
            assert status["events"]["delivered"] == 40


async def test_a_stop_does_not_wait_for_a_destination_that_hangs(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_room, "STOP_SECONDS", 0.1)
    receiver.hang()
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, timeout="1h"))
        await line.send(*tracks(5))
        await line.until(lambda _: line.consumer().courier.gate.active > 0)
        await line.delivery.close()
        assert line.delivery.consumers == {}
        assert not receiver.events()


async def test_a_stop_does_not_wait_for_a_back_off(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_room, "STOP_SECONDS", 3600.0)
    receiver.always(429, {"Retry-After": "3600"})
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url))
        await line.send(*tracks(5))
        await line.until(lambda s: s["state"] == "held")
        async with asyncio.timeout(60):
            await line.delivery.close()


async def test_a_stop_right_after_the_start_is_quick(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two reloads in a row: the consumer may not have got as far as its loops."""
    monkeypatch.setattr(delivery_room, "STOP_SECONDS", 3600.0)
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url))
        async with asyncio.timeout(60):
            await line.apply()
        assert line.delivery.consumers == {}


async def test_closing_twice_does_no_harm(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url))
        await line.send(track())
        await receiver.wait_for(1)
        await line.delivery.close()
        await line.delivery.close()
        assert receiver.counts.total() == 1


async def test_a_pause_survives_a_restart_and_a_resume_goes_on_where_it_was(tmp_path: Path) -> None:
    events = tracks(30)
    async with Receiver() as receiver, Receiver() as other:
        targets = webhook(receiver.url), webhook(other.url, "other")
        async with pipeline(tmp_path) as line:
            await line.apply(*targets)
            await line.send(*events[:10])
            await receiver.wait_for(10)
            await line.delivery.pause("hook", is_paused=True)
            await line.send(*events[10:20])
            await other.wait_for(20)
            assert (await line.status())["state"] == "paused"
        async with pipeline(tmp_path) as line:
            await line.apply(*targets)
            await line.send(*events[20:])
            await other.wait_for(30)
            status = await line.status()
            assert (status["state"], status["lag"]) == ("paused", 20)
            assert len(receiver.events()) == 10
            await line.delivery.pause("hook", is_paused=False)
            await receiver.wait_for_ids(ids(events))
            assert (await line.done())["state"] == "running"
        async with pipeline(tmp_path) as line:
            await line.apply(*targets)
            assert (await line.status())["state"] == "running"
        assert receiver.counts == dict.fromkeys(ids(events), 1)


async def test_a_pause_stops_a_batch_that_waits_for_its_turn(tmp_path: Path) -> None:
    async with Receiver() as receiver, Receiver() as other, pipeline(tmp_path) as line:
        receiver.always(500)
        await line.apply(webhook(receiver.url, batch_size=50), webhook(other.url, "other"))
        await line.send_batch(tracks(10))
        await receiver.wait_for_requests(1)
        await line.delivery.pause("hook", is_paused=True)
        asked = len(receiver.requests) + line.consumer().courier.gate.active
        receiver.always(200)
        await line.send(*tracks(20))
        await other.wait_for(30)
        assert len(receiver.requests) <= asked
        await line.delivery.pause("hook", is_paused=False)
        await receiver.wait_for(30)


async def test_pausing_one_that_does_not_run_is_an_error(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        with pytest.raises(KeyError):
            await line.delivery.pause("nobody", is_paused=True)


async def test_a_new_destination_starts_at_the_head_of_a_log_that_holds_something(tmp_path: Path) -> None:
    async with Receiver() as receiver, pipeline(tmp_path) as line:
        await line.send(*tracks(5))
        await line.apply(webhook(receiver.url))
        one = track()
        await line.send(one)
        await receiver.wait_for(1)
        status = await line.done()
        assert ids_of(receiver.events()) == ids_of([one])
        assert sum(status["events"].values()) == 1


async def test_a_destination_of_a_new_log_gets_all_of_it(tmp_path: Path) -> None:
    async with Receiver() as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url))
        await line.send(*tracks(5))
        await receiver.wait_for(5)
        assert (await line.done())["events"]["delivered"] == 5


@pytest.mark.parametrize("away", ["removed", "disabled"])
@pytest.mark.parametrize("restarts", [False, True])
async def test_a_destination_that_was_away_comes_back_at_the_head(
    away: str, *, restarts: bool, tmp_path: Path
) -> None:
    before, meanwhile, after = tracks(3), tracks(4), tracks(2)
    async with Receiver() as receiver, Receiver() as other:
        here, stays = webhook(receiver.url), webhook(other.url, "other")
        gone = [] if away == "removed" else [webhook(receiver.url, enabled=False)]
        async with pipeline(tmp_path) as line:
            await line.apply(here, stays)
            await line.send(*before)
            await receiver.wait_for(3)
            await line.apply(stays, *gone)
            assert list(line.delivery.consumers) == ["other"]
            await line.send(*meanwhile)
            await other.wait_for(7)
            if not restarts:
                await line.apply(here, stays)
                await line.send(*after)
                await receiver.wait_for(5)
        if restarts:
            async with pipeline(tmp_path) as line:
                await line.apply(here, stays)
                await line.send(*after)
                await receiver.wait_for(5)
                await line.done()
        assert ids_of(receiver.events()) == ids_of(before + after)
        assert other.counts == dict.fromkeys(ids(before + meanwhile + after), 1)


async def test_what_changes_is_taken_up_and_what_does_not_is_left_alone(tmp_path: Path) -> None:
    async with Receiver() as receiver, Receiver() as second, pipeline(tmp_path) as line:
        first = webhook(receiver.url)
        await line.apply(first, webhook(second.url, "second"))
        undisturbed = line.consumer("hook")
        await line.send(*tracks(3))
        await second.wait_for(3)
        await line.done("second")
        await line.apply(first, webhook(second.url + "/new", "second", batch_size=10, batch_wait="10ms"))
        assert line.consumer("hook") is undisturbed
        await line.send(*tracks(4))
        await second.wait_for(7)
        assert second.counts.total() == 7
        assert len(second.events("/new")) == 4
        assert (await line.done("second"))["events"]["delivered"] == 7


async def test_parked_events_wait_for_a_restart_and_are_then_delivered(tmp_path: Path) -> None:
    async with Choosy(failing_for("poison")) as receiver:
        async with pipeline(tmp_path) as line:
            await line.apply(webhook(receiver.url))
            await line.send(track(event="poison", messageId="p"), *tracks(5))
            await line.until(lambda s: s["lag"] == 0 and s["retrying"] == 1)
        receiver.rule = lambda _: None
        async with pipeline(tmp_path) as line:
            await line.apply(webhook(receiver.url))
            status = await line.until(lambda s: s["retrying"] == 0)
            assert status["events"]["delivered"] == 6
            assert receiver.counts == dict.fromkeys(receiver.counts, 1)


async def test_after_a_fault_of_our_own_a_destination_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_room, "RESTART_SECONDS", 0.01)
    async with Receiver() as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url))
        await line.send(*tracks(3))
        await receiver.wait_for(3)
        await line.done()
        broken = line.consumer()

        def fault(*_: object) -> None:
            raise RuntimeError

        monkeypatch.setattr(broken.fates, "delivered", fault)
        await line.send(track())
        await line.until(lambda _: line.consumer() is not broken)
        status = await line.done()
        assert status["events"]["delivered"] == 4
        assert receiver.counts.total() == 5  # the one that met the fault came again


async def test_a_destination_removed_while_it_is_being_restarted_stays_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_room, "RESTART_SECONDS", 0.3)
    async with Receiver() as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url))

        def fault(*_: object) -> None:
            raise RuntimeError

        monkeypatch.setattr(line.consumer().fates, "delivered", fault)
        await line.send(track())
        await receiver.wait_for(1)
        await line.apply()
        assert line.delivery.consumers == {}
        assert line.delivery._runs == {}


async def test_a_batch_of_another_type_can_be_stopped_too(tmp_path: Path) -> None:
    from relay.destinations.segment import Segment  # noqa: PLC0415  nothing else here knows of it

    async with Receiver() as receiver:
        seg = target("seg", "segment", Segment(write_key="k"), endpoint=receiver.url, batch_wait="1h")
        async with pipeline(tmp_path) as line:
            await line.apply(seg)
            await line.send(*tracks(3))
            await line.until(lambda _: line.consumer("seg").window.open_records == 3, "seg")
        assert receiver.requests == []
        async with pipeline(tmp_path) as line:
            await line.apply(target("seg", "segment", Segment(write_key="k"), endpoint=receiver.url))
            await receiver.wait_for(3)
            assert receiver.counts.total() == 3
