"""Device mode: tools' own scripts get the browser's events, and relay sends those that they did not get.

No tool is really asked: their hosts are answered by the test, and a host that nobody expected fails it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route

from relay.console.search import Search
from tests.browser.front import SECONDS
from tests.browser.tools import AMPLITUDE, SCRIPTS
from tests.browser.visit import Ground, Visit, ground_in
from tests.gateway.relay_here import SOURCE
from tests.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")

GA4, META, AMPL, MIX, ADS, HEAT = "ga4", "meta", "ampl", "mix", "ads", "heat"
# paths of the tools' APIs that relay asks for an event
APIS = {GA4: "/mp/collect", META: "/v24.0/11/events", AMPL: "/2/httpapi", MIX: "/import"}
ORDER = """{order_id: "o1", revenue: 30, currency: "EUR", products: [{product_id: "p1", name: "Shoe", price: 15, quantity: 2}]}"""
EITHER = pytest.mark.parametrize("library", ["", "/next"], ids=["relay's", "segment's"])


def tables(receiver: str) -> str:
    def one(name: str, kind: str, settings: str, more: str = "") -> str:
        return f'[[destinations]]\nname = "{name}"\ntype = "{kind}"\nmode = "device"\n{more}settings = {{ {settings} }}\n'

    cloud = f'endpoint = "{receiver}"\nbatch_wait = "0s"\n'
    heat = (
        'url = "https://static.heat.test/heat.js", function = "heat", globals = { _heat = { id = 7 } },'
        ' attributes = { data-site = "s1" }, calls = { track = ["event", "$.event", { n = "$.properties.n" }] }'
    )
    return SOURCE + "".join(
        (
            one(GA4, "google-analytics-4", 'measurementId = "G-1", apiSecret = "hidden-1"', cloud),
            one(META, "facebook-conversions-api", 'pixelId = "11", accessToken = "hidden-2"', cloud),
            one(AMPL, "amplitude", 'apiKey = "amp-key", secretKey = "hidden-3"', cloud),
            one(
                MIX, "mixpanel", 'projectToken = "mix-token", apiSecret = "hidden-4", apiRegion = "EU"', cloud
            ),
            one(ADS, "google-ads", 'conversionId = "AW-1", conversions = { "Order Completed" = "label1" }'),
            one(HEAT, "script", heat, 'consent = ["C1"]\n'),
        )
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver(
        {("POST", path) for path in (*APIS.values(), "/identify", "/engage", "/groups", "/track")}
    ) as ready:
        yield ready


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> AsyncIterator[Ground]:
    async with ground_in(tmp_path_factory.mktemp("device"), tables(receiver.url)) as ready:
        yield ready


class Tools:
    """What the browser asked of the tools' hosts. `wrong`: what to answer instead, by a part of the address."""

    def __init__(self, wrong: dict[str, str | None]) -> None:
        self.asked: list[str] = []
        self.unexpected: list[str] = []
        self._wrong = wrong

    async def answer(self, route: Route) -> None:
        place = route.request.url.removeprefix("https://").partition("?")[0]
        self.asked.append(place)
        script = next((said for part, said in self._wrong.items() if part in place), SCRIPTS.get(place, ""))
        if place not in SCRIPTS:
            self.unexpected.append(place)
        if script is None:
            await route.abort()
        else:
            await route.fulfill(body=script, content_type="text/javascript")


@asynccontextmanager
async def visiting(
    ground: Ground, wrong: dict[str, str | None] | None = None
) -> AsyncIterator[tuple[Visit, Tools]]:
    tools = Tools(wrong or {})
    # Segment's says on the console what did not load
    async with ground.visit(
        may_say=(
            "Failed to load",
            "Failed to create",
            "did not start",
            "broken",
            "Error",
            "JSHandle",
            "Content Security Policy",
        )
    ) as visit:
        await visit.context.route("https://**/*", tools.answer)
        yield visit, tools
    assert tools.unexpected == []


async def told(page: Page, *tools: str) -> list[list[Any]]:
    script = "(tools) => (window.told || []).filter(([tool]) => tools.includes(tool)).map((one) => JSON.parse(JSON.stringify(one)))"
    found: list[list[Any]] = await page.evaluate(script, list(tools))
    return found


async def fates(ground: Ground, name: str) -> dict[str, tuple[str, str | None]]:
    """What became of a tracked event, by destination, once it is settled everywhere."""
    (event,) = await ground.front.wait_for(name)
    shown: dict[str, Any] = {}

    def is_settled() -> bool:
        newest = ground.relay.app.debugger.newest(Search(message_id=event["messageId"]), 1)
        shown.update(newest[0]["deliveries"] if newest else {})
        return len(shown) == 6 and all(
            one["state"] not in ("waiting", "pending", "sending") for one in shown.values()
        )

    await ground.front.wait_until(is_settled, f"fates, but {shown}")
    return {to: (one["state"], one.get("reason")) for to, one in shown.items()}


def by_relay(receiver: Receiver, destination: str, name: str) -> bool:
    return any(seen.path == APIS[destination] and name.encode() in seen.body for seen in receiver.requests)


SENT = ("filtered", "MESSAGE_SENT_CLIENT_SIDE")
ONLY = ("filtered", "DEVICE_MODE_ONLY")


async def until_told(page: Page, tool: str, name: str) -> None:
    holds = "([tool, name]) => (window.told || []).some((one) => one[0] === tool && JSON.stringify(one).includes(name))"
    await page.wait_for_function(holds, arg=[tool, name], timeout=SECONDS * 1000)


@EITHER
async def test_every_tool_gets_what_it_understands_and_relay_sends_it_nothing(
    library: str, ground: Ground, receiver: Receiver
) -> None:
    calls = f"""
      analytics.identify("u1", {{email: "a@example.com", plan: "pro"}}); analytics.page("Home");
      analytics.track("Order Completed", {ORDER}); analytics.group("g1", {{seats: 3}}); analytics.track("Odd One", {{n: 1, deep: {{}}}})
    """
    receiver.requests.clear()
    async with visiting(ground) as (visit, tools):
        page = await visit.open(calls, host=ground.front.url + library)
        (order,) = await ground.front.wait_for("Order Completed")
        for tool in ("gtag", "fbq", "amplitude.track", "mixpanel.track"):
            await until_told(page, tool, "Odd")
        await until_told(page, "gtag", "AW-1/label1")
        assert sorted(tools.asked) == sorted(set(SCRIPTS) - {"static.heat.test/heat.js"})
        gtag = await told(page, "gtag")
        assert ["gtag", "config", "G-1"] in [one[:3] for one in gtag]
        assert ["gtag", "config", "AW-1"] in [one[:3] for one in gtag]
        (purchase,) = [one[3] for one in gtag if one[1:3] == ["event", "purchase"]]
        assert purchase == {
            "currency": "EUR",
            "value": 30,
            "items": [{"item_id": "p1", "item_name": "Shoe", "price": 15, "quantity": 2}],
            "transaction_id": "o1",
            "send_to": "G-1",
        }
        conversion = {"value": 30, "currency": "EUR", "transaction_id": "o1", "send_to": "AW-1/label1"}
        assert ["gtag", "event", "conversion", conversion] in gtag
        assert ["gtag", "event", "Odd_One", {"n": 1, "send_to": "G-1"}] in gtag
        assert ["gtag", "set", {"user_id": "u1"}] in gtag
        assert [
            one[3]["page_title"] for one in gtag if one[2] == "page_view" and one[3]["send_to"] == "G-1"
        ] == ["A page"]
        fbq = await told(page, "fbq")
        assert fbq[0][:3] == ["fbq", "init", "11"]
        (bought,) = [one for one in fbq if "Purchase" in one]
        assert bought[1:4] == ["trackSingle", "11", "Purchase"]
        assert bought[4]["content_ids"] == ["p1"]
        assert (bought[4]["value"], bought[4]["currency"]) == (30, "EUR")
        assert bought[5] == {"eventID": order["messageId"]}
        assert [one[1:4] for one in fbq if "Odd One" in one] == [["trackSingleCustom", "11", "Odd One"]]
        (ordered,) = [one for one in await told(page, "amplitude.track") if one[1] == "Order Completed"]
        assert ordered[3]["insert_id"] == order["messageId"]
        assert (ordered[3]["revenue"], ordered[3]["user_id"]) == (30, "u1")
        assert [one[1] for one in await told(page, "amplitude.track") if "Viewed" in one[1]] == [
            "Viewed Home Page"
        ]
        assert (await told(page, "amplitude.identify"))[0][1] == {
            "changes": {"email": "a@example.com", "plan": "pro"}
        }
        assert await told(page, "amplitude.setGroup") == [["amplitude.setGroup", "group", "g1"]]
        (began,) = await told(page, "mixpanel.init")
        assert began[1:] == [
            "mix-token",
            {"track_pageview": False, "api_host": "https://api-eu.mixpanel.com"},
        ]
        (mixed,) = [one for one in await told(page, "mixpanel.track") if one[1] == "Order Completed"]
        assert (mixed[2]["$insert_id"], mixed[2]["revenue"]) == (order["messageId"], 30)
        assert await told(page, "mixpanel.people.set") == [
            ["mixpanel.people.set", {"plan": "pro", "$email": "a@example.com"}]
        ]
        assert await told(page, "mixpanel.group.set") == [["mixpanel.group.set", {"seats": 3}]]
        found = await fates(ground, "Order Completed")
        assert found == {**dict.fromkeys((GA4, META, AMPL, MIX, ADS), SENT), HEAT: ONLY}
        assert receiver.requests == []


BROKEN = {"never comes": None, "throws": "throw new Error('broken')", "is something else": "window.other = 1"}


@EITHER
@pytest.mark.parametrize("wrong", BROKEN.values(), ids=BROKEN)
async def test_what_a_tool_could_not_get_relay_sends_and_the_others_do_not_notice(
    wrong: str | None, library: str, ground: Ground, receiver: Receiver
) -> None:
    receiver.requests.clear()
    async with visiting(ground, {"amplitude": wrong, "mxpnl": wrong}) as (visit, _):
        page = await visit.open('analytics.track("Broken")', host=ground.front.url + library)
        await until_told(page, "gtag", "Broken")
        await until_told(page, "fbq", "Broken")
        found = await fates(ground, "Broken")
        assert {found[GA4], found[META], found[ADS]} == {SENT}
        await ground.front.wait_until(
            lambda: by_relay(receiver, AMPL, "Broken") and by_relay(receiver, MIX, "Broken")
        )
        assert not by_relay(receiver, GA4, "Broken")
        assert await told(page, "amplitude.track", "mixpanel.track") == []


@EITHER
async def test_a_plugin_that_the_browser_may_not_load_leaves_its_events_to_relay(
    library: str, ground: Ground, receiver: Receiver
) -> None:
    receiver.requests.clear()
    async with visiting(ground) as (visit, tools):
        await visit.context.route("**/plugins/amplitude.js", lambda route: route.abort())
        page = await visit.open('analytics.track("Blocked")', host=ground.front.url + library)
        await until_told(page, "gtag", "Blocked")
        assert (await fates(ground, "Blocked"))[GA4] == SENT
        await ground.front.wait_until(lambda: by_relay(receiver, AMPL, "Blocked"))
        assert not [place for place in tools.asked if "amplitude" in place]


@EITHER
async def test_a_script_that_the_page_has_itself_is_not_loaded_again(library: str, ground: Ground) -> None:
    head = "<script async src='https://cdn.amplitude.com/libs/analytics-browser-2.48.1-min.js.gz'></script>"
    async with visiting(ground) as (visit, tools):
        page = await visit.open('analytics.track("Had")', host=ground.front.url + library, head=head)
        await until_told(page, "amplitude.track", "Had")
        assert len([place for place in tools.asked if "amplitude" in place]) == 1


@EITHER
async def test_a_script_that_comes_twice_gets_no_event_twice(
    library: str, ground: Ground, receiver: Receiver
) -> None:
    receiver.requests.clear()
    async with visiting(ground) as (visit, _):
        page = await visit.open(host=ground.front.url + library)
        await page.evaluate("analytics.track('Before')")
        await until_told(page, "amplitude.track", "Before")
        await page.add_script_tag(content=AMPLITUDE)
        await page.evaluate("analytics.track('Twice')")
        await until_told(page, "amplitude.track", "Twice")
        assert len([one for one in await told(page, "amplitude.track") if one[1] == "Twice"]) == 1
        assert (await fates(ground, "Twice"))[AMPL] == SENT
        assert not by_relay(receiver, AMPL, "Twice")


async def test_a_tool_that_throws_later_disturbs_nobody(ground: Ground) -> None:
    thrower = AMPLITUDE.replace(
        "createInstance: instance",
        "createInstance: () => ({init() {}, track() { throw new Error('broken') }})",
    )
    async with visiting(ground, {"amplitude": thrower}) as (visit, _):
        page = await visit.open('analytics.track("Thrown")')
        await until_told(page, "gtag", "Thrown")
        await until_told(page, "mixpanel.track", "Thrown")
        assert (await fates(ground, "Thrown"))[AMPL] == SENT


async def test_without_consent_nothing_is_loaded_and_with_it_at_once(ground: Ground) -> None:
    async with visiting(ground) as (visit, tools):
        page = await visit.open(
            'analytics.track("Unsaid"); analytics.push(["consent", {C1: false}]); analytics.track("Refused", {n: 1})'
        )
        await until_told(page, "gtag", "Refused")
        assert not [place for place in tools.asked if "heat" in place]
        assert (await fates(ground, "Refused"))[HEAT] == ("filtered", "FILTERED_BY_END_USER_CONSENT")
        await page.evaluate("analytics.consent({C1: true}); analytics.track('Granted', {n: 2})")
        await until_told(page, "heat", "Granted")
        assert await told(page, "heat") == [
            ["heat", "event", "Segment Consent Preference Updated", {}],
            ["heat", "event", "Granted", {"n": 2}],
        ]
        assert await told(page, "heat settings") == [["heat settings", {"id": 7}]]
        assert await page.locator("script[data-site=s1]").count() == 1
        assert (await fates(ground, "Granted"))[HEAT] == SENT


async def test_segments_library_loads_a_script_with_the_first_event_that_has_consent(ground: Ground) -> None:
    given = "{context: {consent: {categoryPreferences: {C1: %s}}}}"
    async with visiting(ground) as (visit, tools):
        calls = f'analytics.track("Refused", {{}}, {given % "false"}); analytics.track("Unsaid")'
        page = await visit.open(calls, host=f"{ground.front.url}/next")
        await until_told(page, "gtag", "Unsaid")
        assert not [place for place in tools.asked if "heat" in place]
        await page.evaluate(f"analytics.track('Granted', {{n: 2}}, {given % 'true'})")
        await until_told(page, "heat", "Granted")
        assert await told(page, "heat") == [["heat", "event", "Granted", {"n": 2}]]
        assert (await fates(ground, "Granted"))[HEAT] == SENT


@EITHER
async def test_an_event_goes_to_no_tool_that_it_does_not_want(
    library: str, ground: Ground, receiver: Receiver
) -> None:
    receiver.requests.clear()
    calls = """analytics.track("Choosy", {}, {integrations: {Mixpanel: false, ampl: false, "Google Ads (Gtag)": false}});
      analytics.track("After")"""
    async with visiting(ground) as (visit, _):
        page = await visit.open(calls, host=ground.front.url + library)
        for tool in ("gtag", "amplitude.track", "mixpanel.track"):
            await until_told(page, tool, "After")
        assert [one[1] for one in await told(page, "amplitude.track", "mixpanel.track")] == ["After", "After"]
        found = await fates(ground, "Choosy")
        assert {found[MIX][1], found[AMPL][1], found[ADS][1]} == {"FILTERED_BY_INTEGRATIONS_OBJECT"}


async def test_a_page_may_forbid_eval(ground: Ground) -> None:
    allowed = f"script-src 'unsafe-inline' {ground.front.url} https://static.heat.test"
    head = f'<meta http-equiv="Content-Security-Policy" content="{allowed}">'
    async with visiting(ground) as (visit, tools):
        calls = 'analytics.push(["consent", {C1: true}]); analytics.track("Strict", {n: 1})'
        page = await visit.open(calls, head=head)
        await until_told(page, "heat", "Strict")
        assert tools.asked == ["static.heat.test/heat.js"]
        found = await fates(ground, "Strict")
        assert (found[HEAT], found[ADS]) == (SENT, ONLY)


async def test_what_servers_send_goes_by_relay(ground: Ground, receiver: Receiver) -> None:
    receiver.requests.clear()
    answer = await ground.relay.post(
        "/v1/track", {"userId": "u1", "event": "From Server", "messageId": "server-1"}
    )
    assert answer.status == 200
    await ground.front.wait_until(lambda: all(by_relay(receiver, one, "From") for one in (GA4, AMPL, MIX)))


async def test_no_secret_is_in_what_browsers_get(ground: Ground) -> None:
    for path in ("/v1/projects/web-key/settings", "/analytics.js/v1/web-key/analytics.min.js"):
        answer = await ground.relay.get(path)
        assert b"amp-key" in answer.body
        assert b"hidden-" not in answer.body


async def test_plugins_are_kept_by_browsers_and_others_are_not_there(ground: Ground) -> None:
    place = "/analytics.js/v1/web-key/plugins"
    first = await ground.relay.get(f"{place}/mixpanel.js")
    assert first.status == 200
    again = await ground.relay.get(f"{place}/mixpanel.js", {"If-None-Match": first.headers["ETag"]})
    assert again.status == 304
    for path in (
        f"{place}/nothing.js",
        f"{place}/../../built-from",
        "/analytics.js/v1/no-key/plugins/mixpanel.js",
    ):
        assert (await ground.relay.get(path)).status == 404
