"""The servers that the browser talks to: a site with pages, and what stands before relay.

The front passes requests on to relay and remembers them. It answers in relay's stead what a test scripted. Under `/next`
it has Segment's own analytics.js, in the same place as relay has its own.
"""

import asyncio
import json
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from tests.acceptance.relay_process import eventually

SECONDS = 30  # of patience: the machine may be busy

Reply = tuple[int, Mapping[str, str]]


@dataclass(frozen=True)
class Seen:
    """A request of the browser, and what it was answered."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    status: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def events(self) -> list[dict[str, Any]]:
        """The events in it, without regard to its answer."""
        if self.method != "POST" or self.path.endswith("/m"):
            return []
        body = self.json
        found: list[dict[str, Any]] = body.get("batch", [body])
        return found


class Site:
    """A server of one's own in the test's event loop."""

    tls: ssl.SSLContext | None = None  # what it shows; None: plain HTTP

    def __init__(self) -> None:
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=8 * 2**20)
        app.router.add_route("*", "/{path:.*}", self.answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self.tls).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()


class Pages(Site):
    """Pages by path; any other is empty."""

    def __init__(self) -> None:
        super().__init__()
        self.html: dict[str, str] = {}
        self.scripts: dict[str, str] = {}

    async def answer(self, request: web.Request) -> web.Response:
        if request.path in self.scripts:
            return web.Response(text=self.scripts[request.path], content_type="text/javascript")
        text = self.html.get(
            request.path, "<!doctype html><link rel='icon' href='data:,'><title>Another page</title>"
        )
        return web.Response(text=text, content_type="text/html")


class Front(Site):
    """Before relay, which is at `target`."""

    trust: ssl.SSLContext | bool = True  # what relay is to show

    def __init__(self, target: str, reference: Path) -> None:
        super().__init__()
        self.target = target
        self.seen: list[Seen] = []
        self._reference = reference
        self._script: deque[Reply] = deque()
        self._default: Reply | None = None
        self._session: aiohttp.ClientSession | None = None
        self._gate = asyncio.Event()
        self._gate.set()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=("Accept-Encoding",))
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gate.set()
        assert self._session is not None
        await self._session.close()
        await super().__aexit__(kind, error, trace)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self, *script: Reply) -> None:
        """Answer the next events so, instead of relay."""
        self._script.extend(script)

    def always(self, reply: Reply | None) -> None:
        """From now on; None: relay answers again."""
        self._default = reply

    def forget(self) -> None:
        """Begin anew. What is still on its way belongs to what was before."""
        self.seen = []

    def hang(self) -> None:
        """Take events and do not answer until `release`."""
        self._gate.clear()

    def release(self) -> None:
        self._gate.set()

    def events(self, name: str | None = None, *, accepted: bool = True) -> list[dict[str, Any]]:
        """All events that came, in order; with `name`, those tracked by it."""
        return [
            event
            for seen in self.seen
            if seen.status == 200 or not accepted
            for event in seen.events()
            if name is None or event.get("event") == name
        ]

    async def wait_for(self, name: str, times: int = 1) -> list[dict[str, Any]]:
        """The accepted track events of this name, once there are so many."""
        await self.wait_until(lambda: len(self.events(name)) >= times, f"{times} of {name}")
        return self.events(name)

    async def wait_until(self, holds: Callable[[], bool], what: str = "it") -> None:
        def describe() -> str:
            return f"no {what}, but {[(s.method, s.path, s.status, len(s.body)) for s in self.seen[-20:]]}"

        await eventually(holds, SECONDS, describe)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        seen = self.seen
        body = await request.read()
        response = self._file(request.path) or await self._passed(request, body)
        headers = {name.title(): value for name, value in request.headers.items()}
        seen.append(Seen(request.method, request.path, headers, body, response.status))
        return response

    def _file(self, path: str) -> web.Response | None:
        """A file of Segment's analytics.js."""
        if path.startswith("/next/analytics-next/bundles/"):
            name = path.rpartition("/")[2]
        elif path.startswith("/next/analytics.js/") and "/plugins/" not in path:
            name = "standalone.js"
        else:
            return None
        return web.Response(body=(self._reference / name).read_bytes(), content_type="text/javascript")

    async def _passed(self, request: web.Request, body: bytes) -> web.Response:
        assert self._session is not None
        if request.method == "POST" and not request.path.endswith("/m"):
            await self._gate.wait()
            reply = self._script.popleft() if self._script else self._default
            if reply is not None:
                cors = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
                return web.json_response({}, status=reply[0], headers={**cors, **reply[1]})
        try:
            async with self._session.request(
                request.method,
                self.target + request.raw_path,
                data=body,
                headers=request.headers,
                ssl=self.trust,
            ) as response:
                kept = {
                    n: v
                    for n, v in response.headers.items()
                    if n not in ("Content-Length", "Transfer-Encoding")
                }
                return web.Response(status=response.status, body=await response.read(), headers=kept)
        except aiohttp.ClientError:
            return web.Response(status=502, headers={"Access-Control-Allow-Origin": "*"})
