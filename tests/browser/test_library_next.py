"""Segment's own analytics.js served by relay, in a browser: all that it needs comes from relay, and nothing from elsewhere.

The browser speaks with relay itself. The library is the one of the tests' own npm folder.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route

from relay.browser.analytics_next import NAME, VERSION
from relay.browser.config import BrowserConfig
from relay.browser.snippet import snippet
from relay.console.search import Search
from tests.acceptance.relay_process import eventually
from tests.browser.front import SECONDS
from tests.browser.snippet import page_of
from tests.browser.tools import SCRIPTS
from tests.browser.visit import REFERENCE, Ground, Visit, ground_in
from tests.gateway.relay_here import KEY, SOURCE

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWN = BrowserConfig(prefix="/x7k", script="a.js", library="analytics-next")
TABLE = '[browser]\nlibrary = "analytics-next"\nprefix = "/x7k"\nscript = "a.js"\n'
PLUG_IN = """
[[destinations]]
name = "heat"
type = "script"
mode = "device"

[destinations.settings]
url = "https://static.heat.test/heat.js"
function = "heat"
globals = { _heat = { id = 7 } }
calls = { track = ["event", "$.event"] }
"""
VENDOR = "static.heat.test"

_numbers = count()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    folder = tmp_path_factory.mktemp("browser")
    _install(folder)
    async with ground_in(folder, TABLE + SOURCE + PLUG_IN) as ready:
        yield ready


def _install(folder: Path) -> None:
    """Where relay looks for it: npm fetches it before a page is opened."""
    made = folder / "data" / NAME
    made.mkdir(parents=True)
    (made / VERSION).symlink_to(REFERENCE, target_is_directory=True)


def host_of(ground: Ground) -> str:
    return f"http://events.example.test:{ground.relay.port}"


def published(ground: Ground, calls: str) -> str:
    """Segment's snippet with the host changed, and `_cdn`."""
    return page_of(host_of(ground), KEY, None, calls, "", "", "")


def printed(ground: Ground, calls: str) -> str:
    """What `relay snippet` prints."""
    html = snippet(KEY, host_of(ground), OWN, is_readable=False)
    return f"<!doctype html><head><link rel='icon' href='data:,'>{html}<script>{calls}</script></head>"


Making = Callable[[Ground, str], str]
EITHER = pytest.mark.parametrize("make", [published, printed])


@asynccontextmanager
async def opened(
    ground: Ground, make: Making, calls: str, query: str = ""
) -> AsyncIterator[tuple[Visit, Page, list[str]]]:
    """A page, and the addresses that it asked for; what is neither relay's nor the vendor's fails the test."""
    asked: list[str] = []
    elsewhere: list[str] = []

    async def route(found: Route) -> None:
        address = urlsplit(found.request.url)
        asked.append(address.path)
        if address.hostname == VENDOR:
            await found.fulfill(body=SCRIPTS["static.heat.test/heat.js"], content_type="text/javascript")
        elif address.hostname == "events.example.test":
            await found.continue_()
        else:
            elsewhere.append(found.request.url)
            await found.abort()

    async with ground.visit() as visit:
        page = await visit.new_page()
        path = f"/next-{next(_numbers)}"
        ground.pages.html[path] = make(ground, calls)
        await page.route(lambda url: not url.startswith(ground.named_origin), route)
        await page.goto(ground.named_origin + path + query)
        await page.wait_for_function("window.analytics.initialized", timeout=SECONDS * 1000)
        yield visit, page, asked
        assert elsewhere == []


async def arrived(ground: Ground, **fields: str) -> dict[str, Any]:
    """The newest event with these fields, as relay admitted it."""
    found: list[dict[str, Any]] = []

    def look() -> bool:
        newest = ground.relay.app.debugger.newest(Search(source="web"), 100)
        found[:] = [one["event"] for one in newest if fields.items() <= one["event"].items()]
        return bool(found)

    await eventually(look, SECONDS, lambda: f"{fields} did not arrive")
    return found[0]


@EITHER
async def test_pages_and_events_arrive_from_segments_library(ground: Ground, make: Making) -> None:
    user = f"user-{make.__name__}"
    calls = f'analytics.identify("{user}"); analytics.page("Shop"); analytics.track("Bought")'
    async with opened(ground, make, calls):
        for fields in ({"type": "page", "name": "Shop"}, {"type": "track", "event": "Bought"}):
            event = await arrived(ground, userId=user, **fields)
            assert event["context"]["library"] == {"name": "analytics.js", "version": f"next-{VERSION}"}


async def test_under_the_well_known_names_all_comes_from_relay(ground: Ground) -> None:
    async with opened(ground, published, 'analytics.track("Known Names")', "?ajs_uid=asked") as (*_, asked):
        await arrived(ground, event="Known Names")
        assert any(path.startswith("/analytics-next/bundles/queryString.bundle.") for path in asked)
        assert {f"/analytics.js/v1/{KEY}/analytics.min.js", f"/v1/projects/{KEY}/settings"} <= set(asked)


async def test_under_names_of_ones_own_all_is_under_the_prefix(ground: Ground) -> None:
    async with opened(ground, printed, 'analytics.track("Own Names")', "?ajs_uid=asked") as (*_, asked):
        await arrived(ground, event="Own Names")
        await eventually(lambda: "/x7k/t" in asked, SECONDS, lambda: str(asked))
        ours = [path for path in asked if path != "/heat.js"]
        assert [path for path in ours if not path.startswith("/x7k/")] == []
        assert f"/x7k/{KEY}/a.js" in ours
        assert any(path.startswith("/x7k/analytics-next/bundles/queryString.bundle.") for path in ours)


@EITHER
async def test_a_plug_in_of_device_mode_runs_in_it(ground: Ground, make: Making) -> None:
    name = f"Seen {make.__name__}"
    async with opened(ground, make, f'analytics.track("{name}")') as (_, page, asked):
        await page.wait_for_function(
            "(name) => (window.told || []).some(([tool, what, event]) => tool === 'heat' && event === name)",
            arg=name,
            timeout=SECONDS * 1000,
        )
        event = await arrived(ground, event=name)
        assert event["_metadata"]["bundledIds"] == ["heat"]
        assert any(path.endswith(f"{KEY}/plugins/script.js") for path in asked)


async def test_clicks_are_tracked_by_a_part_that_comes_when_it_is_needed(ground: Ground) -> None:
    calls = (
        'analytics.ready(() => analytics.trackClick(document.body, "Clicked"));'
        ' analytics.on("track", (name) => { window.tracked = name })'
    )
    async with opened(ground, published, calls) as (_, page, asked):
        # nothing tells when it listens
        await page.wait_for_function(
            "() => { document.body.click(); return window.tracked === 'Clicked' }", timeout=SECONDS * 1000
        )
        await arrived(ground, event="Clicked")
        assert any(path.startswith("/analytics-next/bundles/auto-track.bundle.") for path in asked)
