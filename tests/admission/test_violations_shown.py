"""Violations as they are shown: what was counted since a moment, and the newest events as they arrived."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from relay.admission import violations_shown as room
from relay.admission.violations import HOUR
from relay.admission.violations_shown import ViolationsShown
from relay.log.memory import MemoryLog
from relay.plans.controls import Controls
from tests.admission.house import House, house
from tests.admission.test_plans import STRICT, take_up
from tests.admission.test_violations import SHOP, WRONG, WRONG_TWICE, at, numbered
from tests.log.records import NOON

MARKER = "s3cr3t"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path / "a") as built:
        take_up(built, SHOP, STRICT)
        yield built


async def page(
    built: House,
    *,
    source: str | None = None,
    event: str | None = None,
    since: int | None = None,
    limit: int = 100,
    shows_values: bool = False,
) -> list[dict[str, Any]]:
    return await ViolationsShown(built.log, built.state, lambda: shows_values).page(
        source, event, since, limit
    )


async def test_a_group_with_its_samples(shop: House) -> None:
    await at(shop, NOON, *numbered("a", 4))
    await at(shop, NOON + 1000, *numbered("b", 1, {**WRONG, "userId": MARKER}))
    (found,) = await page(shop)
    samples = found.pop("samples")
    assert found == {
        "source": "app",
        "event": "Paid",
        "field": "properties.price",
        "type": "Invalid Type",
        "description": "Invalid type. Expected: number, given: string",
        "count": 5,
        "firstSeen": "2026-11-24T12:00:00.000Z",
        "lastSeen": "2026-11-24T12:00:01.000Z",
    }
    assert [sample["messageId"] for sample in samples] == ["b0", "a3", "a2"]
    newest = samples[0]
    assert newest["receivedAt"] == "2026-11-24T12:00:01.000Z"
    assert (newest["verdict"], newest["reason"]) == ("admitted", None)
    assert newest["event"]["properties"] == {"price": "<string>"}
    assert newest["event"]["receivedAt"] == "2026-11-24T12:00:01.000Z"


async def test_a_sample_is_as_it_arrived_and_not_as_it_was_delivered(shop: House) -> None:
    sent = {"event": "Paid", "messageId": "m", "properties": {"price": MARKER, "new": [MARKER, None]}}
    await at(shop, NOON, sent)
    (event,) = await shop.read_feed()
    assert event.data["properties"] == {}
    (found,) = await page(shop)
    assert found["samples"][0]["event"]["properties"] == {"price": "<string>", "new": ["<string>", None]}
    assert "protocols" not in found["samples"][0]["event"]["context"]
    (found,) = await page(shop, shows_values=True)
    assert found["samples"][0]["event"]["properties"] == sent["properties"]


async def test_no_value_is_shown_unless_that_is_wanted(shop: House) -> None:
    strange = {"event": "Paid", "userId": MARKER, "context": {"ip": MARKER, "page": {"url": MARKER}}}
    await at(
        shop,
        NOON,
        {**strange, "messageId": "m", "properties": {"price": MARKER, MARKER[:3]: [{"a": MARKER}]}},
    )
    assert MARKER not in str(await page(shop))
    assert MARKER in str(await page(shop, shows_values=True))


async def test_a_blocked_event_is_a_sample_with_its_reason(tmp_path: Path) -> None:
    async with house(tmp_path / "a") as built:
        take_up(built, SHOP, Controls(allow_track_event_on_violations=False))
        await at(built, NOON, {**WRONG, "messageId": "m"})
        (found,) = await page(built)
        (sample,) = found["samples"]
        assert (sample["verdict"], sample["reason"]) == ("blocked", "schema_violation")


async def test_since_a_moment_they_are_counted_by_whole_hours(shop: House) -> None:
    await at(shop, NOON, *numbered("a", 2, WRONG_TWICE))
    await at(shop, NOON + HOUR // 4, *numbered("b", 3))
    await at(shop, NOON + 2 * HOUR, *numbered("c", 4))

    async def counts(since: int | None) -> list[tuple[str, int]]:
        return [(one["field"], one["count"]) for one in await page(shop, since=since)]

    price, tax = "properties.price", "properties.tax"
    assert await counts(None) == [(price, 9), (tax, 2)]
    assert await counts(NOON) == [(price, 9), (tax, 2)]
    assert await counts(NOON + 1) == [(price, 9)]  # the hour counts whole, and tax was not seen since
    assert await counts(NOON + HOUR) == [(price, 4)]
    assert await counts(NOON + 2 * HOUR + 1) == []


async def test_of_one_source_and_of_one_event_at_most_so_many(shop: House) -> None:
    await at(
        shop,
        NOON,
        *numbered("a", 1, WRONG_TWICE),
        *numbered("b", 1, {"event": "Seen", "properties": {"x": 1}}),
    )
    await at(shop, NOON + 1000, *numbered("c", 1))
    assert [one["event"] for one in await page(shop)] == ["Paid", "Seen", "Paid"]
    assert [one["field"] for one in await page(shop, event="Paid")] == ["properties.price", "properties.tax"]
    assert [one["field"] for one in await page(shop, limit=1)] == ["properties.price"]
    assert len(await page(shop, source="app")) == 3
    assert await page(shop, source="web") == []
    assert await page(shop, event="Lost") == []


async def test_a_sample_that_retention_has_dropped_is_left_out(tmp_path: Path) -> None:
    async with house(tmp_path / "a", log=MemoryLog()) as built:
        take_up(built, SHOP, Controls())
        await at(built, NOON, *numbered("a", 1))
        await at(built, NOON, *numbered("b", 1))
        await built.log.trim(older_than=1 << 60, keep_from=2, max_bytes=None)
        (found,) = await page(built)
        assert (found["count"], [sample["messageId"] for sample in found["samples"]]) == (2, ["b0"])


async def test_samples_are_read_a_few_requests_at_a_time(
    shop: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "CHUNK", 2)
    for number in range(5):
        event = {"event": "Seen", "messageId": f"m{number}", "properties": {f"x{number}": 1}}
        await at(shop, NOON + number, event)
    found = await page(shop)
    assert [one["samples"][0]["messageId"] for one in found] == ["m4", "m3", "m2", "m1", "m0"]
