"""`[sources.segment]`: a page runs Segment's own script, settings and destinations, and speaks with relay alone.

Segment is not asked: its CDN is one that the test has, with the published library in it, and its API another. A request
that either of them does not expect fails the test, and so does one of the page to any host but relay's.
"""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Page, Request, Route

from tests.browser.fake_cdn import FakeCdn
from tests.browser.front import SECONDS
from tests.browser.snippet import page_of
from tests.browser.tools import SCRIPTS
from tests.browser.visit import REFERENCE, Ground, Visit, ground_in, install_reference
from tests.gateway.relay_here import KEY, SOURCE
from tests.moments import parse_iso
from tests.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEGMENTS, SHOP = "Segment0Key1Segment0Key1", "Shop0Key1Shop0Key1Shop0"
HEAT = "https://static.heat.test/heat.js"

# what Segment's CDN has of two destinations, one of each kind, and a middleware
CLASSIC = """
window.toolDeps = ["/vendor/commons.59560acdd69093da5ba7.js"]
window.toolLoader = () => {
  window.toolIntegration = function Tool(settings) { this.settings = settings; this.heard = {} }
  window.toolIntegration.prototype = {
    name: "Tool",
    on(what, call) { this.heard[what] = call },
    once(what, call) { this.heard[what] = call },
    initialize() { this.heard.initialize(); this.heard.ready() },
    invoke(kind, facade) { told.push(["tool", this.settings.place, kind, facade.obj.event]) },
  }
}
"""
VENDOR = "window.told = window.told || []"
PLUGIN = """
window.told = window.told || []
window.plugDestination = (settings) => ({
  name: "Plug", type: "destination", version: "1", isLoaded: () => true, load: async () => {},
  track(context) { told.push(["plug", settings.place, context.event.event]); return context },
})
"""
MIDDLEWARE = """
window.stampMiddleware = ({payload, next}) => { payload.obj.context.stamped = true; next(payload) }
"""
METADATA = {
    "bundled": ["Plug (Actions)", "Segment.io", "Tool"],
    "unbundled": ["Mixpanel", "Slack"],
    "bundledIds": ["id-plug", "id-tool"],
}


def settings_of(key: str) -> dict[str, Any]:
    rule = {
        "scope": "destinations",
        "target_type": "workspace::project::destination::config",
        "destinationName": "Tool",
        "matchers": [{"type": "fql", "ir": json.dumps(["=", "event", {"value": "Not For Tool"}])}],
        "transformers": [[{"type": "drop"}]],
    }
    return {
        "integrations": {
            "Segment.io": {
                "apiKey": key,
                "apiHost": "api.segment.io/v1",
                "addBundledMetadata": True,
                "unbundledIntegrations": ["Slack"],
                "maybeBundledConfigIds": {"Tool": ["id-tool"], "Plug (Actions)": ["id-plug"]},
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
            },
            "Tool": {
                "bundlingStatus": "bundled",
                "type": "browser",
                "place": "here",
                "versionSettings": {"version": "1.2.3", "componentTypes": ["browser"]},
            },
            "Plug (Actions)": {"bundlingStatus": "bundled", "versionSettings": {"componentTypes": []}},
            "Mixpanel": {"bundlingStatus": "unbundled"},
        },
        "remotePlugins": [
            {
                "name": "Plug (Actions)",
                "creationName": "Plug (Actions)",
                "libraryName": "plugDestination",
                "url": "https://cdn.segment.com/next-integrations/actions/plug/0a1b2c.js",
                "settings": {"place": "there"},
            }
        ],
        "enabledMiddleware": {"@segment/stamp": True},
        "middlewareSettings": {"routingRules": [rule]},
        "metrics": {"sampleRate": 1, "host": "api.segment.io/v1"},
        "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
    }


FILES = {
    "/next-integrations/integrations/tool/1.2.3/tool.dynamic.js.gz": CLASSIC,
    "/next-integrations/vendor/commons.59560acdd69093da5ba7.js.gz": VENDOR,
    "/next-integrations/actions/plug/0a1b2c.js": PLUGIN,
    "/next-integrations/middleware/stamp/latest/stamp.js.gz": MIDDLEWARE,
}


def tables(cdn: str, api: str) -> str:
    return f"""
[browser]
prefix = "/x7k"
script = "a.js"
{SOURCE}
[sources.segment]
write_key = "{SEGMENTS}"
cdn = "{cdn}"

[[sources]]
name = "shop"
write_key = "{SHOP}"
[sources.segment]
cdn = "{cdn}"

[[destinations]]
name = "segment"
type = "segment"
sources = ["web"]
endpoint = "{api}"
batch_wait = "0s"
settings = {{ writeKey = "{SEGMENTS}" }}

[[destinations]]
name = "segment-shop"
type = "segment"
sources = ["shop"]
endpoint = "{api}"
batch_wait = "0s"
settings = {{ writeKey = "{SHOP}" }}

[[destinations]]
name = "heat"
type = "script"
mode = "device"
sources = ["shop"]
settings = {{ url = "{HEAT}", function = "heat", calls = {{ track = ["event", "$.event"] }}, globals = {{ _heat = {{}} }} }}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api() -> AsyncIterator[Receiver]:
    async with Receiver({("POST", "/v1/batch")}) as ready:
        yield ready


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cdn() -> AsyncIterator[FakeCdn]:
    install_reference()
    published = (REFERENCE / "standalone.js").read_text()
    async with FakeCdn() as fake:
        for key in (SEGMENTS, SHOP):
            script = published.replace("__WRITE_KEY__", key)
            fake.has(f"/analytics.js/v1/{key}/analytics.min.js", script)
            fake.has_settings(key, settings_of(key))
        for part in REFERENCE.glob("*.bundle.*.js"):
            fake.has(f"/analytics-next/bundles/{part.name}", part.read_bytes())
        for path, text in FILES.items():
            fake.has(path, text)
        yield fake


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(
    tmp_path_factory: pytest.TempPathFactory, cdn: FakeCdn, api: Receiver
) -> AsyncIterator[Ground]:
    async with ground_in(tmp_path_factory.mktemp("migrating"), tables(cdn.url, api.url)) as ready:
        yield ready


@asynccontextmanager
async def visiting(ground: Ground, *hosts: str) -> AsyncIterator[Visit]:
    """A visitor whose pages ask nobody but the site, relay and `hosts`."""
    known = {f"localhost:{ground.pages.port}", f"127.0.0.1:{ground.front.port}", *hosts}
    strangers: list[str] = []

    def look(request: Request) -> None:
        if not request.url.startswith("data:") and urlsplit(request.url).netloc not in known:
            strangers.append(request.url)

    async def answer(route: Route) -> None:
        script = SCRIPTS.get(route.request.url.removeprefix("https://"))
        await (
            route.abort() if script is None else route.fulfill(body=script, content_type="text/javascript")
        )

    async with ground.visit() as visit:
        visit.context.on("request", look)
        await visit.context.route("https://**/*", answer)
        yield visit
    assert strangers == []


async def until_told(page: Page, *tellings: list[str]) -> None:
    holds = "(all) => all.every((one) => (window.told || []).some((told) => JSON.stringify(told) === JSON.stringify(one)))"
    await page.wait_for_function(holds, arg=list(tellings), timeout=SECONDS * 1000)


async def at_segment(ground: Ground, api: Receiver, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The event as relay got it, and as Segment did."""
    (ours,) = await ground.front.wait_for(name)
    await api.wait_for_ids({ours["messageId"]})
    return ours, api.find(ours["messageId"])


@pytest.mark.parametrize("before", ["", "delete analytics._cdn"], ids=["with _cdn", "without"])
async def test_everything_comes_by_relay_and_events_arrive_at_segment_once(
    before: str, ground: Ground, cdn: FakeCdn, api: Receiver
) -> None:
    async with visiting(ground) as visit:
        page = await visit.open('analytics.track("Bought", {n: 1})', before=before)
        await until_told(page, ["tool", "here", "track", "Bought"], ["plug", "there", "Bought"])
        ours, theirs = await at_segment(ground, api, "Bought")
        assert ours["writeKey"] == KEY
        assert ours["_metadata"] == theirs["_metadata"] == METADATA
        assert ours["context"]["stamped"] is theirs["context"]["stamped"] is True
        assert theirs["context"]["ip"] == "127.0.0.1"
        for field in ("type", "event", "messageId", "anonymousId", "properties", "integrations"):
            assert theirs[field] == ours[field]
        assert theirs["context"]["userAgent"] == ours["context"]["userAgent"]
        assert "writeKey" not in theirs
        sent, came = parse_iso(ours["timestamp"]), parse_iso(theirs["timestamp"])
        assert sent is not None
        assert came is not None
        assert abs(sent - came) < 60_000  # the clock that is corrected is this machine's
        asked = {seen.path for seen in ground.front.seen}
        assert {f"/analytics.js/v1/{KEY}/analytics.min.js", f"/v1/projects/{KEY}/settings"} <= asked
        assert asked >= FILES.keys()
        assert len([path for path in asked if path.startswith("/analytics-next/bundles/")]) >= 3
        assert "/v1/m" not in asked
        await page.evaluate("analytics.track('Bought More')")
        await at_segment(ground, api, "Bought More")  # by the same way, and so later
        assert set(api.counts.values()) == {1}
    basic = "Basic " + b64encode(f"{SEGMENTS}:".encode()).decode()
    assert {one.headers["Authorization"] for one in api.requests if b"Bought" in one.body} == {basic}
    files = [path for path in cdn.paths if "next" in path.split("/")[1]]
    assert len(files) == len(set(files))  # for one page, not for each


async def test_segments_own_rules_hold_in_the_page(ground: Ground, api: Receiver) -> None:
    async with visiting(ground) as visit:
        page = await visit.open('analytics.track("Not For Tool"); analytics.track("After")')
        await until_told(page, ["tool", "here", "track", "After"], ["plug", "there", "Not For Tool"])
        told = await page.evaluate("told")
        assert ["tool", "here", "track", "Not For Tool"] not in told
        await at_segment(ground, api, "Not For Tool")


async def test_an_event_for_one_tool_alone_goes_to_segment_all_the_same(
    ground: Ground, api: Receiver
) -> None:
    async with visiting(ground) as visit:
        await visit.open('analytics.track("One Tool", {}, {integrations: {All: false, Mixpanel: true}})')
        ours, theirs = await at_segment(ground, api, "One Tool")
        assert theirs["integrations"] == ours["integrations"] == {"All": False, "Mixpanel": True}


async def test_by_names_of_ones_own_all_comes_by_these(ground: Ground, api: Receiver) -> None:
    async with visiting(ground) as visit:
        ground.pages.html["/named"] = (
            "<!doctype html><link rel='icon' href='data:,'>"
            "<script>window.analytics = [['track', 'Named']]</script>"
            f"<script async src='{ground.front.url}/x7k/{KEY}/a.js?v=1'></script>"
        )
        page = await visit.new_page()
        await page.goto(f"{ground.origin}/named")
        await until_told(page, ["tool", "here", "track", "Named"], ["plug", "there", "Named"])
        _, theirs = await at_segment(ground, api, "Named")
        assert theirs["_metadata"] == METADATA
        asked = {seen.path for seen in ground.front.seen}
        assert asked
        assert [path for path in asked if not path.startswith("/x7k/")] == []


async def test_a_destination_that_has_moved_to_relay_runs_beside_segments(
    ground: Ground, api: Receiver
) -> None:
    """With the same key here and at Segment."""
    async with visiting(ground, "static.heat.test") as visit:
        ground.pages.html["/shop"] = page_of(
            ground.front.url, SHOP, None, 'analytics.track("Moved")', "", "", ""
        )
        page = await visit.new_page()
        await page.goto(f"{ground.origin}/shop")
        await until_told(
            page, ["heat", "event", "Moved"], ["tool", "here", "track", "Moved"], ["plug", "there", "Moved"]
        )
        ours, theirs = await at_segment(ground, api, "Moved")
        assert theirs["_metadata"] == ours["_metadata"]
        assert "heat" in theirs["_metadata"]["bundled"]
        assert theirs["_metadata"]["bundledIds"] == ["id-plug", "id-tool", "heat"]
