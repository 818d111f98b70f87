"""Segment's own analytics.js over HTTP, once it is installed: the library, its parts, and nothing else of the folder."""

import asyncio
import gzip
from collections.abc import Mapping
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from relay.browser import analytics_next
from relay.browser.analytics_next import NAME, VERSION, files
from relay.browser.build import BUILT, SOURCES
from relay.npm import build
from tests.acceptance.relay_process import Answer
from tests.gateway.relay_here import KEY, SOURCE, RelayHere, relay_here

TABLE = '[browser]\nlibrary = "analytics-next"\n'
OWN = TABLE + 'prefix = "/x7k"\nscript = "a.js"\n'
LIBRARY = f"/analytics.js/v1/{KEY}/analytics.min.js"
PARTS = "/analytics-next/bundles"
PART = "schemaFilter.bundle.a6a77355d52c20e3a83d.js"
FILES = {"standalone.js": "the library();" * 50, PART: "a part();" * 50, "LICENSE.MD": "MIT"}
DEVICE = """
[[destinations]]
name = "ga"
type = "google-analytics-4"
mode = "device"
settings = { measurementId = "G-1", apiSecret = "secret" }
"""


def place(folder: Path, version: str = VERSION, files: Mapping[str, str] = FILES) -> Path:
    """As if it had been installed for the relay of this folder."""
    made = folder / "data" / NAME / version
    made.mkdir(parents=True)
    for name, text in files.items():
        (made / name).write_text(text)
    return made


async def text(relay: RelayHere, path: str) -> str:
    answer = await relay.get(path)
    assert answer.status == 200, path
    return answer.body.decode()


async def test_it_is_served_in_place_of_relays(tmp_path: Path) -> None:
    place(tmp_path)
    async with relay_here(tmp_path, TABLE + SOURCE) as relay:
        answer = await relay.get(LIBRARY)
        assert answer.body.decode() == FILES["standalone.js"]
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        for path in (f"/analytics.js/v1/{KEY}/analytics.js", f"/some/prefix{LIBRARY}", f"{LIBRARY}?v=1"):
            assert await text(relay, path) == FILES["standalone.js"]
        assert (await relay.get(LIBRARY.replace(KEY, "nobody"))).status == 404


async def test_its_parts_are_where_it_asks_for_them(tmp_path: Path) -> None:
    place(tmp_path)
    async with relay_here(tmp_path, OWN + SOURCE) as relay:
        for prefix in ("", "/x7k", "/other"):
            answer = await relay.get(f"{prefix}{PARTS}/{PART}", {"Origin": "https://a.example"})
            assert (answer.status, answer.body.decode()) == (200, FILES[PART])
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
            assert answer.headers["Cache-Control"] == "public, max-age=300"
        assert await text(relay, f"/x7k/{KEY}/a.js") == FILES["standalone.js"]


async def encoded(relay: RelayHere, path: str, accepted: str) -> Answer:
    headers = {"Accept-Encoding": accepted}
    async with relay.session.get(relay.public + path, headers=headers, auto_decompress=False) as response:
        return await Answer.of(response)


async def test_every_encoding_has_its_tag_and_whoever_has_it_is_not_sent_it_again(tmp_path: Path) -> None:
    place(tmp_path, files=FILES | {"standalone.js.br": "less"})
    async with relay_here(tmp_path, TABLE + SOURCE) as relay:
        for path, name in ((LIBRARY, "standalone.js"), (f"{PARTS}/{PART}", PART)):
            plain, zipped = await encoded(relay, path, "identity"), await encoded(relay, path, "gzip")
            assert plain.body.decode() == FILES[name]
            assert gzip.decompress(zipped.body) == plain.body
            assert zipped.headers["Content-Encoding"] == "gzip"
            assert zipped.headers["ETag"] != plain.headers["ETag"]
            assert zipped.headers["Vary"] == "Accept-Encoding"
            again = await relay.get(
                path, {"If-None-Match": plain.headers["ETag"], "Accept-Encoding": "identity"}
            )
            assert (again.status, again.body) == (304, b"")
        best = await encoded(relay, LIBRARY, "gzip, br")
        assert (best.body, best.headers["Content-Encoding"]) == (b"less", "br")
        assert (await encoded(relay, f"{PARTS}/{PART}", "gzip, br")).headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize(
    "path",
    [
        f"{PARTS}/schemaFilter.bundle.0000.js",
        f"{PARTS}/LICENSE.MD",
        f"{PARTS}/",
        f"{PARTS}/..",
        f"{PARTS}/../../../relay.toml",
        f"{PARTS}/..%2f..%2f..%2frelay.toml",
        f"{PARTS}/%2e%2e/%2e%2e/%2e%2e/relay.toml",
        f"{PARTS}/{VERSION}/{PART}",
        f"{PARTS}//{PART}",
        f"{PARTS}/..\\{PART}",
        f"{PARTS}/%00{PART}",
    ],
)
async def test_nothing_else_is_reached(path: str, tmp_path: Path) -> None:
    place(tmp_path)
    async with relay_here(tmp_path, TABLE + SOURCE) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)  # the path as it stands
        writer.write(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        assert answer.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 400 "))
        assert b"write_key" not in answer


async def test_who_asks_for_what_is_not_there_does_not_have_the_disk_read_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(tmp_path)
    looks: list[Path] = []

    def look(folder: Path) -> dict[str, Path]:
        looks.append(folder)
        return files(folder)

    monkeypatch.setattr(analytics_next, "files", look)
    async with relay_here(tmp_path, TABLE + SOURCE) as relay:
        for number in range(5):
            assert (await relay.get(f"{PARTS}/made-up.bundle.{number}.js")).status == 404
        assert await text(relay, f"{PARTS}/{PART}") == FILES[PART]
    assert looks == [tmp_path / "data" / NAME]


async def test_until_it_is_installed_the_answer_says_how(tmp_path: Path) -> None:
    with capture_logs() as said:
        async with relay_here(tmp_path, TABLE + SOURCE) as relay:
            answer = await relay.get(LIBRARY, {"Origin": "https://a.example"})
            assert answer.status == 503
            assert "`relay browser install`" in answer.json["message"]
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert [one["event"] for one in said if one["log_level"] == "warning"] == [answer.json["message"]]
            assert (await relay.get(f"{PARTS}/{PART}")).status == 404
            place(tmp_path)
            assert await text(relay, LIBRARY) == FILES["standalone.js"]


async def test_a_reload_takes_up_another_library(tmp_path: Path) -> None:
    build(SOURCES, BUILT)
    place(tmp_path)
    async with relay_here(tmp_path, TABLE + SOURCE) as relay:
        assert await text(relay, LIBRARY) == FILES["standalone.js"]
        relay.file.write_text(relay.file.read_text().replace(TABLE, ""))
        await relay.app.reload()
        assert '"integrations"' in await text(relay, LIBRARY)
        # of a page that is still open
        assert await text(relay, f"{PARTS}/{PART}") == FILES[PART]


async def test_the_tested_version_is_used_and_the_parts_of_others_are_found(tmp_path: Path) -> None:
    newer = "old.bundle.00.js"
    place(tmp_path, "999.0.0", {"standalone.js": "newer", newer: "of the newer"})
    place(tmp_path, "1.9.0", {"standalone.js": "old"})
    place(tmp_path, "1.10.0", {PART: "without its library: not whole"})
    async with relay_here(tmp_path, TABLE + SOURCE) as relay:
        assert await text(relay, LIBRARY) == "newer"
        assert (await relay.get(f"{PARTS}/{PART}")).status == 404
        place(tmp_path)
        await relay.app.reload()
        assert await text(relay, LIBRARY) == FILES["standalone.js"]
        assert await text(relay, f"{PARTS}/{newer}") == "of the newer"


async def test_settings_and_plug_ins_are_what_they_are_with_relays(tmp_path: Path) -> None:
    build(SOURCES, BUILT)
    place(tmp_path)
    async with relay_here(tmp_path, TABLE + SOURCE + DEVICE) as relay:
        settings = await relay.get(f"/v1/projects/{KEY}/settings")
        (plugin,) = settings.json["remotePlugins"]
        assert "page_title" in await text(relay, plugin["url"].removeprefix(relay.public))
        relay.file.write_text(relay.file.read_text().replace(TABLE, ""))
        await relay.app.reload()
        assert (await relay.get(f"/v1/projects/{KEY}/settings")).body == settings.body
