"""Every page, as it looks and as it is read aloud: light, dark and on a phone, without a serious fault for axe.

The pictures go to the folder of the environment variable CONSOLE_PICTURES, as docs/console.md shows them, else to a temporary one.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.acceptance.sdks import install_node_sdk
from tests.console.browser.person import Desk, desk_in
from tests.console.browser.scene import TABLES, play, write_plan

pytestmark = pytest.mark.asyncio(loop_scope="module")

NODE_FOLDER = Path(__file__).parent.parent / "node"
DOCS = Path(__file__).parents[3] / "docs"
SERIOUS = ("serious", "critical")
LEAST_BYTES = 10_000  # of a picture with something on it

# name of the picture, place, what is to be seen on it
PAGES = (
    ("overview", "/console/", "Received"),
    ("events", "/console/events", "Order Completed"),
    ("event", "/console/events/1/0", "Destinations"),
    ("earlier", "/console/events/earlier?before=10", "found among"),
    ("sources", "/console/sources", "server"),
    ("source", "/console/sources/web", "shop"),
    ("destinations", "/console/destinations", "crm"),
    ("destination", "/console/destinations/crm", "422"),
    ("new-destination", "/console/destinations/new?type=amplitude", "apiKey"),
    ("dead-letters", "/console/dead-letters", "422"),
    ("replays", "/console/replays", "orders"),
    ("replay", "/console/replays/1", "orders"),
    ("plans", "/console/plans", "Shop"),
    ("violations", "/console/violations", "order_id"),
    ("blocked", "/console/blocked", "Order Completed"),
    ("test", "/console/test", "Nothing"),
    ("alerts", "/console/alerts", "Alerts"),
    ("configuration", "/console/configuration", "relay.toml"),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("scene")
    write_plan(folder)
    async with desk_in(folder, TABLES) as ready:
        await play(ready)
        yield ready


@pytest.fixture(scope="module")
def axe() -> str:
    return (install_node_sdk(NODE_FOLDER) / "node_modules/axe-core/axe.min.js").read_text()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chosen = os.environ.get("CONSOLE_PICTURES")
    folder = Path(chosen) if chosen else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def faults(page: Page, axe: str) -> list[str]:
    """What axe finds, as sentences."""
    await page.evaluate(axe)
    found: dict[str, Any] = await page.evaluate("axe.run()")
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


@pytest.mark.parametrize(("name", "place", "seen"), PAGES, ids=[name for name, _, _ in PAGES])
async def test_a_page_is_readable_by_everybody(
    name: str, place: str, seen: str, desk: Desk, axe: str, pictures: Path
) -> None:
    for is_dark, width in ((False, 1280), (True, 1280), (False, 390)):
        async with desk.person(is_dark=is_dark, width=width) as page:
            await page.goto(place)
            await page.get_by_text(seen).first.wait_for(state="attached")
            assert await page.locator("h1").count() == 1
            assert await faults(page, axe) == []
            scrolled = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert scrolled <= 0, "it is wider than the screen"
            kind = "phone" if width < 1280 else "dark" if is_dark else "light"
            file = pictures / f"{name}-{kind}.png"
            await page.screenshot(path=file)
            assert file.stat().st_size > LEAST_BYTES


async def test_the_sign_in_is_readable_by_everybody(desk: Desk, axe: str, pictures: Path) -> None:
    async with desk.person(None, may_say=("401",)) as page:
        await page.goto("/console/sign-in")
        assert await faults(page, axe) == []
        await page.screenshot(path=pictures / "sign-in-light.png")
        await page.get_by_label("Token").fill("wrong")
        async with page.expect_response("**/console/sign-in"):
            await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("alert").wait_for()
        assert await faults(page, axe) == []
