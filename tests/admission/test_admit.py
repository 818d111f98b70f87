"""The pass: every event gets its verdict once, and consumers see only what has one."""

import asyncio
import copy
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.admission.normalise import parse, prepare
from relay.log.memory import MemoryLog
from relay.outcome import Outcome
from tests.admission.house import House, batch, fates, house, visible


@pytest.fixture(params=["memory", "sqlite"])
async def built(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, log=MemoryLog() if request.param == "memory" else None) as opened:
        yield opened


async def test_fresh_events_are_good(built: House) -> None:
    await built.take("a", "b")
    await built.take("c")
    await built.admit()
    assert fates(await built.read_feed()) == ["a", "b", "c"]
    assert await built.verdicts() == []
    assert built.admission.cursor == 2


async def test_of_two_in_one_batch_the_first_wins(built: House) -> None:
    await built.take("a", "b", "a", "a")
    await built.admit()
    assert fates(await built.read_feed()) == ["a", "b", "a=duplicate", "a=duplicate"]
    why = "duplicate_message_id"
    assert await built.verdicts() == [(1, 2, "duplicate", why), (1, 3, "duplicate", why)]


async def test_of_two_requests_the_first_wins_in_one_pass_or_in_two(built: House) -> None:
    await built.take("a")
    await built.take("b", "a")
    await built.admit()
    await built.take("c", "b")
    await built.admit()
    assert fates(await built.read_feed()) == ["a", "b", "a=duplicate", "c", "b=duplicate"]


async def test_an_id_belongs_to_its_source(built: House) -> None:
    for source in ("app", "web", "app"):
        await built.take("a", source=source)
    await built.admit()
    assert fates(await built.read_feed()) == ["a", "a", "a=duplicate"]


async def test_events_without_an_id_are_never_duplicates(built: House) -> None:
    await built.take("", "")
    await built.take("")
    await built.admit()
    found = await built.read_feed()
    assert [e.outcome for e in found] == [None] * 3
    assert len({e.message_id for e in found}) == 3


async def test_a_rejected_event_takes_no_id_from_a_good_one(built: House) -> None:
    rejected, good = batch("!"), batch("!")
    rejected.body = rejected.body.replace(b'"!"', b'"m"')
    good.body = good.body.replace(b'"!"', b'"m","event":"e"')
    await built.log.append(rejected)
    await built.log.append(good)
    await built.admit()
    assert [e.outcome for e in await built.read_feed()] == [Outcome.REJECTED, None]
    assert await built.verdicts() == [(1, 0, "rejected", "missing_event")]


async def test_only_exceptions_are_written(built: House) -> None:
    await built.take(*[f"m-{n}" for n in range(400)], "m-7", "!")
    await built.admit()
    assert [(place, outcome) for _, place, outcome, _ in await built.verdicts()] == [
        (400, "duplicate"),
        (401, "rejected"),
    ]


async def test_consumers_see_nothing_beyond_the_cursor(built: House) -> None:
    for name in ("a", "b", "c", "d"):
        await built.take(name)
    assert await built.read_feed() == []
    await built.admit(limit=2)
    assert (built.feed.cursor, fates(await built.read_feed())) == (2, ["a", "b"])
    built.feed._recent.clear()
    assert fates(await built.read_feed()) == ["a", "b"]
    await built.admit()
    assert fates(await built.read_feed()) == ["a", "b", "c", "d"]


async def test_the_observer_is_shown_every_event_once_with_its_verdict(built: House) -> None:
    await built.take("a", "a")
    await built.admit()
    await built.take("b", "!")
    await built.admit()
    assert fates(built.observed) == ["a", "a=duplicate", "b", "=rejected"]


async def test_who_waits_for_the_feed_is_woken_by_the_pass(built: House) -> None:
    waiting = asyncio.create_task(built.feed.wait(0))
    await built.take("a")
    await asyncio.sleep(0)
    assert not waiting.done()
    async with built.running():
        await waiting
    assert built.feed.cursor == 1


async def test_a_running_admission_admits_all_that_comes(built: House) -> None:
    async with built.running():
        for n in range(5):
            await asyncio.gather(*[built.take(f"m-{n}-{k}", "same") for k in range(20)])
        await built.feed.wait(99)
    found = await built.read_feed()
    assert [e.outcome for e in found].count(Outcome.DUPLICATE) == 99
    assert len({e.message_id for e in found if e.outcome is None}) == 101


@pytest.mark.parametrize("slice_ids", [3, 1000])
async def test_ids_are_known_after_a_restart(tmp_path: Path, slice_ids: int) -> None:
    async with house(tmp_path, slice_ids=slice_ids) as first:
        await first.take("a", "b")
        await first.admit()
        await first.take("c", "d")
        await first.admit()
        await first.take("e")  # logged and not admitted
    async with house(tmp_path, slice_ids=slice_ids) as second:
        assert second.admission.cursor == second.feed.cursor == 2
        await second.take("e", "a", "d", "f")
        await second.admit()
        expected = ["a", "b", "c", "d", "e", "e=duplicate", "a=duplicate", "d=duplicate", "f"]
        assert fates(await second.read_feed()) == expected


@pytest.mark.parametrize("slice_ids", [2, 1000])
async def test_what_is_read_near_the_head_is_what_is_read_from_disk(tmp_path: Path, slice_ids: int) -> None:
    async with house(tmp_path, slice_ids=slice_ids) as built:
        for names in (("a", "", "!"), ("b", "a"), ("",), (), ("c", "c", "")):
            await built.take(*names)
            await built.admit()
        near = [visible(e) for e in await built.read_feed()]
        built.feed._recent.clear()
        assert [visible(e) for e in await built.read_feed()] == near
        assert [visible(e) for e in await built.read_feed(max_events=1)] == near
        assert len(near) == 9
    async with house(tmp_path, slice_ids=slice_ids) as again:
        assert [visible(e) for e in await again.read_feed()] == near


async def test_what_was_prepared_at_the_door_is_what_is_read_from_disk(built: House) -> None:
    for record in (batch("a", "", "!", "a"), batch("b", "a")):
        record.prepared = prepare(record, parse(record.body, record.route))
        await built.log.append(record)
    await built.admit()
    near = copy.deepcopy([visible(e) for e in await built.read_feed()])
    built.feed._recent.clear()
    assert [visible(e) for e in await built.read_feed()] == near
    assert len(near) == 6


async def test_near_the_head_memory_is_bounded_and_the_rest_comes_from_disk(tmp_path: Path) -> None:
    async with house(tmp_path) as built:
        built.feed._recent_bytes = 5000
        for n in range(100):
            await built.take(f"m-{n}", f"m-{n - 1}")
            await built.admit()
        assert sum(run.size for run in built.feed._recent) <= 5000
        found = await built.read_feed()
        assert [e.message_id for e in found if e.outcome is None] == [
            "m-0",
            "m--1",
            *(f"m-{n}" for n in range(1, 100)),
        ]


async def test_events_are_found_by_their_places_as_long_as_the_log_holds_them(built: House) -> None:
    await built.take("a", "b")
    await built.take("c")
    await built.admit()
    found = await built.feed.find([(1, 1), (2, 0), (2, 1), (9, 0)])
    assert {place: e.message_id for place, e in found.items()} == {(1, 1): "b", (2, 0): "c"}


async def test_a_reader_that_retention_has_overtaken_goes_on_where_there_is_something(tmp_path: Path) -> None:
    async with house(tmp_path, log=MemoryLog()) as built:
        for name in ("a", "b", "c"):
            await built.take(name)
        await built.admit()
        await built.log.trim(older_than=1 << 60, keep_from=3, max_bytes=None)
        built.feed._recent.clear()
        assert fates(await built.read_feed()) == ["c"]


async def test_an_id_may_come_again_after_two_days_by_the_time_of_its_arrival(tmp_path: Path) -> None:
    async with house(tmp_path, slice_ids=1) as built:
        for days, name in ((0, "a"), (1, "a"), (2, "b"), (2, "a")):
            record = batch(name)
            record.received_at += days * 86_400_000
            await built.log.append(record)
            await built.admit()
        assert fates(await built.read_feed()) == ["a", "a=duplicate", "b", "a"]
