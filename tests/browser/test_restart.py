"""Restarts: relay's process killed and started again, at the same port and on the same folder; the browser closed and opened again.

The browser speaks with relay itself, over TLS. Segment's library comes from the front, and sends to relay too.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Playwright, async_playwright

from relay.browser.build import BUILT, SOURCES
from relay.npm import build
from tests.acceptance.relay_process import RelayProcess, eventually, running, source
from tests.browser.front import SECONDS, Pages
from tests.browser.secure import MOST, SecureFront, certificate_in, servers_before
from tests.browser.snippet import page_of
from tests.browser.visit import CHROMIUM, FLAGS, NETWORK, install_reference
from tests.gateway.relay_here import KEY

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIBRARIES = (
    "",
    "/next",
)  # relay's, and Segment's as the front has it; each for a visitor of a domain of its own
TRACK = "(names) => { for (const name of names) analytics.track(name) }"
IDS = """() => [analytics.user().id(), analytics.user().anonymousId(), analytics.group().id(), analytics.user().traits(),
  Object.entries(localStorage).filter(([name]) => name.startsWith("ajs_")).sort()]"""
SLOW_KEYS = {"": "slow-1", "/next": "slow-2"}
SLOW = "".join(source(key, key, "rate_limit = 1\nburst = 1") for key in SLOW_KEYS.values())

_numbers = count()


@dataclass
class Ground:
    relay: RelayProcess
    front: SecureFront
    pages: Pages
    playwright: Playwright
    browser: Browser
    flags: tuple[str, ...]

    @property
    def host(self) -> str:
        return f"https://direct.example.test:{self.relay.public.rpartition(':')[2]}"

    async def newest(self) -> list[dict[str, Any]]:
        answer = await self.relay.ask_admin("GET", f"/v1/debugger/events?limit={MOST}")
        found: list[dict[str, Any]] = answer.json["events"]
        return [one["event"] for one in found if one["verdict"] == "admitted"]

    async def once(self, names: list[str]) -> list[dict[str, Any]]:
        """The events of these names, once all are there; none is there twice."""
        found: list[dict[str, Any]] = []

        async def look() -> bool:
            found[:] = [event for event in await self.newest() if event.get("event") in names]
            return len({event["event"] for event in found}) == len(names)

        await eventually(look, SECONDS, lambda: f"{sorted(event['event'] for event in found)} of {names}")
        counts = Counter(event["event"] for event in found)
        assert set(counts.values()) == {1}, counts
        return found

    @asynccontextmanager
    async def visitor(self, profile: str = "") -> AsyncIterator["Visitor"]:
        """A browser's visitor, kept in the folder `profile`, else a new one. Nothing stands in the console."""
        if profile:
            context = await self.playwright.chromium.launch_persistent_context(
                profile, executable_path=CHROMIUM, args=self.flags
            )
        else:
            context = await self.browser.new_context()
        context.set_default_timeout(SECONDS * 1000)
        said: list[str] = []
        context.on("console", lambda message: said.append(message.text))
        context.on("weberror", lambda error: said.append(str(error.error)))
        try:
            yield Visitor(self, context)
        finally:
            await context.close()
        assert [text for text in said if not any(part in text for part in NETWORK)] == []


@dataclass
class Visitor:
    ground: Ground
    context: BrowserContext

    async def open(self, library: str, calls: str = "", key: str = KEY) -> Page:
        """A page whose events go to relay itself."""
        ground = self.ground
        path = f"/page-{next(_numbers)}"
        own = {"apiHost": f"{ground.host.removeprefix('https://')}/v1", "protocol": "https"}
        options = {"integrations": {"Segment.io": own}}
        host = ground.front.url + library if library else ground.host
        ground.pages.html[path] = page_of(host, key, options if library else None, calls, "", "", "")
        page = await self.context.new_page()
        site = "localhost" if library else "www.example.test"
        await page.goto(f"https://{site}:{ground.pages.port}{path}")
        await page.wait_for_function("window.analytics.initialized", timeout=SECONDS * 1000)
        await page.evaluate("analytics.ready()")
        return page

    async def track(self, pages: dict[str, Page], names: list[str]) -> None:
        for library, page in pages.items():
            await page.evaluate(TRACK, [f"{name} {library}" for name in names])

    async def ids(self) -> dict[tuple[str, str], str]:
        """The ids in cookies by name and domain; none ends with the browser."""
        cookies = [cookie for cookie in await self.context.cookies() if cookie["name"].startswith("ajs_")]
        assert all(cookie["expires"] > 0 for cookie in cookies)
        return {(cookie["name"], cookie["domain"]): cookie["value"] for cookie in cookies}


def marked(names: list[str]) -> list[str]:
    """These names of events as pages of both libraries track them."""
    return [f"{name} {library}" for library in LIBRARIES for name in names]


def is_of(library: str, event: dict[str, Any]) -> bool:
    return str(event["event"]).rpartition(" ")[2] == library


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    build(SOURCES, BUILT)
    install_reference()
    folder = tmp_path_factory.mktemp("restart")
    shown = certificate_in(folder)
    # these lines are the end of [server]
    async with (
        running(folder, shown.lines + source("web", KEY) + SLOW) as relay,
        servers_before(relay.public.replace("http:", "https:"), shown) as (front, pages),
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=(*FLAGS, shown.flag))
        try:
            yield Ground(relay, front, pages, playwright, browser, (*FLAGS, shown.flag))
        finally:
            await browser.close()


async def test_while_relay_is_killed_and_started_again_events_wait(ground: Ground) -> None:
    before, between, after = ([f"{what} {i}" for i in range(5)] for what in ("Before", "Killed", "After"))
    async with ground.visitor() as visitor:
        pages = {library: await visitor.open(library) for library in LIBRARIES}
        await visitor.track(pages, before)
        earlier = await ground.once(marked(before))
        await ground.relay.kill()
        failing = [page.wait_for_event("requestfailed") for page in pages.values()]
        await asyncio.gather(visitor.track(pages, between), *failing)
        await ground.relay.start()
        await visitor.track(pages, after)
        events = await ground.once(marked([*between, *after]))
        # the debugger forgets with the process, so that one of before would show as admitted now
        again = {event["messageId"] for event in await ground.newest()}
        assert not again & {event["messageId"] for event in earlier}
        for library, page in pages.items():
            me = await page.evaluate("analytics.user().anonymousId()")
            assert {event["anonymousId"] for event in events if is_of(library, event)} == {me}


async def test_relays_own_429_is_obeyed_and_nothing_is_lost(ground: Ground) -> None:
    """One request a second of each source, and relay says when to come again."""
    names = [f"Slow {i}" for i in range(3)]
    async with ground.visitor() as visitor:
        refused: list[str] = []
        visitor.context.on(
            "response",
            lambda answer: refused.append(answer.headers["retry-after"]) if answer.status == 429 else None,
        )
        pages = {library: await visitor.open(library, key=key) for library, key in SLOW_KEYS.items()}
        await visitor.track(pages, names)
        await ground.once(marked(names))
        assert refused
        assert all(text.isdecimal() for text in refused)


async def test_a_browser_that_was_closed_knows_its_visitors_and_what_it_has_not_sent(
    ground: Ground, tmp_path: Path
) -> None:
    calls = 'analytics.identify("u-1", {plan: "pro"}); analytics.group("g-1")'
    names = [f"Kept {i}" for i in range(5)]
    profile = str(tmp_path / "profile")
    async with ground.visitor(profile) as visitor:
        pages = {library: await visitor.open(library, calls) for library in LIBRARIES}
        known = {library: await page.evaluate(IDS) for library, page in pages.items()}
        cookies = await visitor.ids()
        assert sorted((name, domain) for name, domain in cookies) == sorted(
            (name, domain)
            for name in ("ajs_anonymous_id", "ajs_user_id", "ajs_group_id")
            for domain in (".example.test", "localhost")
        )
        await visitor.context.set_offline(offline=True)
        await visitor.track(pages, names)
        for page in pages.values():
            await page.close(run_before_unload=True)
    async with ground.visitor(profile) as visitor:
        assert await visitor.ids() == cookies
        pages = {library: await visitor.open(library) for library in LIBRARIES}
        events = await ground.once(marked(names))
        for library, page in pages.items():
            assert await page.evaluate(IDS) == known[library]
            ids = [(e["userId"], e["anonymousId"]) for e in events if is_of(library, e)]
            assert ids == [tuple(known[library][:2])] * len(names)
        assert await visitor.ids() == cookies
