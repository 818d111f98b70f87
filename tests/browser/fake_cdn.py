"""Segment's CDN as the tests have it: files by path, with ETags. A request for anything else fails the test."""

import asyncio
import gzip
import json
from collections.abc import Mapping
from hashlib import sha256
from types import TracebackType
from typing import Any

from aiohttp import web

from tests.acceptance.relay_process import eventually
from tests.browser.front import SECONDS, Site

SCRIPT_TYPE = "application/javascript"


class FakeCdn(Site):
    """`asked`: path and headers of every request. `may_miss`: what is asked for and not there is no mistake."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self.may_miss = False
        self._files: dict[str, tuple[bytes, dict[str, str]]] = {}
        self._instead: tuple[int, bytes, dict[str, str]] | None = None
        self._unexpected: list[str] = []
        self._gate = asyncio.Event()
        self._gate.set()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gate.set()
        await super().__aexit__(kind, error, trace)
        if kind is None:
            assert self._unexpected == []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def has(self, path: str, body: bytes | str, kind: str = SCRIPT_TYPE, **headers: str) -> None:
        whole = body.encode() if isinstance(body, str) else body
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        self._files[path] = whole, {"Content-Type": kind, **given}

    def has_settings(self, key: str, document: Any) -> None:
        self.has(f"/v1/projects/{key}/settings", json.dumps(document), "application/json")

    def instead(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer everything so from now on."""
        self._instead = status, body, {name.replace("_", "-"): value for name, value in headers.items()}

    def recover(self) -> None:
        self._instead = None
        self._gate.set()

    def hang(self) -> None:
        self._gate.clear()

    async def wait_for(self, n: int) -> None:
        """Until so many requests have come."""
        await eventually(lambda: len(self.asked) >= n, SECONDS, lambda: f"{self.paths} of {n}")

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.raw_path, request.headers))
        await self._gate.wait()
        if self._instead is not None:
            status, body, given = self._instead
            return web.Response(status=status, body=body, headers=given)
        if request.method != "GET" or request.raw_path not in self._files:
            if not self.may_miss:
                self._unexpected.append(f"{request.method} {request.raw_path}")
            return web.Response(status=404)
        body, given = self._files[request.raw_path]
        tag = f'"{sha256(body).hexdigest()[:12]}"'
        headers = {**given, "ETag": tag, "Set-Cookie": "tracked=yes"}
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=headers)
        if request.path.endswith(".gz"):
            body, headers = gzip.compress(body), {**headers, "Content-Encoding": "gzip"}
        return web.Response(body=body, headers=headers)
