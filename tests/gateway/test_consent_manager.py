"""The script of a source that asks a consent manager."""

import gzip
from pathlib import Path

import pytest

from relay.browser.build import BUILT, SOURCES
from relay.npm import build
from tests.gateway.relay_here import SOURCE, relay_here
from tests.gateway.test_script import PATH, encoded, script, settings_in, unbrotlied

ASKS = SOURCE + 'consent_manager = "onetrust"\n'


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    build(SOURCES, BUILT)


async def test_what_asks_stands_before_the_settings_in_the_same_file(tmp_path: Path) -> None:
    async with relay_here(tmp_path, ASKS) as relay:
        asks = (BUILT / "consent-onetrust.js").read_bytes()
        assert asks.startswith(b"(()=>{")
        body = (await script(relay)).body
        assert body.count(asks) == 1
        assert body.endswith(
            b"("
            + asks
            + b',{"integrations":{"Segment.io":{"apiKey":"web-key","unbundledIntegrations":[]}}}));\n'
        )
        zipped, best = await encoded(relay, "gzip"), await encoded(relay, "gzip, br")
        assert gzip.decompress(zipped.body) == body
        assert len(zipped.body) < 10.5 * 1024
        assert (
            unbrotlied(best.body) if best.headers["Content-Encoding"] == "br" else gzip.decompress(best.body)
        ) == body


async def test_other_sources_have_nothing_of_it(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        body = (await script(relay)).body
        assert b"OneTrust" not in body
        assert "integrations" in settings_in(body)


async def test_it_comes_and_goes_with_a_reload(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        before = await script(relay)
        relay.file.write_text(relay.file.read_text().replace(SOURCE, ASKS))
        await relay.app.reload()
        asking = await script(relay)
        assert b"OneTrust" in asking.body
        assert asking.headers["ETag"] != before.headers["ETag"]


async def test_it_is_no_plugin_to_ask_for(tmp_path: Path) -> None:
    async with relay_here(tmp_path, ASKS) as relay:
        for name in ("consent-onetrust.js", "onetrust.js"):
            path = PATH.replace("analytics.min.js", f"plugins/{name}")
            assert (await relay.get(path)).status == 404
