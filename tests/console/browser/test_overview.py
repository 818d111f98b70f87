"""The overview, as somebody has it open: charts that live through every refresh, and nothing that is lost by one."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.acceptance.relay_process import eventually
from tests.console.browser.person import SECONDS, Desk, desk_in
from tests.gateway.relay_here import event

pytestmark = pytest.mark.asyncio(loop_scope="module")

expect.set_options(timeout=SECONDS * 1000)

CHARTS = 5


async def something_happened(desk: Desk) -> None:
    """An event, the same again, and both have their fate."""
    one = event(event="Seen in Charts")
    for _ in range(2):
        await desk.relay.post("/v1/track", one)

    async def look() -> bool:
        (hook,) = (await desk.relay.app.history.funnel("1h")).destinations
        return hook.delivered > 0 and hook.filtered_at_source.events > 0

    await eventually(look, SECONDS, lambda: "not delivered")


async def refreshed(page: Page) -> None:
    """The figures are new, and so is what the charts show."""
    async with page.expect_response("**/overview/series*"), page.expect_response("**/overview/figures*"):
        pass


async def is_drawn(page: Page) -> int:
    """How many charts have something on them."""
    drawn: int = await page.evaluate("""() => [...document.querySelectorAll("[data-chart] canvas")].filter((canvas) => {
      const blank = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height })
      return canvas.toDataURL() !== blank.toDataURL()
    }).length""")
    return drawn


async def all_drawn(page: Page) -> None:
    async def look() -> bool:
        return await is_drawn(page) == CHARTS

    await eventually(look, SECONDS, lambda: "charts are missing")


async def test_a_refresh_keeps_what_was_open_what_had_the_focus_and_the_charts(desk: Desk) -> None:
    await something_happened(desk)
    async with desk.person() as page:
        await page.goto("/console/")
        await all_drawn(page)
        why = page.locator("#why-sources-3")
        await why.locator("summary").click()
        await expect(why).to_contain_text("duplicate_message_id")
        sample = why.get_by_role("link").first
        await sample.focus()
        canvas = await page.locator("[data-chart=throughput] canvas").element_handle()
        await refreshed(page)
        await expect(sample).to_be_focused()
        await expect(why).to_have_attribute("open", "")
        await all_drawn(page)
        assert canvas is not None
        assert await canvas.evaluate("canvas => canvas.isConnected")
        await sample.click()
        await expect(page.get_by_role("heading", name="Seen in Charts")).to_be_visible()


async def test_what_is_folded_by_hand_stays_folded_and_its_summary_keeps_the_focus(desk: Desk) -> None:
    await something_happened(desk)
    async with desk.person() as page:
        await page.goto("/console/")
        summary = page.locator("#table-delay > summary")
        await summary.click()
        await refreshed(page)
        await expect(page.locator("#table-delay")).to_have_attribute("open", "")
        await expect(summary).to_be_focused()
        await page.keyboard.press("Enter")
        await refreshed(page)
        await expect(page.locator("#table-delay table")).to_be_hidden()
        await expect(summary).to_be_focused()


async def test_charts_take_up_another_theme_and_another_width(desk: Desk) -> None:
    await something_happened(desk)
    async with desk.person() as page:
        await page.goto("/console/?range=24h")
        await all_drawn(page)
        plot = page.locator("[data-chart=throughput] canvas")
        light = await plot.evaluate("canvas => canvas.toDataURL()")
        await page.emulate_media(color_scheme="dark")

        async def is_dark() -> bool:
            return await plot.count() == 1 and await plot.evaluate("canvas => canvas.toDataURL()") != light

        await eventually(is_dark, SECONDS, lambda: "the colours are those of before")
        await page.set_viewport_size({"width": 400, "height": 900})

        async def is_narrow() -> bool:
            fits: bool = await page.evaluate(
                "document.querySelector('[data-chart=throughput] canvas').getBoundingClientRect().width <= 400 "
                "&& document.documentElement.scrollWidth <= 400"
            )
            return fits

        await eventually(is_narrow, SECONDS, lambda: "wider than the screen")
        await all_drawn(page)


async def test_the_first_event_ever_is_greeted_as_it_comes(tmp_path: Path) -> None:
    async with desk_in(tmp_path) as desk, desk.person() as page:
        await page.goto("/console/")
        await expect(page.get_by_role("heading", name="Send the first event")).to_be_visible()
        await expect(
            page.get_by_role("status").filter(has_text="Waiting for the first event")
        ).to_be_visible()
        await desk.relay.post("/v1/track", event(event="The First"))
        await expect(page.get_by_role("link", name="The First")).to_be_visible()
        await page.get_by_role("link", name="Go to the overview").click()
        await all_drawn(page)


async def test_a_destination_has_one_colour_in_all_charts_and_moments_are_in_utc(desk: Desk) -> None:
    await something_happened(desk)
    async with desk.person() as page:
        await page.goto("/console/")
        await all_drawn(page)
        colours = set()
        for chart, label in (("throughput", "hook delivered"), ("delay", "hook p95"), ("lag", "hook")):
            line = page.locator(f"[data-chart={chart}] .u-series").filter(has_text=label)
            colours.add(
                await line.locator(".u-marker").evaluate("one => getComputedStyle(one).borderTopColor")
            )
        assert len(colours) == 1
        plot = page.locator("[data-chart=lag]")
        await plot.locator(".u-over").hover()
        await expect(plot.locator(".u-series").first).to_contain_text(
            re.compile(r"UTC\s*\d{4}-\d\d-\d\d \d\d:\d\d")
        )
