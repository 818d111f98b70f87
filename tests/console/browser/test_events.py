"""The live debugger, as somebody uses it who asks whether an event arrived and what became of it."""

import json
import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.acceptance.relay_process import eventually
from tests.console.browser.person import SECONDS, Desk
from tests.gateway.relay_here import READ_TOKEN, event

pytestmark = pytest.mark.asyncio(loop_scope="module")

expect.set_options(timeout=SECONDS * 1000)


def received(desk: Desk, name: str) -> list[dict[str, Any]]:
    return [e for e in desk.receiver.events() if e["event"] == name]


async def live(desk: Desk, page: Page) -> None:
    """At the list of events, and it has begun to listen."""
    listeners = desk.relay.app.debugger._listeners
    await eventually(lambda: not listeners, SECONDS, lambda: "an earlier page listens")
    await page.goto("/console/events")
    await eventually(lambda: bool(listeners), SECONDS, lambda: f"nobody listens at {page.url}")


async def test_an_event_is_shown_as_it_comes_and_what_became_of_it(desk: Desk) -> None:
    async with desk.person() as page:
        await live(desk, page)
        await desk.relay.post("/v1/track", event(event="Seen Live", userId="jane-1"))
        row = page.locator(".event", has_text="Seen Live")
        await expect(row).to_contain_text("jane-1")
        await expect(row).to_contain_text("delivered")
        await row.get_by_role("link").click()
        detail = page.get_by_role("region", name="The chosen event")
        await expect(detail.get_by_role("heading", name="Seen Live")).to_be_focused()
        await expect(detail.locator(".delivery > summary")).to_contain_text("hook")
        await detail.locator(".delivery > summary").click()
        await expect(detail.get_by_text(f"POST {desk.receiver.url}", exact=True)).to_be_visible()
        await expect(detail.get_by_role("heading", name="Reply")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(detail.get_by_role("heading")).to_have_count(0)
        await expect(row.get_by_role("link")).to_be_focused()


async def test_search_as_you_type(desk: Desk) -> None:
    for n in range(3):
        await desk.relay.post("/v1/track", event(event=f"Found {n}", properties={"plan": f"plan-{n}"}))
    async with desk.person() as page:
        await live(desk, page)
        await page.keyboard.press("/")
        await page.keyboard.type("PLAN-1 found")
        await expect(page.locator("#rows > .event")).to_have_count(1)
        await expect(page.locator("#rows > .event")).to_contain_text("Found 1")
        await expect(page).to_have_url(re.compile("q=PLAN-1"))
        await desk.relay.post("/v1/track", event(event="Found too", properties={"plan": "plan-1"}))
        await desk.relay.post("/v1/track", event(event="Other"))
        await expect(page.locator("#rows > .event")).to_have_count(2)
        await page.reload()
        await expect(page.get_by_label("Search")).to_have_value("PLAN-1 found")
        await expect(page.locator("#rows > .event")).to_have_count(2)


async def test_what_is_paused_stays_and_goes_on(desk: Desk) -> None:
    async with desk.person() as page:
        await live(desk, page)
        await page.get_by_role("button", name="Pause").click()
        await desk.relay.post("/v1/track", event(event="While Paused"))
        await desk.receiver.wait_until(lambda: bool(received(desk, "While Paused")), SECONDS)
        assert await page.locator(".event", has_text="While Paused").count() == 0
        await page.get_by_role("button", name="Go on").click()
        await expect(page.locator(".event", has_text="While Paused")).to_have_count(1)


async def test_a_batch_is_shown_whole(desk: Desk) -> None:
    async with desk.person() as page:
        await live(desk, page)
        batch = [event(type="track", event=f"Of a batch {n}") for n in range(20)]
        await desk.relay.post("/v1/batch", {"batch": batch})
        await expect(page.locator(".event", has_text="Of a batch")).to_have_count(20)
        assert await page.locator("#missed").text_content() == ""


async def test_a_live_view_ends_with_its_session(desk: Desk) -> None:
    async with desk.person(may_say=("401",)) as page:
        await live(desk, page)
        other = await page.context.new_page()
        await other.goto("/console/configuration")
        await other.get_by_role("button", name="Sign out").click()
        desk.signed_in.clear()
        await expect(page.get_by_label("Token")).to_be_visible()
        await desk.relay.post("/v1/track", event(event="Not For You", messageId="not-for-you"))
        await desk.relay.admitted("not-for-you")
        assert await page.get_by_text("Not For You").count() == 0


async def test_an_event_is_sent_again_as_a_new_one(desk: Desk) -> None:
    await desk.relay.post("/v1/track", event(event="Once More", messageId="once-more", properties={"a": 1}))
    await desk.relay.admitted("once-more")
    async with desk.person() as page:
        await page.goto("/console/events?q=once-more")
        await page.locator(".event", has_text="Once More").get_by_role("link").click()
        await page.get_by_role("button", name="Send again").click()
        await expect(page.get_by_role("status")).to_contain_text("Sent again")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Once More")
    await desk.receiver.wait_until(lambda: len(received(desk, "Once More")) == 2, SECONDS)
    found = received(desk, "Once More")
    assert len({e["messageId"] for e in found}) == 2
    assert [e["properties"] for e in found] == [{"a": 1}] * 2


async def test_hostile_names_and_values_show_safely(desk: Desk) -> None:
    hostile = "<img src=x onerror=alert(1)>\u202egnp.exe\x00\x1b[31m'\"`${7*7}{{7*7}}"
    await desk.relay.post(
        "/v1/track",
        event(
            event=hostile,
            messageId="hostile",
            userId="</li><script>alert(2)</script>",
            properties={hostile: hostile, "long": "x" * 20_000, **{f"p{n}": n for n in range(1000)}},
        ),
    )
    await desk.relay.admitted("hostile")
    async with desk.person() as page:
        await page.goto("/console/events?messageId=hostile")
        row = page.locator("#rows > .event")
        await expect(row).to_contain_text(
            "<img src=x onerror=alert(1)>\u27e8U+202E\u27e9gnp.exe\u2400\u241b[31m"
        )
        await expect(row).to_contain_text("</li><script>")
        await row.get_by_role("link").click()
        detail = page.get_by_role("region", name="The chosen event")
        await expect(detail).to_contain_text("p999")
        assert await page.locator("img").count() == 0
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_the_reader_sees_and_cannot_send(desk: Desk) -> None:
    await desk.relay.post("/v1/track", event(event="Only Looked At", messageId="looked-at"))
    await desk.relay.admitted("looked-at")
    async with desk.person(READ_TOKEN) as page:
        await page.goto("/console/events?messageId=looked-at")
        await page.locator(".event").get_by_role("link").click()
        detail = page.get_by_role("region", name="The chosen event")
        await expect(detail.get_by_role("heading", name="Only Looked At")).to_be_visible()
        assert await detail.get_by_role("button", name="Send again").count() == 0


async def test_the_command_that_is_shown_sends_the_event(desk: Desk) -> None:
    await desk.relay.post(
        "/v1/track", event(event="It's $HOME", messageId="shell", properties={"a": "$(id) 'b'"})
    )
    await desk.relay.admitted("shell")
    async with desk.person() as page:
        await page.goto("/console/events?messageId=shell")
        await page.locator(".event").get_by_role("link").click()
        command = page.locator("details", has=page.get_by_text("As curl", exact=True)).last.locator("code")
        text = await command.text_content()
    assert text is not None
    assert text.startswith('curl -u "$WRITE_KEY:" http://127.0.0.1:')
    body = json.loads(text.split("--json ", 1)[1].strip("'").replace("'\"'\"'", "'"))
    assert (body["event"], body["properties"]) == ("It's $HOME", {"a": "$(id) 'b'"})
