"""Visits to pages: a fresh browser profile for each, its console watched."""

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from relay.browser.build import BUILT, SOURCES
from relay.npm import build
from tests.acceptance.sdks import install_node_sdk
from tests.browser.front import SECONDS, Front, Pages
from tests.browser.snippet import page_of
from tests.gateway.relay_here import KEY, SOURCE, RelayHere, relay_here

NODE_FOLDER = Path(__file__).parent / "node"
REFERENCE = NODE_FOLDER / "node_modules/@segment/analytics-next/dist/umd"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "chromium"
# pages under names, so that cookies have domains; quiet, so that nothing but the pages asks the servers
FLAGS = (
    "--no-sandbox",
    "--host-resolver-rules=MAP *.example.test 127.0.0.1",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
)
NETWORK = ("Failed to load resource", "net::ERR", "blocked by CORS policy")
SEGMENTS_OWN = "Promise timed out"  # what Segment's library says on a slow machine, and relay's never does

_numbers = count()


def install_reference() -> None:
    """Segment's analytics.js, from npm."""
    install_node_sdk(NODE_FOLDER)


@dataclass
class Visit:
    """One visitor: all pages of a profile. `said` is what they wrote to the console, but for the network's lines."""

    ground: "Ground"
    context: BrowserContext
    said: list[str] = field(default_factory=list)

    async def open(
        self,
        calls: str = "",
        *,
        options: Mapping[str, Any] | str | None = None,
        before: str = "",
        body: str = "",
        head: str = "",
        query: str = "",
        origin: str | None = None,
        host: str | None = None,
        path: str | None = None,
        page: Page | None = None,
    ) -> Page:
        """A page with the snippet. It is there when its script has run, unless that never came."""
        path = path or f"/page-{next(_numbers)}"
        self.ground.pages.html[path] = page_of(
            host or self.ground.front.url, KEY, options, calls, before, body, head
        )
        page = page or await self.new_page()
        await page.goto((origin or self.ground.origin) + path + query)
        await page.wait_for_function("window.analytics.initialized", timeout=SECONDS * 1000)
        return page

    async def new_page(self) -> Page:
        page = await self.context.new_page()
        page.on("console", lambda message: self._hear(message.text))
        page.on("pageerror", lambda error: self._hear(str(error)))
        return page

    def _hear(self, text: str) -> None:
        if not any(part in text for part in (*NETWORK, SEGMENTS_OWN)):
            self.said.append(text)

    async def cookies(self) -> dict[str, Any]:
        return {cookie["name"]: cookie for cookie in await self.context.cookies()}


@dataclass
class Ground:
    """Everything that stands while a module is tested."""

    relay: RelayHere
    front: Front
    pages: Pages
    browser: Browser

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.pages.port}"

    @property
    def named_origin(self) -> str:
        return f"http://www.example.test:{self.pages.port}"

    @asynccontextmanager
    async def visit(self, *, may_say: tuple[str, ...] = ()) -> AsyncIterator[Visit]:
        """A visitor nobody has seen before. At the end nothing stands in the console but `may_say`."""
        self.front.forget()
        context = await self.browser.new_context(locale="en-US", timezone_id="Europe/Berlin")
        context.set_default_timeout(SECONDS * 1000)
        visit = Visit(self, context)
        try:
            yield visit
        finally:
            self.front.always(None)
            self.front.release()
            await context.close()
        said = [text for text in visit.said if not any(part in text for part in may_say)]
        assert said == [], said


@asynccontextmanager
async def ground_in(folder: Path, tables: str = SOURCE) -> AsyncIterator[Ground]:
    build(SOURCES, BUILT)
    install_reference()
    async with (
        relay_here(folder, tables) as relay,
        Front(relay.public, REFERENCE) as front,
        Pages() as pages,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS, timeout=4 * SECONDS * 1000
        )
        try:
            yield Ground(relay, front, pages, browser)
        finally:
            await browser.close()
