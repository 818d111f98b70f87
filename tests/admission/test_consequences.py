"""What follows from rulings: blocked events kept apart, and events given to other sources, once and only once."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from relay.admission.blocked import KEPT_MS, BlockedEvents, Choice
from relay.admission.consequences import Consequences, Forwarding, forwarding_of
from relay.admission.releasing import Releasing
from relay.errors import LogUnavailable
from relay.gateway.config import SourceConfig
from relay.log.sqlite import SqliteLog
from relay.plans.controls import Controls
from relay.plans.ruling import Ruling
from tests.admission.house import House, fates, house
from tests.admission.test_plans import GOOD, SHOP, STRICT, UNPLANNED, WRONG, take, take_up
from tests.log.records import NOON
from tests.plans.plans import about, compiled, plan

ALL = Choice()
MENDED = plan(("Paid", about(price={"type": "number"}, other={})), ("Lost", about(a={"type": "number"})))


class Shop:
    """A source `app` with a plan, and what follows from its rulings."""

    def __init__(self, built: House, blocked: BlockedEvents) -> None:
        self.built = built
        self.blocked = blocked
        self.consequences = Consequences(
            built.log, built.state, built.feed, blocked, lambda: None, lambda: NOON / 1000
        )
        self.releasing = Releasing(
            blocked, built.log, built.state, built.plans, lambda name: name == "app", lambda: NOON / 1000
        )
        take_up(built, SHOP)

    def forward(self, violations_to: str | None = None, blocked_to: str | None = None) -> None:
        self.consequences.take_up({"app": Forwarding(compiled(SHOP).plan, violations_to, blocked_to)})

    async def go(self, *events: dict[str, Any]) -> None:
        """Take events in, and do what follows."""
        await take(self.built, *events)
        await self.built.admit()
        await self.consequences.step()

    async def all(self, choice: Choice = ALL, *, is_released_too: bool = False) -> list[dict[str, Any]]:
        found = await self.blocked.newest(choice, before=None, limit=100, is_released_too=is_released_too)
        return [{**one, "payload": json.loads(orjson.dumps(one["payload"]))} for one in found]

    async def of(self, source: str) -> list[dict[str, Any]]:
        """The events of another source, once admitted."""
        while self.built.admission.cursor < self.built.log.head:
            await self.built.admit()
        return [event.data for event in await self.built.read_feed() if event.source == source]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Shop]:
    async with house(folder / "a") as built:
        blocked = await BlockedEvents.open(folder / "blocked.db")
        try:
            yield Shop(built, blocked)
        finally:
            await blocked.close()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with opened(tmp_path) as made:
        yield made


async def test_a_blocked_event_is_kept_apart_as_it_arrived(shop: Shop) -> None:
    await shop.go(GOOD, UNPLANNED, WRONG)
    (kept,) = await shop.all()
    assert (kept["source"], kept["type"], kept["event"], kept["reason"]) == (
        "app",
        "track",
        "Lost",
        "unplanned",
    )
    assert (kept["messageId"], kept["releasedAt"], kept["violations"]) == ("m1", None, [])
    assert kept["payload"]["properties"] == {"a": 1}
    assert kept["payload"]["receivedAt"] == kept["blockedAt"]


async def test_its_violations_are_kept_with_it(shop: Shop) -> None:
    take_up(shop.built, SHOP, Controls(allow_track_event_on_violations=False))
    await shop.go(WRONG)
    (kept,) = await shop.all()
    assert kept["reason"] == "schema_violation"
    assert [one["field"] for one in kept["violations"]] == ["properties.price"]
    assert kept["payload"]["properties"] == WRONG["properties"]


async def test_a_step_that_is_repeated_after_a_crash_keeps_and_forwards_nothing_twice(shop: Shop) -> None:
    shop.forward("issues", "blocked")
    await shop.go(UNPLANNED, WRONG)
    before = [await shop.of("issues"), await shop.of("blocked"), await shop.all()]
    assert [len(some) for some in before] == [1, 1, 1]
    shop.consequences.cursor = 0
    await shop.consequences.step()
    assert [len(await shop.of("issues")), len(await shop.of("blocked"))] == [2, 2]
    events = [event for event in await shop.built.read_feed() if event.source != "app"]
    assert sorted(str(event.outcome) for event in events) == ["None", "None", "duplicate", "duplicate"]
    assert await shop.all() == before[2]


async def test_another_process_goes_on_where_this_one_was(shop: Shop) -> None:
    await shop.go(UNPLANNED)
    again = Consequences(shop.built.log, shop.built.state, shop.built.feed, shop.blocked, lambda: None)
    await again.load()
    assert again.cursor == 1


async def test_a_violation_becomes_an_event_of_the_other_source(shop: Shop) -> None:
    shop.forward(violations_to="issues")
    context = {"app": {"version": "1.2"}, "library": {"name": "x", "version": "1"}, "ip": "1.2.3.4"}
    await shop.go({**WRONG, "context": context})
    (made,) = await shop.of("issues")
    assert made["messageId"].startswith("sch-")
    properties = made.pop("properties")
    assert {key: made[key] for key in ("type", "event", "userId", "forwardedFromProject", "sourceId")} == {
        "type": "track",
        "event": "Violation Generated",
        "userId": "schema-violations",
        "forwardedFromProject": "app",
        "sourceId": "issues",
    }
    assert made["context"] == {key: context[key] for key in ("app", "library")}
    assert properties == {
        "appVersion": "1.2",
        "eventMessageID": "m0",
        "eventName": "Paid",
        "eventSentAt": None,
        "eventTimestamp": made["receivedAt"],
        "eventType": "track",
        "sourceID": "app",
        "sourceName": "app",
        "sourceSlug": "app",
        "trackingPlanID": None,
        "trackingPlanName": "Shop",
        "violationDescription": "Invalid type. Expected: number, given: string",
        "violationField": "properties.price",
        "violationType": "Invalid Type",
    }
    assert "s3cr3t" not in str(made) + str(properties)


async def test_a_blocked_event_is_given_on_as_it_arrived_and_one_that_lost_properties_is_not(
    shop: Shop,
) -> None:
    shop.forward(blocked_to="blocked")
    await shop.go(UNPLANNED, WRONG, GOOD)
    (given,) = await shop.of("blocked")
    assert (given["event"], given["properties"]) == ("Lost", {"a": 1})
    assert (given["messageId"], given["sourceId"], given["forwardedFromProject"]) == ("m0", "blocked", "app")


async def test_what_is_forwarded_is_held_against_no_plan(shop: Shop) -> None:
    shop.forward("app", "other")
    shop.built.plans.take_up(
        {name: compiled(SHOP) for name in ("app", "other")}, [("app", STRICT), ("other", STRICT)]
    )
    await shop.go(UNPLANNED, WRONG)
    assert len(await shop.of("other")) == 1
    assert fates(await shop.built.read_feed())[0] == "m0=blocked"
    assert [e.outcome for e in await shop.built.read_feed() if e.sequence > 1] == [None, None]
    await shop.consequences.step()
    head = shop.built.log.head
    await shop.consequences.step()
    assert shop.built.log.head == head  # no loop


async def test_while_the_log_takes_nothing_the_step_is_not_over(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.forward(blocked_to="blocked")
    await take(shop.built, UNPLANNED)
    await shop.built.admit()
    with monkeypatch.context() as patched:

        def refuse(_: object, *, is_own: bool) -> None:
            raise LogUnavailable("full")

        patched.setattr(shop.built.log, "append", refuse)
        with pytest.raises(LogUnavailable):
            await shop.consequences.step()
    assert shop.consequences.cursor == 0
    await shop.consequences.step()
    assert len(await shop.of("blocked")) == 1


async def test_a_full_log_takes_what_retention_waits_for(shop: Shop) -> None:
    shop.forward(blocked_to="other")
    log = shop.built.log
    assert isinstance(log, SqliteLog)
    await shop.go()
    large = {**UNPLANNED, "properties": {"x": "y" * 20_000}}

    async def trim() -> None:
        needed = min(shop.built.admission.cursor, shop.consequences.cursor)
        await log.trim(older_than=0, keep_from=1 + needed, max_bytes=1_000_000)

    for n in range(100):
        if log.problem is not None:
            break
        await take(shop.built, *({**large, "messageId": f"{n}-{i}"} for i in range(10)))
        await shop.built.admit()
        await trim()
    assert log.problem == "the log has reached max_bytes"
    await shop.consequences.step()
    assert shop.consequences.cursor == shop.built.admission.cursor
    while shop.built.admission.cursor < log.head:
        await shop.built.admit()
    await shop.consequences.step()
    await trim()
    await take(shop.built, GOOD)


async def test_what_is_30_days_old_is_forgotten_and_the_oldest_when_there_is_too_much(shop: Shop) -> None:
    await shop.go(UNPLANNED)
    await shop.blocked.trim(NOON + KEPT_MS, None)
    assert len(await shop.all()) == 1
    await shop.blocked.trim(NOON + KEPT_MS + 1, None)
    assert await shop.all() == []
    for n in range(3):
        await shop.go({**UNPLANNED, "messageId": f"x{n}", "properties": {"a": "y" * 30_000}})
    await shop.blocked.trim(NOON, 100_000_000)
    assert len(await shop.all()) == 3
    await shop.blocked.trim(NOON, 100_000)
    assert await shop.all() == []


async def test_they_are_counted_by_source_event_and_reason(shop: Shop) -> None:
    await shop.go(*({**UNPLANNED, "event": name} for name in ("A", "B", "A")))
    groups = await shop.blocked.grouped(ALL, limit=10, is_released_too=False)
    assert sorted((group["event"], group["reason"], group["count"]) for group in groups) == [
        ("A", "unplanned", 2),
        ("B", "unplanned", 1),
    ]
    assert len(await shop.all(Choice(event="A"))) == 2
    assert await shop.all(Choice(source="other")) == []
    assert await shop.all(Choice(reason="schema_violation")) == []
    assert await shop.all(Choice(since=NOON + 1)) == []
    assert await shop.all(Choice(until=NOON - 1)) == []


async def test_what_the_mended_plan_lets_through_goes_on_with_its_own_id_and_time(shop: Shop) -> None:
    await shop.go(UNPLANNED, {**UNPLANNED, "event": "Other"})
    take_up(shop.built, MENDED)
    done = await shop.releasing.release(ALL, after=0, is_dry_run=True)
    assert (done.released, done.still_blocked, done.next) == (1, 1, None)
    assert shop.built.log.head == 1
    done = await shop.releasing.release(ALL, after=0, is_dry_run=False)
    assert (done.released, done.still_blocked) == (1, 1)
    await shop.built.admit()
    *_, event = await shop.built.read_feed()
    assert (event.outcome, event.message_id, event.data["properties"]) == (None, "m0", {"a": 1})
    arrived = (await shop.all(Choice(event="Lost"), is_released_too=True))[0]
    assert arrived["payload"] == event.data
    assert arrived["releasedAt"] is not None
    assert [one["event"] for one in await shop.all()] == ["Other"]
    assert (await shop.releasing.release(ALL, after=0, is_dry_run=False)).released == 0


async def test_a_release_that_a_crash_repeats_delivers_nothing_twice(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.go(UNPLANNED)
    take_up(shop.built, MENDED)
    with monkeypatch.context() as patched:

        async def fail(*_: object) -> None:
            raise OSError("crash")

        patched.setattr(shop.blocked, "set_released", fail)
        with pytest.raises(OSError, match="crash"):
            await shop.releasing.release(ALL, after=0, is_dry_run=False)
    assert (await shop.releasing.release(ALL, after=0, is_dry_run=False)).released == 1
    while shop.built.admission.cursor < shop.built.log.head:
        await shop.built.admit()
    assert fates(await shop.built.read_feed()) == ["m0=blocked", "m0", "m0=duplicate"]


async def test_what_is_released_is_trimmed_by_the_plan_as_any_event(shop: Shop) -> None:
    await shop.go({"event": "Lost", "properties": {"a": 1, "new": 2}})
    take_up(shop.built, MENDED)
    await shop.releasing.release(ALL, after=0, is_dry_run=False)
    await shop.built.admit()
    *_, event = await shop.built.read_feed()
    assert event.data["properties"] == {"a": 1}
    assert event.data["context"]["protocols"]["omitted"] == ["new"]


async def test_an_event_that_is_blocked_again_can_be_released_again(shop: Shop) -> None:
    await shop.go(UNPLANNED)
    take_up(shop.built, MENDED)
    await shop.releasing.release(ALL, after=0, is_dry_run=False)
    take_up(shop.built, SHOP)  # changed back before admission saw it
    await shop.built.admit()
    await shop.consequences.step()
    assert [one["messageId"] for one in await shop.all()] == ["m0"]
    take_up(shop.built, MENDED)
    assert (await shop.releasing.release(ALL, after=0, is_dry_run=False)).released == 1
    await shop.built.admit()
    assert fates(await shop.built.read_feed()) == ["m0=blocked", "m0=blocked", "m0"]


async def test_events_of_a_source_that_is_gone_stay(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        shop.built.plans.take_up({"gone": compiled(SHOP)}, [("gone", STRICT)])
        await take(shop.built, UNPLANNED, source="gone")
        await shop.built.admit()
        await shop.consequences.step()
        done = await shop.releasing.release(ALL, after=0, is_dry_run=False)
        assert (done.released, done.unknown_source) == (0, 1)
        assert len(await shop.all()) == 1


def test_nothing_is_forwarded_to_a_source_that_takes_nothing_now() -> None:
    to = Controls(forwarding_violations_to="off", forwarding_blocked_events_to="on")
    sources = [
        SourceConfig(name="app", controls=to),
        SourceConfig(name="off", enabled=False),
        SourceConfig(name="on"),
    ]
    assert forwarding_of(sources, {"app": compiled(SHOP)}) == {
        "app": Forwarding(compiled(SHOP).plan, None, "on")
    }
    assert forwarding_of(sources, {}) == {}


async def test_others_have_their_turn_between_events_that_are_looked_at(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.go(*({**UNPLANNED, "messageId": f"m{n}"} for n in range(20)))
    turns, found, blocks = 0, [], shop.built.plans.blocks

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def noted(source: str, data: dict[str, Any]) -> bool:
        found.append(turns)
        return blocks(source, data)

    monkeypatch.setattr(shop.built.plans, "blocks", noted)
    task = asyncio.create_task(others())
    await shop.releasing.release(Choice(source="app"), after=0, is_dry_run=True)
    task.cancel()
    assert len(set(found)) == 20


async def test_a_place_that_the_log_gives_a_second_time_costs_no_event(shop: Shop) -> None:
    await shop.go(UNPLANNED)
    (event,) = await shop.built.read_feed()
    other = msgspec.structs.replace(event, message_id="m2")
    for _ in range(2):
        await shop.blocked.keep([(other, Ruling("unplanned"), NOON)])
    assert [one["messageId"] for one in await shop.all()] == ["m2", "m0"]
