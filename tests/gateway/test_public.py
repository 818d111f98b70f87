"""The public listener serves what browsers and SDKs need, and nothing else, however it is asked."""

import asyncio
from pathlib import Path

import pytest

from tests.gateway.relay_here import ADMIN_TOKEN, KEY, SOURCE, RelayHere, event, relay_here

PAGE = "https://www.example.com"
CLOSED = f'{SOURCE}allowed_origins = ["{PAGE}"]\n'
SCRIPT = f"/analytics.js/v1/{KEY}"
# what both listeners have: each answers for itself
SHARED = {"/healthz", "/v1/validate"}

NOWHERE = [
    "/",
    "//",
    "/../relay.toml",
    "/..%2f..%2frelay.toml",
    "/%2e%2e/relay.toml",
    "/..\\relay.toml",
    "//etc/passwd",
    "/etc/passwd%00.js",
    "/v1/../../../etc/passwd",
    "/v1/t/../../relay.toml",
    "/relay.toml",
    "/data",
    "/.git/config",
    "/.env",
    "/static/",
    "/healthz/..",
    "/healthz/",
    "/x/healthz",
    "/v1/projects",
    "/v1/projects//settings",
    "/v1/projects/../settings",
    "/v1/projects/__proto__/settings",
    f"/v1/projects/{KEY}/settings/..",
    f"/v1/projects/{KEY}/more/settings",
    f"/v1/projects/{KEY}/..%2f..%2fsettings",
    f"{SCRIPT}",
    f"{SCRIPT}/",
    f"{SCRIPT}/..",
    f"{SCRIPT}/analytics.js.part",
    f"{SCRIPT}/analytics.min.js/..",
    f"{SCRIPT}/analytics.min.js.map",
    f"{SCRIPT}/../../../relay.toml",
    f"{SCRIPT}/plugins/",
    f"{SCRIPT}/plugins/..",
    f"{SCRIPT}/plugins/../analytics.js.part",
    f"{SCRIPT}/plugins/../../build.py",
    f"{SCRIPT}/plugins/..%2f..%2fbuild.py",
    f"{SCRIPT}/plugins/%2e%2e/analytics.js.part",
    f"{SCRIPT}/plugins/built-from",
    f"{SCRIPT}/plugins/script.ts",
    "/analytics.js/v1/constructor/analytics.min.js",
    "/analytics.js/v1/../analytics.min.js",
    "/v1/pixel",
    "http://169.254.169.254/latest/meta-data",
]


async def raw(relay: RelayHere, head: bytes) -> tuple[int, bytes]:
    """Status and all of the answer to a request of exactly these bytes: clients would tidy them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    try:
        writer.write(head + b"\r\nHost: a\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(60):
            answer = await reader.read()
    finally:
        writer.close()
    return int(answer.split()[1]), answer


async def test_no_path_leads_to_a_file_or_to_another_host(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        for path in NOWHERE:
            status, answer = await raw(relay, f"GET {path} HTTP/1.1".encode())
            assert status == 404, (path, answer)
            assert b"there is no" in answer, path
            assert ADMIN_TOKEN.encode() not in answer, path
            assert str(tmp_path).encode() not in answer, path
        assert (await relay.get("/healthz")).status == 200


async def test_nothing_of_the_admin_listener_is_there(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        document = (await relay.ask("GET", "/openapi.json")).json
        asked = 0
        token = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        for path, methods in document["paths"].items():
            if path in SHARED:
                continue
            filled = path.replace("{", "").replace("}", "")
            for method in methods:
                url = relay.public + filled
                async with relay.session.request(method, url, headers=token, allow_redirects=False) as answer:
                    assert answer.status == 404, (method, path)
                asked += 1
        assert asked > 20
        for path in ("/metrics", "/readyz", "/", "/console", "/openapi.json", "/login"):
            assert (await relay.get(path, token)).status == 404, path


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND"])
async def test_other_methods_are_not_there(method: str, tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        for path in ("/v1/t", "/healthz", f"/v1/projects/{KEY}/settings", f"{SCRIPT}/analytics.min.js"):
            assert (await raw(relay, f"{method} {path} HTTP/1.1".encode()))[0] == 404, path


async def test_all_cookies_of_a_site_are_borne_and_more_are_refused(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        cookies = "; ".join(f"c{i}={'x' * 3000}" for i in range(10))
        assert (await relay.post("/v1/t", event(), {"Cookie": cookies})).status == 200
        status, answer = await raw(relay, b"GET /healthz HTTP/1.1\r\nCookie: a=" + b"y" * 100_000)
        assert status in (400, 431)
        assert b"Traceback" not in answer
        assert len(answer) < 1000
        assert (await raw(relay, b"GET /healthz HTTP/1.1" + b"\r\nX-A: b" * 1000))[0] in (400, 431)
        assert (await relay.post("/v1/t", event())).status == 200


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://www.example.com",
        "https://www.example.com:8443",
        "https://www.example.com.",
        "https://www.example.com/",
        "https://www.example.com.evil.test",
        "https://evil-www.example.com",
        "https://a.www.example.com",
        "https://example.com",
        "https://www.example.com@evil.test",
        "https://www.example.com, https://evil.test",
        "www.example.com",
        "*",
        "https://*",
        "",
    ],
)
async def test_an_origin_that_is_only_like_an_allowed_one_may_not_send(origin: str, tmp_path: Path) -> None:
    async with relay_here(tmp_path, CLOSED) as relay:
        answer = await relay.post("/v1/t", event(), {"Origin": origin})
        assert answer.status == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        async with relay.session.options(f"{relay.public}/v1/t", headers=asked) as preflight:
            assert "Access-Control-Allow-Origin" not in preflight.headers
        assert (await relay.post("/v1/t", event(), {"Origin": PAGE})).status == 200


async def test_words_of_javascript_are_names_in_every_call(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        sent = []
        for word in ("__proto__", "constructor", "toString", "prototype"):
            said = {"name": word, "category": word}
            sent.append(event(type="page", **said, properties={word: {word: 1}, **said}))
            sent.append(event(type="group", groupId=word, traits={word: 1}, integrations={word: False}))
        assert (await relay.post("/v1/batch", {"batch": sent, "__proto__": 1})).status == 200
        for one in sent:
            admitted = await relay.admitted(one["messageId"])
            assert {name: admitted[name] for name in one} == one
