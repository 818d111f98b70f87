"""Actions on the delivery path: several requests for one event, several subscriptions, a result for each event."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from relay.console.search import Search
from relay.destinations.actions import Action, ActionDestination, Call, Preset, Subscription, by_name
from relay.destinations.actions.fields import path, text
from relay.destinations.actions.requests import bare_request, json_request
from relay.destinations.base import Steps
from relay.destinations.errors import Busy, HttpError, Refused, of_status
from relay.destinations.reply import Reply
from tests.delivery.choosy import Choosy
from tests.delivery.clock import Clock
from tests.delivery.pipeline import Target, pipeline, target, track, tracks

pytestmark = pytest.mark.usefixtures("quick")

FIELDS = {"id": text("Which.", required=True, default=path("$.messageId"))}
HOST = "https://vendor.invalid"


def _put(_: "Shelf", call: Call) -> Steps:
    yield json_request("POST", f"{HOST}/put", {"messageId": call.get("id")})


def _put_all(_: "Shelf", calls: Sequence[Call]) -> Steps:
    reply = yield json_request("POST", f"{HOST}/put-all", [{"messageId": c.get("id")} for c in calls])
    statuses = reply.json().get("statuses", {})
    return [of_status(statuses.get(call.get("id"), 200), "the vendor says no") for call in calls]


def _upsert(_: "Shelf", call: Call) -> Steps:
    try:
        found = yield bare_request("GET", f"{HOST}/find")
    except HttpError as error:
        if error.status != 404:
            raise
        yield json_request("POST", f"{HOST}/create", {"messageId": call.get("id")})
        return
    yield json_request("PUT", f"{HOST}/update/{found.json()['key']}", {"messageId": call.get("id")})


def _refuse(_: "Shelf", call: Call) -> Steps:
    if call.event.get("event") == "Bad":
        raise Refused("name is not allowed", "NOT_ALLOWED", fields=("name",))
    yield json_request("POST", f"{HOST}/refuse", {"messageId": call.get("id")})


def _slow(_: "Shelf", call: Call) -> Steps:
    reply = yield json_request("POST", f"{HOST}/slow", {"messageId": call.get("id")})
    if reply.json().get("code") == 40100:
        raise Busy("too fast", "40100", after=30)


class Shelf(ActionDestination, frozen=True):
    """Puts things on shelves."""

    title: ClassVar[str] = "Shelf"
    summary: ClassVar[str] = "Shelves."
    default_endpoint: ClassVar[str | None] = HOST
    batch: ClassVar[int] = 1
    max_batch: ClassVar[int] = 100
    actions: ClassVar[Mapping[str, Action]] = by_name(
        Action(name="put", title="Put", about=".", fields=FIELDS, perform=_put, perform_batch=_put_all),
        Action(name="upsert", title="Upsert", about=".", fields=FIELDS, perform=_upsert),
        Action(name="slow", title="Slow", about=".", fields=FIELDS, perform=_slow),
        Action(name="refuse", title="Refuse", about=".", fields=FIELDS, perform=_refuse),
    )
    presets: ClassVar[Sequence[Preset]] = (Preset("Everything", "put", 'type = "track"'),)


def shelf(url: str, *actions: str, **fields: Any) -> Target:
    """The shelf with one subscription to each of `actions`, for every track."""
    subscriptions = tuple(Subscription(action, 'type = "track"') for action in actions) or None
    return target("hook", "shelf", Shelf(), endpoint=url, subscriptions=subscriptions, **fields)


def paths(receiver: Choosy) -> list[str]:
    return [request.path for request in receiver.requests]


async def test_the_presets_hold_where_nothing_else_is_said(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        await line.apply(shelf(receiver.url))
        await line.send(track(), {"type": "page", "userId": "u", "messageId": "p"})
        events = (await line.done())["events"]
        assert (events["delivered"], events["filtered"]) == (1, 1)
        (page,) = line.debugger.newest(Search(event="page"), 1)
        assert page["deliveries"]["hook"]["reason"] == "NO_MATCHING_MAPPING"


async def test_a_flow_goes_on_with_what_it_was_answered(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        receiver.text = json.dumps({"key": "k7"})
        await line.apply(shelf(receiver.url, "upsert"))
        await line.send(track(messageId="m"))
        assert (await line.done())["events"]["delivered"] == 1
        assert paths(receiver) == ["/find", "/update/k7"]


async def test_a_flow_may_cope_with_an_answer(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        receiver.answers((404, {}))
        await line.apply(shelf(receiver.url, "upsert"))
        await line.send(track())
        assert (await line.done())["events"]["delivered"] == 1
        assert paths(receiver) == ["/find", "/create"]


async def test_a_flow_that_met_trouble_begins_anew(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        receiver.answers((404, {}), (503, {}), (404, {}))
        await line.apply(shelf(receiver.url, "upsert"))
        await line.send(track())
        assert (await line.done())["events"]["delivered"] == 1
        assert paths(receiver) == ["/find", "/create", "/find", "/create"]


async def test_what_a_flow_refuses_is_a_dead_letter_that_nobody_was_asked_about(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        await line.apply(shelf(receiver.url, "refuse"))
        await line.send(track(event="Bad"), track())
        events = (await line.done())["events"]
        assert (events["delivered"], events["rejected"]) == (1, 1)
        (letter,) = await line.letters()
        assert (letter["reason"], letter["status"]) == ("NOT_ALLOWED", None)
        assert letter["reply"] == "name is not allowed"
        assert paths(receiver) == ["/refuse"]


async def test_a_batch_may_have_a_result_for_each_event(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        receiver.text = json.dumps({"statuses": {"bad": 422, "busy": 503}})
        await line.apply(shelf(receiver.url, "put", batch_size=10, batch_wait="50ms"))
        await line.send_batch([*tracks(3), track(messageId="bad"), track(messageId="busy")])
        status = await line.until(lambda s: s["lag"] == 0 and s["events"]["rejected"] == 1)
        assert status["deadLetters"] == 1
        await receiver.wait_until(lambda: receiver.counts["busy"] >= 2, 60, lambda: str(receiver.counts))
        assert receiver.counts["bad"] == 1, "what was refused is not sent again"
        assert all(n == 1 for message, n in receiver.counts.items() if message != "busy")
        (letter,) = await line.letters()
        assert (letter["messageId"], letter["status"]) == ("bad", 422)
        receiver.text = "{}"
        assert (await line.until(lambda s: s["retrying"] == 0))["events"]["delivered"] == 4


async def test_an_event_of_two_subscriptions_is_delivered_once_both_are_served(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        await line.apply(shelf(receiver.url, "put", "refuse"))
        await line.send_batch(tracks(5))
        assert (await line.done())["events"]["delivered"] == 5
        assert sorted(paths(receiver)) == ["/put"] * 5 + ["/refuse"] * 5


async def test_one_refusal_of_two_is_a_dead_letter_and_redriven_serves_only_that_one(tmp_path: Path) -> None:
    async with Choosy(lambda body: (422, {}) if is_open else None) as receiver, pipeline(tmp_path) as line:
        is_open = False
        await line.apply(shelf(receiver.url, "put", "refuse"))
        await line.send(track(event="Bad", messageId="m"))
        assert (await line.done())["events"]["rejected"] == 1
        assert paths(receiver) == ["/put"]
        await line.apply(shelf(receiver.url, "put", "upsert"))
        receiver.text = json.dumps({"key": "1"})
        assert await line.dead_letters.retry("hook", None) == 1
        assert (await line.until(lambda s: s["retrying"] == 0))["events"]["delivered"] == 1
        assert paths(receiver) == ["/put", "/find", "/update/1"], "what was served is not served again"


async def test_what_must_wait_for_one_subscription_is_parked_and_serves_only_that_one_later(
    tmp_path: Path,
) -> None:
    down = True

    async with (
        Choosy(expects=None) as receiver,
        pipeline(tmp_path) as line,
    ):
        receiver.rule = lambda body: (503, {}) if down and b"stuck" in body and turn() else None
        seen: list[int] = []

        def turn() -> bool:
            seen.append(1)
            return len(seen) > 1  # the first request with it is that of `put`

        await line.apply(shelf(receiver.url, "put", "refuse", concurrency=1))
        await line.send(track(messageId="stuck"), *tracks(3))
        await line.until(lambda s: s["retrying"] == 1 and s["lag"] == 0)
        down = False
        assert (await line.until(lambda s: s["retrying"] == 0))["events"]["delivered"] == 4
        assert receiver.counts["stuck"] == 2, "once for each subscription"


async def test_with_order_kept_subscriptions_are_served_one_after_the_other(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        await line.apply(shelf(receiver.url, "put", "refuse", order="user"))
        await line.send_batch(tracks(4))
        assert (await line.done())["events"]["delivered"] == 4
        assert receiver.most_active == 1


async def test_a_fault_of_a_flow_costs_only_its_event(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        receiver.text = json.dumps({"no": "key"})
        await line.apply(shelf(receiver.url, "upsert"))
        await line.send(track(messageId="m"))
        assert (await line.done())["events"]["rejected"] == 1
        receiver.text = json.dumps({"key": "k"})
        await line.send(track())
        assert (await line.done())["events"]["delivered"] == 1
        (letter,) = await line.letters()
        assert letter["reason"] == "INTERNAL"


async def test_too_fast_said_in_a_good_answer_holds_the_destination(tmp_path: Path) -> None:
    clock = Clock()
    async with Choosy() as receiver, pipeline(tmp_path, clock=clock) as line:
        receiver.text = json.dumps({"code": 40100})
        await line.apply(shelf(receiver.url, "slow"))
        await line.send_batch(tracks(40))
        gate = line.consumer().courier.gate
        status = await line.until(lambda s: s["state"] == "held" and gate.active == 0)
        assert (status["lastError"], status["retrying"]) == ("40100", 0)
        assert status["opensInSeconds"] == 30
        asked = len(receiver.requests)
        assert asked <= 2, "those that were on their way"
        receiver.text = "{}"
        clock.move(30)
        line.wake()
        assert (await line.done())["events"]["delivered"] == 40
        assert len(receiver.requests) == asked + 40


async def test_all_of_a_batch_busy_holds_the_destination_and_some_of_it_step_aside(tmp_path: Path) -> None:
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        receiver.text = json.dumps({"statuses": {"a": 503, "b": 503}})
        await line.apply(shelf(receiver.url, "put", batch_size=2, batch_wait="50ms", concurrency=1))
        await line.send_batch([track(messageId="a"), track(messageId="b")])
        await line.until(lambda s: s["state"] == "held")
        receiver.text = json.dumps({"statuses": {"b": 503}})
        await line.until(lambda s: s["retrying"] == 1)
        receiver.text = "{}"
        assert (await line.until(lambda s: s["retrying"] == 0))["events"]["delivered"] == 2


async def test_a_flow_that_can_ask_nobody_holds_the_destination_and_parks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_there = False

    def nobody(_: Shelf, call: Call) -> Steps:
        if not is_there:
            raise HttpError(Reply(None, "", 0.0, "log in first"))
        yield json_request("POST", f"{HOST}/put", {"messageId": call.get("id")})

    actions = by_name(Action(name="put", title="Put", about=".", fields=FIELDS, perform=nobody))
    monkeypatch.setattr(Shelf, "actions", actions)
    async with Choosy() as receiver, pipeline(tmp_path) as line:
        await line.apply(shelf(receiver.url, "put"))
        await line.send_batch(tracks(20))
        await line.until(lambda s: s["state"] == "held" and s["lastError"] == "log in first")
        for _ in range(10):
            line.wake()
        assert (await line.status())["retrying"] == 0
        assert not receiver.requests
        is_there = True
        assert (await line.done())["events"]["delivered"] == 20
