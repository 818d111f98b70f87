"""What must hold with relay's library and with Segment's, over TLS: every event arrives exactly once, whatever comes between.

Counted is what relay admitted. An event that is sent twice has one messageId, and is admitted once.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Route

from tests.browser.front import SECONDS
from tests.browser.secure import EITHER, SecureGround, admitted, newest, once, secure_ground_in
from tests.browser.snippet import page_of
from tests.browser.visit import Visit
from tests.gateway.relay_here import KEY

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACK = "(names) => { for (const name of names) analytics.track(name) }"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecureGround]:
    async with secure_ground_in(tmp_path_factory.mktemp("secure")) as ready:
        yield ready


def named(what: str, library: str, many: int) -> list[str]:
    return [f"{what} {library or '/'} {i}" for i in range(many)]


async def opened(visit: Visit, library: str, page: Page | None = None, calls: str = "") -> Page:
    """A page whose library is there, and has asked for all that it asks for."""
    page = await visit.open(calls, host=visit.ground.front.url + library, page=page)
    await page.evaluate("analytics.ready()")
    return page


async def tried(ground: SecureGround, names: list[str]) -> None:
    """Return once the browser has sent each of these, whatever the answer."""
    wanted = set(names)
    await ground.front.wait_until(
        lambda: wanted <= {str(event.get("event")) for event in ground.front.events(accepted=False)},
        str(names),
    )


@EITHER
async def test_offline_then_online(library: str, ground: SecureGround) -> None:
    names = named("Offline", library, 30)
    async with ground.visit() as visit:
        page = await opened(visit, library)
        await visit.context.set_offline(offline=True)
        await page.evaluate(TRACK, names)
        await visit.context.set_offline(offline=False)
        events = await once(ground.relay, names)
        assert {event["anonymousId"] for event in events} == {
            await page.evaluate("analytics.user().anonymousId()")
        }


@EITHER
async def test_a_tab_that_is_closed_in_the_middle(library: str, ground: SecureGround) -> None:
    """Nobody answered yet: both libraries send again from the next page, under the same messageIds."""
    names = named("Closed", library, 5)
    async with ground.visit() as visit:
        page = await opened(visit, library)
        ground.front.hang()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.method))
        await page.evaluate(TRACK, names)
        await ground.front.wait_until(lambda: asked.count("POST") == len(names), "requests")
        await page.close(run_before_unload=False)
        ground.front.release()
        await opened(visit, library)
        events = await once(ground.relay, names)
        assert len({event["anonymousId"] for event in events}) == 1


@EITHER
async def test_a_page_that_is_left_at_once(library: str, ground: SecureGround) -> None:
    """Relay's library has written everything down when a call returns.

    Segment's takes an event through its plug-ins first: one that is on the way there when the page goes can be lost.
    """
    names, last = named("Left", library, 5), named("Left Before", library, 1)
    async with ground.visit() as visit:
        page = await opened(visit, library)
        await page.evaluate(
            "(names) => { for (const name of names) analytics.track(name); location.href = '/elsewhere' }",
            names,
        )
        await page.wait_for_url("**/elsewhere")
        page = await opened(visit, library, page)
        await page.evaluate(TRACK, last)
        await once(ground.relay, last if library else [*names, *last])
        arrived = [event["event"] for event in admitted(ground.relay, lambda e: e.get("event") in names)]
        assert len(set(arrived)) == len(arrived)


@EITHER
async def test_a_429_with_retry_after(library: str, ground: SecureGround) -> None:
    names = named("Limited", library, 3)
    async with ground.visit() as visit:
        page = await opened(visit, library)
        ground.front.answers(*[(429, {"Retry-After": "1"})] * 3)
        asked = time.monotonic()
        await page.evaluate(TRACK, names)
        await once(ground.relay, names)
        assert time.monotonic() - asked >= 1
        assert [seen.status for seen in ground.front.seen].count(429) == 3


@EITHER
async def test_an_answer_that_was_lost(library: str, ground: SecureGround) -> None:
    """Relay has the event, and the browser does not know: it sends it again, and relay knows it by its messageId."""
    (name,) = named("Lost", library, 1)
    async with ground.visit() as visit:
        page = await opened(visit, library)
        ground.front.lose(1)
        await page.evaluate("(name) => void analytics.track(name)", name)
        await ground.front.wait_for(name)
        (event,) = await once(ground.relay, [name])
        sent = ground.front.events(name, accepted=False)
        assert [one["messageId"] for one in sent] == [event["messageId"]] * 2
        await ground.front.wait_until(lambda: len(newest(ground.relay, name)) == 2, "second verdict")
        verdicts = [one["verdict"] for one in newest(ground.relay, name)]
        assert sorted(verdicts) == ["admitted", "duplicate"]


@EITHER
async def test_two_tabs_at_once_are_one_visitor(library: str, ground: SecureGround) -> None:
    names = named("Tab", library, 6)
    async with ground.visit() as visit:
        one, two = await opened(visit, library), await opened(visit, library)
        await one.evaluate("void analytics.identify('u-tab')")
        await two.wait_for_function("analytics.user().id() === 'u-tab'", timeout=SECONDS * 1000)
        await one.evaluate(TRACK, names[:3])
        await two.evaluate(TRACK, names[3:])
        events = await once(ground.relay, names)
        assert len({event["anonymousId"] for event in events}) == 1
        assert {event["userId"] for event in events} == {"u-tab"}


@EITHER
async def test_a_tab_that_crashed(library: str, ground: SecureGround) -> None:
    """Relay's library has written down what it has not sent; another page takes it over after two and a half minutes.

    Segment's writes down when a page goes, which a crash does not wait for: these events are lost.
    """
    names = named("Crashed", library, 3)
    async with ground.visit() as visit:
        page = await opened(visit, library)
        ground.front.always((503, {"Retry-After": "600"}))
        await page.evaluate(TRACK, names)
        await tried(ground, names[:1])
        async with page.expect_event("crash"):
            with suppress(PlaywrightError):
                await page.goto("chrome://crash")
        await page.close()
        ground.front.always(None)
        other = await visit.new_page()
        await other.clock.install(time=time.time() + 200)
        await opened(visit, library, other)
        last = named("After Crash", library, 1)
        await other.evaluate(TRACK, last)
        await once(ground.relay, last if library else [*names, *last])
        assert (ground.front.events(names[0]) == []) is bool(library)


@pytest.mark.parametrize(
    ("library", "late"), [("", "**/analytics.min.js"), ("/next", "**/settings")], ids=["relay's", "segment's"]
)
async def test_a_page_that_is_left_before_the_library_began(
    library: str, late: str, ground: SecureGround
) -> None:
    """Calls are then in the page's memory alone, and are lost with it. Relay's begins once it is there, Segment's with its settings."""
    early, last = named("Early", library, 1) + named("Not Early", library, 1)
    host = ground.front.url + library
    calls = f'analytics.track("{early}")'
    ground.pages.html["/early"] = page_of(host, KEY, {}, calls, before="", body="", head="")
    async with ground.visit() as visit:
        page = await visit.new_page()
        asked = asyncio.Event()

        async def hold(_: Route) -> None:
            asked.set()

        await page.route(late, hold)
        await page.goto(f"{ground.origin}/early", wait_until="commit")
        await asyncio.wait_for(asked.wait(), SECONDS)
        await page.goto(f"{ground.origin}/elsewhere")
        await page.unroute(late)
        await opened(visit, library, page, f'analytics.track("{last}")')
        await once(ground.relay, [last])
        assert ground.front.events(early, accepted=False) == []
