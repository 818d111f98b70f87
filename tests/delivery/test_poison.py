"""Events that a destination cannot take, among those it can."""

import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from relay.delivery import pace
from relay.destinations.base import Destination
from relay.event import Event
from tests.delivery.choosy import Choosy, failing_for
from tests.delivery.clock import Clock
from tests.delivery.pipeline import Pipeline, ids, pipeline, track, tracks, webhook

pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize("batch_size", [1, 10])
async def test_an_event_that_is_always_answered_500_costs_no_other(batch_size: int, tmp_path: Path) -> None:
    async with Choosy(failing_for("poison")) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, batch_size=batch_size))
        good = tracks(60)
        await line.send(*good[:30], track(event="poison", messageId="p"), *good[30:])
        await receiver.wait_for_ids(ids(good))
        status = await line.until(lambda s: s["lag"] == 0)
        assert status["events"]["delivered"] == 60
        assert (status["retrying"], status["deadLetters"]) == (1, 0)
        receiver.rule = lambda _: None
        await line.send(track())
        status = await line.until(lambda s: s["lag"] == s["retrying"] == 0)
        assert status["events"]["delivered"] == 62
        assert receiver.counts["p"] == 1


async def test_a_poisoned_event_is_tried_until_retry_for_is_over_and_then_expired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "PARKED_FIRST", 10.0)
    monkeypatch.setattr(pace, "PARKED_MAX", 3600.0)
    now = Clock(time.time())
    start = now()
    async with Choosy(failing_for("poison")) as receiver, pipeline(tmp_path, now=now) as line:
        receiver.text = "it is poison"
        await line.apply(webhook(receiver.url, retry_for="4h"))
        await line.send(track(event="poison", messageId="p"), *tracks(3))
        status = await line.until(lambda s: s["lag"] == 0)
        assert (status["retrying"], status["events"]["delivered"]) == (1, 3)
        tries = [start]
        while (await line.status())["retrying"]:
            tries.append(await try_again(line, receiver, now))
            assert now() < start + 5 * 3600, "it was tried for longer than retry_for"
        (letter,) = await line.letters()
        assert letter["outcome"] == "expired"
        assert (letter["status"], letter["reason"], letter["reply"]) == (500, "500", "it is poison")
        assert letter["event"]["messageId"] == "p"
        assert letter["attempts"] >= 10
        assert tries[-1] - start == pytest.approx(4 * 3600, abs=1)
        waits = [b - a for a, b in pairwise(tries)]
        assert 7.5 <= waits[0] <= 12.5
        assert max(waits) <= 3600 * 1.25
        status = await line.status()
        assert status["events"]["expired"] == 1
        assert status["events"]["delivered"] == receiver.counts.total()


async def try_again(line: Pipeline, receiver: Choosy, now: Clock) -> float:
    """Let a good event pass, then move to when the parked one is due, and let it be tried."""
    now.move(0.01)
    await line.send(track())  # the destination answers others
    retries = line.consumer().retries
    await line.until(lambda s: s["lag"] == 0 and retries._next_at is not None)
    asked, next_at = len(receiver.requests), retries._next_at
    assert next_at is not None
    now.move(max(0.0, next_at / 1000 - now()) + 0.01)
    line.wake()
    await receiver.wait_for_requests(asked + 1)
    tried_at = now()
    await line.until(lambda s: not s["retrying"] or retries._next_at not in (None, next_at, now.at))
    return tried_at


@pytest.mark.parametrize("status", [500, 503])
async def test_poison_in_every_batch_holds_no_cursor(status: int, tmp_path: Path) -> None:
    async with Choosy(failing_for("poison", status)) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, batch_size=10, concurrency=4))
        bad = [track(event="poison") for _ in range(12)]
        good = tracks(108)
        for n in range(12):
            await line.send(*good[n * 9 : n * 9 + 9], bad[n])
        await receiver.wait_for_ids(ids(good))
        at_last = await line.until(lambda s: s["lag"] == 0)
        assert (at_last["events"]["delivered"], at_last["retrying"]) == (108, 12)
        assert at_last["deadLetters"] == 0
        assert not ids(bad) & receiver.counts.keys()


async def test_nothing_but_poison_holds_no_cursor_either(tmp_path: Path) -> None:
    async with Choosy(failing_for("poison")) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, batch_size=5))
        await line.send(*[track(event="poison") for _ in range(10)])
        status = await line.until(lambda s: s["lag"] == 0)
        assert status["retrying"] == 10
        assert await line.letters() == []


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_batch_that_is_refused_is_split_until_the_guilty_are_alone(
    status: int, tmp_path: Path
) -> None:
    async with Choosy(failing_for("guilty", status)) as receiver, pipeline(tmp_path) as line:
        receiver.text = "no thanks"
        await line.apply(webhook(receiver.url, batch_size=20, concurrency=1))
        good, guilty = tracks(38), [track(event="guilty") for _ in range(2)]
        await line.send_batch([*good[:5], guilty[0], *good[5:30], guilty[1], *good[30:]])
        await receiver.wait_for_ids(ids(good))
        at_last = await line.done()
        assert at_last["events"] | {"delivered": 38, "rejected": 2} == at_last["events"]
        letters = await line.letters()
        assert {letter["messageId"] for letter in letters} == ids(guilty)
        for letter in letters:
            assert letter["outcome"] == "rejected"
            assert (letter["status"], letter["reason"], letter["reply"]) == (status, str(status), "no thanks")
        assert receiver.counts == dict.fromkeys(ids(good), 1)


async def test_while_everything_is_refused_the_cursor_moves_and_all_is_kept(tmp_path: Path) -> None:
    async with Choosy(lambda _: (400, {})) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, batch_size=8))
        await line.send_batch(tracks(20))
        status = await line.done()
        assert status["events"]["rejected"] == status["deadLetters"] == 20
        assert status["state"] == "running"


async def test_an_event_that_cannot_be_made_into_a_request_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        hook = webhook(receiver.url, batch_size=4)
        make = type(hook.settings).requests

        def fragile(self: Destination, events: Sequence[Event], *rest: Any, **options: Any) -> Any:
            if any(b"unmappable" in e.json for e in events):
                raise KeyError("properties")
            return make(self, events, *rest, **options)

        monkeypatch.setattr(type(hook.settings), "requests", fragile)
        await line.apply(hook)
        good, bad = tracks(11), track(event="unmappable")
        await line.send_batch([*good[:6], bad, *good[6:]])
        await receiver.wait_for_ids(ids(good))
        assert (await line.done())["events"]["delivered"] == 11
        (letter,) = await line.letters()
        assert (letter["messageId"], letter["reason"]) == (bad["messageId"], "INTERNAL")
        assert letter["status"] is None
