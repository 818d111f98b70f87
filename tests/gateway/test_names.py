"""Scripts, settings and routes under names of one's own, and nothing else there."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from relay.browser.config import BrowserConfig
from relay.gateway.names import Names
from tests.gateway.relay_here import KEY, SOURCE, RelayHere, event, relay_here

OWN = '[browser]\nprefix = "/x7k"\nscript = "a.js"\n'
DEVICE = """
[[destinations]]
name = "ga"
type = "google-analytics-4"
mode = "device"
settings = { measurementId = "G-1", apiSecret = "secret" }
"""
LIBRARY = f"/analytics.js/v1/{KEY}/analytics.min.js"
BOTH = Names(BrowserConfig(prefix="/x7k", script="a.js"))

KNOWN = {
    "/x7k/t": "/x7k/v1/t",
    "/x7k/batch/": "/x7k/v1/batch/",
    "/x7k/projects/K/settings": "/x7k/v1/projects/K/settings",
    "/x7k/K/a.js": "/x7k/analytics.js/v1/K/analytics.min.js",
    "/K/a.js": "/analytics.js/v1/K/analytics.min.js",
    "/other/K/a.js": "/other/analytics.js/v1/K/analytics.min.js",
    "/x7k/K/plugins/p.js": "/x7k/analytics.js/v1/K/plugins/p.js",
    # and these are known already, or by nobody
    "/x7k/v1/t": "/x7k/v1/t",
    "/x7k/a/v1/t": "/x7k/a/v1/t",
    "/x7k/analytics.js/v1/K/plugins/p.js": "/x7k/analytics.js/v1/K/plugins/p.js",
    "/x7kk/t": "/x7kk/t",
    "/x7k": "/x7k",
    "/a.js": "/a.js",
    "/t": "/t",
    "/": "/",
    "*": "*",
}


@pytest.mark.parametrize("path", KNOWN)
def test_a_path_under_its_own_name_is_a_well_known_one(path: str) -> None:
    assert BOTH.known(path) == KNOWN[path]
    assert BOTH.known(KNOWN[path]) == KNOWN[path]


def test_without_names_every_path_is_itself() -> None:
    assert [path for path in KNOWN if Names(BrowserConfig()).known(path) != path] == []


def test_without_a_script_of_its_own_files_have_their_well_known_names() -> None:
    names = Names(BrowserConfig(prefix="/x7k"))
    assert names.known("/x7k/K/a.js") == "/x7k/v1/K/a.js"
    assert names.known("/x7k/K/plugins/p.js") == "/x7k/v1/K/plugins/p.js"
    assert names.known("/x7k/t") == "/x7k/v1/t"


async def test_events_come_in_under_the_prefix_and_as_ever(tmp_path: Path) -> None:
    async with relay_here(tmp_path, OWN + SOURCE) as relay:
        for path in ("/x7k/t", "/x7k/track", "/x7k/t/", "/x7k/v1/t", "/v1/t"):
            sent = event()
            assert (await relay.post(path, sent)).status == 200, path
            assert (await relay.admitted(sent["messageId"]))["event"] == "Tested"
        assert (await relay.post("/x7k/b", {"batch": [event(type="track")]})).status == 200
        assert (await relay.post("/x7k/m", {"series": []})).status == 200
        assert (await relay.post("/x7k/validate", event(type="track"))).status == 200
        assert (await relay.get("/x7k/pixel/track?data=")).headers["Content-Type"] == "image/gif"


async def test_the_script_is_the_same_under_both_names(tmp_path: Path) -> None:
    async with relay_here(tmp_path, OWN + SOURCE) as relay:
        known, own = await relay.get(LIBRARY), await relay.get(f"/x7k/{KEY}/a.js")
        assert (known.status, own.status) == (200, 200)
        assert known.body == own.body
        assert own.headers["Content-Type"] == known.headers["Content-Type"]
        assert own.headers["ETag"] == known.headers["ETag"]


async def own_of(relay: RelayHere, path: str) -> Any:
    return (await relay.get(path, {"Host": "www.example.com"})).json["integrations"]["Segment.io"]


async def test_settings_name_the_place_that_they_were_asked_at(tmp_path: Path) -> None:
    async with relay_here(tmp_path, OWN + SOURCE) as relay:
        settings = f"/v1/projects/{KEY}/settings"
        for path, host in {
            f"/x7k{settings}": "www.example.com/x7k",
            f"/x7k/projects/{KEY}/settings": "www.example.com/x7k",
            settings: "www.example.com/v1",
            f"/other{settings}": "www.example.com/other/v1",
        }.items():
            assert (await own_of(relay, path))["apiHost"] == host
            assert (await relay.post(host.removeprefix("www.example.com") + "/t", event())).status == 200


async def test_plug_ins_have_no_well_known_folder_and_are_found_where_settings_say(tmp_path: Path) -> None:
    async with relay_here(tmp_path, OWN + SOURCE + DEVICE) as relay:
        for prefix in ("", "/x7k", "/other"):
            document = (await relay.get(f"{prefix}/v1/projects/{KEY}/settings")).json
            (plugin,) = document["remotePlugins"]
            assert plugin["url"] == f"{relay.public}{prefix}/{KEY}/plugins/google-analytics-4.js"
            assert (await relay.get(plugin["url"].removeprefix(relay.public))).status == 200
        inline = (await relay.get(f"/x7k/{KEY}/a.js")).body
        assert f'"url":"{KEY}/plugins/google-analytics-4.js"'.encode() in inline


@pytest.mark.parametrize(
    "path",
    [
        "/x7k",
        "/x7k/",
        "/x7k/healthz",
        "/x7k/../healthz",
        "/x7k/%2e%2e/healthz",
        f"/x7k/{KEY}/../../relay.toml",
        f"/x7k/{KEY}/plugins/../../../../relay.toml",
        f"/x7k/{KEY}/plugins/..%2F..%2Fbuild.py",
        f"/x7k/{KEY}/plugins/%2e%2e/analytics.js.part",
        f"/x7k/{KEY}/plugins/",
        f"/x7k/{KEY}/plugins/built-from",
        f"/x7k/{KEY}/analytics.js.part",
        f"/x7k/{KEY}/a.js/",
        f"/x7k/{KEY}/A.JS",
        "/x7k/nobody/a.js",
        "/x7k//a.js",
        "/x7k/__proto__/a.js",
        "/x7k/status",
        "/x7k/v1/status",
        "/x7k/v1/debugger/events",
        "/x7k/metrics",
        "/x7k/track",
    ],
)
async def test_nothing_else_is_served_under_the_prefix(path: str, tmp_path: Path) -> None:
    async with relay_here(tmp_path, OWN + SOURCE) as relay:
        assert await raw_status(relay, path) == 404


async def raw_status(relay: RelayHere, path: str) -> int:
    """Of a GET of exactly this path: clients would tidy it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split()[1])


async def test_names_of_events_that_are_words_of_javascript_are_names(tmp_path: Path) -> None:
    async with relay_here(tmp_path, OWN + SOURCE) as relay:
        for name in ("__proto__", "constructor", "toString", "</script>"):
            sent = event(event=name, properties={"__proto__": {"polluted": True}})
            assert (await relay.post("/x7k/t", sent)).status == 200
            admitted = await relay.admitted(sent["messageId"])
            assert admitted["event"] == name
            assert admitted["properties"] == {"__proto__": {"polluted": True}}


async def test_a_reload_changes_the_names(tmp_path: Path) -> None:
    async with relay_here(tmp_path, OWN + SOURCE) as relay:
        relay.file.write_text(relay.file.read_text().replace("/x7k", "/y8").replace('"a.js"', '"b.js"'))
        assert await relay.app.reload() == []
        assert (await relay.post("/x7k/t", event())).status == 404
        assert (await relay.post("/y8/t", event())).status == 200
        assert (await relay.get(f"/y8/{KEY}/b.js")).status == 200
        assert (await relay.get(f"/y8/{KEY}/a.js")).status == 404
