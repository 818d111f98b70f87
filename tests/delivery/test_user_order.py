"""`order = "user"`: the events of one person arrive in their order, whatever happens in between."""

import random
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relay.delivery import pace
from tests.delivery.choosy import Choosy, failing_for
from tests.delivery.pipeline import Pipeline, ids, pipeline, target, track, webhook
from tests.receiver import Receiver, Reply

pytestmark = pytest.mark.usefixtures("quick")


def of_users(users: int, each: int) -> list[dict[str, Any]]:
    """Events of some users in turn; `properties.n` counts those of each."""
    return [track(userId=f"user-{u}", properties={"n": n}) for n in range(each) for u in range(users)]


def numbers_by_user(receiver: Receiver) -> dict[str, list[int]]:
    """For each user the numbers in order of arrival, without what came again."""
    seen: dict[str, list[int]] = defaultdict(list)
    for event in receiver.events():
        if event["properties"]["n"] not in seen[event["userId"]]:
            seen[event["userId"]].append(event["properties"]["n"])
    return seen


def check_order(receiver: Receiver, users: int, each: int) -> None:
    assert numbers_by_user(receiver) == {f"user-{u}": list(range(each)) for u in range(users)}


def failing_at_random(seed: int, status: int) -> Callable[[bytes], Reply | None]:
    chance = random.Random(seed)
    return lambda _: (status, {}) if chance.random() < 0.3 else None


async def all_in(line: Pipeline) -> dict[str, Any]:
    """The status once nothing waits any more; good events keep the destination awake."""

    async def awake() -> None:
        await line.send(track(userId="other", properties={"n": 0}, messageId="other"))

    await awake()
    return await line.until(lambda s: s["lag"] == 0 and s["retrying"] == 0)


@pytest.mark.parametrize("batch_size", [1, 7])
async def test_each_users_events_arrive_in_order_at_a_concurrency_of_eight(
    batch_size: int, tmp_path: Path
) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        receiver.wakes = lambda: receiver.active > 1 or batch_size > 1 or receiver.counts.total() > 9
        await line.apply(webhook(receiver.url, order="user", concurrency=8, batch_size=batch_size))
        await line.send_batch(of_users(20, 10))
        await receiver.wait_for(200)
        check_order(receiver, 20, 10)
        assert receiver.counts.total() == 200


@pytest.mark.parametrize("status", [500, 503, 429])
@pytest.mark.parametrize("batch_size", [1, 7])
async def test_failures_in_between_do_not_change_the_order(
    batch_size: int, status: int, tmp_path: Path
) -> None:
    rule = failing_at_random(17 * status + batch_size, status)
    async with Choosy(rule) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, order="user", concurrency=8, batch_size=batch_size))
        events = of_users(8, 10)
        for start in range(0, 80, 20):
            await line.send(*events[start : start + 20])
        await line.until(lambda s: s["lag"] == 0)
        receiver.rule = lambda _: None
        done = await all_in(line)
        assert ids(events) <= receiver.counts.keys()
        assert done["events"]["delivered"] == 81
        numbers = numbers_by_user(receiver)
        numbers.pop("other")
        assert numbers == {f"user-{u}": list(range(10)) for u in range(8)}


async def test_later_events_of_a_user_wait_behind_a_parked_one_and_other_users_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Choosy(failing_for("poison")) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, order="user", concurrency=8))
        events = of_users(4, 6)
        poisoned = events[5]  # the second of user-1
        poisoned["event"] = "poison"
        await line.send(*events)
        status = await line.until(lambda s: s["lag"] == 0)
        assert status["retrying"] == 5
        assert {u: len(n) for u, n in numbers_by_user(receiver).items()} == {
            "user-0": 6,
            "user-1": 1,
            "user-2": 6,
            "user-3": 6,
        }
        receiver.rule = lambda _: None
        done = await all_in(line)
        assert done["events"]["delivered"] == 25
        assert numbers_by_user(receiver)["user-1"] == list(range(6))
        assert receiver.counts.total() == 25


async def test_parked_events_keep_their_order_over_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = of_users(3, 6)
    events[1]["event"] = "poison"  # the first of user-1
    async with Choosy(failing_for("poison")) as receiver:
        hook = webhook(receiver.url, order="user", concurrency=8)
        with monkeypatch.context() as patch:
            patch.setattr(pace, "PARKED_FIRST", 0.5)
            async with pipeline(tmp_path) as line:
                await line.apply(hook)
                await line.send(*events[:9])
                assert (await line.until(lambda s: s["lag"] == 0))["retrying"] == 3
        receiver.rule = lambda _: None
        async with pipeline(tmp_path) as line:
            await line.apply(hook)
            await line.send(*events[9:])
            assert (await all_in(line))["events"]["delivered"] == 19
        assert numbers_by_user(receiver)["user-1"] == list(range(6))


async def test_a_batch_whose_users_all_came_to_wait_is_not_sent_empty(tmp_path: Path) -> None:
    """The next event of a user is ready to go when the one before it is parked."""
    async with Choosy(failing_for("poison")) as receiver, pipeline(tmp_path) as line:
        await line.apply(
            webhook(receiver.url, order="user", settings={"shared_secret": "s"}),
            webhook(receiver.url, "plain", order="user"),
        )
        await line.send(track(event="poison"), track(), track(userId="u2"))
        for name in ("hook", "plain"):
            status = await line.until(lambda s: s["lag"] == 0 and s["events"]["delivered"] == 1, name)
            assert status["retrying"] == 2
        assert all(list(request.events()) for request in receiver.requests), "an empty request was sent"


async def test_a_user_without_any_id_is_nobody_and_keeps_no_one_waiting(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, order="user"))
        await line.send(
            track(userId=None, anonymousId="a"),
            {**track(), "type": "alias", "previousId": "p", "userId": "u"},
        )
        await receiver.wait_for(2)
        assert (await line.done())["events"]["delivered"] == 2


async def test_a_redriven_dead_letter_does_not_let_others_overtake_a_parked_event(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        receiver.rule = lambda body: (
            (410, {}) if b"refused" in body else (500, {}) if b"poison" in body else None
        )
        await line.apply(webhook(receiver.url, order="user"))
        await line.send(track(event="refused", properties={"n": 0}))
        await line.until(lambda s: s["deadLetters"] == 1)
        await line.send(track(event="poison", properties={"n": 1}), track(userId="u2", properties={"n": 0}))
        await line.until(lambda s: s["lag"] == 0 and s["retrying"] == 1)
        receiver.rule = failing_for("poison")
        await line.dead_letters.retry("hook", None)
        await line.send(track(userId="u2", properties={"n": 1}))
        await line.until(lambda s: s["events"]["rejected"] == 0 and s["events"]["delivered"] == 3)
        await line.send(track(properties={"n": 2}), track(userId="u2", properties={"n": 2}))
        await line.until(lambda s: s["lag"] == 0)
        assert numbers_by_user(receiver)["u1"] == [0], "n = 2 overtook n = 1"


async def test_a_batch_forwarded_in_order_stays_in_order(receiver: Receiver, tmp_path: Path) -> None:
    from relay.destinations.relay import Relay  # noqa: PLC0415  nothing else here knows of it

    async with pipeline(tmp_path) as line:
        settings = Relay(write_key="k")
        await line.apply(target("next", "relay", settings, endpoint=receiver.url, order="user", batch_size=9))
        await line.send_batch(of_users(5, 9))
        await receiver.wait_for(45)
        check_order(receiver, 5, 9)
