"""Tracking plans in admission: decided once, written down, and the same for every reader whatever the plan is then."""

import json
import sqlite3
from collections.abc import AsyncIterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from relay.admission.plans import SourcePlans
from relay.event import Event
from relay.log.feed import Feed
from relay.log.record import Record
from relay.log.retention import _forget
from relay.log.state import SQL
from relay.outcome import Outcome
from relay.plans.controls import Controls
from tests.admission.house import House, fates, house, visible
from tests.log.records import NOON
from tests.plans.plans import Json, about, compiled, plan

NUMBER = {"type": "number"}
SHOP = plan(("Paid", about(price=NUMBER, other={})))
STRICT = Controls(
    allow_unplanned_track_events=False,
    allow_unplanned_track_event_properties=False,
    allow_track_properties_on_violations=False,
)
GOOD: Json = {"event": "Paid", "properties": {"price": 1}}
WRONG: Json = {"event": "Paid", "properties": {"price": "s3cr3t", "other": 1, "new": "s3cr3t"}}
UNPLANNED: Json = {"event": "Lost", "properties": {"a": 1}}


def take_up(built: House, raw: Any, controls: Controls = STRICT, source: str = "app") -> None:
    built.plans.take_up({source: compiled(raw)}, [(source, controls)])


async def take(built: House, *events: Json, source: str = "app") -> int:
    """Log one batch; an event without messageId has that of its number."""
    whole = [
        {"type": "track", "userId": "u", "messageId": f"m{n}", **event} for n, event in enumerate(events)
    ]
    body = json.dumps({"batch": whole}).encode()
    return await built.log.append(Record(NOON, source, "batch", False, None, None, None, len(events), body))


async def late(built: House) -> list[Event]:
    """What a consumer reads that begins when all is long admitted."""
    feed = Feed(built.log, built.state, built.feed._events_of)
    feed.cursor = built.feed.cursor
    groups, _ = await feed.read(0, 500)
    return list(chain.from_iterable(groups))


async def rulings(built: House) -> list[tuple[int, int, str]]:
    rows: list[tuple[int, int, str]] = await built.state.read(
        lambda c: c.execute(SQL["rulings_between"], (0, 1 << 60)).fetchall()
    )
    return rows


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path / "a") as built:
        take_up(built, SHOP)
        yield built


async def test_a_good_event_leaves_nothing_behind(shop: House) -> None:
    await take(shop, GOOD)
    await shop.admit()
    (event,) = await shop.read_feed()
    assert (event.outcome, event.notes) == (None, ())
    assert "protocols" not in event.data["context"]
    assert await rulings(shop) == []
    assert await shop.verdicts() == []


async def test_a_blocked_event_has_its_verdict_and_its_reason(shop: House) -> None:
    await take(shop, UNPLANNED)
    await shop.admit()
    (event,) = await shop.read_feed()
    assert (event.outcome, event.reason) == (Outcome.BLOCKED, "unplanned")
    assert event.data["properties"] == {"a": 1}
    assert await shop.verdicts() == [(1, 0, "blocked", "unplanned")]


async def test_an_event_goes_on_without_what_was_omitted_and_says_so(shop: House) -> None:
    await take(shop, WRONG)
    await shop.admit()
    (event,) = await shop.read_feed()
    assert event.outcome is None
    assert event.data["properties"] == {"other": 1}
    assert event.data["context"]["protocols"] == {
        "sourceId": "app",
        "violations": [
            {
                "type": "Invalid Type",
                "field": "properties.price",
                "description": "Invalid type. Expected: number, given: string",
            }
        ],
        "omitted": ["new"],
        "omitted_on_violation": ["price"],
    }
    assert json.loads(event.json) == event.data
    assert event.notes[1:] == ("tracking plan: not planned, omitted: new", "tracking plan: omitted: price")


async def test_who_lags_and_who_tries_again_read_what_the_others_read(shop: House) -> None:
    await take(shop, GOOD, WRONG, UNPLANNED, {"messageId": "m0", **WRONG}, {"event": None})
    await shop.admit()
    near = [visible(event) for event in await shop.read_feed()]
    assert [visible(event) for event in await late(shop)] == near
    found = await shop.feed.find([(1, 0), (1, 1), (1, 2)])
    assert [visible(found[1, index]) for index in range(3)] == near[:3]
    assert fates(await shop.read_feed())[:4] == ["m0", "m1", "m2=blocked", "m0=duplicate"]


async def test_a_plan_that_changes_changes_nothing_that_was_decided(shop: House) -> None:
    await take(shop, GOOD, WRONG, UNPLANNED)
    await shop.admit()
    near = [visible(event) for event in await shop.read_feed()]
    take_up(shop, plan(("Lost", about(a=NUMBER))), Controls(allow_track_event_on_violations=False))
    assert [visible(event) for event in await late(shop)] == near
    found = await shop.feed.find([(1, 1)])
    assert visible(found[1, 1]) == near[1]
    await take(shop, {"messageId": "new", **UNPLANNED})
    await shop.admit()
    assert fates(await shop.read_feed())[-1] == "new"


async def test_a_plan_that_is_gone_leaves_what_was_decided(tmp_path: Path) -> None:
    async with house(tmp_path / "a") as built:
        take_up(built, SHOP)
        await take(built, WRONG, UNPLANNED)
        await built.admit()
        near = [visible(event) for event in await built.read_feed()]
    async with house(tmp_path / "a") as built:
        assert [visible(event) for event in await late(built)] == near


async def test_no_value_that_was_omitted_is_written_down(shop: House) -> None:
    await take(shop, WRONG)
    await shop.admit()
    ((sequence, place, ruling),) = await rulings(shop)
    assert (sequence, place) == (1, 0)
    assert "s3cr3t" not in ruling


async def test_other_sources_are_not_even_looked_at(shop: House) -> None:
    await take(shop, UNPLANNED, source="web")
    await shop.admit()
    (event,) = shop.observed
    assert (event.outcome, event.decoded) == (None, None)


async def test_a_repetition_of_a_blocked_event_is_a_duplicate(shop: House) -> None:
    await take(shop, UNPLANNED, UNPLANNED | {"messageId": "m0"})
    await take(shop, UNPLANNED)
    await shop.admit()
    await take(shop, UNPLANNED)
    await shop.admit()
    assert fates(await shop.read_feed()) == ["m0=blocked"] + 3 * ["m0=duplicate"]
    assert len(await rulings(shop)) == 1


async def test_a_repetition_that_only_the_database_knows_gets_no_ruling(tmp_path: Path) -> None:
    async with house(tmp_path / "a", slice_ids=1) as built:
        take_up(built, SHOP)
        await take(built, WRONG)
        await built.admit()
        for number in range(6):
            await take(built, {"messageId": f"x{number}", **GOOD})
            await built.admit()
        await take(built, WRONG)
        await built.admit()
        last = (await built.read_feed())[-1]
        assert (last.outcome, last.data["properties"]) == (Outcome.DUPLICATE, WRONG["properties"])
        assert [row[0] for row in await rulings(built)] == [1]
        assert [visible(event) for event in await late(built)][-1] == visible(last)


async def test_what_could_not_be_written_is_decided_again(tmp_path: Path) -> None:
    async with house(tmp_path / "a") as built:
        take_up(built, SHOP)
        await take(built, WRONG, UNPLANNED)
        records = await built.log.read(0, 500, 1_000_000)
        broken = built.state.write

        async def fail(work: Any) -> None:
            raise sqlite3.OperationalError("disk full")

        built.state.write = fail  # type: ignore[method-assign,assignment]
        with pytest.raises(sqlite3.OperationalError):
            await built.admission.admit(records)
        built.state.write = broken  # type: ignore[method-assign]
        take_up(built, plan(("Lost", {}), ("Paid", {})))
        await built.admit()
        assert fates(await built.read_feed()) == ["m0", "m1"]


async def test_rulings_go_with_what_they_are_about(shop: House) -> None:
    await take(shop, WRONG)
    await take(shop, {"messageId": "b", **WRONG})
    await shop.admit()
    await shop.state.write(lambda connection: _forget(connection, 2))
    assert [row[0] for row in await rulings(shop)] == [2]


async def test_source_transformations_come_after_the_plan(tmp_path: Path) -> None:
    def renamed(groups: list[list[Event]]) -> None:
        for event in chain.from_iterable(groups):
            if event.outcome is None:
                event.decoded = {**event.data, "event": "Renamed"}

    async with house(tmp_path / "a") as built:
        take_up(built, SHOP)
        built.admission._transform = renamed
        await take(built, WRONG, UNPLANNED)
        await built.admit()
        one, other = await built.read_feed()
        assert (one.data["event"], one.data["properties"]) == ("Renamed", {"other": 1})
        assert (other.data["event"], other.outcome) == ("Lost", Outcome.BLOCKED)


def judged(event: Json, source: str = "app") -> Json:
    plans = SourcePlans()
    plans.take_up({"app": compiled(SHOP)}, [("app", STRICT), ("web", Controls())])
    whole = {"type": "track", "userId": "u", "context": {}, "sourceId": source, **event}
    return plans.judged(Event(0, 0, source, "m", json.dumps(whole).encode()))


def test_what_would_become_of_an_event() -> None:
    found = judged(WRONG)
    assert (found["plan"], found["verdict"], found["reason"]) == ("Shop", "admitted", None)
    assert (found["planned"], found["unplanned"]) == (True, ["properties.new"])
    assert (found["omitted"], found["omitted_on_violation"]) == (["new"], ["price"])
    assert [violation["field"] for violation in found["violations"]] == ["properties.price"]
    assert found["event"]["properties"] == {"other": 1}
    found = judged(UNPLANNED)
    assert (found["verdict"], found["reason"], found["planned"]) == ("blocked", "unplanned", False)


def test_what_would_become_of_an_event_without_a_plan() -> None:
    found = judged(UNPLANNED, "web")
    assert (found["plan"], found["verdict"], found["planned"], found["violations"]) == (
        None,
        "admitted",
        True,
        [],
    )
