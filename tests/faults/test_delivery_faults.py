"""Faults that delivery once had, each by the story in which it was found."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from relay.console.debugger import Debugger
from relay.console.exchanges import BODY_KEPT
from relay.console.search import Search
from relay.delivery import consumer as consumer_room
from relay.delivery import dead_letters as dead_letters_room
from relay.delivery import delivery as delivery_room
from relay.delivery import pace
from relay.delivery.account import Account
from relay.delivery.replays import Active
from relay.delivery.retries import Retries
from relay.destinations.actions import Action, Call, Subscription, by_name
from relay.destinations.actions.requests import json_request
from relay.destinations.base import Request, Steps
from relay.destinations.errors import Busy, of_status
from relay.destinations.oauth import Tokens
from relay.destinations.reply import Reply
from relay.destinations.secrets import mask
from relay.destinations.webhook import Webhook
from relay.event import Event
from tests.acceptance.relay_process import eventually
from tests.delivery.choosy import Choosy, failing_for
from tests.delivery.conftest import quick
from tests.delivery.pipeline import Pipeline, Target, pipeline, target, track, tracks, webhook
from tests.delivery.test_flows import FIELDS, HOST, Shelf, paths, shelf
from tests.delivery.test_user_order import numbers_by_user

__all__ = ["quick"]

pytestmark = pytest.mark.usefixtures("quick")


def two_ways(url: str, first: str, second: str, **fields: Any) -> Target:
    """The shelf, with batches, which asks for events by two subscriptions in FQL."""
    both = (Subscription("put", first), Subscription("refuse", second))
    fields = {"batch_size": 4, "batch_wait": "50ms", "order": "user"} | fields
    return target("hook", "shelf", Shelf(), endpoint=url, subscriptions=both, **fields)


def sent(receiver: Choosy) -> list[str]:
    """The messageIds in the order of arrival."""
    bodies = [json.loads(request.body) for request in receiver.requests]
    return [one["messageId"] for body in bodies for one in (body if isinstance(body, list) else [body])]


async def until(holds: Callable[[], bool]) -> None:
    """Return once `holds()`."""

    async def look() -> bool:
        return holds()

    await eventually(look, 60, lambda: "it never came to that")


# what waits, and for whom


async def test_a_pending_event_is_sent_though_all_that_came_after_it_fills_the_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer_room, "MAX_OPEN_RECORDS", 50)
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        hook = webhook(receiver.url, filter='event = "Keep"', batch_size=10, batch_wait="1m")
        await line.apply(hook)
        await line.send(track(event="Keep"), *tracks(100))
        await receiver.wait_for(1)
        await line.until(lambda s: s["events"]["filtered"] == 100)


async def test_nobody_looks_at_the_table_again_and_again_while_a_user_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    look = Retries._try_due

    async def counted(self: Retries, limit: int) -> None:
        nonlocal looks
        looks += 1
        await look(self, limit)

    monkeypatch.setattr(Retries, "_try_due", counted)
    monkeypatch.setattr(pace, "PARKED_FIRST", 60.0)
    monkeypatch.setattr(pace, "PARKED_MAX", 60.0)
    async with Choosy(failing_for("poison")) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, order="user"))
        await line.send(track(event="poison"), track(userId="other"))
        await line.until(lambda s: s["retrying"] == 1)
        await line.send(track())
        await line.until(lambda s: s["retrying"] == 2)
        for n in range(50):
            await line.send(track(userId=f"other-{n}"))
        await line.until(lambda s: s["lag"] == 0 and s["events"]["delivered"] == 51)
        assert looks < 5


async def test_a_pending_event_is_not_overtaken_by_one_that_was_parked_behind_it(tmp_path: Path) -> None:
    async with Choosy(failing_for("poison")) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, order="user", batch_size=3, batch_wait="1m"))
        first = [track(userId=u, properties={"n": 0}) for u in ("u", "v", "w")]
        first[0]["event"] = "poison"
        await line.send(*first, track(userId="u", properties={"n": 1}))
        await line.until(lambda s: s["retrying"] == 1)
        await line.send(track(userId="u", properties={"n": 2}))
        await line.until(lambda s: s["retrying"] == 3)
        receiver.rule = lambda _: None
        await line.send(*(track(userId=u, properties={"n": 1}) for u in ("v", "w", "x")))
        await line.until(lambda s: s["retrying"] == 0 and s["lag"] == 0)
        assert numbers_by_user(receiver)["u"] == [0, 1, 2]


async def test_an_event_that_is_parked_by_one_subscription_is_not_overtaken_by_another(
    tmp_path: Path,
) -> None:
    async with Choosy(failing_for("stuck")) as receiver, pipeline(tmp_path) as line:
        await line.apply(two_ways(receiver.url, 'event = "A"', 'event = "B"'))
        await line.send(track(userId="x", event="B"))
        stuck, later = track(event="A", messageId="stuck"), track(event="B", messageId="later")
        await line.send_batch([stuck, later, track(userId="y", event="B")])
        assert (await line.until(lambda s: s["lag"] == 0))["retrying"] == 2
        assert receiver.counts["later"] == 0
        receiver.rule = lambda _: None
        await line.until(lambda s: s["retrying"] == 0)
        assert sent(receiver)[-2:] == ["stuck", "later"]


async def test_an_event_of_two_subscriptions_that_one_parks_keeps_its_users_later_events_waiting(
    tmp_path: Path,
) -> None:
    async with Choosy(failing_for("stuck")) as receiver, pipeline(tmp_path) as line:
        await line.apply(two_ways(receiver.url, 'type = "track"', 'type = "track"'))
        await line.send(track(userId="x"))
        batch = [track(messageId="stuck"), track(messageId="later"), track(userId="y")]
        await line.send_batch(batch)
        assert (await line.until(lambda s: s["lag"] == 0))["retrying"] == 2
        assert receiver.counts["later"] == 0
        receiver.rule = lambda _: None
        status = await line.until(lambda s: s["retrying"] == 0)
        assert status["events"]["delivered"] == 4
        assert sent(receiver)[-4:] == ["stuck", "stuck", "later", "later"]


async def test_with_order_kept_a_batch_does_not_go_subscription_by_subscription(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        await line.apply(two_ways(receiver.url, 'event = "A"', 'event = "B"'))
        await line.send_batch([track(messageId=str(n), event="AB"[n % 2]) for n in range(4)])
        assert (await line.done())["events"]["delivered"] == 4
        assert sent(receiver) == ["0", "1", "2", "3"]


# what one event or one flow may not cost the others


async def test_two_subscriptions_that_say_the_same_are_two(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        await line.apply(shelf(receiver.url, "put", "put"))
        await line.send(track(), track())
        assert (await line.done())["events"]["delivered"] == 2
        assert paths(receiver) == ["/put"] * 4


@pytest.mark.parametrize("fields", [{"url": "http://..../"}, {"headers": {"x-name": "two\r\nlines"}}])
async def test_an_event_that_cannot_be_written_as_a_request_does_not_hold_the_destination(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        paths_of = {key: {"@path": f"$.properties.{key}"} for key in ("url", "headers")}
        mapping = {"method": "POST", "data": {"@path": "$"}, **paths_of}
        sends = (Subscription("send", 'type = "track"', mapping),)
        await line.apply(target("hook", "webhook", Webhook(), subscriptions=sends, concurrency=1))
        good = {"url": receiver.url, "headers": {}}
        await line.send(track(properties=good | fields), track(properties=good))
        status = await line.done()
        assert (status["events"]["delivered"], status["events"]["rejected"]) == (1, 1)
        (letter,) = await line.letters()
        assert (letter["reason"], letter["status"]) == ("INVALID_REQUEST", None)


def _locked(_: Any, call: Call) -> Steps:
    yield json_request("POST", f"{HOST}/locked", {"messageId": call.get("id")})
    if call.get("id") == "stuck":
        raise Busy("the record is locked", "LOCKED")


def _miscounting(_: Any, calls: Sequence[Call]) -> Steps:
    yield json_request("POST", f"{HOST}/miscounting", {})
    return [None, *(of_status(500, "no") for _ in calls)]


class Odd(Shelf, frozen=True):
    """Its actions are troubled."""

    actions: ClassVar[dict[str, Action]] = by_name(
        Action(name="put", title="Put", about=".", fields=FIELDS, perform=_locked),
        Action(
            name="miscounting",
            title="Miscounting",
            about=".",
            fields=FIELDS,
            perform=_locked,
            perform_batch=_miscounting,
        ),
    )


async def test_an_event_that_a_flow_calls_busy_for_ever_steps_aside(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        await line.apply(target("hook", "shelf", Odd(), endpoint=receiver.url, concurrency=1))
        await line.send(track(messageId="stuck"), track())
        await line.until(lambda s: s["lag"] == 0 and s["events"]["delivered"] == 1 and s["retrying"] == 1)


async def test_a_flow_that_returns_results_of_another_number_costs_only_its_events(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        sends = (Subscription("miscounting", 'event = "Miscounting"'), Subscription("put", 'event = "Put"'))
        odd = target(
            "hook",
            "shelf",
            Odd(),
            endpoint=receiver.url,
            subscriptions=sends,
            batch_size=9,
            batch_wait="50ms",
        )
        await line.apply(odd)
        await line.send_batch([*tracks(3, event="Miscounting"), track(event="Put")])
        events = (await line.done())["events"]
        assert (events["delivered"], events["rejected"]) == (1, 3)


async def test_answers_wake_no_more_parcels_than_may_be_on_their_way(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        receiver.hang()
        await line.apply(shelf(receiver.url, "refuse", batch_size=50, concurrency=20))
        await line.send_batch(tracks(2000))
        await until(lambda: receiver.active > 1)
        waiting = len(line.consumer().courier.moved._futures)
        receiver.release()
        await line.done()
        assert waiting <= 2 * 20 + 2


# dead letters and replays


async def test_a_redrive_does_not_take_up_what_is_refused_again_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters_room, "_AT_ONCE", 1)
    async with Choosy(lambda _: (410, {})) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url))
        await line.send_batch(tracks(30))
        await line.until(lambda s: s["deadLetters"] == 30)
        async with asyncio.timeout(60):
            assert await line.dead_letters.retry("hook", None) == 30


async def test_a_cancel_that_comes_as_a_replay_ends_drops_no_letter_that_was_redriven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Choosy(failing_for("bad", 410)) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url))
        await line.send(track(event="bad"))
        await line.until(lambda s: s["deadLetters"] == 1)
        await line.dead_letters.drop("hook", None)
        number = (await line.replays.start({"destination": "hook"}))["id"]
        redrives: list[asyncio.Task[int]] = []
        stop = line.replays._stop

        async def stop_late(active: Active) -> None:
            await _until_replay(line, number, lambda shown: shown["state"] == "done")
            redrives.append(asyncio.create_task(line.dead_letters.retry("hook", None)))
            await _until_replay(line, number, lambda shown: shown["retrying"] == 1)
            receiver.rule = lambda _: None
            await stop(active)

        with monkeypatch.context() as patch:
            patch.setattr(line.replays, "_stop", stop_late)
            await line.replays.cancel(number)
        assert await redrives[0] == 1
        await _until_replay(line, number, lambda shown: shown["events"]["delivered"] == 1)


async def _until_replay(line: Pipeline, number: int, holds: Callable[[dict[str, Any]], bool]) -> None:
    async def look() -> bool:
        return holds(await line.replays.show(number) or {})

    await eventually(look, 60, lambda: "the replay never came to that")


# stopping, changing, and a database that cannot


async def test_a_stop_in_the_middle_of_a_change_waits_for_it(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url))
        receiver.hang()
        await line.send(track())
        await until(lambda: receiver.active == 1)
        courier = line.consumer().courier
        changing = asyncio.create_task(line.apply(webhook(receiver.url, concurrency=3)))
        await until(lambda: courier.is_stopping)
        closing = asyncio.create_task(line.delivery.close())
        await asyncio.wait([closing], timeout=0.01)
        receiver.release()
        await asyncio.gather(changing, closing)
        assert (line.delivery.consumers, line.delivery._runs) == ({}, {})


async def test_a_change_that_was_given_up_in_the_middle_can_be_made_again(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url))
        receiver.hang()
        await line.send(track())
        await until(lambda: receiver.active == 1)
        courier = line.consumer().courier
        changing = asyncio.create_task(line.apply(webhook(receiver.url, concurrency=3)))
        await until(lambda: courier.is_stopping)
        changing.cancel()
        await asyncio.wait([changing])
        receiver.release()
        await line.apply(webhook(receiver.url, concurrency=4))
        await line.send(track())
        assert (await line.done())["events"]["delivered"] == 2


async def test_a_status_is_given_though_destinations_come_and_go_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url), webhook(receiver.url, "other"))
        read, may_read = line.state.read, asyncio.Event()

        async def late(work: Any) -> Any:
            await may_read.wait()
            return await read(work)

        with monkeypatch.context() as patch:
            patch.setattr(line.state, "read", late)
            asking = asyncio.create_task(line.delivery.status())
            await asyncio.sleep(0)
        await line.apply(webhook(receiver.url, "third"))
        may_read.set()
        assert [one["name"] for one in await asking] == ["hook", "other"]


async def test_a_destination_comes_back_when_the_database_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_room, "RESTART_SECONDS", 0.01)
    async with Choosy(failing_for("poison")) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url))
        await line.send(track(event="poison"), *tracks(10))
        await line.until(lambda s: s["retrying"] == 1)
        broken, refused = line.consumer(), 0
        tried_often = asyncio.Event()

        async def refuse(_: object) -> None:
            nonlocal refused
            refused += 1
            if refused > 20:
                tried_often.set()
            raise sqlite3.OperationalError("disk I/O error")

        with monkeypatch.context() as patch:
            patch.setattr(line.state, "write", refuse)
            broken.fates.on_parked(0)
            async with asyncio.timeout(60):
                await tried_often.wait()
        receiver.rule = lambda _: None
        await line.send(track())
        status = await line.until(lambda s: s["retrying"] == 0 and s["lag"] == 0)
        assert status["events"]["delivered"] == 12


# secrets and tokens


def test_a_secret_that_the_cut_goes_through_is_hidden() -> None:
    secret = "s3cr3t-key-0123456789"
    text = "x" * (BODY_KEPT - 10) + secret + "x" * BODY_KEPT
    debugger = Debugger()
    event = Event(1, 0, "web", "m", json.dumps({"messageId": "m"}).encode())
    debugger.admitted([[event]])
    request = Request("POST", "https://example.com/", {}, text.encode())
    debugger.attempted("hook", [event], request, Reply(200, text), mask([secret]))
    (shown,) = debugger.newest(Search(), 1)
    for body in (shown["deliveries"]["hook"][part]["body"] for part in ("request", "reply")):
        assert len(body) <= BODY_KEPT
        assert secret[:5] not in body


class Forgetful:
    """A store of tokens in which nothing is."""

    async def read(self, _: str) -> None:
        """Nothing."""

    async def write(self, _: str, __: Tokens) -> None:
        """It is not kept."""

    async def forget(self, _: str) -> None:
        """There was nothing."""


async def test_a_logout_in_the_moment_in_which_a_renewal_begins_breaks_no_later_one() -> None:
    store: Any = Forgetful()
    account = Account("key", None, store, time.time)

    async def ask(refresh_token: str) -> Tokens:
        return Tokens(f"access after {refresh_token}", "next")

    await account.log_in(Tokens("first", "one"))
    old = await account.tokens()
    assert old is not None
    forgetting = account.forget()
    renewal = account.begin_renewal(old, ask)
    assert renewal is not None
    with pytest.raises(StopIteration):  # it runs to its end before the loop comes to the renewal
        forgetting.send(None)
    assert await renewal is None
    assert await account.tokens() is None
    new = Tokens("second", "two")
    await account.log_in(new)
    assert await account.renew(new, ask) is None
    assert await account.tokens() == Tokens("access after two", "next")
