"""Sources whose browsers go on with Segment: its script, settings and files, by relay's addresses alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from yarl import URL

from relay.browser import proxy
from relay.browser.library import is_built
from tests.acceptance.relay_process import Answer
from tests.browser.fake_cdn import FakeCdn
from tests.gateway.relay_here import KEY, SOURCE, RelayHere, relay_here

SEGMENTS = "Segment0Key1Segment0Key1"
SCRIPT, SETTINGS = f"/analytics.js/v1/{KEY}/analytics.min.js", f"/v1/projects/{KEY}/settings"
FILE = "/next-integrations/integrations/tool/1.2.3/tool.dynamic.js.gz"
PLUGIN = "/next-integrations/actions/tool/1.js"
OTHER = '[[sources]]\nname = "other"\nwrite_key = "other-key"\n'


def settings_of(cdn: str) -> dict[str, object]:
    return {
        "integrations": {"Segment.io": {"apiKey": SEGMENTS, "apiHost": "api.segment.io/v1"}},
        "remotePlugins": [{"name": "Tool", "url": f"{cdn}{PLUGIN}"}],
    }


@pytest_asyncio.fixture
async def cdn() -> AsyncIterator[FakeCdn]:
    async with FakeCdn() as fake:
        fake.has(f"/analytics.js/v1/{SEGMENTS}/analytics.min.js", f'window.analyticsWriteKey="{SEGMENTS}"')
        fake.has_settings(SEGMENTS, settings_of(fake.url))
        fake.has(FILE, "tool()", Cache_Control="max-age=7200")
        fake.has(PLUGIN, "plugin()")
        yield fake


@asynccontextmanager
async def proxying(folder: Path, cdn: FakeCdn, before: str = "") -> AsyncIterator[RelayHere]:
    table = f'[sources.segment]\nwrite_key = "{SEGMENTS}"\ncdn = "{cdn.url}"\n'
    async with relay_here(folder, before + SOURCE + table + OTHER) as relay:
        yield relay


async def ask(relay: RelayHere, path: str, method: str = "GET") -> Answer:
    """With the path as it is."""
    async with relay.session.request(method, URL(relay.public + path, encoded=True)) as response:
        return await Answer.of(response)


async def text(relay: RelayHere, path: str) -> str:
    return (await relay.get(path)).body.decode()


async def test_the_script_is_segments_with_relays_key(cdn: FakeCdn, tmp_path: Path) -> None:
    async with proxying(tmp_path, cdn) as relay:
        for path in (SCRIPT, f"/analytics.js/v1/{KEY}/analytics.js", f"/any/prefix{SCRIPT}"):
            answer = await relay.get(path, {"Accept-Encoding": "gzip"})
            assert answer.status == 200
            assert f'window.analyticsWriteKey="{KEY}"' in answer.body.decode()
            assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Content-Encoding"] == "gzip"
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert answer.headers["Cache-Control"] == "public, max-age=300"
            assert "Set-Cookie" not in answer.headers
            again = await relay.get(
                path, {"Accept-Encoding": "gzip", "If-None-Match": answer.headers["ETag"]}
            )
            assert again.status == 304
        assert len(cdn.asked) == 1


async def test_the_settings_are_segments_with_relays_places(cdn: FakeCdn, tmp_path: Path) -> None:
    async with proxying(tmp_path, cdn) as relay:
        for prefix in ("", "/any/prefix"):
            answer = await relay.get(
                prefix + SETTINGS, {"Host": "www.example.com", "Origin": "https://a.example"}
            )
            own = answer.json["integrations"]["Segment.io"]
            assert (own["apiKey"], own["apiHost"]) == (KEY, f"www.example.com{prefix}/v1")
            assert own["protocol"] == "http"
            assert answer.json["remotePlugins"][0]["url"] == f"http://www.example.com{prefix}{PLUGIN}"
            assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example"
            assert answer.headers["Cache-Control"] == "public, max-age=60"
            bare = await relay.get(prefix + SETTINGS, {"Host": "www.example.com"})
            varies = [value for name, value in bare.headers.items() if name == "Vary"]
            assert varies == ["Accept-Encoding", "Origin"]
            again = await relay.get(
                prefix + SETTINGS, {"Host": "www.example.com", "If-None-Match": answer.headers["ETag"]}
            )
            assert again.status == 304
        assert len(cdn.asked) == 1


async def test_own_names_are_for_segments_files_too(cdn: FakeCdn, tmp_path: Path) -> None:
    async with proxying(tmp_path, cdn, '[browser]\nprefix = "/x7k"\nscript = "a.js"\n') as relay:
        assert f'"{KEY}"' in await text(relay, f"/x7k/{KEY}/a.js")
        assert await text(relay, f"/x7k{FILE}") == "tool()"
        for path in (f"/x7k/v1/projects/{KEY}/settings", f"/x7k/projects/{KEY}/settings"):
            document = (await relay.get(path, {"Host": "www.example.com"})).json
            assert document["integrations"]["Segment.io"]["apiHost"] == "www.example.com/x7k"
            assert document["remotePlugins"][0]["url"] == f"http://www.example.com/x7k{PLUGIN}"


async def test_files_are_passed_on_as_they_are_for_as_long_as_the_cdn_says(
    cdn: FakeCdn, tmp_path: Path
) -> None:
    async with proxying(tmp_path, cdn) as relay:
        sent = {
            "Cookie": "ajs_user_id=u",
            "Authorization": "Basic eDo=",
            "Referer": "https://a.example/secret",
        }
        for path in (FILE, f"/any/prefix{FILE}", f"{FILE}?x=1"):
            answer = await relay.get(path, sent)
            assert (answer.status, answer.body.decode()) == (200, "tool()")
            assert answer.headers["Cache-Control"] == "public, max-age=7200"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "Set-Cookie" not in answer.headers
        ((path, headers),) = cdn.asked
        assert path == FILE
        assert not {"Cookie", "Authorization", "Referer", "Origin"} & set(headers)


@pytest.mark.parametrize(
    "path",
    [
        f"/next-integrations/../analytics.js/v1/{SEGMENTS}/analytics.min.js",
        "/next-integrations/a/%2e%2e/%2e%2e/x.js",
        "/next-integrations/a/..\\x.js",
        "/next-integrations/a/x.json",
        "/next-integrations/@127.0.0.1:1/x.js",
        "/analytics-next/bundles/../../x.js",
        "/analytics-next/x.js",
        f"/v1/projects/{SEGMENTS}/settings",
        f"/analytics.js/v1/{SEGMENTS}/analytics.min.js",
        f"/analytics.js/v1/{KEY}/other.js",
    ],
)
async def test_of_anything_else_the_cdn_hears_nothing(path: str, cdn: FakeCdn, tmp_path: Path) -> None:
    async with proxying(tmp_path, cdn) as relay:
        assert (await ask(relay, path)).status == 404
        assert cdn.asked == []


async def test_files_are_read_only(cdn: FakeCdn, tmp_path: Path) -> None:
    async with proxying(tmp_path, cdn) as relay:
        for method in ("POST", "PUT", "DELETE"):
            assert (await ask(relay, FILE, method)).status == 404
        assert cdn.asked == []
        head = await ask(relay, FILE, "HEAD")
        assert (head.status, head.body) == (200, b"")


async def test_a_file_that_is_not_there_is_404_and_one_that_does_not_come_503(
    cdn: FakeCdn, tmp_path: Path
) -> None:
    async with proxying(tmp_path, cdn) as relay:
        cdn.may_miss = True
        assert (await relay.get("/next-integrations/a/b.js")).status == 404
        cdn.instead(302, b"", Location=f"{cdn.url}{PLUGIN}")
        answer = await relay.get(FILE)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert cdn.paths[-1] == FILE


async def test_until_the_cdn_has_answered_once_pages_get_relays_own(
    cdn: FakeCdn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "RETRY_SECONDS", 0.0)
    assert is_built()
    async with proxying(tmp_path, cdn) as relay:
        cdn.instead(500)
        own = await relay.get("/analytics.js/v1/other-key/analytics.min.js")
        script = await relay.get(SCRIPT)
        assert script.body.decode() == own.body.decode().replace("other-key", KEY)
        document = (await relay.get(SETTINGS)).json
        assert document["integrations"]["Segment.io"]["apiKey"] == KEY
        assert document["remotePlugins"] == []
        cdn.recover()
        assert "analyticsWriteKey" in await text(relay, SCRIPT)
        assert (await relay.get(SETTINGS)).json["remotePlugins"] != []


async def test_other_sources_are_as_ever(cdn: FakeCdn, tmp_path: Path) -> None:
    async with proxying(tmp_path, cdn) as relay:
        document = (await relay.get("/v1/projects/other-key/settings")).json
        assert document["remotePlugins"] == []
        assert "analyticsWriteKey" not in await text(relay, "/analytics.js/v1/other-key/analytics.min.js")
        assert cdn.asked == []


async def test_without_such_a_source_there_are_no_files(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        assert (await relay.get(FILE)).status == 404


async def test_a_source_that_is_off_has_none_either(cdn: FakeCdn, tmp_path: Path) -> None:
    off = SOURCE.replace("rate_limit", "enabled = false\nrate_limit")
    table = f'[sources.segment]\nwrite_key = "{SEGMENTS}"\ncdn = "{cdn.url}"\n'
    async with relay_here(tmp_path, off + table) as relay:
        for path in (SCRIPT, SETTINGS, FILE):
            assert (await relay.get(path)).status == 404
        assert cdn.asked == []


async def test_a_reload_switches_it_on_and_off(cdn: FakeCdn, tmp_path: Path) -> None:
    async with proxying(tmp_path, cdn) as relay:
        assert "analyticsWriteKey" in await text(relay, SCRIPT)
        toml = relay.file.read_text()
        start, end = toml.index("[sources.segment]"), toml.index(OTHER)
        relay.file.write_text(toml[:start] + toml[end:])
        await relay.app.reload()
        assert "analyticsWriteKey" not in await text(relay, SCRIPT)
        assert (await relay.get(FILE)).status == 404
        relay.file.write_text(toml)
        await relay.app.reload()
        assert "analyticsWriteKey" in await text(relay, SCRIPT)


async def test_what_the_cdn_says_is_counted(cdn: FakeCdn, tmp_path: Path) -> None:
    async def counted() -> dict[str, float]:
        page = (await relay.ask("GET", "/metrics")).body.decode()
        lines = [line for line in page.splitlines() if line.startswith("relay_cdn_requests_total{")]
        return {line.split('"')[1]: float(line.split()[1]) for line in lines}

    async with proxying(tmp_path, cdn) as relay:
        before = await counted()
        cdn.may_miss = True
        await relay.get(SCRIPT)
        await relay.get("/next-integrations/a/b.js")
        after = await counted()
        for outcome in ("fetched", "not_there"):
            assert after[outcome] == before.get(outcome, 0) + 1


async def test_a_client_that_leaves_costs_no_answer_to_others(cdn: FakeCdn, tmp_path: Path) -> None:
    async with proxying(tmp_path, cdn) as relay:
        cdn.hang()
        with pytest.raises(TimeoutError):
            await relay.session.get(relay.public + FILE, timeout=aiohttp.ClientTimeout(total=0.5))
        cdn.recover()
        assert await text(relay, FILE) == "tool()"
