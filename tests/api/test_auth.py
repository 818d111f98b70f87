"""Who may use the admin listener."""

import asyncio
from base64 import b64encode
from pathlib import Path

import pytest

from tests.gateway.relay_here import ADMIN_TOKEN, READ_TOKEN, RelayHere, relay_here

LOOKING = ["/v1/status", "/v1/debugger/events", "/v1/dead-letters"]
CHANGING = [
    "/v1/dead-letters/retry",
    "/v1/dead-letters/drop",
    "/v1/destinations/hook/pause",
    "/v1/destinations/hook/resume",
    "/v1/reload",
]
OPEN = ["/healthz", "/readyz", "/metrics"]


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


WRONG: list[dict[str, str]] = [
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer "},
    {"Authorization": "Bearer wrong"},
    {"Authorization": f"Bearer {ADMIN_TOKEN}x"},
    {"Authorization": f"Token {ADMIN_TOKEN}"},
    {"Authorization": ADMIN_TOKEN},
    {"Authorization": "Basic"},
    {"Authorization": "Basic !!!"},
    {"Authorization": "Basic " + b64encode(b"\xff\xfe:\xff").decode()},
    basic("", ""),
    basic("wrong", "wrong"),
    {"Authorization": "Bearer é"},
]


async def test_without_a_token_that_is_known_nothing_is_shown_or_done(relay: RelayHere) -> None:
    paths = [("GET", p) for p in LOOKING] + [("POST", p) for p in CHANGING] + [("GET", "/v1/nothing")]
    for method, path in paths:
        for headers in WRONG:
            answer = await relay.ask(method, path, b"{}", headers, token=None)
            assert answer.status == 401, (method, path, headers)
            assert "Bearer" in answer.headers["WWW-Authenticate"]
            assert answer.json["error"]["code"] == "unauthorized"
            assert ADMIN_TOKEN not in answer.body.decode()


async def test_a_header_that_is_not_text_is_401_too(relay: RelayHere) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.admin_port)
    writer.write(b"GET /v1/status HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \xff\xfe\r\n\r\n")
    line = await reader.readline()
    writer.close()
    assert line.split()[1] == b"401"


@pytest.mark.parametrize("path", LOOKING)
async def test_either_token_may_look_as_bearer_or_basic(path: str, relay: RelayHere) -> None:
    for token in (ADMIN_TOKEN, READ_TOKEN):
        ways = [
            {"Authorization": f"Bearer {token}"},
            {"Authorization": f"bearer  {token} "},
            basic("", token),
            basic("anybody", token),
            basic(token, ""),
        ]
        for headers in ways:
            assert (await relay.ask("GET", path, headers=headers, token=None)).status == 200, headers
        assert (await relay.ask("HEAD", path, token=token)).status == 200


@pytest.mark.parametrize("path", CHANGING)
async def test_the_read_token_may_not_change_anything(path: str, relay: RelayHere) -> None:
    answer = await relay.ask("POST", path, b'{"destination": "hook"}', token=READ_TOKEN)
    assert answer.status == 403
    assert answer.json["error"]["code"] == "read_only"
    assert not relay.app.delivery.consumers["hook"].courier.is_paused


@pytest.mark.parametrize("path", OPEN)
async def test_health_and_metrics_need_no_token(path: str, relay: RelayHere) -> None:
    for token in (None, "wrong"):
        assert (await relay.ask("GET", path, token=token)).status == 200


async def test_without_a_read_token_none_counts(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        relay.file.write_text(relay.file.read_text().replace(f'read_token = "{READ_TOKEN}"', ""))
        assert (await relay.ask("POST", "/v1/reload")).status == 200
        for token in (READ_TOKEN, "None", ""):
            assert (await relay.ask("GET", "/v1/status", token=token)).status == 401
        assert (await relay.ask("GET", "/v1/status")).status == 200
