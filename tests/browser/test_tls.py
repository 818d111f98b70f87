"""Segment's published snippet with the host changed and nothing else, over TLS, which relay speaks itself.

Over plain HTTP Segment's library has to be told where it came from (`_cdn`); relay's knows.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import async_playwright

from tests.acceptance.relay_process import eventually
from tests.browser.front import SECONDS
from tests.browser.secure import SecureGround, admitted, once, secure_ground_in
from tests.browser.visit import CHROMIUM, FLAGS, Ground

pytestmark = pytest.mark.asyncio(loop_scope="module")

WAYS = ["relay's over TLS", "segment's over TLS", "relay's over HTTP", "segment's over HTTP"]
KINDS = ["page", "identify", "group", "track", "track", "alias", "track", "screen"]
BODY = "<a id=link href='/linked'>x</a><form id=form action='/submitted'><input name=a><button id=send>x</button></form>"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secure(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecureGround]:
    async with secure_ground_in(tmp_path_factory.mktemp("secure")) as ready:
        yield ready


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, secure: SecureGround, ground: Ground) -> tuple[Ground, str]:
    """The ground, and the host in the snippet: relay itself, but where Segment's library is beside it."""
    return {
        "relay's over TLS": (secure, secure.direct),
        "segment's over TLS": (secure, f"{secure.front.url}/next"),
        "relay's over HTTP": (ground, ground.relay.public),
        "segment's over HTTP": (ground, f"{ground.front.url}/next"),
    }[request.param]


async def of_user(ground: Ground, user: str, many: int) -> list[dict[str, Any]]:
    """The admitted events that the page marked with `user`, once there are so many."""

    def found() -> list[dict[str, Any]]:
        return admitted(ground.relay, lambda event: event["context"].get("mark") == user)

    await eventually(lambda: len(found()) >= many, SECONDS, lambda: f"{len(found())} of {many}")
    return found()


async def test_every_call_arrives_once_and_says_the_same_visitor(way: tuple[Ground, str]) -> None:
    ground, host = way
    mark = host
    calls = f"""
      analytics.addSourceMiddleware(({{payload, next}}) => {{ payload.obj.context.mark = "{mark}"; next(payload) }});
      analytics.page(); analytics.track("Anonymous");
    """
    async with ground.visit() as visit:
        page = await visit.open(calls, host=host)
        await of_user(ground, mark, 2)
        first = await page.evaluate("analytics.user().anonymousId()")
        await page.evaluate(
            """async () => {
              await analytics.alias("u-1"); await analytics.identify("u-1", {plan: "pro"}); await analytics.group("g-1")
              await analytics.track("Known"); await analytics.screen("Screen")
              await analytics.reset(); await analytics.track("After Reset")
            }"""
        )
        events = await of_user(ground, mark, 8)
        assert sorted(event["type"] for event in events) == sorted(KINDS)
        assert len({event["messageId"] for event in events}) == 8
        (last,) = [event for event in events if event.get("event") == "After Reset"]
        assert {event["anonymousId"] for event in events if event is not last} == {first}
        assert last["anonymousId"] != first
        assert last.get("userId") is None
        users = {event.get("event") or event["type"]: event.get("userId") for event in events}
        assert (users["Anonymous"], users["page"]) == (None, None)
        assert (users["identify"], users["group"], users["Known"]) == ("u-1", "u-1", "u-1")
        (alias,) = [event for event in events if event["type"] == "alias"]
        assert (alias["userId"], alias["previousId"]) == ("u-1", first)
        assert (await visit.cookies())["ajs_anonymous_id"]["value"] == last["anonymousId"]


async def test_links_and_forms_arrive_once(way: tuple[Ground, str]) -> None:
    ground, host = way
    names = [f"{name} {host}" for name in ("Link", "Form")]
    calls = f"""document.addEventListener("DOMContentLoaded", () => {{
      analytics.trackLink(document.getElementById("link"), "{names[0]}", {{n: 1}})
      analytics.trackForm(document.getElementById("form"), "{names[1]}", {{n: 2}})
    }})"""
    async with ground.visit() as visit:
        page = await visit.open(calls, body=BODY, host=host)
        await page.click("#link")
        await page.wait_for_url("**/linked")
        page = await visit.open(calls, body=BODY, host=host, page=page)
        await page.click("#send")
        await page.wait_for_url("**/submitted?a=")
        # Segment's can be left behind with an event, and sends it from the next page
        await visit.open(host=host, page=page)
        link, form = await once(ground.relay, names)
        assert (link["properties"], form["properties"]) == ({"n": 1}, {"n": 2})
        assert link["anonymousId"] == form["anonymousId"]
        assert link["messageId"] != form["messageId"]


async def test_relays_library_needs_not_be_told_where_it_came_from(ground: Ground) -> None:
    async with ground.visit() as visit:
        asked: list[str] = []
        visit.context.on("request", lambda request: asked.append(request.url))
        await visit.open(
            'analytics.track("Untold")', before="delete analytics._cdn", host=ground.relay.public
        )
        await once(ground.relay, ["Untold"])
        assert {url.split("/")[2] for url in asked} == {
            f"127.0.0.1:{ground.relay.port}",
            f"localhost:{ground.pages.port}",
        }


async def test_the_settings_over_tls_send_events_over_tls(secure: SecureGround) -> None:
    """Segment's library reads them; a mistake here would be mixed content, which browsers block."""
    async with secure.visit() as visit:
        page = await visit.open(host=f"{secure.front.url}/next")
        assert await page.evaluate("location.protocol") == "https:"
        own = await page.evaluate("analytics.settings.cdnSettings.integrations['Segment.io']")
        assert (own["protocol"], own["apiHost"]) == (
            "https",
            f"events.example.test:{secure.front.port}/next/v1",
        )


async def test_a_certificate_that_the_browser_does_not_know_stops_everything(secure: SecureGround) -> None:
    """So that the tests above prove that it knows this one."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page()
        with pytest.raises(PlaywrightError, match="ERR_CERT_AUTHORITY_INVALID"):
            await page.goto(f"{secure.direct}/healthz")
        await browser.close()
