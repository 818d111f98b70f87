"""Device mode with tools' scripts that never load, throw, hang or come twice: the page and the other tools do not notice.

`test_device_mode` breaks Amplitude and Mixpanel; here it is the others, and all at once.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route

from tests.browser.secure import EITHER
from tests.browser.snippet import page_of
from tests.browser.test_device_mode import (
    ADS,
    AMPL,
    APIS,
    GA4,
    HEAT,
    META,
    MIX,
    ONLY,
    SENT,
    by_relay,
    fates,
    tables,
    told,
    until_told,
    visiting,
)
from tests.browser.tools import SCRIPTS
from tests.browser.visit import Ground, ground_in
from tests.gateway.relay_here import KEY
from tests.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")

THROWN = "throw new Error('broken')"
# what a page with a monitor of errors would notice; a script's own error has its own address
WATCH = """
  window.noticed = []
  addEventListener("error", ({message, filename}) => { if (filename.startsWith(location.origin) || /events|127.0.0.1/.test(filename)) noticed.push(message) })
  addEventListener("unhandledrejection", ({reason}) => noticed.push(String(reason)))
"""
GRANTED = "{context: {consent: {categoryPreferences: {C1: true}}}}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver(
        {("POST", path) for path in (*APIS.values(), "/identify", "/engage", "/groups", "/track")}
    ) as ready:
        yield ready


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> AsyncIterator[Ground]:
    async with ground_in(tmp_path_factory.mktemp("broken"), tables(receiver.url)) as ready:
        yield ready


async def notices_nothing(page: Page) -> None:
    assert await page.evaluate("noticed") == []
    await page.evaluate("document.body.append('still alive')")


@EITHER
@pytest.mark.parametrize("wrong", [None, THROWN], ids=["never comes", "throws"])
async def test_the_others_get_their_events_when_google_meta_and_a_script_are_broken(
    wrong: str | None, library: str, ground: Ground, receiver: Receiver
) -> None:
    receiver.requests.clear()
    broken: dict[str, str | None] = dict.fromkeys(("googletagmanager", "facebook", "heat.test"), wrong)
    async with visiting(ground, broken) as (visit, _):
        page = await visit.open(before=WATCH, host=ground.front.url + library)
        await page.evaluate(f"void analytics.track('Halved', {{n: 1}}, {GRANTED})")
        await until_told(page, "amplitude.track", "Halved")
        await until_told(page, "mixpanel.track", "Halved")
        found = await fates(ground, "Halved")
        assert (found[AMPL], found[MIX], found[ADS]) == (SENT, SENT, ONLY)
        # of a script without a name of its own nobody knows more than that it came
        assert found[HEAT] == (SENT if wrong else ONLY)
        assert found[META] != SENT
        await ground.front.wait_until(lambda: by_relay(receiver, GA4, "Halved"))
        assert not by_relay(receiver, AMPL, "Halved")
        assert await told(page, "gtag", "fbq", "heat") == []
        await notices_nothing(page)


@EITHER
async def test_all_scripts_hang_and_relay_sends_everything(
    library: str, ground: Ground, receiver: Receiver
) -> None:
    """They never come and never fail: after five seconds nobody waits any more."""
    receiver.requests.clear()

    async def hold(_: Route) -> None:
        """No answer, ever."""

    async with visiting(ground) as (visit, _):
        await visit.context.route("https://**/*", hold)
        page = await visit.new_page()
        host = ground.front.url + library
        ground.pages.html["/held"] = page_of(host, KEY, {}, "analytics.track('Held')", WATCH, "", "")
        # a script that is awaited keeps the page's `load` waiting, whoever puts it there
        await page.goto(f"{ground.origin}/held", wait_until="domcontentloaded")
        found = await fates(ground, "Held")
        assert (found[ADS], found[HEAT]) == (ONLY, ONLY)
        (event,) = ground.front.events("Held")
        waited = datetime.fromisoformat(event["sentAt"]) - datetime.fromisoformat(event["timestamp"])
        assert waited < timedelta(seconds=20)  # five scripts one after the other would take 25
        await ground.front.wait_until(
            lambda: all(by_relay(receiver, one, "Held") for one in (GA4, AMPL, MIX))
        )
        await notices_nothing(page)


@EITHER
async def test_all_scripts_come_twice_and_no_tool_gets_an_event_twice(
    library: str, ground: Ground, receiver: Receiver
) -> None:
    receiver.requests.clear()
    async with visiting(ground) as (visit, _):
        page = await visit.open(before=WATCH, host=ground.front.url + library)
        await page.evaluate(f"void analytics.track('Before', {{n: 1}}, {GRANTED})")
        names = ("gtag", "fbq", "amplitude.track", "mixpanel.track", "heat")
        for tool in names if library else names[:-1]:
            await until_told(page, tool, "Before")
        for place in SCRIPTS:
            if library or "heat" not in place:
                await page.add_script_tag(url=f"https://{place}")
        await page.evaluate(f"void analytics.track('Twice', {{n: 2}}, {GRANTED})")
        for tool in names if library else names[:-1]:
            await until_told(page, tool, "Twice")
            assert len([one for one in await told(page, tool) if "Twice" in one]) == 1, tool
        found = await fates(ground, "Twice")
        assert {found[GA4], found[META], found[AMPL], found[MIX], found[ADS]} == {SENT}
        assert receiver.requests == []
        await notices_nothing(page)
