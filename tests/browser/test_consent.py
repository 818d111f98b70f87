"""From the banner to the destination: OneTrust, Segment's consent tools, and what is held back in browsers and here.

OneTrust is a stand-in (tests/browser/onetrust.py). The tool in the browser is a script of the test's own.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from json import dumps
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route

from relay.console.search import Search
from tests.acceptance.relay_process import source, webhook
from tests.browser.front import SECONDS
from tests.browser.onetrust import stand_in, wrapper
from tests.browser.snippet import page_of
from tests.browser.tools import HEAT
from tests.browser.visit import Ground, Visit, ground_in
from tests.gateway.relay_here import KEY, SOURCE
from tests.plans.plans import about, plan
from tests.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHANGED = "Segment Consent Preference Updated"
SHOP, ALL_MAPPED = "shop-key", "all-mapped-key"  # of sources that ask OneTrust
PLANNED = "planned-key"  # of a source whose plan lets no others through
DELIVERED = ("delivered", None)
NO_CONSENT = ("filtered", "FILTERED_BY_END_USER_CONSENT")
NOT_WANTED = ("filtered", "FILTERED_BY_INTEGRATIONS_OBJECT")
SENT = ("filtered", "MESSAGE_SENT_CLIENT_SIDE")
ONLY = ("filtered", "DEVICE_MODE_ONLY")
EITHER = pytest.mark.parametrize("library", ["", "/next"], ids=["relay's", "segment's"])
_numbers = count()


def tables(receiver: str) -> str:
    asks = 'rate_limit = 100000\nconsent_manager = "onetrust"'
    both = 'sources = ["web", "shop"]\n'
    planned = 'rate_limit = 100000\nplan = "plan.json"\ncontrols.allow_unplanned_track_events = false'
    heat = """
[[destinations]]
name = "heat"
type = "script"
mode = "device"
consent = ["C0002"]
sources = ["web", "shop"]
settings = { url = "https://static.heat.test/heat.js", function = "heat", calls = { track = ["event", "$.event"] } }
"""
    return "".join(
        (
            SOURCE,
            source("shop", SHOP, asks),
            source("all", ALL_MAPPED, asks),
            source("planned", PLANNED, planned),
            webhook(receiver, "one", both + 'consent = ["C0002"]'),
            webhook(receiver, "two", both + 'consent = ["C0002", "C0003"]'),
            webhook(receiver, "free", both),
            webhook(receiver, "mapped", 'sources = ["all"]\nconsent = ["C0002"]'),
            webhook(receiver, "kept", 'sources = ["planned"]\nconsent = ["C0002"]'),
            heat,
        )
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    folder = tmp_path_factory.mktemp("consent")
    (folder / "plan.json").write_text(dumps(plan(("Later", about()))))
    async with Receiver() as receiver, ground_in(folder, tables(receiver.url)) as ready:
        yield ready


@asynccontextmanager
async def visiting(
    ground: Ground, *, may_say: tuple[str, ...] = ()
) -> AsyncIterator[tuple[Visit, list[str]]]:
    """A visit, and the addresses of other hosts that it asked for."""
    asked: list[str] = []

    async def answer(route: Route) -> None:
        asked.append(route.request.url)
        await route.fulfill(body=HEAT, content_type="text/javascript")

    async with ground.visit(may_say=may_say) as visit:
        await visit.context.route("https://**/*", answer)
        yield visit, asked
    assert set(asked) <= {"https://static.heat.test/heat.js"}


async def landed(
    visit: Visit,
    calls: str = "",
    *,
    key: str = SHOP,
    head: str = "",
    options: str = "{}",
    before: str = "",
    library: str = "",
) -> Page:
    """A page whose analytics.js need not have begun."""
    path = f"/consent-{next(_numbers)}"
    front = visit.ground.front.url
    visit.ground.pages.html[path] = page_of(front + library, key, options, calls, before, "", head)
    page = await visit.new_page()
    await page.goto(visit.ground.origin + path)
    return page


async def until(page: Page, holds: str) -> None:
    await page.wait_for_function(holds, timeout=SECONDS * 1000)


async def begun(page: Page) -> None:
    await until(page, "analytics.initialized")


def script(code: str) -> str:
    return f"<script>{code}</script>"


async def heard(page: Page) -> list[str]:
    """The events that the tool in the browser got."""
    found: list[str] = await page.evaluate(
        "(window.told || []).filter((one) => one[1] === 'event').map((one) => one[2])"
    )
    return found


async def until_heard(page: Page, name: str) -> None:
    await until(page, f"(window.told || []).some((one) => one[2] === '{name}')")


async def fates(ground: Ground, name: str, of: int = 4) -> dict[str, tuple[str, str | None]]:
    """What became of the newest event of this name, by destination, once it is settled everywhere."""
    *_, event = await ground.front.wait_for(name)
    shown: dict[str, Any] = {}

    def is_settled() -> bool:
        newest = ground.relay.app.debugger.newest(Search(message_id=event["messageId"]), 1)
        shown.update(newest[0]["deliveries"] if newest else {})
        return len(shown) == of and all(
            one["state"] not in ("waiting", "pending", "sending") for one in shown.values()
        )

    await ground.front.wait_until(is_settled, f"fates, but {shown}")
    return {to: (one["state"], one.get("reason")) for to, one in shown.items()}


def preferences(event: dict[str, Any]) -> Any:
    return event["context"]["consent"]["categoryPreferences"]


def prefers(**categories: bool) -> dict[str, bool]:
    return {"C0001": True, "C0002": False, "C0003": False} | categories


# OneTrust, by relay's own analytics.js

CALLS = 'analytics.identify("u1"); analytics.page("Home"); analytics.track("First")'


async def test_where_visitors_agree_first_nothing_happens_before_and_nothing_is_lost(ground: Ground) -> None:
    async with visiting(ground) as (visit, asked):
        page = await landed(visit, CALLS, head=script(stand_in()))
        await until(page, "visitor.listeners() === 1")
        await page.evaluate("analytics.track('Second')")
        assert not await page.evaluate("analytics.initialized")
        assert await page.evaluate("Object.keys(localStorage)") == []
        assert "ajs_anonymous_id" not in await visit.cookies()
        assert (ground.front.events(accepted=False), asked) == ([], [])
        await page.evaluate("visitor.choose('C0002')")
        await until_heard(page, "Second")
        await until_heard(page, CHANGED)
        (changed,) = await ground.front.wait_for(CHANGED)
        (first,) = await ground.front.wait_for("First")
        assert preferences(changed) == preferences(first) == prefers(C0002=True)
        assert changed["properties"] == {}
        assert {event["userId"] for event in ground.front.events()} == {"u1"}
        assert sorted(await heard(page)) == sorted(["First", "Second", CHANGED])
        assert await fates(ground, "First") == {
            "one": DELIVERED,
            "two": NO_CONSENT,
            "free": DELIVERED,
            "heat": SENT,
        }


async def test_a_visitor_who_comes_back_is_known_and_a_withdrawal_holds_at_once(ground: Ground) -> None:
    async with visiting(ground) as (visit, _):
        first = await landed(visit, CALLS, head=script(stand_in()))
        await until(first, "visitor.listeners() === 1")
        await first.evaluate("visitor.choose('C0002', 'C0003')")
        await ground.front.wait_for(CHANGED)
        page = await landed(visit, 'analytics.track("Back")', head=script(stand_in()))
        await until_heard(page, "Back")
        assert await fates(ground, "Back") == {
            "one": DELIVERED,
            "two": DELIVERED,
            "free": DELIVERED,
            "heat": SENT,
        }
        await page.evaluate("visitor.choose('C0002', 'C0003')")  # the same as before
        await page.evaluate("visitor.choose('C0003')")
        told = await ground.front.wait_for(CHANGED, 2)
        assert [preferences(event) for event in told] == [
            prefers(C0002=True, C0003=True),
            prefers(C0003=True),
        ]
        await page.evaluate("analytics.track('After')")
        assert await fates(ground, "After") == {
            "one": NO_CONSENT,
            "two": NO_CONSENT,
            "free": DELIVERED,
            "heat": NO_CONSENT,
        }
        # the tool's script is kept from learning more; who is sent events from here learns of the change
        assert await fates(ground, CHANGED) == {
            "one": DELIVERED,
            "two": DELIVERED,
            "free": DELIVERED,
            "heat": ONLY,
        }
        assert await heard(page) == ["Back"]
        await page.evaluate("visitor.choose('C0002'); analytics.track('Again')")
        await until_heard(page, "Again")
        assert await heard(page) == ["Back", CHANGED, "Again"]


async def test_where_visitors_may_refuse_events_go_at_once(ground: Ground) -> None:
    async with visiting(ground) as (visit, _):
        page = await landed(visit, 'analytics.track("Free")', head=script(stand_in("opt-out")))
        await until_heard(page, "Free")
        (event,) = await ground.front.wait_for("Free")
        assert preferences(event) == prefers(C0002=True, C0003=True)
        assert ground.front.events(CHANGED) == []
        await page.evaluate("visitor.isToldFirst = true; visitor.choose(); analytics.track('Refused')")
        (changed,) = await ground.front.wait_for(CHANGED)
        assert preferences(changed) == prefers()
        assert (await fates(ground, "Refused"))["heat"] == NO_CONSENT
        assert await heard(page) == ["Free"]


async def test_onetrust_may_come_later(ground: Ground) -> None:
    async with visiting(ground) as (visit, _):
        page = await landed(visit, 'analytics.track("Early")')
        await page.evaluate("window.OneTrust = {geolocationResponse: {}}")  # as it is at first
        await until(page, "typeof analytics._loadOptions.disable === 'function'")
        assert not await page.evaluate("analytics.initialized")
        await page.evaluate(stand_in("opt-out"))
        await until_heard(page, "Early")
        assert preferences((await ground.front.wait_for("Early"))[0]) == prefers(C0002=True, C0003=True)


async def test_where_no_banner_is_shown_nothing_waits_for_one(ground: Ground) -> None:
    async with visiting(ground) as (visit, asked):
        await landed(visit, 'analytics.track("Bare")', head=script(stand_in(has_banner=False)))
        assert (await fates(ground, "Bare")) == {
            "one": NO_CONSENT,
            "two": NO_CONSENT,
            "free": DELIVERED,
            "heat": NO_CONSENT,
        }
        assert preferences(ground.front.events("Bare")[0]) == prefers()
        assert asked == []


async def test_the_pages_own_callback_stays_and_is_called(ground: Ground) -> None:
    own = "var called = 0; function OptanonWrapper() { called++ }; var own = OptanonWrapper;"
    async with visiting(ground) as (visit, _):
        page = await landed(visit, 'analytics.track("Own")', head=script(own + stand_in()))
        await until(page, "visitor.listeners() === 1")
        await page.evaluate("visitor.choose('C0002')")
        await until_heard(page, "Own")
        assert await page.evaluate("[called, OptanonWrapper === own]") == [2, True]


async def test_what_the_page_asked_of_load_still_holds(ground: Ground) -> None:
    options = "{initialPageview: true, globalAnalyticsKey: 'tracker', disable: (settings) => !settings.integrations.heat}"
    async with visiting(ground) as (visit, _):
        page = await landed(visit, 'analytics.track("Kept")', head=script(stand_in()), options=options)
        await until(page, "visitor.listeners() === 1")
        await page.evaluate(
            "landing = location.href; history.pushState({}, '', '/moved'); visitor.choose('C0002')"
        )
        await until(page, "window.tracker?.initialized")
        await ground.front.wait_until(lambda: len(ground.front.events()) >= 3, "three events")
        events = ground.front.events()
        assert sorted(event.get("event", event["type"]) for event in events) == sorted(
            ["page", "Kept", CHANGED]
        )
        (view,) = [event for event in events if event["type"] == "page"]
        assert view["context"]["page"]["url"] == await page.evaluate("landing")
        refused = await landed(
            visit, 'analytics.track("Off")', head=script(stand_in()), options="{disable: () => true}"
        )
        await begun(refused)
        await page.evaluate("tracker.track('On')")
        await ground.front.wait_for("On")
        assert ground.front.events("Off") == []


async def test_where_every_destination_needs_a_category_and_none_is_granted_only_the_choice_is_sent(
    ground: Ground,
) -> None:
    async with visiting(ground) as (visit, _):
        page = await landed(visit, 'analytics.track("Nothing")', key=ALL_MAPPED, head=script(stand_in()))
        await until(page, "visitor.listeners() === 1")
        await page.evaluate("visitor.choose('C0003')")
        assert await fates(ground, CHANGED, of=1) == {"mapped": DELIVERED}
        await page.evaluate("visitor.choose('C0002'); analytics.track('Something')")
        assert await fates(ground, "Something", of=1) == {"mapped": DELIVERED}
        assert ground.front.events("Nothing") == []


async def test_what_another_banner_had_remembered_does_not_count(ground: Ground) -> None:
    async with visiting(ground) as (visit, asked):
        page = await landed(visit, key=KEY)
        await begun(page)
        await page.evaluate("analytics.consent({C0002: true})")
        await ground.front.wait_for(CHANGED)
        asked.clear()
        await landed(visit, 'analytics.track("Fresh")', head=script(stand_in(has_banner=False)))
        assert preferences((await ground.front.wait_for("Fresh"))[0]) == prefers()
        assert asked == []


async def test_what_a_plug_in_of_the_page_sends_when_it_begins_says_what_the_visitor_chose(
    ground: Ground,
) -> None:
    calls = """analytics.register({
      name: "Eager", type: "utility", version: "1", isLoaded: () => true, load: (_, it) => void it.track("Eager"),
    })"""
    async with visiting(ground) as (visit, asked):
        page = await landed(visit, calls, head=script(stand_in()))
        await until(page, "visitor.listeners() === 1")
        await page.evaluate("visitor.choose('C0003')")
        (event,) = await ground.front.wait_for("Eager")
        assert preferences(event) == prefers(C0003=True)
        assert (await fates(ground, "Eager"))["one"] == NO_CONSENT
        assert asked == []


# a banner of one's own


async def test_a_page_may_load_the_library_when_its_visitor_has_agreed(ground: Ground) -> None:
    before = "const load = analytics.load; analytics.load = (...given) => { agree = () => load(...given) };"
    async with visiting(ground) as (visit, asked):
        page = await landed(visit, 'analytics.track("Waited")', key=KEY, before=before)
        await until(page, "typeof agree === 'function' && agree.length === 0")
        assert (ground.front.seen, asked) == ([], [])
        await page.evaluate("analytics.push(['consent', {C0002: true, C0003: false}]); agree()")
        await until_heard(page, "Waited")
        (event,) = await ground.front.wait_for("Waited")
        assert preferences(event) == {"C0002": True, "C0003": False}
        await page.evaluate("analytics.consent({C0002: false}); analytics.track('Withdrawn')")
        assert (await fates(ground, "Withdrawn"))["heat"] == NO_CONSENT
        assert await fates(ground, CHANGED) == {
            "one": DELIVERED,
            "two": DELIVERED,
            "free": DELIVERED,
            "heat": ONLY,
        }
        assert "Withdrawn" not in await heard(page)


# Segment's consent tools, with relay's settings


@EITHER
async def test_segments_consent_tools_hold_events_until_the_visitor_agrees(
    library: str, ground: Ground
) -> None:
    head = script(wrapper()) + script(stand_in())
    async with visiting(ground) as (visit, asked):
        page = await landed(
            visit, CALLS, key=KEY, head=head, before="withOneTrust(analytics);", library=library
        )
        await until(page, "visitor.listeners() === 1")
        assert (ground.front.events(accepted=False), asked) == ([], [])
        await page.evaluate("visitor.choose('C0002')")
        await until_heard(page, "First")
        (first,) = await ground.front.wait_for("First")
        (changed,) = await ground.front.wait_for(CHANGED)
        assert preferences(first) == preferences(changed) == prefers(C0002=True)
        assert await fates(ground, "First") == {
            "one": DELIVERED,
            "two": NO_CONSENT,
            "free": DELIVERED,
            "heat": SENT,
        }


@EITHER
async def test_segments_consent_tools_load_no_script_that_was_refused(library: str, ground: Ground) -> None:
    head = script(wrapper()) + script(stand_in())
    async with visiting(ground) as (visit, asked):
        page = await landed(
            visit, CALLS, key=KEY, head=head, before="withOneTrust(analytics);", library=library
        )
        await until(page, "visitor.listeners() === 1")
        await page.evaluate("visitor.choose('C0003')")
        found = await fates(ground, "First")
        assert found == {"one": NO_CONSENT, "two": NO_CONSENT, "free": DELIVERED, "heat": NO_CONSENT}
        assert asked == []


@EITHER
async def test_segments_consent_tools_block_what_is_withdrawn(library: str, ground: Ground) -> None:
    head = script(wrapper()) + script(stand_in("opt-out"))
    async with visiting(ground) as (visit, _):
        page = await landed(
            visit, CALLS, key=KEY, head=head, before="withOneTrust(analytics);", library=library
        )
        await until_heard(page, "First")
        await page.evaluate("visitor.choose('C0003')")
        (changed,) = await ground.front.wait_for(CHANGED)
        assert preferences(changed) == prefers(C0003=True)
        await page.evaluate("analytics.track('Withdrawn')")
        assert await fates(ground, "Withdrawn") == {
            "one": NO_CONSENT,
            "two": NO_CONSENT,
            "free": DELIVERED,
            "heat": NO_CONSENT,
        }
        assert (await fates(ground, CHANGED))["one"] == DELIVERED
        assert "Withdrawn" not in await heard(page)


# what is held back where: by the event, in the browser and here

YES, ALL_YES = "{C0002: true}", "{C0002: true, C0003: true}"
RULES: dict[str, tuple[str, str, str, bool, dict[str, tuple[str, str | None]]]] = {
    # name: event, consent, integrations, whether the script gets it, what becomes of it here
    "nothing said": ("Row", "undefined", "{}", True, {"one": DELIVERED, "two": DELIVERED}),
    "no category at all": (
        "Row",
        "{categoryPreferences: {}}",
        "{}",
        False,
        {"one": NO_CONSENT, "two": NO_CONSENT},
    ),
    "no preferences": ("Row", "{}", "{}", False, {"one": NO_CONSENT, "two": NO_CONSENT}),
    "one of two": (
        "Row",
        f"{{categoryPreferences: {YES}}}",
        "{}",
        True,
        {"one": DELIVERED, "two": NO_CONSENT},
    ),
    "both": ("Row", f"{{categoryPreferences: {ALL_YES}}}", "{}", True, {"one": DELIVERED, "two": DELIVERED}),
    "another": (
        "Row",
        "{categoryPreferences: {C0003: true}}",
        "{}",
        False,
        {"one": NO_CONSENT, "two": NO_CONSENT},
    ),
    "not plainly true": (
        "Row",
        "{categoryPreferences: {C0002: 'false'}}",
        "{}",
        False,
        {"one": NO_CONSENT, "two": NO_CONSENT},
    ),
    "refused but wanted": (
        "Row",
        "{categoryPreferences: {C0002: false}}",
        "{heat: true, one: true, two: true}",
        False,
        {"one": NO_CONSENT, "two": NO_CONSENT},
    ),
    "granted but not wanted": (
        "Row",
        f"{{categoryPreferences: {ALL_YES}}}",
        "{heat: false, one: false}",
        False,
        {"one": NOT_WANTED, "two": DELIVERED},
    ),
    "a refusal told": (
        CHANGED,
        "{categoryPreferences: {C0002: false}}",
        "{}",
        False,
        {"one": DELIVERED, "two": DELIVERED},
    ),
}


@EITHER
async def test_every_rule_holds_in_the_browser_and_here(library: str, ground: Ground) -> None:
    async with visiting(ground) as (visit, _):
        page = await landed(visit, key=KEY, library=library)
        await begun(page)
        await page.evaluate(
            f"analytics.track('Row', {{}}, {{context: {{consent: {{categoryPreferences: {YES}}}}}}})"
        )
        await until_heard(page, "Row")  # the script is there
        for rule, (name, consent, integrations, is_heard, here) in RULES.items():
            await page.evaluate("told.length = 0")
            extra = f"{{context: {{consent: {consent}}}, integrations: {integrations}}}"
            await page.evaluate(f"analytics.track('{name}', {{}}, {extra})")
            # a later event that goes everywhere: what did not come before it does not come
            await page.evaluate("analytics.track('Later')")
            await until_heard(page, "Later")
            assert (name in await heard(page)) is is_heard, rule
            found = await fates(ground, name)
            assert {to: found[to] for to in ("one", "two", "free")} == {**here, "free": DELIVERED}, rule
            ground.front.forget()


@EITHER
async def test_a_change_of_consent_is_part_of_every_plan(library: str, ground: Ground) -> None:
    said = "{categoryPreferences: {C0002: false}}"
    told = f"analytics.track('{CHANGED}', {{}}, {{context: {{consent: {said}}}}})"
    async with visiting(ground) as (visit, _):
        page = await landed(visit, key=PLANNED, library=library)
        await begun(page)
        await page.evaluate(told if library else "analytics.consent({C0002: false})")
        assert await fates(ground, CHANGED, of=1) == {"kept": DELIVERED}
        assert ground.front.events(CHANGED)[-1]["integrations"] == {}
