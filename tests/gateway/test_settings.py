"""The documents that libraries fetch at start."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.acceptance.relay_process import basic, webhook
from tests.gateway.relay_here import KEY, SOURCE, RelayHere, relay_here

PATH = f"/v1/projects/{KEY}/settings"


async def segment_io(relay: RelayHere, path: str = PATH, **headers: str) -> dict[str, Any]:
    answer = await relay.get(path, {name.replace("_", "-"): value for name, value in headers.items()})
    assert answer.status == 200
    found: dict[str, Any] = answer.json["integrations"]["Segment.io"]
    return found


async def test_the_document_has_all_that_analytics_js_wants(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        answer = await relay.get(PATH, {"Origin": "https://www.example.com"})
        document = answer.json
        own = document["integrations"]["Segment.io"]
        assert own["apiKey"] == KEY
        assert own["apiHost"] == f"127.0.0.1:{relay.port}/v1"
        assert own["protocol"] == "http"
        assert own["unbundledIntegrations"] == []
        assert document["metrics"] == {"sampleRate": 0, "host": own["apiHost"]}
        assert document["plan"]["track"]["__default"] == {"enabled": True, "integrations": {}}
        assert document["middlewareSettings"] == {"routingRules": []}
        assert document["remotePlugins"] == []
        assert list(document["integrations"]) == ["Segment.io"]
        assert answer.headers["Access-Control-Allow-Origin"] == "https://www.example.com"
        assert answer.headers["Cache-Control"] == "public, max-age=60"
        assert answer.headers["Content-Type"].startswith("application/json")


async def test_the_host_is_the_one_that_was_asked_with_its_prefix(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        asked = {
            PATH: "events.example.com/v1",
            f"/a/b{PATH}": "events.example.com/a/b/v1",
            f"{PATH}/": "events.example.com/v1",
        }
        for path, host in asked.items():
            own = await segment_io(relay, path, Host="events.example.com")
            assert own["apiHost"] == host
            post = await relay.post(
                host.removeprefix("events.example.com") + "/t", {"userId": "u", "event": "E"}
            )
            assert post.status == 200


async def test_behind_a_trusted_proxy_the_protocol_is_the_clients(tmp_path: Path) -> None:
    async with relay_here(tmp_path, SOURCE, 'trusted_proxies = ["127.0.0.1"]') as relay:
        spoken = {
            "https": "https",
            "HTTPS": "https",
            "https, http": "https",
            "http": "http",
            "gopher": "http",
        }
        for header, protocol in spoken.items():
            assert (await segment_io(relay, X_Forwarded_Proto=header))["protocol"] == protocol
        assert (await segment_io(relay))["protocol"] == "http"


async def test_destinations_are_listed_by_display_name_for_the_sources_they_take(tmp_path: Path) -> None:
    other = '[[sources]]\nname = "other"\nwrite_key = "other-key"\n'
    tables = (
        SOURCE
        + other
        + webhook("http://127.0.0.1:9", "one")
        + webhook("http://127.0.0.1:9", "two", 'sources = ["other"]')
        + '[[destinations]]\nname = "s"\ntype = "segment"\nsettings = { writeKey = "x" }\nsources = ["other"]\n'
        + webhook("http://127.0.0.1:9", "off", "enabled = false")
    )
    async with relay_here(tmp_path, tables) as relay:
        assert (await segment_io(relay))["unbundledIntegrations"] == ["Webhook"]
        own = await segment_io(relay, "/v1/projects/other-key/settings")
        assert own["unbundledIntegrations"] == ["Segment", "Webhook"]


async def test_a_cache_in_front_keeps_one_for_each_origin_and_one_for_none(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        for origin in ({}, {"Origin": "https://a.example"}):
            answer = await relay.get(PATH, origin)
            assert answer.headers["Cache-Control"].startswith("public")
            assert answer.headers["Vary"] == "Origin"


async def test_a_key_is_escaped_in_addresses(tmp_path: Path) -> None:
    odd = '[[sources]]\nname = "odd"\nwrite_key = "a b/c?#é"\n'
    device = """
[[destinations]]
name = "ga"
type = "google-analytics-4"
mode = "device"
settings = { measurementId = "G-1", apiSecret = "secret" }
"""
    async with relay_here(tmp_path, SOURCE + odd + device) as relay:
        answer = await relay.get(f"/v1/projects/{quote('a b/c?#é', safe='')}/settings")
        assert answer.status == 200
        assert answer.json["integrations"]["Segment.io"]["apiKey"] == "a b/c?#é"
        (plugin,) = answer.json["remotePlugins"]
        path = plugin["url"].removeprefix(relay.public)
        assert path == "/analytics.js/v1/a%20b%2Fc%3F%23%C3%A9/plugins/google-analytics-4.js"
        assert (await relay.get(path)).status != 404


@pytest.mark.parametrize("key", ["nobody", "off-key", "", "%20"])
async def test_a_key_that_is_not_valid_is_404(key: str, tmp_path: Path) -> None:
    off = '[[sources]]\nname = "off"\nwrite_key = "off-key"\nenabled = false\n'
    async with relay_here(tmp_path, SOURCE + off) as relay:
        answer = await relay.get(f"/v1/projects/{key}/settings", {"Origin": "https://a.example"})
        assert answer.status == 404
        assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example"


async def test_rudders_configuration_has_what_its_library_checks(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        for path in (f"/sourceConfig/?writeKey={KEY}", f"/sourceConfig?writeKey={KEY}&v=3"):
            for headers in ({}, basic(KEY)):
                source = (await relay.get(path, headers)).json["source"]
                assert (source["id"], source["name"], source["writeKey"]) == ("web", "web", KEY)
                assert source["enabled"] is True
                assert source["destinations"] == []
                statistics = source["config"]["statsCollection"]
                assert statistics == {"errors": {"enabled": False}, "metrics": {"enabled": False}}
        assert (await relay.get("/sourceConfig/?writeKey=nobody")).status == 401
        assert (await relay.get("/sourceConfig/")).status == 401
