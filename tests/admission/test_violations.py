"""Violations are counted: once each, in groups, over repetitions, crashes and full tables."""

import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from relay.admission import violations as room
from relay.admission.violations import HOUR, KEPT_HOURS, Counts, event_name
from relay.log.record import Record
from relay.plans.controls import Controls
from tests.admission.house import House, house
from tests.admission.test_plans import STRICT, take, take_up
from tests.faults.disk import Disk
from tests.log.records import NOON
from tests.plans.plans import Json, about, plan

NUMBER = {"type": "number"}
CLOSED = {"properties": {"properties": {"additionalProperties": False, "properties": {"price": NUMBER}}}}
SHOP = plan(
    ("Paid", about(price=NUMBER, tax=NUMBER)),
    ("Seen", CLOSED),
    ("Page Viewed", about(price=NUMBER)),
    identify=about("traits", age=NUMBER),
)
WRONG: Json = {"event": "Paid", "properties": {"price": "s3cr3t"}}
WRONG_TWICE: Json = {"event": "Paid", "properties": {"price": "s3cr3t", "tax": True}}
PRICE = ("app", "Paid", "Invalid Type", "properties.price")
TAX = ("app", "Paid", "Invalid Type", "properties.tax")

Groups = dict[tuple[str, str, str, str], int]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path / "a") as built:
        take_up(built, SHOP, Controls())
        yield built


async def rows(built: House, sql: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = await built.state.read(lambda c: c.execute(sql).fetchall())
    return found


async def groups(built: House) -> Groups:
    """The count of each group; by the hour there are as many."""
    counted = {
        row[:4]: row[4]
        for row in await rows(built, "SELECT source, event, kind, field, count FROM violations")
    }
    sums = "SELECT sum(counts.count) FROM violations LEFT JOIN violation_counts AS counts ON violation = id GROUP BY id"
    assert sorted(n for (n,) in await rows(built, sums)) == sorted(counted.values())
    return counted


def numbered(prefix: str, count: int, event: Json = WRONG) -> list[Json]:
    return [{**event, "messageId": f"{prefix}{n}"} for n in range(count)]


async def at(built: House, ms: int, *events: Json) -> None:
    """Log a batch that came in then, and admit it."""
    whole = [{"type": "track", "userId": "u", **event} for event in events]
    body = json.dumps({"batch": whole}).encode()
    await built.log.append(Record(ms, "app", "batch", False, None, None, None, len(events), body))
    await built.admit()


async def test_each_violation_is_counted_in_its_group(shop: House) -> None:
    await take(
        shop, *numbered("a", 3), *numbered("b", 2, WRONG_TWICE), {"messageId": "good", "event": "Paid"}
    )
    await shop.admit()
    await take(shop, *numbered("c", 4))
    await shop.admit()
    assert await groups(shop) == {PRICE: 9, TAX: 2}


async def test_a_group_knows_its_first_and_last_and_its_newest_three(shop: House) -> None:
    await at(shop, NOON, *numbered("a", 5))
    await at(shop, NOON + HOUR, *numbered("b", 2, WRONG_TWICE))
    found = await rows(
        shop, "SELECT field, description, first_seen, last_seen, samples FROM violations ORDER BY id"
    )
    assert found == [
        (
            "properties.price",
            "Invalid type. Expected: number, given: string",
            NOON,
            NOON + HOUR,
            "[[2,1],[2,0],[1,4]]",
        ),
        (
            "properties.tax",
            "Invalid type. Expected: number, given: boolean",
            NOON + HOUR,
            NOON + HOUR,
            "[[2,1],[2,0]]",
        ),
    ]
    by_hour = (
        "SELECT field, hour, counts.count FROM violation_counts AS counts JOIN violations ON id = violation"
    )
    noon = NOON // HOUR
    assert sorted(await rows(shop, by_hour)) == [
        ("properties.price", noon, 5),
        ("properties.price", noon + 1, 2),
        ("properties.tax", noon + 1, 2),
    ]


async def test_nothing_that_is_written_down_holds_a_value(shop: House) -> None:
    await take(shop, WRONG)
    await shop.admit()
    assert "s3cr3t" not in str(await rows(shop, "SELECT * FROM violations"))


async def test_repetitions_are_not_counted(shop: House) -> None:
    await take(shop, *numbered("a", 2), *numbered("a", 2))
    await take(shop, *numbered("a", 2))
    await shop.admit()
    await take(shop, *numbered("a", 3))
    await shop.admit()
    assert await groups(shop) == {PRICE: 3}


async def test_repetitions_that_only_the_database_knows_are_not_counted(tmp_path: Path) -> None:
    async with house(tmp_path / "a", slice_ids=1) as built:
        take_up(built, SHOP, Controls())
        for number in range(6):
            await take(built, {"messageId": f"m{number}", **WRONG})
            await built.admit()
        await take(built, *numbered("m", 6))
        await built.admit()
        assert await groups(built) == {PRICE: 6}


async def test_blocked_events_are_counted_too_and_unplanned_ones_have_no_violations(tmp_path: Path) -> None:
    async with house(tmp_path / "a") as built:
        take_up(
            built, SHOP, Controls(allow_unplanned_track_events=False, allow_track_event_on_violations=False)
        )
        await take(built, WRONG, {"event": "Lost"})
        await built.admit()
        assert await groups(built) == {PRICE: 1}
        assert [event.violations for event in await built.read_feed()] == [
            (("Invalid Type", "properties.price", "Invalid type. Expected: number, given: string"),),
            (),
        ]


async def test_events_have_their_violations_however_they_are_read(shop: House) -> None:
    await take(shop, WRONG, {"event": "Paid"})
    await shop.admit()
    near = [event.violations for event in await shop.read_feed()]
    shop.feed._recent.clear()
    assert [event.violations for event in await shop.read_feed()] == near
    assert [len(violations) for violations in near] == [1, 0]


async def test_sources_and_events_are_kept_apart(shop: House) -> None:
    shop.plans.take_up(
        dict.fromkeys(("app", "web"), shop.plans._enforcers["app"].compiled),
        [("app", Controls()), ("web", Controls())],
    )
    await take(shop, WRONG)
    await take(shop, WRONG, {"type": "identify", "messageId": "i", "traits": {"age": "s3cr3t"}}, source="web")
    await take(
        shop,
        {"type": "page", "messageId": "p", "name": "Home", "properties": {"price": "s3cr3t"}},
        source="web",
    )
    await shop.admit()
    assert await groups(shop) == {
        PRICE: 1,
        ("web", "Paid", "Invalid Type", "properties.price"): 1,
        ("web", "identify", "Invalid Type", "traits.age"): 1,
        ("web", "Home", "Invalid Type", "properties.price"): 1,
    }


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ({"type": "track", "event": "Paid", "name": "x"}, "Paid"),
        ({"type": "page", "name": "Home", "event": "x"}, "Home"),
        ({"type": "screen", "name": ""}, "screen"),
        ({"type": "page"}, "page"),
        ({"type": "identify", "name": "x"}, "identify"),
        ({"type": "alias"}, "alias"),
        ({"type": "track", "event": "x" * 1000}, "x" * 300),
    ],
)
def test_what_an_event_is_called(event: Json, name: str) -> None:
    assert event_name(event) == name


async def test_two_violations_of_one_field_are_one_sample(tmp_path: Path) -> None:
    async with house(tmp_path / "a") as built:
        twice = {"allOf": [{"pattern": "^a"}, {"pattern": "b$"}]}
        take_up(built, plan(("Paid", about(price=twice))), Controls())
        await take(built, WRONG)
        await built.admit()
        found = dict(await rows(built, "SELECT kind, count FROM violations"))
        assert found["Pattern"] == 2
        assert set(await rows(built, "SELECT samples FROM violations")) == {("[[1,0]]",)}


async def test_names_of_any_characters_find_their_group_again(shop: House) -> None:
    for number in range(2):
        strange = {"a\x00b": 1, '"\\': 1, "ü😀": 1, "": 1, "x" * 5000: 1}
        await take(shop, {"event": "Seen", "messageId": f"s{number}", "properties": strange})
        await shop.admit()
    found = await groups(shop)
    assert len(found) == 5
    assert set(found.values()) == {2}
    assert max(len(field) for _, _, _, field in found) == room.MAX_NAME


# the bound


async def test_what_a_source_makes_up_beyond_its_bound_is_counted_together(
    shop: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_GROUPS", 3)
    made_up = {f"x{n}": n for n in range(5)}
    await take(shop, {"event": "Seen", "messageId": "a", "properties": made_up})
    await shop.admit()
    others = ("app", "(others)", "", "")
    first = await groups(shop)
    assert (len(first), first[others], sum(first.values())) == (4, 2, 5)
    await take(shop, {"event": "Seen", "messageId": "b", "properties": made_up | {"y": 1}}, WRONG)
    await shop.admit()
    second = await groups(shop)
    assert (len(second), second[others], sum(second.values())) == (4, 2 + 4, 12)
    assert second.keys() == first.keys()


async def test_the_bound_of_one_source_is_not_that_of_another(
    shop: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_GROUPS", 1)
    await take(shop, *numbered("a", 1, WRONG_TWICE))
    await shop.admit()
    take_up(shop, SHOP, Controls(), source="web")
    await take(shop, WRONG, source="web")
    await shop.admit()
    assert await groups(shop) == {
        PRICE: 1,
        ("app", "(others)", "", ""): 1,
        ("web", "Paid", "Invalid Type", "properties.price"): 1,
    }


# old ones


async def test_hours_and_groups_go_after_thirty_days(shop: House) -> None:
    await at(shop, NOON, *numbered("a", 2, WRONG_TWICE))
    await at(shop, NOON + (KEPT_HOURS - 1) * HOUR, *numbered("b", 1))
    assert await groups(shop) == {PRICE: 3, TAX: 2}
    await at(shop, NOON + (KEPT_HOURS + 1) * HOUR, {"event": "Paid", "messageId": "good"})
    assert await rows(shop, "SELECT field, count FROM violations") == [("properties.price", 3)]
    assert await rows(shop, "SELECT violation, count FROM violation_counts") == [(1, 1)]


async def test_the_number_of_a_group_is_not_used_again(shop: House) -> None:
    await at(shop, NOON, *numbered("a", 1))
    await at(shop, NOON + (KEPT_HOURS + 1) * HOUR, {"event": "Paid", "messageId": "good"})
    await at(shop, NOON + (KEPT_HOURS + 1) * HOUR, *numbered("b", 1))
    ((number,),) = await rows(shop, "SELECT id FROM violations")
    assert number > 1


# what goes wrong


async def test_over_a_crash_at_any_statement_they_are_counted_once(tmp_path: Path) -> None:
    disk, copies = Disk(), 0

    def copy(_: str) -> None:
        nonlocal copies
        disk.copy(tmp_path / "live", tmp_path / f"copy-{copies}")
        copies += 1

    async with house(tmp_path / "live", disk=disk) as live:
        take_up(live, SHOP, Controls())
        for number in range(3):
            await take(live, *numbered("a", 2 + number, WRONG_TWICE))
        disk.at_statement = copy
        for _ in range(3):
            await live.admit(limit=1)
        disk.at_statement = None
        expected = await groups(live)
    assert expected == {PRICE: 4, TAX: 4}
    assert copies > 15
    for number in range(copies):
        async with house(tmp_path / f"copy-{number}") as again:
            take_up(again, SHOP, Controls())
            while again.admission.cursor < 3:
                await again.admit(limit=1)
            assert await groups(again) == expected


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_pass_that_could_not_be_written_is_counted_when_it_is(tmp_path: Path, moment: Any) -> None:
    disk = Disk()
    async with house(tmp_path / "a", disk=disk) as built:
        take_up(built, SHOP, Controls())
        told: list[Counts] = []
        built.admission._violated = told.append
        await take(built, *numbered("a", 3))
        disk.break_down("INSERT", moment=moment, times=1)
        with pytest.raises(sqlite3.OperationalError):
            await built.admit()
        assert told == []
        await built.admit()
        assert await groups(built) == {PRICE: 3}
        assert told == [{PRICE: 3}]


async def test_a_pass_that_was_written_though_its_commit_failed_is_not_counted_again(tmp_path: Path) -> None:
    disk = Disk()
    async with house(tmp_path / "a", disk=disk) as built:
        take_up(built, SHOP, Controls())
        await take(built, *numbered("a", 3))
        disk.break_down("COMMIT", moment="after", times=1)
        with pytest.raises(sqlite3.OperationalError):
            await built.admit()
        await take(built, *numbered("b", 2))
        await built.admit()
        assert await groups(built) == {PRICE: 5}


# who is told


async def test_what_was_written_down_is_told_once_and_nothing_else(tmp_path: Path) -> None:
    async with house(tmp_path / "a") as built:
        told: list[Counts] = []
        built.admission._violated = told.append
        take_up(built, SHOP, STRICT)
        await take(built, *numbered("a", 2), *numbered("b", 1, WRONG_TWICE))
        await built.admit()
        await take(built, {"event": "Paid", "messageId": "good"}, {"event": "Lost", "messageId": "lost"})
        await take(built, *numbered("a", 2))
        await built.admit()
        assert told == [{PRICE: 3, TAX: 1}]


async def test_metrics_count_violations_by_type_and_blocked_events_by_reason(tmp_path: Path) -> None:
    def metric(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, {"source": "measured", **labels}) or 0.0

    async with house(tmp_path / "a") as built:
        take_up(built, SHOP, STRICT, source="measured")
        lost = {"event": "Lost", "messageId": "lost"}
        await take(built, *numbered("a", 2), *numbered("a", 2), lost, lost, source="measured")
        await built.admit()
    assert metric("relay_violations_total", type="Invalid Type") == 2
    assert metric("relay_blocked_total", reason="unplanned") == 1
