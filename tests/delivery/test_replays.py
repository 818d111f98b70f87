"""Replays from beginning to end: what is sent, what is not, how they yield, end, resume and are cancelled."""

import asyncio
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest

from relay.console.search import Search
from relay.delivery import dry_run, replaying, replays
from relay.delivery.replay import BadQuery
from relay.destinations.fql.actions import Filters
from relay.destinations.segment import Segment
from relay.log.record import Record
from relay.times import format_iso
from tests.acceptance.relay_process import eventually
from tests.delivery.choosy import Choosy, failing_for
from tests.delivery.pipeline import Pipeline, ids, pipeline, target, track, tracks, webhook
from tests.receiver import Receiver

pytestmark = pytest.mark.usefixtures("quick", "impatient")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(replays, "RESTART_SECONDS", 0.01)


async def begin(line: Pipeline, to: str = "new", **fields: Any) -> int:
    """The id of a replay that has been started."""
    started = await line.replays.start({"destination": to} | fields)
    return int(started["id"])


async def until(line: Pipeline, number: int, state: str) -> dict[str, Any]:
    """The replay, once it is in this state."""
    latest: dict[str, Any] = {}

    async def look() -> bool:
        found = await line.replays.show(number)
        assert found is not None
        latest.update(found)
        return bool(found["state"] == state)

    await eventually(look, 60, lambda: f"{number}: {latest}")
    return latest


async def replayed(line: Pipeline, to: str = "new", **fields: Any) -> dict[str, Any]:
    """A replay that is done."""
    return await until(line, await begin(line, to, **fields), "done")


async def state_of(line: Pipeline, number: int) -> str:
    found = await line.replays.show(number)
    assert found is not None
    return str(found["state"])


def delivered(replay: dict[str, Any]) -> dict[str, int]:
    """The fates that any event has."""
    return {fate: n for fate, n in replay["events"].items() if n}


# what is sent


async def test_a_destination_added_today_is_sent_what_came_before(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        events = tracks(30)
        await line.send(*events)
        await line.send_batch(batch := tracks(40))
        await line.apply(webhook(receiver.url, "new", batch_size=10))
        done = await replayed(line)
        assert delivered(done) == {"delivered": 70}
        assert done["requests"] == {"total": 31, "done": 31}
        assert ids(receiver.events()) == ids(events + batch)
        assert receiver.counts.total() == 70
        assert done["endedAt"] >= done["startedAt"]


async def test_the_same_id_and_time_go_out_again(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, "new"))
        await line.send(track(timestamp="2026-05-01T10:00:00.000Z"))
        await receiver.wait_for(1)
        await replayed(line)
        first, again = await receiver.wait_for(2)
        assert again == first | {"integrations": {"All": False, "Webhook": True}}


async def test_duplicates_and_rejected_events_are_not_sent(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        good, bad = track(), track(event=5, userId=None)
        await line.send_batch([good, good, {"type": "track", "messageId": "none"}])
        await line.apply(webhook(receiver.url, "new"))
        done = await replayed(line)
        assert delivered(done) == {"delivered": 1, "duplicate": 1, "rejected": 1}
        assert ids(receiver.events()) == {good["messageId"]}
        assert bad["messageId"] not in receiver.counts


async def test_integrations_are_ignored_and_options_kept(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.send(
            track(integrations={"All": False, "Other": {"b": 2}}), track(integrations={"new": False})
        )
        await line.send(track(integrations={"Webhook": {"a": 1}}))
        await line.apply(webhook(receiver.url, "new"))
        await replayed(line)
        assert [e["integrations"] for e in receiver.events()] == [
            {"All": False, "Webhook": True},
            {"All": False, "Webhook": True},
            {"All": False, "Webhook": {"a": 1}},
        ]


async def test_consent_and_todays_filters_hold(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        agreed = {"consent": {"categoryPreferences": {"C1": True}}}
        refused = {"consent": {"categoryPreferences": {"C1": False}}}
        await line.send(
            track(event="Good", context=agreed, properties={"card": 1}),
            track(event="Good", context=refused),
            track(event="Bad", context=agreed),
        )
        action = {"type": "DROP_PROPERTIES", "fields": {"properties": ["card"]}}
        drop = msgspec.convert([{"if": "all", "actions": [action]}], Filters)
        await line.apply(webhook(receiver.url, "new", consent=("C1",), filter='event = "Good"', filters=drop))
        done = await replayed(line)
        assert delivered(done) == {"delivered": 1, "filtered": 2}
        assert receiver.events()[0]["properties"] == {}


async def test_a_disabled_destination_can_be_replayed_to(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.send(*tracks(3))
        await line.apply(webhook(receiver.url, "new", enabled=False))
        assert delivered(await replayed(line)) == {"delivered": 3}
        assert line.delivery.consumers == {}


async def test_a_paused_destination_can_be_replayed_to(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, "new"))
        await line.delivery.pause("new", is_paused=True)
        await line.send(*tracks(3))
        assert delivered(await replayed(line)) == {"delivered": 3}
        assert (await line.status("new"))["lag"] == 3


async def test_other_types_of_destinations_are_replayed_to(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        events = [track(integrations=own) for own in ({}, {"Other": True}, {"All": False, "Other": True})]
        await line.send(*events)
        await line.apply(target("new", "segment", Segment(write_key="k"), endpoint=receiver.url))
        await replayed(line)
        assert ids(receiver.events("/v1/batch")) == ids(events)
        # there they say where it goes next
        assert [e["integrations"] for e in receiver.events()] == [e["integrations"] for e in events]


# which events


async def append_at(line: Pipeline, ms: int) -> str:
    """An event that was received then."""
    message_id = f"at-{ms}"
    body = f'{{"userId":"u1","event":"Tested","messageId":"{message_id}"}}'.encode()
    await line.log.append(Record(ms, "web", "track", False, None, None, None, 1, body))
    return message_id


async def test_time_is_that_of_reception_from_since_up_to_before_until(
    receiver: Receiver, tmp_path: Path
) -> None:
    async with pipeline(tmp_path) as line:
        now = int(time.time() * 1000)
        moments = [now - 60_000 + n * 1000 for n in range(60)]
        sent = [await append_at(line, ms) for ms in moments]
        await line.admit()
        await line.apply(webhook(receiver.url, "new"))
        for first, last in ((10, 20), (0, 1), (59, 60), (20, 20), (0, 60)):
            receiver.counts.clear()
            since, until_ = moments[first], moments[last] if last < 60 else now
            done = await replayed(line, since=format_iso(since), until=format_iso(until_))
            assert receiver.counts == dict.fromkeys(sent[first:last], 1)
            assert done["requests"] == {"total": last - first, "done": last - first}


async def test_only_what_was_asked_for_is_sent(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        wanted = track(event="Paid", userId="u7", properties={"total": 9})
        await line.send(track(event="Paid", userId="u8"), track(userId="u7"), wanted)
        await line.send(track(event="Paid", userId="u7", properties={"total": 1}))
        await line.send_batch([track(event="Paid", userId="u7", properties={"total": 9})], source="ios")
        await line.apply(webhook(receiver.url, "new"))
        done = await replayed(
            line, events=["Paid"], users=["u7"], sources=["web"], filter="properties.total > 5"
        )
        assert ids(receiver.events()) == {wanted["messageId"]}
        assert delivered(done) == {"delivered": 1}


async def test_what_comes_while_it_runs_is_not_part_of_it(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.send(*(before := tracks(5)))
        await line.apply(webhook(receiver.url, "new", enabled=False))
        receiver.hang()
        number = await begin(line)
        await line.send(*tracks(5))
        receiver.release()
        done = await until(line, number, "done")
        assert ids(receiver.events()) == ids(before)
        assert done["requests"] == {"total": 5, "done": 5}


async def test_a_replay_of_nothing_is_done_at_once(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, "new"))
        done = await replayed(line)
        assert done["requests"] == {"total": 0, "done": 0}
        await line.send(*tracks(5))
        await receiver.wait_for(5)
        done = await replayed(line, until="1h")
        assert (done["requests"], delivered(done)) == ({"total": 0, "done": 0}, {})


async def test_a_destination_must_be_there_and_take_the_sources(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, "new", sources=("web",)))
        with pytest.raises(BadQuery, match=r"destination: .* there is: new"):
            await begin(line, "old")
        with pytest.raises(BadQuery, match="sources: new takes events of web only"):
            await begin(line, sources=["web", "ios"])
        await line.send(track(), source="ios")
        assert delivered(await replayed(line)) == {}
        assert len(await line.replays.newest(10)) == 1


async def test_a_dry_run_counts_and_sends_nothing(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        twice = track(event="Paid")
        await line.send(*tracks(3, event="Seen"), twice, twice, track(event="Paid", userId="u2"))
        await line.apply(webhook(receiver.url, "new", filter='userId != "u2"', enabled=False))
        done = await replayed(line, dryRun=True)
        assert done["dryRun"] is True
        assert done["found"] == {
            "Seen": {"delivered": 3},
            "Paid": {"delivered": 1, "duplicate": 1, "filtered": 1},
        }
        assert delivered(done) == {"delivered": 4, "duplicate": 1, "filtered": 1}
        assert done["requests"] == {"total": 6, "done": 6}
        assert receiver.requests == []


async def test_a_dry_run_counts_only_so_many_names_apart(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_run, "MAX_NAMES", 2)
    async with pipeline(tmp_path) as line:
        await line.send(*(track(event=f"Event {n}") for n in range(5)))
        await line.apply(webhook(receiver.url, "new", enabled=False))
        done = await replayed(line, dryRun=True)
        assert done["found"] == {
            "Event 0": {"delivered": 1},
            "Event 1": {"delivered": 1},
            "(others)": {"delivered": 3},
        }


async def test_a_dry_run_that_is_cancelled_keeps_what_it_counted(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.send(*tracks(5))
        await line.apply(webhook(receiver.url, "new", enabled=False))
        number = await begin(line, dryRun=True)
        cancelled = await line.replays.cancel(number)
        assert cancelled is not None
        assert cancelled["state"] in ("cancelled", "done")
        assert await line.replays.show(number) == cancelled


# beside live delivery


async def test_live_counts_stay_as_they_are(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, "new"))
        await line.send(*tracks(10))
        before = await line.done("new")
        await replayed(line)
        assert receiver.counts.total() == 20
        assert await line.status("new") | {"concurrency": 0} == before | {"concurrency": 0}


async def test_the_debugger_marks_what_a_replay_sent(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, "new"))
        await line.send(track())
        await line.done("new")
        await replayed(line)
        (shown,) = line.debugger.newest(Search(), 1)
        assert set(shown["deliveries"]) == {"new", "new (replay)"}
        assert shown["deliveries"]["new (replay)"]["state"] == "delivered"


async def test_a_replay_takes_half_of_the_places(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        await line.send(*tracks(100))
        await line.apply(webhook(receiver.url, "new", enabled=False, concurrency=7))
        done = await replayed(line)
        assert delivered(done) == {"delivered": 100}
        assert receiver.most_active <= 3


async def test_a_replay_takes_half_of_the_rate_and_no_more_than_it_may(
    receiver: Receiver, tmp_path: Path
) -> None:
    async with pipeline(tmp_path) as line:
        await line.send(*tracks(30))
        await line.apply(webhook(receiver.url, "new", enabled=False, rate_limit=100))
        began = time.monotonic()
        await replayed(line)
        assert time.monotonic() - began > 24 / 50  # 5 at once, the others at 50 a second
        began = time.monotonic()
        await line.apply(webhook(receiver.url, "new", enabled=False, batch_size=100))
        await replayed(line, rate=60)
        assert time.monotonic() - began > 23 / 60
        assert receiver.counts.total() == 60


async def test_a_replay_waits_while_live_delivery_is_held(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, "new"))
        receiver.always(503)
        await line.send(*(events := tracks(3)))
        await line.until(lambda s: s["state"] == "held", "new")
        number = await begin(line)
        requests = len(receiver.requests)
        await receiver.wait_for_requests(requests + 5)
        assert receiver.most_active <= 2
        assert await state_of(line, number) == "running"
        receiver.always(200)
        assert delivered(await until(line, number, "done")) == {"delivered": 3}
        assert set(receiver.counts) == ids(events)


async def test_a_live_gate_that_nobody_probes_does_not_hold_a_replay_up(tmp_path: Path) -> None:
    async with Choosy(failing_for("poison")) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, "new"))
        await line.send(*tracks(3), track(event="poison"))
        await line.until(lambda s: s["retrying"] == 1 and s["lag"] == 0, "new")
        done = await replayed(line, filter='event = "Tested"')
        assert delivered(done) == {"delivered": 3}


async def test_replays_to_one_destination_take_turns(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        await line.send(*tracks(20))
        await line.apply(webhook(receiver.url, "new", enabled=False, concurrency=2))
        receiver.hang()
        numbers = [await begin(line) for _ in range(3)]
        assert [await state_of(line, n) for n in numbers] == ["running", "waiting", "waiting"]
        assert await line.replays.cancel(numbers[1]) is not None
        assert await state_of(line, numbers[1]) == "cancelled"
        receiver.release()
        for number in (numbers[0], numbers[2]):
            assert delivered(await until(line, number, "done")) == {"delivered": 20}
        assert receiver.most_active == 1
        assert set(receiver.counts.values()) == {2}


async def test_retention_keeps_what_a_replay_still_needs(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.send(*tracks(10))
        await line.apply(webhook(receiver.url, "new", enabled=False, concurrency=1))
        assert line.replays.mark is None
        receiver.hang()
        number = await begin(line)
        assert line.replays.mark == 0
        receiver.release()
        await until(line, number, "done")
        await eventually(lambda: line.replays.mark is None, 60, lambda: "it is still needed")


# its own failures


async def test_what_a_replay_meets_with_is_a_dead_letter_of_the_destination(tmp_path: Path) -> None:
    async with Choosy(failing_for("refused", 410)) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, "new", enabled=False))
        await line.send(*tracks(2), *(refused := tracks(2, event="refused")))
        done = await replayed(line)
        assert delivered(done) == {"delivered": 2, "rejected": 2}
        letters = await line.letters("new")
        assert {letter["messageId"] for letter in letters} == ids(refused)
        assert {letter["replay"] for letter in letters} == {done["id"]}


async def test_a_dead_letter_of_both_is_there_once(tmp_path: Path) -> None:
    async with Choosy(failing_for("refused", 410)) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, "new"))
        await line.send(track(event="refused"))
        await line.until(lambda s: s["deadLetters"] == 1, "new")
        done = await replayed(line)
        (letter,) = await line.letters("new")
        assert letter["replay"] == done["id"]
        receiver.rule = lambda _: None
        assert await line.dead_letters.retry("new", None) == 1
        await receiver.wait_for(1)
        assert receiver.events()[0]["integrations"] == {"All": False, "Webhook": True}
        status = await line.status("new")
        assert (status["events"]["rejected"], status["events"]["delivered"]) == (1, 0)

        async def is_counted() -> bool:
            found = await line.replays.show(done["id"])
            return found is not None and delivered(found) == {"delivered": 1}

        await eventually(is_counted, 60, lambda: "the replay does not count it")
        assert await line.letters() == []
        assert await state_of(line, done["id"]) == "done"


async def test_dead_letters_of_a_replay_are_tried_again_after_a_restart(tmp_path: Path) -> None:
    async with Choosy(failing_for("refused", 410)) as receiver:
        async with pipeline(tmp_path) as line:
            await line.send(*tracks(3, event="refused"))
            await line.apply(webhook(receiver.url, "new", enabled=False))
            await replayed(line)
            receiver.always(503)
            receiver.rule = lambda _: None
            assert await line.dead_letters.retry(None, None) == 3
            await receiver.wait_for_requests(6)
        receiver.always(200)
        async with pipeline(tmp_path) as line:
            await line.apply(webhook(receiver.url, "new", enabled=False))
            await receiver.wait_for(3)
            await eventually(lambda: line.replays.mark is None, 60, lambda: "it goes on")
            (found,) = await line.replays.newest(1)
            assert (found["state"], delivered(found)) == ("done", {"delivered": 3})


async def test_it_is_done_when_nothing_is_parked_any_more(tmp_path: Path) -> None:
    async with Choosy(failing_for("stubborn")) as receiver, pipeline(tmp_path) as line:
        await line.send(*tracks(5), track(event="stubborn"), *tracks(5))
        await line.apply(webhook(receiver.url, "new", enabled=False))
        number = await begin(line)

        async def is_parked() -> bool:
            found = await line.replays.show(number)
            return found is not None and found["retrying"] == 1 and found["events"]["delivered"] == 10

        await eventually(is_parked, 60, lambda: "nothing is parked")
        assert await state_of(line, number) == "running"
        receiver.rule = lambda _: None
        assert delivered(await until(line, number, "done")) == {"delivered": 11}


async def test_order_of_users_is_kept(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        events = [track(userId=f"u{n % 3}", properties={"n": n}) for n in range(60)]
        await line.send(*events)
        await line.apply(webhook(receiver.url, "new", enabled=False, order="user"))
        await replayed(line)
        for user in ("u0", "u1", "u2"):
            seen = [e["properties"]["n"] for e in receiver.events() if e["userId"] == user]
            assert seen == sorted(seen)
        assert receiver.counts.total() == 60


# its life


async def stopped_at(receiver: Choosy, line: Pipeline, n: int, stopping: Coroutine[Any, Any, None]) -> None:
    """Answer `n` requests of the replay that is running; begin to stop it, and answer what was on its way."""
    (active,) = line.replays._active.values()
    await receiver.wait_for(n)
    task = asyncio.create_task(stopping)
    courier = active.consumer.courier
    await eventually(lambda: courier.is_stopping, 60, lambda: "it does not stop")
    await receiver.let_go()
    await task


async def test_after_a_stop_it_goes_on_where_it_was(tmp_path: Path) -> None:
    async with Choosy() as receiver:
        receiver.wakes = lambda: receiver.counts.total() < 50
        async with pipeline(tmp_path) as line:
            await line.send(*(events := tracks(200)))
            await line.apply(webhook(receiver.url, "new", enabled=False))
            number = await begin(line)
            await stopped_at(receiver, line, 50, line.replays.close())
        assert receiver.counts.total() < 200
        async with pipeline(tmp_path) as line:
            assert await state_of(line, number) == "running"
            await line.apply(webhook(receiver.url, "new", enabled=False))
            assert delivered(await until(line, number, "done")) == {"delivered": 200}
            assert receiver.counts == dict.fromkeys(ids(events), 1)


async def test_a_cancelled_replay_lets_what_is_on_its_way_arrive(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.send(*tracks(100))
        await line.apply(webhook(receiver.url, "new", enabled=False, concurrency=2))
        receiver.hang()
        number = await begin(line)

        async def is_busy() -> bool:
            return any(a.consumer.courier.gate.active for a in line.replays._active.values())

        await eventually(is_busy, 60, lambda: "nothing is sent")
        cancelling = asyncio.create_task(line.replays.cancel(number))
        await asyncio.sleep(0)
        receiver.release()
        cancelled = await cancelling
        assert cancelled is not None
        assert (cancelled["state"], delivered(cancelled)) == ("cancelled", {"delivered": 1})
        assert receiver.counts.total() == 1
        assert await line.replays.cancel(number) == cancelled
        await line.apply(webhook(receiver.url, "new", enabled=False, concurrency=4))
        assert await state_of(line, number) == "cancelled"


async def test_cancelling_forgets_what_is_parked(tmp_path: Path) -> None:
    async with Choosy(failing_for("stubborn")) as receiver, pipeline(tmp_path) as line:
        await line.send(*tracks(3), track(event="stubborn"), *tracks(3))
        await line.apply(webhook(receiver.url, "new", enabled=False))
        number = await begin(line)

        async def is_parked() -> bool:
            found = await line.replays.show(number)
            return found is not None and found["retrying"] == 1

        await eventually(is_parked, 60, lambda: "nothing is parked")
        cancelled = await line.replays.cancel(number)
        assert cancelled is not None
        assert (cancelled["state"], cancelled["retrying"]) == ("cancelled", 0)


async def test_one_that_is_done_cannot_be_cancelled(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, "new"))
        done = await replayed(line)
        assert await line.replays.cancel(done["id"]) == done
        assert await line.replays.cancel(done["id"] + 1) is None
        assert await line.replays.show(done["id"] + 1) is None


async def test_it_goes_on_with_the_new_settings_of_its_destination(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        receiver.wakes = lambda: receiver.counts.total() < 10
        await line.send(*(events := tracks(100)))
        await line.apply(webhook(receiver.url + "/a", "new", enabled=False))
        number = await begin(line)
        new = webhook(receiver.url + "/b", "new", enabled=False)
        await stopped_at(receiver, line, 10, line.apply(new))
        assert delivered(await until(line, number, "done")) == {"delivered": 100}
        assert receiver.counts == dict.fromkeys(ids(events), 1)
        assert receiver.events("/a")
        assert receiver.events("/b")


async def test_it_fails_when_its_destination_is_gone(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.send(*tracks(100))
        await line.apply(webhook(receiver.url, "new", enabled=False), webhook(receiver.url, "other"))
        number = await begin(line, rate=0.001)
        await receiver.wait_for(1)
        await line.apply(webhook(receiver.url, "other"))
        failed = await until(line, number, "failed")
        assert failed["reason"] == "the destination is not in relay.toml any more"
        assert line.replays.mark is None


async def test_a_fault_of_our_own_costs_a_pause(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pipeline(tmp_path) as line:
        await line.send(*(events := tracks(10)))
        await line.apply(webhook(receiver.url, "new", enabled=False))
        real, faults = replaying.Replaying._read, [RuntimeError(), RuntimeError()]

        async def read(self: replaying.Replaying) -> Any:
            if faults:
                raise faults.pop()
            return await real(self)

        monkeypatch.setattr(replaying.Replaying, "_read", read)
        assert delivered(await replayed(line)) == {"delivered": 10}
        assert receiver.counts == dict.fromkeys(ids(events), 1)


async def test_they_are_listed_newest_first(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, "new"))
        numbers = [(await replayed(line, events=[f"Event {n}"]))["id"] for n in range(3)]
        found = await line.replays.newest(2)
        assert [one["id"] for one in found] == [numbers[2], numbers[1]]
        assert found[0]["query"]["events"] == ("Event 2",)
