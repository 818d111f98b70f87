"""HTTP as it is spoken on the wire: old clients, pipelines, closed connections, TLS."""

import asyncio
import json
import ssl
from base64 import b64encode
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.relay_process import basic
from tests.cli.certificate import write_certificate
from tests.gateway.relay_here import KEY, SOURCE, RelayHere, event, relay_here

NAME = "relay.example.com"
AUTH = b"Authorization: Basic " + b64encode(f"{KEY}:".encode()) + b"\r\n"


def post(body: bytes, version: str = "1.1", more: bytes = b"") -> bytes:
    head = f"POST /v1/track HTTP/{version}\r\nHost: a\r\nContent-Length: {len(body)}\r\n".encode()
    return head + AUTH + more + b"\r\n" + body


class Wire:
    """One connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, relay: RelayHere) -> "Wire":
        return cls(*await asyncio.open_connection("127.0.0.1", relay.port))

    async def answer(self, *, has_body: bool = True) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(60):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            status, *lines = head.strip().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines)
            body = await self.reader.readexactly(int(headers["content-length"])) if has_body else b""
            return int(status.split()[1]), headers, body

    async def is_closed(self) -> bool:
        """Whether the other side hangs up, without another byte."""
        async with asyncio.timeout(60):
            return await self.reader.read(1) == b""

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


async def test_head_is_answered_like_get_without_a_body(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        wire = await Wire.to(relay)
        for path in ("/healthz", f"/v1/projects/{KEY}/settings", "/v1/pixel/track", "/nothing"):
            wire.writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            status, headers, body = await wire.answer()
            wire.writer.write(f"HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            head_status, head_headers, _ = await wire.answer(has_body=False)
            assert (head_status, head_headers["content-length"]) == (status, str(len(body)))
            assert head_headers.get("content-type") == headers.get("content-type")
        await wire.close()


async def test_http_1_0_is_answered_and_closed(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        wire = await Wire.to(relay)
        sent = event()
        wire.writer.write(post(json.dumps(sent).encode(), "1.0"))
        status, _, body = await wire.answer()
        assert (status, json.loads(body)) == (200, {"success": True})
        assert await wire.is_closed()
        assert (await relay.admitted(sent["messageId"]))["event"] == "Tested"
        await wire.close()


async def test_http_1_0_may_keep_its_connection(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        wire = await Wire.to(relay)
        for _ in range(3):
            wire.writer.write(post(json.dumps(event()).encode(), "1.0", b"Connection: keep-alive\r\n"))
            status, headers, _ = await wire.answer()
            assert status == 200
            assert headers["connection"] == "keep-alive"
        await wire.close()


async def test_a_client_that_wants_to_close_is_told_so_and_closed(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        wire = await Wire.to(relay)
        wire.writer.write(post(json.dumps(event()).encode(), more=b"Connection: close\r\n"))
        status, headers, body = await wire.answer()
        assert (status, json.loads(body)) == (200, {"success": True})
        assert headers["connection"] == "close"
        assert await wire.is_closed()
        await wire.close()


async def test_pipelined_requests_are_answered_in_order(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        wire = await Wire.to(relay)
        events = [event() for _ in range(20)]
        stream = b""
        for n, one in enumerate(events):
            stream += post(json.dumps(one).encode() if n % 5 else b"not JSON")
            stream += b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n" if n % 7 == 0 else b""
        wire.writer.write(stream)
        for n in range(20):
            assert (await wire.answer())[0] == (200 if n % 5 else 400), n
            if n % 7 == 0:
                assert (await wire.answer())[0] == 404
        for n, one in enumerate(events):
            if n % 5:
                assert (await relay.admitted(one["messageId"]))["event"] == "Tested"
        await wire.close()


async def test_a_success_is_the_same_bytes_with_and_without_cors(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        wire = await Wire.to(relay)
        for origin in (b"", b"Origin: https://a.example\r\n", b""):
            wire.writer.write(post(json.dumps(event()).encode(), more=origin))
            status, headers, body = await wire.answer()
            assert (status, body) == (200, b'{"success":true}')
            assert headers["content-type"].startswith("application/json")
            assert headers["date"].endswith("gmt")
            assert ("access-control-allow-origin" in headers) is bool(origin)
        await wire.close()


async def test_a_chunked_body_in_pieces_is_one_event(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        wire = await Wire.to(relay)
        sent = event()
        text = json.dumps(sent).encode()
        wire.writer.write(
            b"POST /v1/track HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" + AUTH + b"\r\n"
        )
        for start in range(0, len(text), 7):
            part = text[start : start + 7]
            wire.writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            await wire.writer.drain()
        wire.writer.write(b"0\r\n\r\n")
        assert (await wire.answer())[0] == 200
        assert (await relay.admitted(sent["messageId"]))["event"] == "Tested"
        await wire.close()


async def test_a_client_that_waits_for_100_continue_is_not_kept_waiting(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        wire = await Wire.to(relay)
        body = json.dumps(event()).encode()
        wire.writer.write(post(body, more=b"Expect: 100-continue\r\n").removesuffix(body))
        async with asyncio.timeout(60):
            assert (await wire.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        wire.writer.write(body)
        assert (await wire.answer())[0] == 200
        await wire.close()


@pytest.mark.parametrize(
    "nonsense",
    [b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"POST /v1/track HTTP/9.9\r\n\r\n", b"\r\n" * 50],
)
async def test_who_does_not_speak_http_disturbs_nobody(nonsense: bytes, tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        wire = await Wire.to(relay)
        wire.writer.write(nonsense)
        wire.writer.write_eof()
        async with asyncio.timeout(60):
            rest = await wire.reader.read()
        assert b"Traceback" not in rest
        assert b" 200 " not in rest
        assert (await relay.post("/v1/track", event())).status == 200
        await wire.close()


async def test_tls_is_spoken_with_the_certificate_of_the_configuration(tmp_path: Path) -> None:
    cert, key = write_certificate(tmp_path, NAME)
    server = f'tls_cert = "{cert}"\ntls_key = "{key}"'
    trust = ssl.create_default_context(cafile=str(cert))
    async with relay_here(tmp_path, SOURCE, server) as relay:
        sent = event()
        async with relay.session.post(
            f"{relay.public}/v1/track", json=sent, headers=basic(KEY), ssl=trust, server_hostname=NAME
        ) as response:
            assert response.status == 200
        assert (await relay.admitted(sent["messageId"]))["event"] == "Tested"
        async with relay.session.get(
            f"{relay.public}/v1/projects/{KEY}/settings", ssl=trust, server_hostname=NAME
        ) as response:
            document = await response.json()
        assert document["integrations"]["Segment.io"]["protocol"] == "https"
        plain = f"http://127.0.0.1:{relay.port}/healthz"
        with pytest.raises(aiohttp.ClientError):
            await relay.session.get(plain)
