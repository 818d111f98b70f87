"""From a violation to its mended plan: somebody finds out what broke, mends it, and lets the blocked events go."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.acceptance.relay_process import webhook
from tests.console.browser.person import SECONDS, Desk, desk_in
from tests.console.planned import MENDED, SHOP, TABLES, api_plan, mend, send
from tests.gateway.relay_here import READ_TOKEN

pytestmark = pytest.mark.asyncio(loop_scope="module")

expect.set_options(timeout=SECONDS * 1000)

WRONG = {"event": "Order Completed", "properties": {"order_id": "17"}, "context": {"library": {"name": "x"}}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("plans")
    (folder / "shop.json").write_text(json.dumps(SHOP))
    async with desk_in(folder, TABLES + webhook("{url}")) as ready:
        yield ready


def received(desk: Desk, name: str) -> list[dict[str, Any]]:
    return [e for e in desk.receiver.events() if e["event"] == name]


async def test_a_violation_is_found_and_its_blocked_event_released(desk: Desk) -> None:
    await send(desk.relay, WRONG, WRONG)
    async with desk.person() as page:
        await page.goto("/console/plans")
        await page.get_by_role("link", name="Shop").click()
        await page.get_by_role("link", name="Which of its events break the plan").click()
        row = page.get_by_role("row", name="Does not match pattern '^o-'")
        await expect(row).to_contain_text("properties.order_id")
        await row.locator('a[href="/console/events/1/1"]').click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Order Completed")
        await page.goto("/console/blocked")
        await expect(page.locator("tbody[data-list] tr")).to_have_count(2)
        await page.get_by_role("link", name="Order Completed", exact=True).last.click()
        detail = page.get_by_role("region", name="The chosen event")
        await expect(detail.get_by_role("heading", name="Order Completed")).to_be_focused()
        await expect(detail).to_contain_text("would block it again")
        await page.keyboard.press("Escape")
        await mend(desk.relay, MENDED)
        await page.reload()
        await page.get_by_role("link", name="Release all Order Completed").click()
        await expect(page.get_by_role("listitem").filter(has_text="would be let through")).to_contain_text(
            "2"
        )
        assert received(desk, "Order Completed") == []
        await page.get_by_role("button", name="Release 2 events").click()
        await expect(page.get_by_role("status")).to_have_text("2 events are released.")
    await desk.receiver.wait_until(lambda: len(received(desk, "Order Completed")) == 2, SECONDS)


async def edited(page: Page, text: str) -> None:
    await page.get_by_label("JSON").fill(text)
    await page.get_by_role("button", name="Keep it").click()


async def test_a_plan_of_the_api_is_connected_controlled_and_edited(desk: Desk) -> None:
    plan_id = await api_plan(desk.relay)
    async with desk.person(may_say=("400",)) as page:
        await page.goto(f"/console/plans/{plan_id}")
        await page.get_by_label("Source without a plan").select_option("app")
        await page.get_by_role("button", name="Connect").click()
        await expect(page.get_by_role("status")).to_contain_text("app has this plan now")
        await page.get_by_text("Change what becomes of events that break it").click()
        await page.get_by_label("Track events that the plan does not name").select_option("are blocked")
        await page.get_by_role("button", name="Set the controls").click()
        await expect(
            page.get_by_text("Track events that the plan does not name are blocked.")
        ).to_be_visible()
        await page.get_by_role("link", name="edit it").click()
        text = await page.get_by_label("JSON").input_value()
        await edited(page, text + "}")
        await expect(page.get_by_role("alert")).to_contain_text("This is not JSON")
        await expect(page.get_by_label("JSON")).to_have_value(text + "}")
        await edited(page, text.replace("Product Viewed", "Product Seen"))
        await expect(page.get_by_role("status")).to_contain_text("is in force")
        await expect(page.get_by_text("Product Seen")).to_be_visible()
    await send(desk.relay, {"event": "Product Viewed"}, {"event": "Product Seen"}, key="app-key")
    await desk.receiver.wait_until(lambda: len(received(desk, "Product Seen")) == 1, SECONDS)
    assert received(desk, "Product Viewed") == []


async def test_an_event_is_tested_by_who_may_only_look(desk: Desk) -> None:
    head = desk.relay.app.log.head
    async with desk.person(READ_TOKEN, may_say=("400",)) as page:
        await page.get_by_role("link", name="Test an event").click()
        field = page.get_by_label("Event, or a batch of them")
        await field.fill('{"type": "track"')
        await page.get_by_role("button", name="Test it").click()
        await expect(page.get_by_role("alert")).to_contain_text("line 1, column 17")
        await expect(field).to_have_value('{"type": "track"')
        await field.fill(
            '{"type": "track", "userId": "u", "event": "Product Viewed", "properties": {"sku": "s-1"}}'
        )
        await page.get_by_label("Source").select_option("web")
        await page.get_by_role("button", name="Test it").click()
        await expect(page.get_by_role("status")).to_have_text("Tried. Nothing was sent.")
        await expect(page.locator(".delivery > summary")).to_contain_text("would be delivered")
        await expect(page.get_by_text(f"POST {desk.receiver.url}", exact=True)).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert desk.relay.app.log.head == head


async def test_an_event_of_the_log_is_tried_again_with_todays_plan(desk: Desk) -> None:
    await send(desk.relay, {"event": "Try Me", "messageId": "try-me", "properties": {"a": 1}}, key="app-key")
    async with desk.person() as page:
        await page.goto("/console/events?messageId=try-me")
        await page.locator(".event").get_by_role("link").click()
        await page.get_by_role("link", name="Try it").click()
        await expect(page.get_by_label("Source")).to_have_value("app")
        await page.get_by_role("button", name="Test it").click()
        await expect(page.get_by_role("heading", name="Try Me")).to_be_visible()
