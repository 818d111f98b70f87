"""A person runs relay from the console: finds what fails and mends it, replays what was lost, holds a destination up."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.acceptance.relay_process import eventually
from tests.console.browser.person import SECONDS, Desk, desk_in
from tests.gateway.relay_here import READ_TOKEN, SOURCE, event

pytestmark = pytest.mark.asyncio(loop_scope="module")

expect.set_options(timeout=SECONDS * 1000)

TABLES = (
    SOURCE
    + """
[[destinations]]
name = "crm"
type = "webhook"
settings = { url = "{url}/crm" }
[[destinations]]
name = "later"
type = "webhook"
enabled = false
settings = { url = "{url}/later" }
"""
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path_factory.mktemp("operations"), TABLES) as ready:
        yield ready


def names(desk: Desk, path: str) -> list[str]:
    return sorted(e["event"] for e in desk.receiver.events(path))


async def status(desk: Desk) -> dict[str, Any]:
    found = {one["name"]: one for one in await desk.relay.app.delivery.status()}
    return found["crm"]


async def test_a_failing_destination_is_found_mended_and_its_dead_letters_tried_again(desk: Desk) -> None:
    async with desk.person() as page:
        await page.goto("/console/destinations")
        row = page.get_by_role("row", name=re.compile("^crm"))
        await expect(row.get_by_role("cell").nth(3)).to_have_text("0")
        desk.receiver.always(422)
        for n in range(3):
            await desk.relay.post("/v1/track", event(event=f"Lost {n}"))
        # the list is live: nobody reloads it
        await row.get_by_role("link", name="3", exact=True).wait_for()
        await row.get_by_role("link", name="crm").click()
        failures = page.get_by_role("region", name="Refused for good")
        await expect(failures).to_contain_text("the destination answered 422")
        await expect(failures).to_contain_text("Lost 2")
        await expect(failures).to_contain_text("{}")  # the reply
        desk.receiver.always(200)
        await page.get_by_role("link", name="All its dead letters").click()
        await (
            page.get_by_role("row", name=re.compile("^crm"))
            .first.get_by_role("link", name="Try again")
            .click()
        )
        await expect(page.get_by_role("listitem").filter(has_text="refused with 422")).to_contain_text(
            "3 dead letters of crm"
        )
        await page.get_by_role("button", name="Try 3 dead letters again").click()
        await expect(page.get_by_role("status")).to_contain_text("3 dead letters are tried again.")
        await desk.receiver.wait_until(lambda: names(desk, "/crm") == ["Lost 0", "Lost 1", "Lost 2"], SECONDS)
        await page.goto("/console/dead-letters")
        await expect(page.get_by_role("heading", name="There are none")).to_be_visible()


async def test_the_chosen_dead_letters_are_dropped(desk: Desk) -> None:
    desk.receiver.always(404)
    for n in range(3):
        await desk.relay.post("/v1/track", event(event=f"Dropped {n}"))

    async def are_there() -> bool:
        return bool((await status(desk))["deadLetters"] == 3)

    await eventually(are_there, SECONDS, lambda: "they were not refused")
    desk.receiver.always(200)
    async with desk.person() as page:
        await page.goto("/console/dead-letters")
        every = page.get_by_role("checkbox", name="Choose all on this page")
        await every.check()
        await expect(page.get_by_role("checkbox", name="Dropped", checked=True)).to_have_count(3)
        await page.get_by_role("checkbox", name="Dropped 1").uncheck()
        await expect(every).not_to_be_checked()
        await page.get_by_role("button", name="Drop the chosen").first.click()
        await page.get_by_role("button", name="Drop 2 dead letters").click()
        await expect(page.get_by_role("status")).to_contain_text("2 dead letters are dropped.")
        await expect(page.get_by_role("checkbox")).to_have_count(1)
        await expect(page.get_by_role("checkbox", name="Dropped 1")).to_be_visible()
        await page.get_by_role("link", name=re.compile("^Drop dead letter")).click()
        await page.get_by_role("button", name="Drop 1 dead letter").click()
        await expect(page.get_by_role("heading", name="There are none")).to_be_visible()


async def test_a_replay_is_counted_then_started_and_watched_to_its_end(desk: Desk) -> None:
    for n in range(4):
        await desk.relay.post("/v1/track", event(event="Replayed", messageId=f"replayed-{n}"))
    await desk.relay.admitted("replayed-3")
    async with desk.person(may_say=("400",)) as page:
        await page.goto("/console/replays")
        await page.get_by_role("link", name="New replay").click()
        await page.get_by_label("Destination").select_option("later")
        await page.get_by_label("Events", exact=True).fill("Replayed")
        await page.get_by_label("Events a second").fill("no number")
        await page.get_by_role("button", name="Count first").click()
        await expect(page.get_by_role("alert")).to_contain_text("rate: must be a number")
        await expect(page.get_by_label("Events", exact=True)).to_have_value("Replayed")
        await page.get_by_label("Events a second").fill("2")
        await page.get_by_role("button", name="Count first").click()
        found = page.get_by_role("region", name="Found, by event")
        await expect(found).to_contain_text("4 delivered")
        assert names(desk, "/later") == []
        await page.get_by_role("button", name="Start the replay").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Replay")
        # it takes a second or two, and the page shows its end without being reloaded by hand
        await expect(page.locator("main")).to_contain_text("Ended")
        await expect(page.get_by_role("list", name="Events by fate")).to_contain_text("4")
        await expect(page.get_by_role("link", name="Cancel it")).to_have_count(0)
    assert names(desk, "/later") == ["Replayed"] * 4


async def test_a_destination_is_paused_and_goes_on(desk: Desk) -> None:
    async with desk.person() as page:
        await page.goto("/console/destinations/crm")
        await page.get_by_role("button", name="Pause").click()
        await expect(page.get_by_role("status")).to_contain_text("crm is paused.")
        await desk.relay.post("/v1/track", event(event="Held", messageId="held"))
        await desk.relay.admitted("held")
        behind = page.locator("dt", has_text="Behind").locator("+ dd")
        await expect(behind).not_to_have_text(re.compile("^0 "))
        assert "Held" not in names(desk, "/crm")
        await page.get_by_role("button", name="Resume").click()
        await expect(page.get_by_role("status")).to_contain_text("crm is running again.")
        await desk.receiver.wait_until(lambda: "Held" in names(desk, "/crm"), SECONDS)
        await expect(behind).to_have_text(re.compile("^0 "))


async def test_a_block_for_relay_toml_is_copied(desk: Desk) -> None:
    async with desk.person(READ_TOKEN) as page:
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.goto("/console/destinations")
        await page.get_by_role("link", name="Add a destination").click()
        await page.get_by_label("Type").select_option("amplitude")
        await page.get_by_role("button", name="Show what to write").click()
        await page.get_by_role("button", name="Copy").first.click()
        await expect(page.get_by_role("button", name="Copied")).to_be_visible()
        copied = await page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith("[[destinations]]")
        assert 'apiKey = "${AMPLITUDE_API_KEY}"' in copied


async def test_a_wrong_file_is_told_and_the_right_one_taken_up(desk: Desk) -> None:
    right = desk.relay.file.read_text()
    async with desk.person(may_say=("400",)) as page:
        await page.goto("/console/configuration")
        desk.relay.file.write_text(right + "nonsense = 1\n")
        await page.get_by_role("button", name="Reload").click()
        line = right.count("\n") + 1
        await expect(page.get_by_role("alert")).to_contain_text(f"relay.toml:{line}: ")
        await expect(page.get_by_role("alert")).to_contain_text("nonsense")
        desk.relay.file.write_text(right)
        await page.get_by_role("button", name="Reload").click()
        await expect(page.get_by_role("status")).to_contain_text("The configuration was taken up.")
