"""Pages, addresses, storage and cookies that mean harm, or are just odd: events arrive, and the page notices nothing."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, Request

from tests.acceptance.relay_process import eventually, source
from tests.browser.front import SECONDS
from tests.browser.secure import EITHER, SecureGround, admitted, once, secure_ground_in
from tests.browser.snippet import page_of
from tests.gateway.relay_here import SOURCE

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLOSED_KEY = "closed-key"
TABLES = (
    '[browser]\ncookie_domains = ["example.test"]\n'
    + SOURCE
    + source("closed", CLOSED_KEY, 'allowed_origins = ["https://www.example.com"]')
)
WORDS = ["__proto__", "constructor", "toString", "hasOwnProperty", "prototype", "valueOf", "then"]
IS_CLEAN = "({}).polluted === undefined && typeof ({}).toString === 'function' && Object.keys(Object.prototype).length === 0"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecureGround]:
    async with secure_ground_in(tmp_path_factory.mktemp("hostile"), TABLES) as ready:
        yield ready


async def of_page(ground: SecureGround, page: Page, many: int) -> list[dict[str, Any]]:
    """The events of this page, once there are so many."""

    def found() -> list[dict[str, Any]]:
        return admitted(ground.relay, lambda e: e["context"]["page"]["url"] == page.url)

    await eventually(lambda: len(found()) >= many, SECONDS, lambda: str([e["type"] for e in found()]))
    return found()


@EITHER
async def test_words_of_javascript_are_names_and_ids_like_others(library: str, ground: SecureGround) -> None:
    odd = (
        '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 2}}, "toString": 3, "a": 1}'
    )
    options = '{"__proto__.polluted": 1, "constructor.prototype.polluted": 2, "integrations": {"constructor": false, "toString": true}}'
    async with ground.visit() as visit:
        page = await visit.open(host=ground.front.url + library)
        await page.evaluate(
            """([words, odd, options]) => {
              for (const word of words) analytics.track(word, JSON.parse(odd), JSON.parse(options))
              analytics.identify("__proto__", JSON.parse(odd)); analytics.group("constructor", JSON.parse(odd))
              analytics.page("__proto__", "toString")
            }""",
            [WORDS, odd, options],
        )
        events = await of_page(ground, page, len(WORDS) + 3)
        assert await page.evaluate(IS_CLEAN)
        tracks = {e["event"]: e for e in events if e["type"] == "track"}
        assert sorted(tracks) == sorted(WORDS)
        # Segment's leaves `__proto__` out
        kept = {name: value for name, value in json.loads(odd).items() if not library or name != "__proto__"}
        assert all(e["properties"] == kept for e in tracks.values())
        assert all(e["integrations"] == {"constructor": False, "toString": True} for e in tracks.values())
        others = {e["type"]: e for e in events if e["type"] != "track"}
        assert (others["identify"]["userId"], others["group"]["groupId"]) == ("__proto__", "constructor")
        assert (others["page"]["category"], others["page"]["name"]) == ("__proto__", "toString")
        assert await page.evaluate("[analytics.user().id(), analytics.group().id()]") == [
            "__proto__",
            "constructor",
        ]


@EITHER
async def test_an_address_that_means_harm(library: str, ground: SecureGround) -> None:
    """Whoever makes a link chooses what is in it."""
    query = (
        "?ajs_event=constructor&ajs_prop___proto__=polluted&ajs_prop_toString=1&__proto__=x&utm___proto__=y&utm_constructor=z"
        "&ajs_uid=__proto__&ajs_trait___proto__=t&ajs_trait_a=%3Cscript%3E"
    )
    async with ground.visit() as visit:
        page = await visit.open(host=ground.front.url + library, query=query)
        events = await of_page(ground, page, 2)
        assert await page.evaluate(IS_CLEAN)
        assert {(e["type"], e.get("event"), e["userId"]) for e in events} == {
            ("track", "constructor", "__proto__"),
            ("identify", None, "__proto__"),
        }
        (traits,) = [e["traits"] for e in events if e["type"] == "identify"]
        assert traits["a"] == "<script>"


NONSENSE = """
  for (const name of ["ajs_anonymous_id", "ajs_user_id", "ajs_group_id"]) localStorage[name] = '{"__proto__": {"polluted": 1}, "a'
  localStorage.ajs_user_traits = '{"__proto__": {"polluted": 1}, "toString": 1}'; localStorage.ajs_group_properties = "[[["
  localStorage["relay:web-key:x:0"] = '{"__proto__": {"polluted": 1}}'; localStorage["relay:web-key:__proto__:0"] = "null"
  localStorage["relay:web-key"] = "1"; localStorage["relay:web-key:"] = "1"; localStorage["relay-consent"] = '"__proto__"'
  document.cookie = "ajs_user_id=%E0%A4%A; path=/"; document.cookie = "%E0%A4%A=%; path=/"; document.cookie = "__proto__=1; path=/"
  document.cookie = "=x; path=/"; document.cookie = "ajs_group_id=%22; path=/"; document.cookie = "_sio=%; path=/"
"""


async def test_storage_that_holds_nonsense(ground: SecureGround) -> None:
    async with ground.visit() as visit:
        page = await visit.open('analytics.track("Despite Nonsense")', before=NONSENSE, host=ground.front.url)
        (event,) = await once(ground.relay, ["Despite Nonsense"])
        assert event["anonymousId"]
        assert await page.evaluate(IS_CLEAN)


async def test_a_host_with_very_many_cookies(ground: SecureGround) -> None:
    """24 KB: relay on a host of the site is sent all of them, with the request for the script already."""
    name = f"direct.example.test:{ground.relay.port}"
    big = [
        {"name": f"big{i}", "value": "x" * 3000, "domain": "direct.example.test", "path": "/"}
        for i in range(8)
    ]
    async with ground.visit() as visit:
        await visit.context.add_cookies(big)  # type: ignore[arg-type]
        sizes: list[int] = []

        async def look(request: Request) -> None:
            if name in request.url:
                sizes.append(len((await request.all_headers()).get("cookie", "")))

        visit.context.on("request", look)
        await visit.open('analytics.page(); analytics.track("Among Cookies")', host=ground.direct)
        await once(ground.relay, ["Among Cookies"])
        await eventually(lambda: len(sizes) == 3, SECONDS, lambda: str(sizes))
        assert min(sizes) > 24_000


@EITHER
async def test_a_page_that_may_not_send(library: str, ground: SecureGround) -> None:
    """The page goes on; relay says no and keeps nothing."""
    host = f"{ground.front.url}{library}"
    path = f"/closed{library}"
    calls = 'analytics.page(); analytics.track("From Elsewhere")'
    ground.pages.html[path] = page_of(host, CLOSED_KEY, {}, calls, "", "", "")
    closed = ground.relay.app.gateway.sources.by_name["closed"]
    before = closed.statuses[403]
    async with ground.visit() as visit:
        page = await visit.new_page()
        await page.goto(ground.origin + path)
        await page.wait_for_function("window.analytics.initialized", timeout=SECONDS * 1000)
        await eventually(lambda: closed.statuses[403] > before, SECONDS, lambda: str(closed.statuses))
        assert await page.evaluate("document.title") == "A page"
    assert closed.statuses[200] == 0
    assert admitted(ground.relay, lambda event: event.get("event") == "From Elsewhere") == []


@EITHER
async def test_what_is_no_json_costs_itself_alone(library: str, ground: SecureGround) -> None:
    """Relay's library rejects the promise of such a call; Segment's says nothing. The event is nowhere, the next arrives."""
    script = """async (last) => {
      const round = {}; round.self = round
      const odd = [round, {big: 10n}, {get broken() { throw new Error("mine") }}, {at: {toJSON() { throw new Error("mine") }}}, {window}]
      const all = await Promise.allSettled(odd.map((properties) => analytics.track("No JSON", properties)))
      analytics.track(last)
      return all.map(({status}) => status)
    }"""
    last = f"After No JSON {library}"
    # Segment's tries once more when the page goes
    async with ground.visit(may_say=("Converting circular structure",) if library else ()) as visit:
        page = await visit.open(host=ground.front.url + library)
        found = await page.evaluate(script, last)
        assert set(found) == {"fulfilled" if library else "rejected"}
        await once(ground.relay, [last])
        assert ground.front.events("No JSON", accepted=False) == []


@EITHER
async def test_what_is_no_json_does_not_take_along_what_waits(library: str, ground: SecureGround) -> None:
    """Segment's library loses the others with it when the page is left."""
    names = [f"Beside No JSON {library}", f"Later {library}"]
    async with ground.visit(may_say=("Converting circular structure",) if library else ()) as visit:
        page = await visit.open(host=ground.front.url + library)
        ground.front.always((503, {"Retry-After": "600"}))
        await page.evaluate(
            """(name) => {
              const round = {}; round.self = round
              analytics.track("No JSON", round).catch(() => {}); analytics.track(name)
            }""",
            names[0],
        )
        await ground.front.wait_until(lambda: ground.front.events(names[0], accepted=False) != [])
        await page.goto(f"{ground.origin}/elsewhere")
        ground.front.always(None)
        page = await visit.open(f'analytics.track("{names[1]}")', host=ground.front.url + library, page=page)
        await once(ground.relay, names[1:] if library else names)
        assert (ground.front.events(names[0]) == []) is bool(library)
