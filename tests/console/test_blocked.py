"""Blocked events in the console: why, and their release when the plan is mended; said first, then done."""

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.admission import releasing
from relay.admission.blocked import KEPT_MS
from relay.console.pages import blocked
from tests.console.planned import HOSTILE, SHOP, WRONG, mend, planned_relay, send
from tests.console.visitor import Shown, Visitor, visitor_of
from tests.gateway.relay_here import READ_TOKEN, RelayHere
from tests.receiver import Receiver

UNKNOWN = {"event": "Lost", "properties": {"why": HOSTILE}}


@pytest.fixture
async def relay(receiver: Receiver, tmp_path: Path) -> AsyncIterator[RelayHere]:
    async with planned_relay(tmp_path, receiver) as here:
        yield here


@pytest.fixture
async def admin(relay: RelayHere) -> AsyncIterator[Visitor]:
    async with visitor_of(relay) as visitor:
        yield visitor


def link(shown: Shown, label: str) -> str:
    """Where a link of this label (or text) leads."""
    for found in re.finditer(r'<a [^>]*href="([^"]+)"([^>]*)>(.*?)</a>', shown.text, re.DOTALL):
        if label in found[2] or label in re.sub("<[^>]+>", "", found[3]):
            return found[1].replace("&amp;", "&")
    raise AssertionError(f"no link {label}: {shown.words}")


def fields(shown: Shown) -> dict[str, list[str]]:
    """The hidden fields of the form that releases."""
    form = shown.text.split('action="/console/blocked/release"')[1].split("</form>")[0]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form):
        found.setdefault(name, []).append(value)
    return found


async def test_groups_and_events_say_why(relay: RelayHere, admin: Visitor) -> None:
    await send(relay, WRONG, WRONG, UNKNOWN)
    shown = await admin.get("/console/blocked")
    assert (
        "Order Completed web it breaks the rule of its event in the tracking plan schema_violation 2"
        in shown.words
    )
    assert "Lost web it is not in the tracking plan of its source unplanned 1" in shown.words
    assert "properties.order_id : Does not match pattern '^o-'" in shown.words
    only = await admin.get(link(shown, "Lost"))
    assert "Does not match pattern" not in only.words
    one = await admin.get(link(only, "Lost").replace("like", "like"))
    assert one.status == 200
    detail = await admin.get("/console/blocked/3")
    assert '"why": "<img src=x' in detail.words
    assert "<img" not in detail.text
    assert "The plan of today would block it again" in detail.words
    part = await admin.get("/console/blocked/3", {"HX-Request": "true"})
    assert "<html" not in part.text
    assert "Its own page" in part.words


async def test_a_mended_plan_lets_a_group_go(relay: RelayHere, admin: Visitor, receiver: Receiver) -> None:
    await send(relay, WRONG, WRONG, UNKNOWN)
    shown = await admin.get(link(await admin.get("/console/blocked"), "Release all Order Completed"))
    assert "0 would be let through" in shown.words
    assert "2 would be blocked again, and stay" in shown.words
    assert "Mend the plan first" in shown.words
    await mend(relay)
    shown = await admin.get(link(await admin.get("/console/blocked"), "Release all Order Completed"))
    assert "2 would be let through by the plan of today" in shown.words
    assert await relay.app.blocked_events.totals(0) == {"web": 3}
    assert receiver.events() == []
    done = await admin.follow(await admin.post("/console/blocked/release", fields(shown)))
    assert "2 events are released." in done.words
    assert "Order Completed" not in done.words
    await receiver.wait_for(2)
    assert [one["event"] for one in receiver.events()] == ["Order Completed"] * 2
    again = await admin.get("/console/blocked?released=true")
    assert "Order Completed released" in again.words


async def test_no_more_are_released_than_were_shown(relay: RelayHere, admin: Visitor) -> None:
    await send(relay, WRONG)
    await mend(relay)
    shown = await admin.get("/console/blocked/release?like=1")
    assert "1 would be let through" in shown.words
    await mend(relay, SHOP)
    await send(relay, WRONG)
    await mend(relay)
    done = await admin.follow(await admin.post("/console/blocked/release", fields(shown)))
    assert "1 event is released." in done.words
    assert "1 would be let through" in (await admin.get("/console/blocked/release?like=2")).words


async def test_the_page_of_an_event_says_that_it_was_released(
    relay: RelayHere, admin: Visitor, receiver: Receiver
) -> None:
    await send(relay, {**UNKNOWN, "messageId": "lost & <found>"})
    place = f"/console/events/{relay.app.feed.cursor}/0"
    shown = await admin.get(place)
    assert "It can be released once the plan lets it through" in shown.words
    assert "Released" not in shown.words
    assert link(shown, "the blocked event") == "/console/blocked/1"
    await mend(relay)
    shown = await admin.get("/console/blocked/release?id=1")
    await admin.post("/console/blocked/release", fields(shown))
    await receiver.wait_for(1)
    shown = await admin.get(place)
    assert re.search(r"Released (now|[^:]* ago) ?: the blocked event", shown.words)
    assert "None got it: it is not in the tracking plan of its source. It was released" in shown.words
    assert link(shown, "the blocked event") == "/console/blocked/1"
    found = await admin.get(link(shown, "an event of its own"))
    new = f"/console/events/{relay.app.feed.cursor}/0"
    assert new != place
    assert f'href="{new}"' in found.text


async def test_an_event_that_is_kept_apart_no_more_has_its_page(relay: RelayHere, admin: Visitor) -> None:
    await send(relay, UNKNOWN)
    place = f"/console/events/{relay.app.feed.cursor}/0"
    await relay.app.blocked_events.trim(int(time.time() * 1000) + KEPT_MS + 1000, None)
    shown = await admin.get(place)
    assert "None got it: it is not in the tracking plan of its source." in shown.words
    assert "the blocked event" not in shown.words


async def test_the_chosen_are_released_and_one_alone(
    relay: RelayHere, admin: Visitor, receiver: Receiver
) -> None:
    await send(relay, WRONG, UNKNOWN, UNKNOWN, {"event": "Never"})
    await mend(relay)
    shown = await admin.get("/console/blocked/release?id=1&id=2&id=4")
    assert "3 events that you chose" in shown.words
    assert fields(shown)["id"] == ["1", "2", "4"]
    done = await admin.follow(await admin.post("/console/blocked/release", fields(shown)))
    assert "2 events are released. 1 would be blocked again, and stay." in done.words
    detail = await admin.get("/console/blocked/3")
    assert "The plan of today lets it through." in detail.words
    shown = await admin.get(link(detail, "Release…"))
    done = await admin.follow(await admin.post("/console/blocked/release", fields(shown)))
    assert "1 event is released." in done.words
    await receiver.wait_for(3)
    assert sorted(one["event"] for one in receiver.events()) == ["Lost", "Lost", "Order Completed"]
    assert "none of these any more" in (await admin.get("/console/blocked/release?id=3")).words


async def test_many_are_released_in_portions(
    relay: RelayHere, admin: Visitor, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(relay, *[UNKNOWN] * 12)
    await mend(relay)
    monkeypatch.setattr(releasing, "AT_ONCE", 5)
    monkeypatch.setattr(releasing, "SLICE", 5)
    monkeypatch.setattr(blocked, "SECONDS", 0)  # one portion at a time
    shown = await admin.get("/console/blocked/release?like=12")
    assert "These are the oldest 5" in shown.words
    for _ in range(2):
        shown = await admin.follow(await admin.post("/console/blocked/release", fields(shown)))
        assert "5 events are released. There are more: go on." in shown.words
    shown = await admin.follow(await admin.post("/console/blocked/release", fields(shown)))
    assert "2 events are released." in shown.words
    await receiver.wait_for(12)


async def test_pages_follow_each_other(
    relay: RelayHere, admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(relay, *[UNKNOWN] * 5)
    monkeypatch.setattr(blocked, "SHOWN", 2)
    shown = await admin.get("/console/blocked?source=web&reason=unplanned")
    seen = re.findall(r"blocked event (\d+)", shown.text)
    while ">Older<" in shown.text:
        shown = await admin.get(link(shown, "Older"))
        seen += re.findall(r"blocked event (\d+)", shown.text)
    assert seen == ["5", "4", "3", "2", "1"]


async def test_the_reader_sees_and_does_not_release(relay: RelayHere) -> None:
    await send(relay, UNKNOWN)
    async with visitor_of(relay, READ_TOKEN) as reader:
        for path in ("/console/blocked", "/console/blocked/1", "/console/blocked/release?id=1"):
            shown = await reader.get(path)
            assert shown.status == 200, path
            assert "<button>Release" not in shown.text
        assert "Release…" not in (await reader.get("/console/blocked")).words
        assert (await reader.post("/console/blocked/release", {"id": "1"})).status == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/console/blocked/99", 404),
        ("/console/blocked?like=99", 404),
        ("/console/blocked?before=x", 400),
        ("/console/blocked/release", 400),
        ("/console/blocked/release?id=x", 400),
        ("/console/blocked/release?like=1&after=-1", 400),
    ],
)
async def test_what_is_not_there_is_told(path: str, status: int, admin: Visitor) -> None:
    assert (await admin.get(path)).status == status


async def test_a_name_of_30_kilobytes_can_be_released(relay: RelayHere, admin: Visitor) -> None:
    await send(relay, {"event": "n" * 30_000, "properties": {}})
    shown = await admin.get("/console/blocked")
    assert len(shown.text) < 30_000
    assert "1 would be blocked again" in (await admin.get(link(shown, "Release all nnn"))).words
