"""What `relay snippet` prints, in a browser: events under names of one's own, and cookies that the server renews.

The browser speaks with relay itself, as a host of the page's site.
"""

import time
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from relay.browser.config import BrowserConfig
from relay.browser.snippet import snippet
from relay.console.search import Search
from tests.acceptance.relay_process import eventually
from tests.browser.front import SECONDS
from tests.browser.visit import Ground, Visit, ground_in
from tests.gateway.relay_here import KEY, SOURCE

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWN = BrowserConfig(prefix="/x7k", script="a.js", cookie_domains=("example.test",))
TABLE = '[browser]\nprefix = "/x7k"\nscript = "a.js"\ncookie_domains = ["example.test"]\n'
DAY = 86_400

_numbers = count()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    async with ground_in(tmp_path_factory.mktemp("browser"), TABLE + SOURCE) as ready:
        yield ready


async def open_page(visit: Visit, calls: str = "", *, is_readable: bool = False) -> tuple[Page, list[str]]:
    """A page with the snippet, and what it asks for from relay, by path."""
    ground = visit.ground
    host = f"http://events.example.test:{ground.relay.port}"
    html = snippet(KEY, host, OWN, is_readable=is_readable)
    path = f"/first-{next(_numbers)}"
    ground.pages.html[path] = (
        f"<!doctype html><head><link rel='icon' href='data:,'>{html}<script>{calls}</script></head>"
    )
    page = await visit.new_page()
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url.removeprefix(host)) if r.url.startswith(host) else None)
    await page.goto(ground.named_origin + path)
    await page.wait_for_function("window.analytics.initialized", timeout=SECONDS * 1000)
    return page, asked


async def arrived(ground: Ground, name: str) -> dict[str, Any]:
    """The event of this name, as relay admitted it."""
    found: list[dict[str, Any]] = []

    def look() -> bool:
        found[:] = ground.relay.app.debugger.newest(Search(source="web", event=name), 1)
        return bool(found)

    await eventually(look, SECONDS, lambda: f"{name} did not arrive")
    event: dict[str, Any] = found[0]["event"]
    return event


async def renewed(visit: Visit, name: str) -> dict[str, Any]:
    """The cookie, once the server has set it: scripts give it a year at most."""
    by = time.monotonic() + SECONDS
    while time.monotonic() < by:
        found = [cookie for cookie in await visit.context.cookies() if cookie["name"] == name]
        if found and found[0]["expires"] > time.time() + 390 * DAY:
            (one,) = found
            return dict(one)
    raise AssertionError(f"{name} was not renewed: {found}")


@pytest.mark.parametrize("is_readable", [False, True])
async def test_the_snippet_sends_events_by_no_well_known_name(ground: Ground, *, is_readable: bool) -> None:
    name = f"Named {is_readable}"
    async with ground.visit() as visit:
        _, asked = await open_page(visit, f'analytics.track("{name}")', is_readable=is_readable)
        event = await arrived(ground, name)
        assert event["context"]["page"]["path"].startswith("/first-")
        expected = {f"/x7k/{KEY}/a.js", "/x7k/p", "/x7k/t"}
        await eventually(lambda: set(asked) >= expected, SECONDS, lambda: str(asked))
        assert set(asked) == expected


async def test_the_server_renews_the_ids_that_the_script_made(ground: Ground) -> None:
    async with ground.visit() as visit:
        page, _ = await open_page(visit, 'analytics.identify("u-1"); analytics.track("Cookies")')
        event = await arrived(ground, "Cookies")
        cookie = await renewed(visit, "ajs_anonymous_id")
        assert cookie["value"] == event["anonymousId"]
        assert cookie["domain"] == ".example.test"
        assert (cookie["path"], cookie["sameSite"]) == ("/", "Lax")
        assert (cookie["httpOnly"], cookie["secure"]) == (False, False)
        assert await page.evaluate("analytics.user().anonymousId()") == event["anonymousId"]


async def test_after_a_reset_the_visitor_is_another(ground: Ground) -> None:
    async with ground.visit() as visit:
        page, _ = await open_page(visit)
        before = await renewed(visit, "ajs_anonymous_id")
        await page.evaluate("""async () => {
          await analytics.identify("u-2"); await analytics.track("Signed Out"); analytics.reset()
        }""")
        await open_page(visit, 'analytics.track("After Reset")')
        event = await arrived(ground, "After Reset")
        after = await renewed(visit, "ajs_anonymous_id")
        assert event["anonymousId"] == after["value"] != before["value"]
        assert event.get("userId") is None
        assert "ajs_user_id" not in await visit.cookies()
