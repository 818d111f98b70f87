"""The calls: what the snippet queued, arguments in all orders, what promises give."""

from typing import Any

import pytest

from tests.browser.visit import Ground

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_calls_that_came_before_the_script_are_made_in_order(ground: Ground) -> None:
    calls = """
      analytics.track("First", {n: 1}); analytics.identify("u1", {plan: "pro"}); analytics.track("Second");
      analytics.page("Docs", "Start"); analytics.group("g1", {seats: 3}); analytics.screen("Home"); analytics.alias("u2");
    """
    async with ground.visit() as visit:
        await visit.open(calls)
        await ground.front.wait_until(lambda: len(ground.front.events()) == 7, "seven events")
        paths = sorted(seen.path for seen in ground.front.seen if seen.method == "POST")
        assert paths == ["/v1/a", "/v1/g", "/v1/i", "/v1/p", "/v1/s", "/v1/t", "/v1/t"]
        assert not [seen for seen in ground.front.seen if seen.method == "OPTIONS"]
        by_time = sorted(ground.front.events(), key=lambda event: event["timestamp"])
        assert {event["event"]: event.get("userId") for event in by_time if event["type"] == "track"} == {
            "First": None,
            "Second": "u1",
        }
        (script,) = [seen for seen in ground.front.seen if seen.method == "GET"]
        assert "br" in script.headers["Accept-Encoding"]  # and so brotli is what it has just run
        arrived = await ground.relay.admitted(by_time[0]["messageId"])
        assert arrived["context"]["library"]["version"].startswith("relay-")


async def test_a_promise_gives_the_event_and_a_callback_gets_it(ground: Ground) -> None:
    script = """async () => {
      const told = []
      analytics.on("track", (...args) => told.push(args))
      analytics.once("page", (...args) => told.push(args))
      const context = await analytics.track("Promised", {a: 1}, {context: {b: 2}}, (c) => told.push(c.event.event))
      await analytics.page("Home"); await analytics.page("Not told")
      return {event: context.event.event, anonymousId: context.event.anonymousId, attempts: context.attempts, told}
    }"""
    async with ground.visit() as visit:
        page = await visit.open()
        found = await page.evaluate(script)
        (event,) = await ground.front.wait_for("Promised")
        assert found["event"] == "Promised"
        assert found["anonymousId"] == event["anonymousId"]
        assert found["attempts"] == 1
        assert found["told"][:2] == ["Promised", ["Promised", {"a": 1}, {"context": {"b": 2}}]]
        assert found["told"][2][1] == "Home"
        assert len(found["told"]) == 3


async def test_a_callback_does_not_wait_for_a_server_that_hangs(ground: Ground) -> None:
    async with ground.visit() as visit:
        page = await visit.open()
        ground.front.hang()
        assert (
            await page.evaluate(
                "new Promise((done) => analytics.track('Hung', {}, {}, () => done('called')))"
            )
            == "called"
        )
        ground.front.release()
        await ground.front.wait_for("Hung")


async def test_wrong_calls_are_refused_and_disturb_no_other(ground: Ground) -> None:
    async with ground.visit(may_say=("Event missing",)) as visit:
        page = await visit.open('analytics.track(); analytics.track("Right")')
        await ground.front.wait_for("Right")
        assert await page.evaluate("analytics.track({}).catch((error) => error.message)") == "Event missing"
        assert len(ground.front.events()) == 1


async def test_user_and_group_are_there_to_be_asked(ground: Ground) -> None:
    script = """() => [analytics.user().id(), analytics.user().traits(), analytics.user().anonymousId(),
      analytics.group().id(), analytics.group().traits(), analytics.setAnonymousId("anon"), analytics.user().anonymousId()]"""
    async with ground.visit() as visit:
        page = await visit.open('analytics.identify("u1", {a: 1}); analytics.group("g1", {b: 2})')
        user, traits, anonymous, group, properties, now, same = await page.evaluate(script)
        assert (user, traits, group, properties) == ("u1", {"a": 1}, "g1", {"b": 2})
        assert len(anonymous) == 36
        assert now == same == "anon"


async def test_source_middleware_changes_and_drops(ground: Ground) -> None:
    calls = """
      analytics.addSourceMiddleware(({payload, next}) => {
        if (payload.event() === "Dropped") return
        payload.obj.properties = {...payload.obj.properties, seen: payload.type() + payload.userId()}
        next(payload)
      })
      analytics.addSourceMiddleware(async ({payload, next, integrations}) => {
        await new Promise((done) => setTimeout(done, 5))
        payload.obj.properties.names = Object.keys(integrations)
        next(payload)
      })
      analytics.identify("u1"); analytics.track("Dropped"); analytics.track("Kept", {a: 1})
    """
    async with ground.visit() as visit:
        await visit.open(calls)
        (event,) = await ground.front.wait_for("Kept")
        assert event["properties"] == {"a": 1, "seen": "tracku1", "names": ["Segment.io"]}
        assert ground.front.events("Dropped") == []


DESTINATION = """
  window.got = []
  const plugin = (name, more) => ({name, type: "destination", track: (c) => void got.push([name, c.event.event, c.event.properties]), ...more})
"""


async def test_destinations_get_events_side_by_side_and_fail_alone(ground: Ground) -> None:
    calls = f"""{DESTINATION}
      analytics.register(plugin("Broken", {{track() {{ throw new Error("no") }}}}))
      analytics.register(plugin("Tool", {{load: () => new Promise((done) => setTimeout(done, 20))}}))
      analytics.register(plugin("Other"))
      analytics.register(plugin("Failing", {{load: () => Promise.reject(new Error("no"))}}))
      analytics.addDestinationMiddleware("Tool", ({{payload, next}}) => {{ payload.obj.properties.forTool = true; next(payload) }})
      analytics.addDestinationMiddleware("other", ({{payload, next}}) => payload.event() === "Not For Other" ? next(null) : next(payload))
      analytics.track("For All", {{a: 1}}); analytics.track("Only Tool", {{}}, {{integrations: {{All: false, Tool: true}}}})
      analytics.track("Not For Other")
    """
    async with ground.visit() as visit:
        page = await visit.open(calls)
        for name in ("For All", "Only Tool", "Not For Other"):
            (event,) = await ground.front.wait_for(name)
            assert event["_metadata"]["failedInitializations"] == ["Failing"]
            assert "forTool" not in event["properties"]
        await page.wait_for_function("got.length >= 4")
        assert sorted(await page.evaluate("got.map(([name, event]) => name + ': ' + event)")) == [
            "Other: For All",
            "Tool: For All",
            "Tool: Not For Other",
            "Tool: Only Tool",
        ]
        assert ["Tool", "For All", {"a": 1, "forTool": True}] in await page.evaluate("got")


async def test_a_tools_own_code_is_fetched_and_the_server_is_told(ground: Ground) -> None:
    ground.pages.scripts["/tool.js"] = (
        "window.got = []; window.toolDestination = (settings) =>"
        " ({name: 'Tool', type: 'destination', track: (c) => void got.push([c.event.event, settings.key, settings.own])})"
    )
    remote = (
        "(s) => ({...s, integrations: {...s.integrations, Tool: {bundlingStatus: 'bundled'},"
        " 'Segment.io': {...s.integrations['Segment.io'], maybeBundledConfigIds: {Tool: ['c1']}}},"
        " remotePlugins: [{name: 'Tool', url: location.origin + '/tool.js', libraryName: 'toolDestination', settings: {key: 'k'}},"
        " {name: 'Gone', url: location.origin + '/page-gone.js', libraryName: 'goneDestination', settings: {}}]})"
    )
    async with ground.visit(may_say=("MIME type", "Refused to execute", "Unexpected token")) as visit:
        options = f"{{updateCDNSettings: {remote}, integrations: {{Tool: {{own: 1}}}}}}"
        page = await visit.open('analytics.track("Bundled")', options=options)
        (event,) = await ground.front.wait_for("Bundled")
        assert event["_metadata"] == {
            "bundled": ["Segment.io", "Tool"],
            "unbundled": [],
            "bundledIds": ["c1"],
            "failedInitializations": ["Gone"],
        }
        assert await page.evaluate("got") == [["Bundled", "k", 1]]


async def test_consent_is_stamped_told_and_kept_to(ground: Ground) -> None:
    mapped = (
        "(s) => ({...s, integrations: {...s.integrations, Tool: {consentSettings: {categories: ['C2']}}}})"
    )
    calls = f"""{DESTINATION}
      analytics.register(plugin("Tool")); analytics.register(plugin("Free")); analytics.track("Before")
    """
    async with ground.visit() as visit:
        page = await visit.open(calls, options=f"{{updateCDNSettings: {mapped}}}")
        assert "consent" not in (await ground.front.wait_for("Before"))[0]["context"]
        await page.evaluate("analytics.consent({C2: false, C1: true})")
        await page.evaluate("analytics.track('Without')")
        (event,) = await ground.front.wait_for("Without")
        assert event["context"]["consent"] == {"categoryPreferences": {"C1": True, "C2": False}}
        await page.evaluate("analytics.consent({C1: true, C2: false})")  # as before: nothing to tell
        await page.evaluate("analytics.consent({C1: true, C2: true})")
        await page.evaluate("analytics.track('With')")
        await ground.front.wait_for("With")
        assert len(ground.front.events("Segment Consent Preference Updated")) == 2
        got = await page.evaluate("got.map(([name, event]) => name + ': ' + event)")
        assert [one for one in got if one.startswith("Tool")] == [
            "Tool: Before",
            "Tool: Segment Consent Preference Updated",
            "Tool: With",
        ]
        assert "Free: Without" in got


async def test_an_event_that_is_not_planned_is_marked_and_still_sent(ground: Ground) -> None:
    plan = "plan: {track: {__default: {enabled: false}, Planned: {enabled: true}, Half: {enabled: true, integrations: {X: false}}}}"
    calls = 'analytics.track("Planned"); analytics.track("Half"); analytics.track("Strange", {}, {integrations: {Y: true}})'
    async with ground.visit() as visit:
        await visit.open(calls, options=f"{{{plan}}}")
        assert (await ground.front.wait_for("Planned"))[0]["integrations"] == {}
        assert (await ground.front.wait_for("Half"))[0]["integrations"] == {"X": False}
        (event,) = await ground.front.wait_for("Strange")
        assert event["integrations"] == {"Y": True, "All": False, "Segment.io": True}


@pytest.mark.parametrize(
    "options",
    [
        {"disable": True},
        "{disable: () => true}",
        {"integrations": {"All": False}},
        {"integrations": {"Segment.io": False}},
    ],
)
async def test_a_page_may_say_that_nothing_is_to_be_sent(options: Any, ground: Ground) -> None:
    async with ground.visit() as visit:
        page = await visit.open('analytics.track("Never")', options=options)
        await page.evaluate("analytics.track('Never')")
        await page.evaluate("analytics.ready()")
        await page.goto(ground.origin)
        assert ground.front.events() == []


async def test_one_page_has_one_analytics(ground: Ground) -> None:
    async with ground.visit() as visit:
        page = await visit.open('analytics.track("Once")', options={"initialPageview": True})
        await page.add_script_tag(url=f"{ground.front.url}/analytics.js/v1/web-key/analytics.min.js")
        await page.evaluate("analytics.push(['track', 'Last'])")
        for name in ("Once", "Last"):
            await ground.front.wait_for(name)
        await ground.front.wait_until(lambda: len(ground.front.events()) >= 3, "page view")
        assert [event["type"] for event in ground.front.events()].count("page") == 1
        assert len(ground.front.events("Once")) == 1


async def test_links_and_forms_are_followed_once_their_event_is_on_its_way(ground: Ground) -> None:
    body = "<a id=link href='/linked'>x</a><form id=form action='/submitted'><input name=a><button id=send>x</button></form>"
    calls = """document.addEventListener("DOMContentLoaded", () => {
      analytics.trackLink(document.getElementById("link"), "Link Clicked", (a) => ({to: a.getAttribute("href")}))
      analytics.trackForm(document.getElementById("form"), (f) => "Form " + f.id, {b: 1})
    })"""
    async with ground.visit() as visit:
        page = await visit.open(calls, body=body)
        await page.click("#link")
        await page.wait_for_url("**/linked")
        assert (await ground.front.wait_for("Link Clicked"))[0]["properties"] == {"to": "/linked"}
        page = await visit.open(calls, body=body)
        await page.click("#send")
        await page.wait_for_url("**/submitted?a=")
        assert (await ground.front.wait_for("Form form"))[0]["properties"] == {"b": 1}


async def test_without_settings_in_it_the_script_fetches_them(ground: Ground) -> None:
    """As when somebody puts a copy of it on a server of files."""
    script = (await ground.relay.get("/analytics.js/v1/web-key/analytics.min.js")).body.decode()
    end = script.rindex("({")
    ground.pages.scripts["/copy.js"] = script[: end + 1] + ")"
    async with ground.visit() as visit:
        page = await visit.new_page()
        await page.goto(ground.origin)
        await page.evaluate(
            f"window.analytics = Object.assign([['track', 'Copied']], {{_writeKey: 'web-key', _cdn: '{ground.front.url}'}})"
        )
        await page.add_script_tag(url="/copy.js")
        await ground.front.wait_for("Copied")
        assert [seen.path for seen in ground.front.seen if seen.method == "GET"] == [
            "/v1/projects/web-key/settings"
        ]
