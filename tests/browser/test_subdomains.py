"""One visitor on two subdomains, over TLS and over plain HTTP: cookies that scripts set, and cookies that relay renews.

The pages are on www and shop; relay is a third host of the site.
"""

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.acceptance.relay_process import eventually
from tests.browser.front import SECONDS
from tests.browser.secure import EITHER, SecureGround, once, secure_ground_in
from tests.browser.visit import Ground, Visit, ground_in
from tests.gateway.relay_here import SOURCE

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = ("ajs_anonymous_id", "ajs_user_id", "ajs_group_id")
RENEWS = '[browser]\ncookie_domains = ["example.test"]\n' + SOURCE
CALLS = 'analytics.identify("u-1", {plan: "pro"}); analytics.group("g-1");'
IDS = "() => [analytics.user().id(), analytics.user().anonymousId(), analytics.group().id()]"
DAY = 86_400


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secure(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecureGround]:
    async with secure_ground_in(tmp_path_factory.mktemp("secure"), RENEWS) as ready:
        yield ready


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plain(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    async with ground_in(tmp_path_factory.mktemp("plain"), RENEWS) as ready:
        yield ready


@pytest.fixture(params=["https", "http"])
def site(request: pytest.FixtureRequest, secure: SecureGround, plain: Ground) -> Ground:
    return secure if request.param == "https" else plain


def scheme(site: Ground) -> str:
    return site.named_origin.partition(":")[0]


async def opened(visit: Visit, library: str, where: str, calls: str, *, own: bool = True) -> Page:
    """A page on the subdomain `where`. Its events go to relay itself, the settings saying how; not `own`: as cookieless requests."""
    site = visit.ground
    host = f"events.example.test:{site.relay.port}"
    segment: dict[str, Any] = {"apiHost": f"{host}/v1", "protocol": scheme(site)}
    if not own:
        segment["deliveryStrategy"] = {"config": {"credentials": "omit"}}
    place = (
        f"{scheme(site)}://events.example.test:{site.front.port}{library}"
        if library
        else f"{scheme(site)}://{host}"
    )
    return await visit.open(
        calls,
        host=place,
        options={"integrations": {"Segment.io": segment}},
        origin=site.named_origin.replace("www", where),
    )


async def kept(visit: Visit) -> list[dict[str, Any]]:
    """The cookies with ids, in the order of NAMES; none is there twice, say for a host beside the domain."""
    cookies = [dict(cookie) for cookie in await visit.context.cookies() if cookie["name"] in NAMES]
    assert len({cookie["name"] for cookie in cookies}) == len(cookies), cookies
    return sorted(cookies, key=lambda cookie: NAMES.index(cookie["name"]))


async def renewed(visit: Visit) -> list[dict[str, Any]]:
    """The three, once the server has set them all: scripts give them a year at most."""
    cookies: list[dict[str, Any]] = []

    async def look() -> bool:
        cookies[:] = await kept(visit)
        return len(cookies) == 3 and all(cookie["expires"] > time.time() + 390 * DAY for cookie in cookies)

    await eventually(look, SECONDS, lambda: f"they were not renewed: {cookies}")
    return cookies


async def until(visit: Visit, holds: Callable[[dict[str, str]], bool]) -> None:
    """Return once the ids in cookies are so: what a page writes is there a little later."""
    values: dict[str, str] = {}

    async def look() -> bool:
        values.clear()
        values.update({cookie["name"]: cookie["value"] for cookie in await kept(visit)})
        return holds(values)

    await eventually(look, SECONDS, lambda: str(values))


@EITHER
async def test_scripts_cookies_are_the_same_on_both(library: str, site: Ground) -> None:
    names = [f"{where} {library} {scheme(site)}" for where in ("www", "shop")]
    async with site.visit() as visit:
        www = await opened(visit, library, "www", f'{CALLS} analytics.track("{names[0]}")', own=False)
        (first,) = await once(site.relay, names[:1])
        before = await kept(visit)
        assert [(c["name"], c["domain"], c["path"], c["sameSite"]) for c in before] == [
            (name, ".example.test", "/", "Lax") for name in NAMES
        ]
        shop = await opened(visit, library, "shop", f'analytics.track("{names[1]}")', own=False)
        _, second = await once(site.relay, names)
        for field in ("anonymousId", "userId"):
            assert first[field] == second[field]
        assert await shop.evaluate(IDS) == await www.evaluate(IDS)
        assert [c["value"] for c in await kept(visit)] == [c["value"] for c in before]


@EITHER
async def test_cookies_that_relay_renews_are_the_same_on_both(library: str, site: Ground) -> None:
    names = [f"{where} renewed {library} {scheme(site)}" for where in ("www", "shop")]
    async with site.visit() as visit:
        # the page view comes when all three are there, and nothing after it
        www = await opened(visit, library, "www", CALLS)
        await www.evaluate("analytics.page()")
        before = await renewed(visit)
        assert [(c["name"], c["domain"], c["secure"], c["httpOnly"]) for c in before] == [
            (name, ".example.test", scheme(site) == "https", False) for name in NAMES
        ]
        ids = await www.evaluate(IDS)
        assert [c["value"] for c in before] == [ids[1], ids[0], ids[2]]
        shop = await opened(visit, library, "shop", f'analytics.track("{names[1]}")')
        (event,) = await once(site.relay, names[1:])
        assert (event["userId"], event["anonymousId"]) == (ids[0], ids[1])
        assert await shop.evaluate(IDS) == ids
        await shop.evaluate("analytics.page()")
        assert [c["value"] for c in await renewed(visit)] == [c["value"] for c in before]


@EITHER
async def test_a_reset_on_one_holds_on_the_other(library: str, secure: SecureGround) -> None:
    """Scripts can take away what relay has set."""
    async with secure.visit() as visit:
        www = await opened(visit, library, "www", CALLS)
        await www.evaluate("analytics.page()")
        (before, *_) = await renewed(visit)
        await www.evaluate("analytics.reset()")
        await until(visit, lambda cookies: before["value"] not in cookies.values() and len(cookies) < 2)
        shop = await opened(visit, library, "shop", "")
        user, anonymous, group = await shop.evaluate(IDS)
        assert (user, group) == (None, None)
        assert anonymous != before["value"]
        await until(visit, lambda cookies: cookies == {"ajs_anonymous_id": anonymous})
        assert (await www.evaluate(IDS))[1] == anonymous
