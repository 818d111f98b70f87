"""Ids: kept where Segment's analytics.js keeps them, under the same names, and by the same rules."""

import json
from typing import Any

import pytest
from playwright.async_api import Page

from tests.browser.front import SECONDS
from tests.browser.visit import Ground

pytestmark = pytest.mark.asyncio(loop_scope="module")

UUID = "0a1b2c3d-0000-4000-8000-000000000001"
LOCAL = "() => Object.fromEntries(Object.entries(localStorage).filter(([name]) => name.startsWith('ajs_')))"
IDS = "() => [analytics.user().id(), analytics.user().anonymousId(), analytics.group().id()]"
MEET = (
    'analytics.identify("u1", {plan: "pro", n: 1}); analytics.group("g1", {seats: 3}); analytics.track("Met")'
)


def ids(cookies: dict[str, Any]) -> dict[str, str]:
    return {name: cookie["value"] for name, cookie in cookies.items() if name.startswith("ajs_")}


async def until_known_as(page: Page, ids: list[str | None]) -> None:
    """Tabs learn late what another one did: each has a copy of localStorage, which the browser brings up to date."""
    holds = f"(ids) => JSON.stringify(({IDS})()) === JSON.stringify(ids)"
    await page.wait_for_function(holds, arg=ids, timeout=SECONDS * 1000)


async def test_it_keeps_what_segments_own_keeps(ground: Ground) -> None:
    found = []
    for host in (f"{ground.front.url}/next", ground.front.url):
        async with ground.visit() as visit:
            page = await visit.open(
                f'analytics.setAnonymousId("{UUID}"); {MEET}', host=host, origin=ground.named_origin
            )
            await ground.front.wait_for("Met")
            cookies = {
                name: cookie for name, cookie in (await visit.cookies()).items() if name.startswith("ajs_")
            }
            ages = [cookie.pop("expires") for cookie in cookies.values()]
            found.append((cookies, await page.evaluate(LOCAL), {round((age - ages[0]) / 60) for age in ages}))
    theirs, ours = found
    assert ours == theirs
    assert ours[0]["ajs_user_id"]["domain"] == ".example.test"
    assert ours[0]["ajs_user_id"]["sameSite"] == "Lax"
    assert ours[1]["ajs_user_traits"] == '{"plan":"pro","n":1}'


async def test_visitors_of_segments_own_are_known_and_back_again(ground: Ground) -> None:
    async with ground.visit() as visit:
        known = None
        for host in (f"{ground.front.url}/next", ground.front.url, f"{ground.front.url}/next"):
            page = await visit.open(MEET if known is None else "", host=host)
            await page.wait_for_function("analytics.user().id() && analytics.group().id()")
            known = known or await page.evaluate(IDS)
            await until_known_as(page, known)
            assert known[0] == "u1"
            assert await page.evaluate("analytics.user().traits()") == {"plan": "pro", "n": 1}


@pytest.mark.parametrize("quoted", [False, True])
async def test_ids_in_cookies_are_taken_up_raw_or_quoted(quoted: bool, ground: Ground) -> None:
    async with ground.visit() as visit:
        # long digits are an id, too
        values = {"ajs_anonymous_id": UUID, "ajs_user_id": "12345678901234567890", "ajs_group_id": "g 1"}
        await visit.context.add_cookies(
            [
                {
                    "name": name,
                    "value": (f"%22{value}%22" if quoted else value).replace(" ", "%20"),
                    "url": ground.origin,
                }
                for name, value in values.items()
            ]
        )
        page = await visit.open()
        assert await page.evaluate(IDS) == ["12345678901234567890", UUID, "g 1"]
        local = await page.evaluate(LOCAL)
        assert {name: json.loads(value) for name, value in local.items()} == values
        assert ids(await visit.cookies())["ajs_anonymous_id"] == UUID


async def test_an_expired_cookie_is_renewed_from_local_storage_and_the_other_way(ground: Ground) -> None:
    async with ground.visit() as visit:
        page = await visit.open(MEET)
        before = await page.evaluate(IDS)
        await visit.context.clear_cookies()
        page = await visit.open(page=page)
        assert await page.evaluate(IDS) == before
        assert ids(await visit.cookies())["ajs_user_id"] == "u1"
        await page.evaluate("localStorage.clear()")
        page = await visit.open(page=page)
        assert await page.evaluate(IDS) == before


async def test_ids_follow_the_visitor_to_another_subdomain(ground: Ground) -> None:
    async with ground.visit() as visit:
        page = await visit.open(MEET, origin=ground.named_origin)
        before = await page.evaluate(IDS)
        other = await visit.open(origin=ground.named_origin.replace("www", "shop"))
        assert await other.evaluate(IDS) == before


async def test_another_person_gets_another_anonymous_id(ground: Ground) -> None:
    script = """() => {
      const ids = [], look = () => ids.push(analytics.user().anonymousId())
      look(); analytics.identify("u1", {a: 1}); look(); analytics.identify("u1", {b: 2}); look()
      const traits = analytics.user().traits()
      analytics.identify("u2", {c: 3}); look()
      const others = analytics.user().traits()
      analytics.reset(); look()
      return [ids, traits, others, analytics.user().id(), analytics.user().traits(), analytics.group().id()]
    }"""
    async with ground.visit() as visit:
        page = await visit.open()
        (first, same, again, other, reset), traits, others, *nobody = await page.evaluate(script)
        assert first == same == again
        assert len({first, other, reset}) == 3
        assert traits == {"a": 1, "b": 2}
        assert others == {"c": 3}
        assert nobody == [None, {}, None]
        assert set(ids(await visit.cookies())) == {"ajs_anonymous_id"}


async def test_what_one_tab_does_holds_in_the_other(ground: Ground) -> None:
    async with ground.visit() as visit:
        one, two = await visit.open(), await visit.open()
        await one.evaluate("analytics.identify('u1', {a: 1})")
        await until_known_as(two, await one.evaluate(IDS))
        await two.wait_for_function("analytics.user().traits().a === 1")
        await two.evaluate("analytics.reset()")
        await one.wait_for_function("analytics.user().id() === null")
        await until_known_as(one, await two.evaluate(IDS))
        await one.wait_for_function("!('a' in analytics.user().traits())")


async def test_who_was_reset_in_another_tab_is_not_brought_back(ground: Ground) -> None:
    """Of cookies all tabs learn at once. A call may come before the tab learns the same of localStorage."""
    async with ground.visit() as visit:
        page = await visit.open(MEET)
        await ground.front.wait_for("Met")
        before = await page.evaluate(IDS)
        await visit.context.clear_cookies()
        await page.evaluate("analytics.track('Late')")
        await ground.front.wait_for("Late")
        assert ids(await visit.cookies()) == {}
        await page.evaluate("localStorage.clear()")
        user, anonymous, group = await page.evaluate(IDS)
        assert (user, group) == (None, None)
        assert anonymous != before[1]


async def test_without_persistence_nothing_is_kept(ground: Ground) -> None:
    async with ground.visit() as visit:
        page = await visit.open(MEET, options={"disableClientPersistence": True}, query="?btid=1")
        (event,) = await ground.front.wait_for("Met")
        assert event["userId"] == "u1"
        assert await page.evaluate("analytics.user().id()") == "u1"
        assert await page.evaluate("Object.keys(localStorage)") == []
        assert await visit.cookies() == {}


@pytest.mark.parametrize(
    ("stores", "has_cookies", "has_local"), [(["cookie"], True, False), (["localStorage"], False, True)]
)
async def test_a_page_chooses_its_stores(
    stores: list[str], has_cookies: bool, has_local: bool, ground: Ground
) -> None:
    async with ground.visit() as visit:
        page = await visit.open(MEET, options={"storage": {"stores": stores}})
        await ground.front.wait_for("Met")
        assert ("ajs_user_id" in await visit.cookies()) is has_cookies
        assert ("ajs_user_id" in await page.evaluate(LOCAL)) is has_local


async def test_a_page_chooses_names_and_attributes_of_cookies(ground: Ground) -> None:
    options = {
        "cookie": {"maxage": 30, "sameSite": "Strict", "path": "/", "domain": "www.example.test"},
        "user": {"cookie": {"key": "my_user"}, "localStorage": {"key": "my_traits"}},
    }
    async with ground.visit() as visit:
        page = await visit.open(MEET, options=options, origin=ground.named_origin)
        await ground.front.wait_for("Met")
        cookie = (await visit.cookies())["my_user"]
        assert (cookie["value"], cookie["domain"], cookie["sameSite"]) == (
            "u1",
            ".www.example.test",
            "Strict",
        )
        assert await page.evaluate("localStorage.my_traits") == '{"plan":"pro","n":1}'


async def test_where_storage_is_forbidden_events_are_sent_all_the_same(ground: Ground) -> None:
    """A sandboxed frame may read neither cookies nor localStorage."""
    async with ground.visit() as visit:
        inner = await visit.open("analytics.track('Not From Here')")
        await ground.front.wait_for("Not From Here")
        address = inner.url
        ground.pages.html["/outer"] = (
            f"<!doctype html><iframe sandbox='allow-scripts' src='{address}'></iframe>"
        )
        page = await visit.new_page()
        ground.front.forget()
        await page.goto(f"{ground.origin}/outer")
        await ground.front.wait_for("Not From Here")
