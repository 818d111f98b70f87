"""Dead letters: by reason, one by one, tried again or dropped, and never more than was shown before."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from relay.delivery.dead_letters import Chosen
from relay.log.state import SQL
from tests.acceptance.relay_process import eventually, webhook
from tests.console.visitor import Shown, Visitor, visitor_of
from tests.gateway.relay_here import READ_TOKEN, SOURCE, RelayHere, event, relay_here
from tests.receiver import Receiver

pytestmark = pytest.mark.asyncio

HERE = "/console/dead-letters"


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as ready:
        yield ready


@pytest_asyncio.fixture
async def relay(tmp_path: Path, receiver: Receiver) -> AsyncIterator[RelayHere]:
    one = "batch_size = 1"
    tables = SOURCE + "".join(
        webhook(f"{receiver.url}/{name}", name).replace("batch_size = 50", one) for name in ("hook", "crm")
    )
    async with relay_here(tmp_path, tables) as here:
        yield here


@pytest_asyncio.fixture
async def admin(relay: RelayHere) -> AsyncIterator[Visitor]:
    async with visitor_of(relay) as visitor:
        yield visitor


async def refuse(relay: RelayHere, receiver: Receiver, status: int, n: int, **fields: Any) -> None:
    """Have `n` events refused by both destinations."""
    before = await count(relay)
    receiver.always(status)
    for _ in range(n):
        await relay.post("/v1/track", event(**fields))
    await until(relay, before + 2 * n)
    receiver.always(200)


async def count(relay: RelayHere) -> int:
    return sum(group.count for group in await relay.app.dead_letters.groups(Chosen()))


async def until(relay: RelayHere, n: int) -> None:
    async def holds() -> bool:
        return await count(relay) == n

    await eventually(holds, 60, lambda: f"there are not {n} dead letters")


def hidden(shown: Shown) -> dict[str, Any]:
    """The fields of the form that would do it."""
    form = shown.text.partition('action="/console/dead-letters/work"')[2].partition("</form>")[0]
    fields: dict[str, Any] = {}
    for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form):
        fields.setdefault(name, []).append(value)
    return fields


async def ids(relay: RelayHere, destination: str | None = None) -> list[int]:
    return [letter["id"] for letter in await relay.app.dead_letters.page(destination, None, 500)]


async def test_they_are_counted_by_destination_and_reason(
    relay: RelayHere, receiver: Receiver, admin: Visitor
) -> None:
    await refuse(relay, receiver, 404, 2)
    await refuse(relay, receiver, 422, 1)
    words = (await admin.get(HERE)).words
    assert "6 by destination and reason" in words
    assert "hook the destination answered 404 Not Found 2" in words
    assert "crm the destination answered 422" in words
    rows = re.findall(
        r'name="id" value="(\d+)"', (await admin.get(f"{HERE}?destination=crm&reason=404")).text
    )
    assert len(rows) == 2
    assert set(map(int, rows)) < set(await ids(relay, "crm"))


async def test_a_row_leads_to_its_event_and_shows_the_reply(
    relay: RelayHere, receiver: Receiver, admin: Visitor
) -> None:
    await refuse(relay, receiver, 404, 1, event="<script>alert(1)</script>")
    shown = await admin.get(HERE)
    (letter, _) = await relay.app.dead_letters.page(None, None, 2)
    assert f'href="/console/events/{letter["sequence"]}/{letter["index"]}"' in shown.text
    assert "rejected the destination answered 404 Not Found {} 1" in shown.words
    assert "<script>alert" not in shown.text
    assert letter["event"]["userId"] in shown.words
    assert "Choose all on this page" in shown.words
    assert shown.text.count(">Try the chosen again<") == 2, "above the list, too"


async def test_all_of_a_reason_are_tried_again_and_no_more_than_was_shown(
    relay: RelayHere, receiver: Receiver, admin: Visitor
) -> None:
    await refuse(relay, receiver, 404, 3)
    preview = await admin.get(f"{HERE}/preview?do=retry&destination=hook&reason=404")
    said = preview.words.replace(" ,", ",")
    assert "3 dead letters of hook, refused with 404 (the destination answered 404 Not Found)" in said
    assert "will be tried again." in said
    assert await count(relay) == 6, "a preview does nothing"
    await refuse(relay, receiver, 404, 1)  # what comes after is not meant
    shown = await admin.follow(await admin.post(f"{HERE}/work", hidden(preview)))
    assert "3 dead letters are tried again." in shown.words
    await until(relay, 5)
    assert len(await ids(relay, "hook")) == 1
    await receiver.wait_until(lambda: len(receiver.events("/hook")) == 3, 60)


async def test_the_chosen_are_dropped(relay: RelayHere, receiver: Receiver, admin: Visitor) -> None:
    await refuse(relay, receiver, 404, 2)
    chosen = (await ids(relay))[:3]
    query = "&".join(f"id={one}" for one in chosen)
    preview = await admin.get(f"{HERE}/preview?{query}&do=drop")
    assert "will be dropped" in preview.words
    assert "Drop 3 dead letters" in preview.words
    shown = await admin.follow(await admin.post(f"{HERE}/work", hidden(preview)))
    assert "3 dead letters are dropped." in shown.words
    assert await ids(relay) == [one for one in await ids(relay) if one not in chosen]
    assert await count(relay) == 1


async def test_one_is_tried_again(relay: RelayHere, receiver: Receiver, admin: Visitor) -> None:
    await refuse(relay, receiver, 404, 1)
    (one, other) = await ids(relay)
    preview = await admin.get(f"{HERE}/preview?do=retry&id={one}")
    assert "Try 1 dead letter again" in preview.words
    shown = await admin.follow(await admin.post(f"{HERE}/work", hidden(preview)))
    assert "1 dead letter is tried again." in shown.words
    assert await ids(relay) == [other]


async def test_what_is_gone_meanwhile_is_told(relay: RelayHere, receiver: Receiver, admin: Visitor) -> None:
    await refuse(relay, receiver, 404, 2)
    preview = await admin.get(f"{HERE}/preview?do=drop&reason=404")
    await relay.app.dead_letters.drop("crm", None)
    shown = await admin.follow(await admin.post(f"{HERE}/work", hidden(preview)))
    assert "2 dead letters are dropped. 2 fewer than shown" in shown.words


async def test_those_of_a_destination_that_does_not_run_stay(
    relay: RelayHere, receiver: Receiver, admin: Visitor
) -> None:
    await refuse(relay, receiver, 404, 2)
    text = relay.file.read_text()
    relay.file.write_text(text.replace('name = "crm"', 'name = "crm"\nenabled = false'))
    await relay.app.reload()
    preview = await admin.get(f"{HERE}/preview?do=retry&reason=404")
    assert "2 dead letters of hook" in preview.words
    assert "2 of crm stay: the destination is disabled, or not in relay.toml." in preview.words
    assert "Try 2 dead letters again" in preview.words
    shown = await admin.follow(await admin.post(f"{HERE}/work", hidden(preview)))
    assert "2 dead letters are tried again." in shown.words
    assert len(await ids(relay, "crm")) == 2


@pytest.mark.parametrize(
    "query",
    [
        "do=retry",
        "do=drop&destination=",
        "do=all&reason=404",
        "reason=404",
        "do=drop&id=x",
        f"do=drop&id={'9' * 19}",
    ],
)
async def test_nothing_is_done_that_was_not_asked_for(query: str, relay: RelayHere, admin: Visitor) -> None:
    assert (await admin.get(f"{HERE}/preview?{query}")).status == 400
    fields = dict(pair.split("=", 1) for pair in query.split("&"))
    assert (await admin.post(f"{HERE}/work", {**fields, "up_to": "9", "count": "1"})).status == 400


async def test_the_reader_sees_and_may_not_change(
    relay: RelayHere, receiver: Receiver, admin: Visitor
) -> None:
    await refuse(relay, receiver, 404, 1)
    preview = await admin.get(f"{HERE}/preview?do=drop&reason=404")
    async with visitor_of(relay, READ_TOKEN) as reader:
        shown = await reader.get(HERE)
        assert "404 Not Found" in shown.words
        assert "/preview" not in shown.text.replace('action="/console/dead-letters/preview"', "")
        assert "checkbox" not in shown.text
        assert "/work" not in (await reader.get(f"{HERE}/preview?do=drop&reason=404")).text
        assert (await reader.post(f"{HERE}/work", hidden(preview))).status == 403
    assert await count(relay) == 2


@pytest.mark.parametrize(
    "text", ["%ff", "%ed%a0%80", "%00", "%27%20OR%201=1", "%3Cscript%3Ealert(1)%3C/script%3E"]
)
async def test_what_nobody_can_have_asked_for_finds_nothing(
    text: str, relay: RelayHere, receiver: Receiver, admin: Visitor
) -> None:
    await refuse(relay, receiver, 404, 1)
    for path in (
        f"{HERE}?reason={text}",
        f"{HERE}?destination={text}",
        f"{HERE}/preview?do=drop&reason={text}",
    ):
        shown = await admin.get(path)
        assert shown.status == 200
        assert "<script>alert" not in shown.text
        assert "None of these." in shown.words or "There are none of these any more." in shown.words
    for before in ("x", "-1", "9" * 19, "\u0665"):
        assert (await admin.get(f"{HERE}?before={before}")).status == 400


async def test_without_any_it_is_said(admin: Visitor) -> None:
    assert "There are none" in (await admin.get(HERE)).words


async def fill(relay: RelayHere, n: int) -> None:
    """Dead letters of many destinations and reasons, with long replies."""
    rows = [(f"d{i % 10}", i, 0, "rejected", str(400 + i % 7), "x" * 1500, 1, i) for i in range(n)]
    insert = (
        "INSERT INTO dead_letters (destination, sequence, place, outcome, reason, reply, attempts, at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    )
    await relay.app.state.write(lambda c: c.executemany(insert, rows) and None)


async def test_a_hostile_reply_and_reason_are_text(relay: RelayHere, admin: Visitor) -> None:
    hostile = '"><img src=x onerror=alert(1)>\u202e\x00' + "x" * 100
    row = ("gone <b>", 1, 0, "rejected", hostile, hostile * 5, 1, 1)
    insert = (
        "INSERT INTO dead_letters (destination, sequence, place, outcome, reason, reply, attempts, at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    )
    await relay.app.state.write(lambda c: c.execute(insert, row) and None)
    shown = await admin.get(HERE)
    (query,) = re.findall(r'href="/console/dead-letters/preview\?do=drop&amp;(destination[^"]*)"', shown.text)
    preview = await admin.get(f"{HERE}/preview?do=drop&{query.replace('&amp;', '&')}")
    for one in (shown, preview):
        assert "<img" not in one.text
        assert "<b>" not in one.text
        assert not {"\u202e", "\x00"} & set(one.words)  # of what is read; a form sends a reason as it is
    assert "Drop 1 dead letter" in preview.words


async def test_pages_go_back_to_the_oldest(relay: RelayHere, admin: Visitor) -> None:
    await fill(relay, 450)
    seen: list[int] = []
    path = f"{HERE}?reason=403"
    while path:
        shown = await admin.get(path)
        seen += map(int, re.findall(r'name="id" value="(\d+)"', shown.text))
        older = re.search(r'href="([^"]*before=\d+)"', shown.text)
        path = older[1].replace("&amp;", "&") if older else ""
    assert len(seen) == len(set(seen)) == len(range(3, 450, 7))
    assert seen == sorted(seen, reverse=True)
    assert "not in relay.toml" in (await admin.get(HERE)).words


async def test_no_reply_is_read_to_count_or_to_choose(relay: RelayHere) -> None:
    """With 100,000 of them that is the difference between a tenth of a second and several."""
    everything = (None, None, None, 2**62)
    for query, parameters in (
        ("dead_letter_groups", everything),
        ("dead_letter_ids", (*everything, 5000)),
        ("dead_letters_chosen", (*everything, 100)),
        ("redrivable", ("[]", "[]", None, None, 2**62, 5000)),
    ):

        def explain(connection: Any, query: str = query, parameters: Any = parameters) -> list[str]:
            found = connection.execute(f"EXPLAIN QUERY PLAN {SQL[query]}", parameters)
            return [row[3] for row in found if "dead_letters" in row[3]]

        plan = await relay.app.state.read(explain)
        assert plan[-1] == "SCAN dead_letters USING COVERING INDEX dead_letters_by_reason", (query, plan)
        assert plan[:-1] in ([], ["SEARCH dead_letters USING INTEGER PRIMARY KEY (rowid=?)"]), (query, plan)
