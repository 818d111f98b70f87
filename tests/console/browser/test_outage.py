"""relay stops and starts again while somebody looks at its events."""

import pytest
from playwright.async_api import expect

from tests.acceptance.relay_process import eventually
from tests.console.browser.person import SECONDS, Desk
from tests.gateway.relay_here import event

pytestmark = pytest.mark.asyncio(loop_scope="module")

expect.set_options(timeout=SECONDS * 1000)


async def test_a_lost_connection_is_said_and_what_came_meanwhile_is_shown(desk: Desk) -> None:
    await desk.relay.post("/v1/track", event(event="Before"))
    async with desk.person(may_say=("net::ERR", "Failed to load resource", "Failed to fetch")) as page:
        await page.goto("/console/events")
        listeners = desk.relay.app.debugger._listeners
        await eventually(lambda: bool(listeners), SECONDS, lambda: "nobody listens")
        await page.context.set_offline(True)
        desk.relay.app.debugger.close()  # as when relay ends
        await expect(page.locator("#news")).to_contain_text("relay does not answer")
        await page.locator(".event").first.get_by_role("link").click()
        await expect(page.get_by_role("alert")).to_contain_text("relay does not answer")
        await desk.relay.post("/v1/track", event(event="Meanwhile"))
        await page.context.set_offline(False)
        await expect(page.locator(".event", has_text="Meanwhile")).to_have_count(1)
        await expect(page.locator("#news")).to_contain_text("Live")
