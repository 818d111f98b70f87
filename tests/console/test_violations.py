"""Violations in the console: groups with their events, chosen by source, event, kind and time."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from relay.console.pages import violations
from tests.console.planned import HOSTILE, WRONG, planned_relay, send
from tests.console.visitor import Visitor, visitor_of
from tests.gateway.relay_here import READ_TOKEN, SOURCE, RelayHere, relay_here
from tests.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORDER = {"event": "Order Completed", "properties": {"order_id": "o-1", "total": -1}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def relay(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RelayHere]:
    async with (
        Receiver() as receiver,
        planned_relay(tmp_path_factory.mktemp("violations"), receiver) as here,
    ):
        await send(here, WRONG, WRONG, ORDER, {"event": "Product Viewed", "properties": {"sku": 1}})
        await send(here, {"event": HOSTILE, "context": {"library": {"name": HOSTILE}}})
        yield here


@pytest_asyncio.fixture(loop_scope="module", params=["admin", "reader"])
async def visitor(relay: RelayHere, request: pytest.FixtureRequest) -> AsyncIterator[Visitor]:
    if request.param == "admin":
        async with visitor_of(relay) as visitor:
            yield visitor
    else:
        async with visitor_of(relay, READ_TOKEN) as visitor:
            yield visitor


async def test_each_group_says_what_is_wrong_where_and_how_often(visitor: Visitor) -> None:
    shown = await visitor.get("/console/violations")
    assert shown.status == 200
    assert "Order Completed Does not match pattern '^o-' Pattern properties.order_id web 2 " in shown.words
    assert "Must be greater than or equal to 0 Number Gte properties.total web 1 " in shown.words
    assert re.search(r'href="/console/events/1/0">\s*<bdi>u</bdi>, <time', shown.text)
    assert 'href="/console/events?source=web&amp;event=Order+Completed&amp;violations=true"' in shown.text


async def test_a_sample_leads_to_the_event(visitor: Visitor) -> None:
    shown = await visitor.get("/console/events/1/0")
    assert shown.status == 200
    assert "Does not match pattern" in shown.words


@pytest.mark.parametrize(
    ("query", "there", "not_there"),
    [
        ("event=Product+Viewed", "properties.sku", "properties.order_id"),
        ("kind=Pattern", "properties.order_id", "properties.sku"),
        ("kind=Pattern&event=Product+Viewed", "Nothing found", "properties.sku"),
        ("source=app", "Nothing found", "properties.sku"),
        ("source=web&since=1h", "properties.sku", "Nothing found"),
        ("event=%3Cscript%3E", "Nothing of what you chose", "properties.sku"),
    ],
)
async def test_they_are_chosen(query: str, there: str, not_there: str, visitor: Visitor) -> None:
    words = (await visitor.get(f"/console/violations?{query}")).words
    assert there in words
    assert not_there not in words


@pytest.mark.parametrize("query", ["since=9d", "before=x", "before=1", "before=1-99999999999999999999"])
async def test_a_query_with_a_mistake_is_told(query: str, visitor: Visitor) -> None:
    assert (await visitor.get(f"/console/violations?{query}")).status == 400


async def test_pages_follow_each_other(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = await visitor.get("/console/violations")
    monkeypatch.setattr(violations, "SHOWN", 2)
    seen, path = "", "/console/violations"
    for _ in range(10):
        shown = await visitor.get(path)
        rows = shown.text.split("<tbody data-list>")[1].split("</tbody>")[0]
        assert 1 <= rows.count("<tr>") <= 2
        seen += rows
        if ">Older<" not in shown.text:
            break
        path = shown.text.split('">Older<')[0].rpartition('href="')[2].replace("&amp;", "&")
    assert seen.count("<tr>") == whole.text.split("<tbody data-list>")[1].count("<tr>")
    assert "To the newest" in shown.words


async def test_hostile_names_are_text(visitor: Visitor) -> None:
    shown = await visitor.get("/console/blocked")
    assert "<img src=x onerror=alert(1)>" in shown.words
    for path in ("/console/violations", "/console/blocked", "/console/violations?event=%3Cimg%20src%3Dx%3E"):
        assert "<img" not in (await visitor.get(path)).text


async def test_without_a_plan_it_says_what_one_is(tmp_path: Path) -> None:
    async with relay_here(tmp_path, SOURCE) as relay, visitor_of(relay) as visitor:
        for path in ("/console/violations", "/console/blocked"):
            shown = await visitor.get(path)
            assert "A tracking plan says which events a source should send" in shown.words, path
            assert "relay plan infer --source web -o plans/web.json" in shown.words
            assert 'href="/console/plans/inferred?source=web"' in shown.text
        shown = await visitor.get("/console/plans/inferred?source=web")
        assert "Nothing to infer from" in shown.words
        assert "There is no plan yet" in (await visitor.get("/console/plans")).words
