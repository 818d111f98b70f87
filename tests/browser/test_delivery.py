"""Getting there: offline, refused, hung, left behind; every event, and once."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests.acceptance.relay_process import source, webhook
from tests.browser.front import SECONDS
from tests.browser.visit import Ground
from tests.gateway.relay_here import KEY, relay_here
from tests.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUEUED = "() => Object.keys(localStorage).filter((name) => name.startsWith('relay:'))"
TRACK = "(names) => { for (const name of names) analytics.track(name) }"


async def nothing_is_left(page: Page) -> None:
    await page.wait_for_function(f"({QUEUED})().length === 0", timeout=SECONDS * 1000)


def tried(ground: Ground, name: str) -> list[dict[str, Any]]:
    return ground.front.events(name, accepted=False)


async def test_what_is_accepted_leaves_no_trace(ground: Ground) -> None:
    async with ground.visit() as visit:
        page = await visit.open()
        ground.front.hang()
        await page.evaluate("void analytics.track('Kept')")
        keys = await page.evaluate(QUEUED)
        assert len(keys) == 2  # the event, and that its tab lives
        ground.front.release()
        await ground.front.wait_for("Kept")
        await nothing_is_left(page)


async def test_offline_and_online_again(ground: Ground) -> None:
    names = [f"Offline {i}" for i in range(120)]
    async with ground.visit() as visit:
        page = await visit.open()
        await visit.context.set_offline(offline=True)
        await page.evaluate(TRACK, names)
        assert (
            await page.evaluate("analytics.track('Awaited').then((context) => context.event.event)")
            == "Awaited"
        )
        await visit.context.set_offline(offline=False)
        await ground.front.wait_for("Awaited")
        assert [event["event"] for event in ground.front.events()] == [*names, "Awaited"]
        await nothing_is_left(page)
        posts = [seen for seen in ground.front.seen if seen.method == "POST"]
        assert {seen.path for seen in posts} == {"/v1/b"}
        assert all(len(seen.body) <= 60_000 for seen in posts)


async def test_a_page_that_is_left_before_the_answer_sends_again_from_the_next(ground: Ground) -> None:
    async with ground.visit() as visit:
        page = await visit.open()
        ground.front.always((503, {"Retry-After": "600"}))
        await page.evaluate("analytics.track('Left Behind')")
        (event,) = tried(ground, "Left Behind")
        await page.goto(f"{ground.origin}/elsewhere")
        await ground.front.wait_until(lambda: len(tried(ground, "Left Behind")) == 2, "beacon")
        ground.front.always(None)
        page = await visit.open(page=page)
        found = await ground.front.wait_for("Left Behind")
        assert {one["messageId"] for one in found} == {event["messageId"]}
        assert len(found) == 1
        await nothing_is_left(page)


async def test_what_waits_when_a_page_goes_is_given_to_the_browser(ground: Ground) -> None:
    strategy = {"strategy": "batching", "config": {"size": 100, "timeout": 3_600_000}}
    async with ground.visit() as visit:
        page = await visit.open(options={"integrations": {"Segment.io": {"deliveryStrategy": strategy}}})
        await page.evaluate(TRACK, ["A", "B"])
        assert ground.front.events() == []
        await page.goto(f"{ground.origin}/elsewhere")
        await ground.front.wait_for("B")
        (seen,) = [seen for seen in ground.front.seen if seen.method == "POST"]
        assert seen.path == "/v1/b"
        assert seen.json["writeKey"] == "web-key"
        assert [event["event"] for event in seen.events()] == ["A", "B"]


async def test_batches_go_when_they_are_full_or_old_enough(ground: Ground) -> None:
    strategy = {"strategy": "batching", "config": {"size": 3, "timeout": 100}}
    async with ground.visit() as visit:
        page = await visit.open(options={"integrations": {"Segment.io": {"deliveryStrategy": strategy}}})
        await page.evaluate(TRACK, ["A", "B", "C"])
        await ground.front.wait_for("C")
        await page.evaluate(TRACK, ["D"])
        await ground.front.wait_for("D")
        sizes = [len(seen.events()) for seen in ground.front.seen if seen.method == "POST"]
        assert sizes == [3, 1]
        await nothing_is_left(page)


async def test_a_429_is_obeyed_and_nothing_passes_it(ground: Ground) -> None:
    async with ground.visit() as visit:
        page = await visit.open()
        ground.front.answers((429, {"Retry-After": "2"}))
        asked = await page.evaluate("""async () => {
          await analytics.track("Limited")
          const asked = Date.now()
          analytics.track("After")
          return asked
        }""")
        await ground.front.wait_for("After")
        first, *_ = ground.front.events("Limited")
        assert [event["event"] for event in ground.front.events()] == ["Limited", "After"]
        (batch,) = [seen for seen in ground.front.seen if seen.path == "/v1/b"]
        assert first["_metadata"]["retryCount"] == 2
        sent = await page.evaluate("(text) => Date.parse(text)", batch.json["sentAt"])
        assert sent - asked > 1500
        assert len([seen for seen in ground.front.seen if seen.status == 429]) == 1
        await nothing_is_left(page)


@pytest.mark.parametrize("status", [400, 401, 501])
async def test_what_is_refused_for_good_is_not_sent_again(status: int, ground: Ground) -> None:
    async with ground.visit() as visit:
        page = await visit.open()
        ground.front.answers((status, {}))
        await page.evaluate("analytics.track('Refused')")
        await nothing_is_left(page)
        await page.evaluate("analytics.track('Next')")
        await ground.front.wait_for("Next")
        assert len(tried(ground, "Refused")) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_fails_is_sent_again(status: int, ground: Ground) -> None:
    async with ground.visit() as visit:
        page = await visit.open()
        ground.front.answers((status, {}), (status, {}))
        await page.evaluate("analytics.track('Again')")
        await ground.front.wait_for("Again")
        assert [event["_metadata"].get("retryCount") for event in tried(ground, "Again")] == [None, 2, 3]
        await nothing_is_left(page)


async def test_events_of_a_tab_that_crashed_are_taken_over_and_those_of_a_living_one_are_not(
    ground: Ground,
) -> None:
    async with ground.visit() as visit:
        page = await visit.open()
        await visit.context.set_offline(offline=True)
        await page.evaluate("analytics.track('Of The Living')")
        # what a tab leaves that did not live to say so, and one that hangs
        await page.evaluate(
            """() => {
              const [key] = Object.keys(localStorage).filter((name) => /^relay:web-key:\\w+:0$/.test(name))
              const event = JSON.parse(localStorage[key])
              const leave = (tab, seconds) => {
                localStorage[`relay:web-key:${tab}`] = Date.now() - seconds * 1000
                localStorage[`relay:web-key:${tab}:0`] = JSON.stringify({...event, event: tab, messageId: tab})
              }
              leave("crashed", 151); leave("hidden", 60)
              localStorage["relay:web-key:torn:0"] = '{"type":'
              localStorage["relay:web-key:old:0"] = JSON.stringify({...event, messageId: "old", timestamp: "2020-01-01T00:00:00Z"})
              localStorage["relay:other-key:tab:0"] = "untouched"
            }"""
        )
        await visit.context.set_offline(offline=False)
        other = await visit.open()
        await ground.front.wait_for("crashed")
        await ground.front.wait_for("Of The Living")
        assert len(ground.front.events()) == 2
        await other.wait_for_function(f"({QUEUED})().length === 3")
        assert sorted(await other.evaluate(QUEUED)) == [
            "relay:other-key:tab:0",
            "relay:web-key:hidden",
            "relay:web-key:hidden:0",
        ]


async def test_many_tabs_send_what_was_left_once(ground: Ground) -> None:
    names = [f"Left {i}" for i in range(30)]
    async with ground.visit() as visit:
        page = await visit.open()
        ground.front.always((503, {"Retry-After": "600"}))
        await page.evaluate("analytics.track('First')")
        await page.evaluate(TRACK, names)
        await page.goto(f"{ground.origin}/elsewhere")
        await ground.front.wait_until(lambda: bool(tried(ground, names[-1])), "beacon")
        ground.front.always(None)
        tabs = [await visit.open() for _ in range(3)]
        await ground.front.wait_for(names[-1])
        await nothing_is_left(tabs[0])
        sent = [event["event"] for event in ground.front.events()]
        assert sorted(sent) == sorted(["First", *names])


async def test_an_event_of_32_kb_goes_and_a_larger_one_is_the_servers_to_refuse(ground: Ground) -> None:
    async with ground.visit() as visit:
        page = await visit.open()
        await page.evaluate("analytics.track('Large', {text: 'x'.repeat(30000)})")
        await ground.front.wait_for("Large")
        await page.evaluate("analytics.track('Too Large', {text: 'x'.repeat(100000)})")
        await nothing_is_left(page)
        assert [seen.status for seen in ground.front.seen if seen.method == "POST"] == [200, 400]


async def test_a_full_storage_loses_nothing_while_the_page_lives(ground: Ground) -> None:
    fill = "() => { let text = 'x'.repeat(1 << 20); while (text) try { localStorage['fill' + Math.random()] = text } catch { text = text.slice(text.length >> 1 || 1) } }"
    async with ground.visit() as visit:
        page = await visit.open()
        await page.evaluate(fill)
        ground.front.answers((503, {}))
        await page.evaluate("analytics.identify('u1'); analytics.track('In Memory')")
        (event,) = await ground.front.wait_for("In Memory")
        assert event["userId"] == "u1"


async def test_while_relay_is_restarted_events_wait_and_arrive_once(ground: Ground, tmp_path: Path) -> None:
    names = [f"Restart {i}" for i in range(20)]
    before = ground.front.target
    async with Receiver() as receiver, ground.visit() as visit:
        tables = source("web", KEY) + webhook(receiver.url)
        try:
            async with relay_here(tmp_path, tables) as relay:
                ground.front.target = relay.public
                page = await visit.open('analytics.track("Before")')
                await receiver.wait_for(1, SECONDS)
                await nothing_is_left(page)
            await page.evaluate(TRACK, names)
            async with relay_here(tmp_path, tables) as relay:
                ground.front.target = relay.public
                events = await receiver.wait_for(len(names) + 1)  # it waits for as long as relay was away
                await nothing_is_left(page)
        finally:
            ground.front.target = before
        assert sorted(event["event"] for event in events) == sorted(["Before", *names])
        assert set(receiver.counts.values()) == {1}
