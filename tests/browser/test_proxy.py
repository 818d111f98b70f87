"""Files of Segment's CDN: kept, renewed, and the last good copy whatever the CDN does. No browser is needed here."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from relay.browser import proxy, proxy_fetch
from relay.browser.proxy import Cdn
from relay.browser.proxy_fetch import NotThere, Unusable
from relay.browser.proxy_rewrite import is_file
from tests.browser.fake_cdn import FakeCdn
from tests.browser.front import SECONDS

SEGMENTS, OURS = "Segment0Key1Segment0Key1", "web-key"
SCRIPT = f"/analytics.js/v1/{SEGMENTS}/analytics.min.js"
SETTINGS: dict[str, Any] = {"integrations": {"Segment.io": {"apiKey": SEGMENTS}}}
FILE = "/next-integrations/integrations/tool/1.2.3/tool.dynamic.js.gz"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Far:
    """Relay's end. `script` and the others give what pages would get, as text."""

    def __init__(self, fake: FakeCdn) -> None:
        self.clock = Clock()
        self.cdn = Cdn(self.clock)
        self.fake = fake

    async def script(self, key: str = OURS) -> str:
        return (await self.cdn.script(self.fake.url, SEGMENTS, key)).bodies["identity"][0].decode()

    async def settings(self) -> dict[str, Any]:
        return await self.cdn.settings(self.fake.url, SEGMENTS)

    async def file(self, path: str = FILE) -> str:
        return (await self.cdn.file(self.fake.url, path))[0].bodies["identity"][0].decode()


@pytest_asyncio.fixture
async def far() -> AsyncIterator[Far]:
    async with FakeCdn() as fake:
        fake.has(SCRIPT, "first()")
        fake.has_settings(SEGMENTS, SETTINGS)
        fake.has(FILE, "tool()", Cache_Control="public, max-age=31536000")
        one = Far(fake)
        yield one
        await one.cdn.close()


# copies


async def test_a_copy_is_used_while_it_is_fresh_and_then_asked_after_by_its_etag(far: Far) -> None:
    assert "first()" in await far.script()
    far.clock.now += proxy.SCRIPT_SECONDS - 1
    assert "first()" in await far.script()
    assert len(far.fake.asked) == 1
    far.clock.now += 1
    assert "first()" in await far.script()
    assert far.fake.asked[1][1]["If-None-Match"]
    far.fake.has(SCRIPT, "second()")
    far.clock.now += proxy.SCRIPT_SECONDS
    assert "second()" in await far.script()
    assert far.fake.paths == [SCRIPT] * 3


async def test_settings_are_asked_after_every_minute(far: Far) -> None:
    assert await far.settings() == SETTINGS
    far.fake.has_settings(SEGMENTS, {"integrations": {}})
    far.clock.now += 59
    assert await far.settings() == SETTINGS
    far.clock.now += 1
    assert await far.settings() == {"integrations": {}}


async def test_a_file_is_fresh_as_long_as_the_cdn_says_within_a_day(far: Far) -> None:
    far.fake.has("/next-integrations/vendor/a.js", "a()", Cache_Control="max-age=1")
    assert (await far.cdn.file(far.fake.url, FILE))[1] == proxy.DAY_SECONDS
    assert (await far.cdn.file(far.fake.url, "/next-integrations/vendor/a.js"))[1] == proxy.SCRIPT_SECONDS
    far.clock.now += proxy.DAY_SECONDS - 1
    assert await far.file() == "tool()"
    assert far.fake.paths.count(FILE) == 1


async def test_many_who_ask_at_once_are_one_request(far: Far) -> None:
    far.fake.hang()
    waiting = [asyncio.create_task(far.script()) for _ in range(20)]
    waiting += [asyncio.create_task(far.file()) for _ in range(20)]
    await far.fake.wait_for(2)
    far.fake.recover()
    assert len(set(await asyncio.gather(*waiting))) == 2
    assert sorted(far.fake.paths) == sorted([SCRIPT, FILE])


async def test_one_who_gives_up_disturbs_nobody_who_waits_too(far: Far) -> None:
    far.fake.hang()
    impatient, other = asyncio.create_task(far.script()), asyncio.create_task(far.script())
    await far.fake.wait_for(1)
    impatient.cancel()
    far.fake.recover()
    assert "first()" in await other


async def test_of_the_browsers_request_nothing_goes_along_and_no_cookie_is_kept(far: Far) -> None:
    await far.script()
    far.clock.now += proxy.SCRIPT_SECONDS
    await far.script()
    for _, headers in far.fake.asked:
        assert headers.keys() <= {"Host", "Accept", "Accept-Encoding", "User-Agent", "If-None-Match"}
        assert headers["User-Agent"].startswith("relay/")


# a CDN that fails

BROKEN: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "500": (500, b"", {}),
    "404": (404, b"", {}),
    "204": (204, b"", {}),
    "304 to nobody": (304, b"", {}),
    "a redirect": (302, b"", {"Location": "http://127.0.0.1:1/elsewhere.js"}),
    "a page": (200, b"<html>so sorry</html>", {"Content-Type": "text/html"}),
    "a page called a script": (200, b"\n<!doctype html>", {"Content-Type": "text/javascript"}),
    "something else": (200, b"{}", {"Content-Type": "application/json"}),
    "no text": (200, b"\xff\xfe", {"Content-Type": "text/javascript"}),
    "a packed file that does not say so": (200, gzip.compress(b"a()"), {"Content-Type": "application/gzip"}),
    "another encoding": (200, b"a()", {"Content-Encoding": "br"}),
    "not packed": (200, b"a()", {"Content-Encoding": "gzip"}),
    "nothing": (200, b" \n", {"Content-Type": "text/javascript"}),
    "two in one": (200, gzip.compress(b"a()") + gzip.compress(b";b()"), {"Content-Encoding": "gzip"}),
    "packed and cut off": (200, gzip.compress(b"a()" * 99)[:-9], {"Content-Encoding": "gzip"}),
    "too much": (200, b"x" * (proxy_fetch.MAX_FILE + 1), {"Content-Type": "text/javascript"}),
    "too much, packed": (
        200,
        gzip.compress(b"x" * (proxy_fetch.MAX_FILE + 1)),
        {"Content-Type": "text/javascript", "Content-Encoding": "gzip"},
    ),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_the_last_good_copy_is_served_whatever_comes_instead(
    broken: tuple[int, bytes, dict[str, str]], far: Far
) -> None:
    before = await far.script(), await far.file()
    status, body, headers = broken
    far.fake.instead(status, body, **headers)
    for _ in range(2):
        far.clock.now += 2 * proxy.DAY_SECONDS
        if status == 304:
            break  # that is what it says then
        assert (await far.script(), await far.file()) == before
    far.fake.recover()
    far.fake.has(SCRIPT, "second()")
    far.clock.now += 2 * proxy.DAY_SECONDS
    assert "second()" in await far.script()


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
async def test_without_a_copy_it_is_an_error(broken: tuple[int, bytes, dict[str, str]], far: Far) -> None:
    status, body, headers = broken
    far.fake.instead(status, body, **headers)
    for ask in (far.script, far.file):
        with pytest.raises(Unusable) as error:
            await ask()
        assert "elsewhere" not in str(error.value)
        assert SEGMENTS not in str(error.value)
        assert isinstance(error.value, NotThere) is (status == 404)
    assert far.fake.paths == [SCRIPT, FILE]


@pytest.mark.parametrize("document", [b"[]", b"{}", b'{"integrations":[]}', b"<html>", b'{"integrations":{'])
async def test_settings_that_are_none_are_not_taken(document: bytes, far: Far) -> None:
    far.fake.instead(200, document, Content_Type="application/json")
    with pytest.raises(Unusable):
        await far.settings()
    far.fake.recover()
    far.clock.now += proxy.RETRY_SECONDS
    assert await far.settings() == SETTINGS


async def test_after_a_failure_it_is_left_alone_for_a_moment(far: Far) -> None:
    far.fake.instead(500)
    for _ in range(5):
        with pytest.raises(Unusable):
            await far.script()
    assert len(far.fake.asked) == 1
    far.fake.recover()
    far.clock.now += proxy.RETRY_SECONDS
    assert "first()" in await far.script()


async def test_a_cdn_that_does_not_answer_makes_nobody_wait_who_has_a_copy(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "PATIENCE_SECONDS", 0.01)
    await far.script()
    far.fake.hang()
    far.fake.has(SCRIPT, "second()")
    far.clock.now += proxy.SCRIPT_SECONDS
    assert "first()" in await far.script()
    monkeypatch.undo()
    waiting = asyncio.create_task(far.script())
    far.fake.recover()
    assert "second()" in await waiting


async def test_only_those_wait_who_come_when_the_cdn_was_asked_just_now(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "PATIENCE_SECONDS", 3600.0)
    await far.script()
    far.fake.hang()
    far.clock.now += proxy.SCRIPT_SECONDS
    early = asyncio.create_task(far.script())
    await far.fake.wait_for(2)
    far.clock.now += 3600
    assert "first()" in await asyncio.wait_for(far.script(), SECONDS)
    assert not early.done()
    far.fake.recover()
    assert "first()" in await early


async def test_a_cdn_that_does_not_answer_at_all_is_given_up(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy_fetch, "SECONDS", 0.05)
    far.fake.hang()
    with pytest.raises(Unusable, match="no answer within"):
        await far.script()


async def test_nobody_at_the_address_is_an_error_too(far: Far) -> None:
    with pytest.raises(Unusable, match="cannot be reached"):
        await far.cdn.script("http://127.0.0.1:1", SEGMENTS, OURS)


async def test_closing_ends_what_is_on_its_way(far: Far) -> None:
    far.fake.hang()
    waiting = asyncio.create_task(far.script())
    await far.fake.wait_for(1)
    await far.cdn.close()
    with pytest.raises(Unusable, match="stopping"):
        await waiting


# limits


async def test_names_that_somebody_makes_up_cost_the_cdn_so_many_requests_a_second(far: Far) -> None:
    far.fake.may_miss = True
    errors = []
    for n in range(int(proxy.NEW_BURST) + 50):
        with pytest.raises(Unusable) as error:
            await far.file(f"/next-integrations/x/{n}.js")
        errors.append(type(error.value))
    assert errors.count(NotThere) == len(far.fake.asked) == proxy.NEW_BURST
    with pytest.raises(Unusable, match="at a time"):
        await far.file()
    far.clock.now += 1
    assert await far.file() == "tool()"


async def test_what_was_not_there_is_not_asked_for_again_at_once(far: Far) -> None:
    far.fake.may_miss = True
    for _ in range(3):
        with pytest.raises(NotThere):
            await far.file("/next-integrations/x/y.js")
    assert len(far.fake.asked) == 1
    far.fake.has("/next-integrations/x/y.js", "here()")
    far.clock.now += proxy.RETRY_SECONDS
    assert await far.file("/next-integrations/x/y.js") == "here()"


async def test_files_that_nobody_asks_for_make_room(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "MAX_BYTES", 3_500)
    names = [f"/next-integrations/x/{n}.js" for n in range(3)]
    for name in names:
        far.fake.has(name, f"//{name}".ljust(1_500))
    await far.script()
    for name in (names[0], names[1], names[0], names[2], names[0], names[1]):
        await far.file(name)
    await far.script()
    assert far.fake.paths == [SCRIPT, names[0], names[1], names[2], names[1]]


async def test_whoever_asks_for_a_file_that_is_here_has_nothing_counted(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    await far.file()
    monkeypatch.delattr(proxy, "_size")  # it would be asked of every file
    assert await far.file() == "tool()"


# names of files


@pytest.mark.parametrize(
    "path",
    [
        FILE,
        "/next-integrations/actions/amplitude-plugins/0a1b2c.js",
        "/next-integrations/middleware/analytics.js-middleware-braze-deduplicate/latest/a.js.gz",
        "/next-integrations/vendor/commons.59560acdd69093da5ba7.js.gz",
        "/next-integrations/integrations/Z29vZ2xlLWFuYWx5dGljcw/2.18.5/Z29vZ2xl+x.dynamic.js.gz",
        "/analytics-next/bundles/ajs-destination.bundle.40628baed746e9904edc.js",
        "/analytics-next/bundles/407.bundle.61efa1acb302134c434b.js",
    ],
)
def test_files_that_the_library_asks_for_are_passed_on(path: str) -> None:
    assert is_file(path)


@pytest.mark.parametrize(
    "path",
    [
        "/next-integrations/../v1/projects/k/settings",
        "/next-integrations/a/../../x.js",
        "/next-integrations/a/..%2f..%2fx.js",
        "/next-integrations/a/%2e%2e/x.js",
        "/next-integrations/a/.x.js",
        "/next-integrations/a\\b/x.js",
        "/next-integrations//x.js",
        "/next-integrations/x.js",
        "/next-integrations/a/x.css",
        "/next-integrations/a/x.js.map",
        "/next-integrations/a/x.js?y=1",
        "/next-integrations/a/x.js\n",
        "/next-integrations/a/x.js#y",
        "/next-integrations/a@b:80/x.js",
        "/next-integrations/a/b/c/d/e/f/g/x.js",
        "/next-integrations/" + "a" * 300 + "/x.js",
        "/next-integrations/ä/x.js",
        "/analytics-next/bundles/a/x.js",
        "/analytics-next/x.js",
        "//elsewhere.example.com/next-integrations/a/x.js",
        "http://elsewhere.example.com/next-integrations/a/x.js",
        "/v1/projects/k/settings",
        "",
    ],
)
def test_nothing_else_is(path: str) -> None:
    assert not is_file(path)


@given(st.lists(st.text(alphabet="a.b%\\@:-+", max_size=3), min_size=1, max_size=4))
def test_no_path_leaves_the_two_folders(parts: list[str]) -> None:
    for folder in ("/next-integrations", "/analytics-next/bundles"):
        path = "/".join((folder, *parts)) + ".js"
        is_plain = all(part and not part.startswith(".") and not set(part) & set("%\\:") for part in parts)
        has_depth = len(parts) > 1 if folder == "/next-integrations" else len(parts) == 1
        assert is_file(path) is (is_plain and has_depth)
