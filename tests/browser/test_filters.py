"""Filters of destinations in device mode: the browser keeps to them, relay too, and each event has one fate."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Route

from relay.console.search import Search
from tests.browser.test_device_mode import AMPL, GA4, HEAT, META, SENT, by_relay, told, until_told, visiting
from tests.browser.visit import Ground, ground_in
from tests.gateway.relay_here import SOURCE
from tests.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")

EITHER = pytest.mark.parametrize("library", ["", "/next"], ids=["relay's", "segment's"])
RULES = ("filtered", "FILTERED_BY_RULES")
ONLY = ("filtered", "DEVICE_MODE_ONLY")


def tables(receiver: str) -> str:
    cloud = f'endpoint = "{receiver}"\nbatch_wait = "0s"\n'
    return f"""{SOURCE}
[[destinations]]
name = "{GA4}"
type = "google-analytics-4"
mode = "device"
{cloud}
settings = {{ measurementId = "G-1", apiSecret = "s" }}

[[destinations]]
name = "{AMPL}"
type = "amplitude"
mode = "device"
filter = 'type = "track" and !(event in ["Heartbeat", "Ping"]) and properties.internal != true'
{cloud}
settings = {{ apiKey = "amp-key", secretKey = "s" }}
[[destinations.filters]]
if = 'contains(event, "Order")'
actions = [{{ type = "DROP_PROPERTIES", fields = {{ "properties" = ["secret"], "properties.products" = ["cost"] }} }}]

[[destinations]]
name = "{META}"
type = "facebook-conversions-api"
mode = "device"
{cloud}
settings = {{ pixelId = "11", accessToken = "t" }}
[[destinations.filters]]
if = 'type != "track"'
actions = [{{ type = "DROP" }}]

[[destinations]]
name = "{HEAT}"
type = "script"
mode = "device"
filter = 'event = "Hot"'
settings = {{ url = "https://static.heat.test/heat.js", function = "heat", calls = {{ track = ["event", "$.event"] }} }}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver(
        {("POST", path) for path in ("/mp/collect", "/v24.0/11/events", "/2/httpapi", "/identify")}
    ) as ready:
        yield ready


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> AsyncIterator[Ground]:
    async with ground_in(tmp_path_factory.mktemp("filters"), tables(receiver.url)) as ready:
        yield ready


async def fates(ground: Ground, event: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    """What became of an event, by destination, once it is settled everywhere."""
    shown: dict[str, Any] = {}

    def is_settled() -> bool:
        newest = ground.relay.app.debugger.newest(Search(message_id=event["messageId"]), 2)
        assert len(newest) < 2
        shown.update(newest[0]["deliveries"] if newest else {})
        return len(shown) == 4 and all(
            one["state"] not in ("waiting", "pending", "sending") for one in shown.values()
        )

    await ground.front.wait_until(is_settled, f"fates, but {shown}")
    return {to: (one["state"], one.get("reason")) for to, one in shown.items()}


async def fates_of(ground: Ground, name: str) -> dict[str, tuple[str, str | None]]:
    (event,) = await ground.front.wait_for(name)
    return await fates(ground, event)


@EITHER
async def test_a_tool_gets_what_its_filter_keeps_and_relay_sends_nothing_of_the_rest(
    library: str, ground: Ground, receiver: Receiver
) -> None:
    receiver.requests.clear()
    calls = """
      analytics.identify("u1", {email: "a@example.com"}); analytics.page("Home"); analytics.track("Ping"); analytics.track("Inside", {internal: true})
      analytics.track("Hot"); analytics.track("Last", {secret: 1})
    """
    async with visiting(ground) as (visit, _):
        page = await visit.open(calls, host=ground.front.url + library)
        for tool in ("gtag", "amplitude.track", "fbq"):
            await until_told(page, tool, "Last")
        await until_told(page, "heat", "Hot")
        assert [one[1] for one in await told(page, "amplitude.track")] == ["Hot", "Last"]
        assert await told(page, "amplitude.identify") == []
        assert [one[3] for one in await told(page, "fbq") if one[1] != "init"] == [
            "Ping",
            "Inside",
            "Hot",
            "Last",
        ]
        assert await told(page, "heat") == [["heat", "event", "Hot"]]
        assert await fates_of(ground, "Ping") == {GA4: SENT, META: SENT, AMPL: RULES, HEAT: RULES}
        assert await fates_of(ground, "Inside") == {GA4: SENT, META: SENT, AMPL: RULES, HEAT: RULES}
        assert await fates_of(ground, "Hot") == dict.fromkeys((GA4, META, AMPL, HEAT), SENT)
        (seen,) = [event for event in ground.front.events() if event["type"] == "page"]
        assert await fates(ground, seen) == {GA4: SENT, META: RULES, AMPL: RULES, HEAT: RULES}
        assert receiver.requests == []


@EITHER
async def test_properties_are_taken_away_for_one_tool_alone(library: str, ground: Ground) -> None:
    order = "{secret: 1, revenue: 2, products: [{sku: 's', cost: 3}]}"
    async with visiting(ground) as (visit, _):
        page = await visit.open(f"analytics.track('Order Made', {order})", host=ground.front.url + library)
        await until_told(page, "amplitude.track", "Order Made")
        await until_told(page, "gtag", "Order_Made")
        (made,) = await told(page, "amplitude.track")
        assert made[2] == {"revenue": 2, "products": [{"sku": "s"}]}
        (other,) = [one[3] for one in await told(page, "gtag") if "Order_Made" in one]
        assert (other["secret"], other["revenue"]) == (1, 2)
        (event,) = await ground.front.wait_for("Order Made")
        assert event["properties"]["products"] == [{"sku": "s", "cost": 3}]
        assert (await fates_of(ground, "Order Made"))[AMPL] == SENT


@EITHER
async def test_a_tool_with_filters_is_not_told_traits_at_its_start(library: str, ground: Ground) -> None:
    async with visiting(ground) as (visit, _):
        page = await visit.open(
            'analytics.identify("u1", {email: "a@example.com"})', host=ground.front.url + library
        )
        await page.evaluate("analytics.track('Begun')")
        await until_told(page, "fbq", "Begun")
        (init,) = [one for one in await told(page, "fbq") if one[1] == "init"]
        assert "email" not in str(init)
        assert "a@example.com" not in str(await told(page, "fbq"))


@EITHER
async def test_where_a_tool_does_not_start_relay_keeps_to_its_filter(
    library: str, ground: Ground, receiver: Receiver
) -> None:
    receiver.requests.clear()
    calls = 'analytics.track("Ping"); analytics.track("Order Missed", {secret: 1})'
    async with visiting(ground, {"amplitude": None}) as (visit, _):
        page = await visit.open(calls, host=ground.front.url + library)
        await until_told(page, "gtag", "Missed")
        await ground.front.wait_until(lambda: by_relay(receiver, AMPL, "Order Missed"))
        assert (await fates_of(ground, "Order Missed"))[AMPL] == ("delivered", None)
        assert (await fates_of(ground, "Ping"))[AMPL] == RULES
        assert not by_relay(receiver, AMPL, "Ping")
        assert not by_relay(receiver, AMPL, "secret")


async def test_without_its_rules_no_tool_starts_and_relay_sends_its_events(
    ground: Ground, receiver: Receiver
) -> None:
    receiver.requests.clear()
    async with visiting(ground) as (visit, tools):
        await visit.context.route("**/plugins/filters.js", lambda route: route.abort())
        page = await visit.open('analytics.track("Ping"); analytics.track("Hot")')
        await until_told(page, "gtag", "Hot")
        (hot,) = await ground.front.wait_for("Hot")
        assert {"Actions Amplitude", HEAT} <= set(hot["_metadata"]["failedInitializations"])
        await ground.front.wait_until(lambda: by_relay(receiver, AMPL, "Hot"))
        found = await fates_of(ground, "Ping")
        assert (found[GA4], found[AMPL], found[HEAT]) == (SENT, RULES, ONLY)
        assert await told(page, "amplitude.track", "fbq", "heat") == []
        assert not by_relay(receiver, AMPL, "Ping")
        assert not [place for place in tools.asked if "amplitude" in place]


async def test_rules_that_come_late_are_waited_for(ground: Ground) -> None:
    async with visiting(ground) as (visit, tools):
        before: list[str] = []

        async def late(route: Route) -> None:
            await ground.front.wait_until(lambda: any("gtag" in place for place in tools.asked))
            before.extend(tools.asked)
            await route.continue_()

        await visit.context.route("**/plugins/filters.js", late)
        page = await visit.open('analytics.track("Ping"); analytics.track("Hot")')
        await until_told(page, "amplitude.track", "Hot")
        assert before == ["www.googletagmanager.com/gtag/js"]
        assert [one[1] for one in await told(page, "amplitude.track")] == ["Hot"]


async def test_the_file_of_rules_is_asked_for_once_and_only_where_there_are_any(ground: Ground) -> None:
    async with visiting(ground) as (visit, _):
        page = await visit.open('analytics.track("Hot")')
        for tool in ("amplitude.track", "heat"):
            await until_told(page, tool, "Hot")
        assert len([seen for seen in ground.front.seen if seen.path.endswith("/plugins/filters.js")]) == 1
        rules = await page.evaluate("analytics.settings.cdnSettings.middlewareSettings.routingRules")
        assert sorted(rule["destinationName"] for rule in rules) == [
            "Actions Amplitude",
            "Facebook Conversions API (Actions)",
            HEAT,
        ]


PLAN = '{track: {Chosen: {enabled: true, integrations: {"Actions Amplitude": false}}}}'
GIVEN = {
    "by the page": ("", f"{{plan: {PLAN}}}"),
    "by the page, segment's": ("/next", f"{{plan: {PLAN}}}"),
    "by the settings": ("", f"{{updateCDNSettings: (settings) => ({{...settings, plan: {PLAN}}})}}"),
}


@pytest.mark.parametrize(("library", "options"), GIVEN.values(), ids=GIVEN)
async def test_a_plan_switches_an_event_off_for_a_tool(library: str, options: str, ground: Ground) -> None:
    async with visiting(ground) as (visit, _):
        calls = 'analytics.track("Chosen"); analytics.track("Hot")'
        page = await visit.open(calls, options=options, host=ground.front.url + library)
        await until_told(page, "amplitude.track", "Hot")
        await until_told(page, "fbq", "Chosen")
        assert [one[1] for one in await told(page, "amplitude.track")] == ["Hot"]
        assert (await fates_of(ground, "Chosen"))[AMPL] == ("filtered", "FILTERED_BY_INTEGRATIONS_OBJECT")
