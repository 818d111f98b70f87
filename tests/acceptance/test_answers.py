"""Every route that takes events, every way to carry a write key, and what is answered."""

import base64
import gzip
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from tests.acceptance.ground import (
    DISABLED_KEY,
    KEY,
    NEW_KEY,
    OLD_KEY,
    Ground,
    check_refusal,
    event,
    is_success,
    of_type,
)
from tests.acceptance.relay_process import basic

pytestmark = pytest.mark.asyncio(loop_scope="module")

TYPES = ("track", "identify", "page", "screen", "group", "alias")
SINGLE_ROUTES = [
    *((f"/v1/{kind}", kind) for kind in TYPES),
    *((f"/v1/{kind[0]}", kind) for kind in TYPES),
    *((f"/api/s/{kind}", kind) for kind in TYPES),
    *((f"/api/s/s2s/{kind}", kind) for kind in TYPES),
    ("/v1/track/", "track"),
    ("/v1/t/", "track"),
    ("/some/prefix/v1/track", "track"),
    ("/prefix/v1/p", "page"),
]
BATCH_ROUTES = [
    "/v1/batch",
    "/v1/batch/",
    "/v1/import",
    "/v1/import/",
    "/v1/b",
    "/v1/b/",
    "/prefix/v1/b",
    "/prefix/v1/batch",
]


@pytest.mark.parametrize(("path", "kind"), SINGLE_ROUTES)
async def test_a_route_names_the_type_of_its_event(path: str, kind: str, ground: Ground) -> None:
    sent = of_type(kind)
    assert is_success(await ground.relay.post(path, sent, KEY))
    assert (await ground.arrived(sent["messageId"]))["type"] == kind


@pytest.mark.parametrize("path", BATCH_ROUTES)
async def test_a_batch_is_taken_on_all_its_routes(path: str, ground: Ground) -> None:
    batch = [of_type(kind, type=kind) for kind in TYPES]
    assert is_success(await ground.relay.post(path, {"batch": batch}, KEY))
    for sent in batch:
        assert (await ground.arrived(sent["messageId"]))["type"] == sent["type"]


async def test_a_beacon_carries_its_write_key_in_the_query(ground: Ground) -> None:
    sent = event(type="track")
    assert is_success(
        await ground.relay.request("POST", f"/beacon/v1/batch?writeKey={KEY}", {"batch": [sent]})
    )
    assert (await ground.arrived(sent["messageId"]))["event"] == "Tested"


async def test_telemetry_needs_no_write_key_and_makes_no_event(ground: Ground) -> None:
    series = {"series": [{"type": "Counter", "metric": "m", "value": 1, "tags": {}}]}
    await ground.flush()
    before = len(ground.receiver.events())
    assert (await ground.relay.request("POST", "/v1/m", series)).status == 200
    await ground.flush()
    assert len(ground.receiver.events()) == before + 1


async def test_the_rudderstack_configuration_lets_its_library_start(ground: Ground) -> None:
    answer = await ground.relay.request(
        "GET", f"/sourceConfig/?writeKey={KEY}&p=web&v=3.34.1", None, basic(KEY)
    )
    assert answer.status == 200
    source = answer.json["source"]
    assert source["id"]
    assert source["writeKey"] == KEY
    assert source["enabled"] is True
    assert isinstance(source["config"], dict)
    assert isinstance(source["destinations"], list)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/nothing",
        "/v1/trac",
        "/v2/track",
        "/track",
        "/api/s/nothing",
        "/v1/track/track",
        "/v1",
        "/v1/status",
        "/v1/debugger/events",
        "/metrics",
        "/readyz",
        "/console/",
        "/v1/reload",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_anything_else_on_the_public_listener_is_404(method: str, path: str, ground: Ground) -> None:
    answer = await ground.relay.request(method, path, event() if method == "POST" else None, basic(KEY))
    assert answer.status == 404


async def test_the_public_listener_says_that_it_lives(ground: Ground) -> None:
    assert (await ground.relay.request("GET", "/healthz")).status == 200


@pytest.mark.parametrize("path", ["/v1/status", "/v1/debugger/events", "/v1/dead-letters", "/console/"])
async def test_the_admin_listener_answers_nobody_without_the_token(path: str, ground: Ground) -> None:
    assert (await ground.relay.ask_admin("GET", path, token=None)).status == 401
    assert (await ground.relay.ask_admin("GET", path, token="wrong")).status == 401


def headers_with(value: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(value.encode()).decode()}


WAYS_TO_CARRY_A_KEY: dict[str, tuple[Mapping[str, str], str, dict[str, Any]]] = {
    "Basic with the colon": (headers_with(f"{KEY}:"), "", {}),
    "Basic without the colon": (headers_with(KEY), "", {}),
    "Basic with a password": (headers_with(f"{KEY}:ignored"), "", {}),
    "X-Write-Key": ({"X-Write-Key": KEY}, "", {}),
    "X-Write-Key with a secret": ({"X-Write-Key": f"{KEY}:secret"}, "", {}),
    "X-Write-Key beside a masked one": ({"X-Write-Key": f"{KEY}:secret"}, "", {"writeKey": f"{KEY}:***"}),
    "a header before the body": (basic(KEY), "", {"writeKey": "no-such-key"}),
    "the query": ({}, f"?writeKey={KEY}", {}),
    "the body": ({}, "", {"writeKey": KEY}),
    "the new key of a rotation": (basic(NEW_KEY), "", {}),
    "the old key of a rotation": (basic(OLD_KEY), "", {}),
}


@pytest.mark.parametrize("way", WAYS_TO_CARRY_A_KEY)
async def test_a_write_key_is_found(way: str, ground: Ground) -> None:
    headers, query, more = WAYS_TO_CARRY_A_KEY[way]
    sent, batched = event(), event(type="track")
    assert is_success(await ground.relay.request("POST", "/v1/track" + query, sent | more, headers))
    envelope = {"batch": [batched]} | more
    assert is_success(await ground.relay.request("POST", "/v1/batch" + query, envelope, headers))
    await ground.arrived(sent["messageId"])
    await ground.arrived(batched["messageId"])


async def test_a_batch_may_carry_its_write_key_in_its_first_event(ground: Ground) -> None:
    sent = event(type="track", writeKey=KEY)
    assert is_success(await ground.relay.request("POST", "/v1/b", {"batch": [sent]}))
    await ground.arrived(sent["messageId"])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("no-such-key"),
        basic(DISABLED_KEY),
        basic(""),
        {"Authorization": "Basic !not-base64!"},
        {"Authorization": "Basic"},
        {"X-Write-Key": "no-such-key"},
    ],
    ids=["missing", "unknown", "disabled", "empty", "not base64", "cut off", "unknown by X-Write-Key"],
)
@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
async def test_a_write_key_that_is_not_valid_is_401(
    headers: Mapping[str, str], path: str, ground: Ground
) -> None:
    sent = event(type="track")
    body = {"batch": [sent]} if path == "/v1/batch" else sent
    check_refusal(await ground.relay.request("POST", path, body, headers), 401)
    await ground.flush()
    assert sent["messageId"] not in ground.receiver.counts


async def test_a_duplicate_is_answered_like_the_first_and_delivered_once(ground: Ground) -> None:
    sent = event(type="track")
    for _ in range(3):
        assert is_success(await ground.relay.post("/v1/track", sent, KEY))
    assert is_success(await ground.relay.post("/v1/batch", {"batch": [sent, sent]}, KEY))
    await ground.flush()
    assert ground.receiver.counts[sent["messageId"]] == 1


CONTENT_TYPES = [
    "application/json",
    "application/json; charset=utf-8",
    "text/plain",
    "text/plain;charset=UTF-8",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    None,
]


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
@pytest.mark.parametrize("encoding", ["plain", "gzip", "gzip in chunks"])
async def test_the_content_type_does_not_matter(
    content_type: str | None, encoding: str, ground: Ground
) -> None:
    sent = event(properties={"é": "✓ \u2028"})
    text = b'{"batch":[' + json.dumps(sent | {"type": "track"}).encode() + b"]}"
    headers = basic(KEY) | ({"Content-Type": content_type} if content_type else {})
    if encoding != "plain":
        headers["Content-Encoding"] = "gzip"
        text = gzip.compress(text)
    body = in_chunks(text) if encoding == "gzip in chunks" else text
    assert is_success(await ground.relay.request("POST", "/v1/batch", body, headers))
    assert (await ground.arrived(sent["messageId"]))["properties"] == sent["properties"]


async def in_chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 50):
        yield body[start : start + 50]
