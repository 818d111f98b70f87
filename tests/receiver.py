"""A destination that says what the test wants it to say, and remembers all it was told.

It is a real HTTP server in the test's event loop. Answers come from a script, in turn, and then from the
default. It can hang, and it can be stopped and started again on the same port, as real ones do.

A request counts as *received* when it was answered with a 2xx: `events` and `counts` hold only those.
"""

import asyncio
import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.ports import free_port

Reply = tuple[int, Mapping[str, str]]
OK: Reply = (200, {})


@dataclass(frozen=True)
class Received:
    """One request, and the status it was answered with."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    json: Any
    status: int

    def events(self) -> Iterator[dict[str, Any]]:
        """The events of the body: an array, a `batch`, or the one object itself."""
        content = self.json
        if isinstance(content, dict):
            content = content["batch"] if isinstance(content.get("batch"), list) else [content]
        yield from (event for event in content or () if isinstance(event, dict))


class Receiver:
    """`expects`: the (method, path) pairs it may be asked for; any other fails the test at the end."""

    def __init__(self, expects: set[tuple[str, str]] | None = None) -> None:
        self.requests: list[Received] = []
        self.counts: Counter[str] = Counter()  # received events by messageId
        self._events: list[tuple[str, dict[str, Any]]] = []
        self._expects = expects
        self._unexpected: list[str] = []
        self._script: deque[Reply] = deque()
        self._default: Reply = OK
        self._at: dict[str, Reply] = {}
        self._gate = asyncio.Event()  # closed while it hangs
        self._gate.set()
        self._is_stopping = False
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server
        self._port = free_port()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if kind is None:
            self.check()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def check(self) -> None:
        """Fail when a request came that nobody expected."""
        assert not self._unexpected, f"the receiver was asked for {self._unexpected}"

    async def start(self) -> None:
        """Listen; after a `stop`, on the same port as before."""
        self._is_stopping = False
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        assert self._runner.server is not None
        self._listener = await asyncio.get_running_loop().create_server(
            self._runner.server, "127.0.0.1", self._port
        )

    async def stop(self) -> None:
        """Close the door and every connection: from now on nobody gets through."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            self._is_stopping = True
            self.release()  # who still waits is cut off, not answered
            await close_door(self._listener)
            await runner.cleanup()

    def answers(self, *script: Reply) -> None:
        """The next answers, in turn; after them the default again."""
        self._script.extend(script)

    def always(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        """The default answer from now on."""
        self._default = (status, headers or {})

    def at(self, path: str, status: int) -> None:
        """The answer at one path from now on, whatever those of others are."""
        self._at[path] = (status, {})

    def hang(self) -> None:
        """Take requests and leave them without an answer until `release`."""
        self._gate.clear()

    def release(self) -> None:
        self._gate.set()

    def events(self, path: str | None = None) -> list[dict[str, Any]]:
        """Every received event, in order of arrival; with `path`, those that came there."""
        return [event for at, event in self._events if path is None or at == path]

    def find(self, message_id: str) -> dict[str, Any]:
        """The one event with this messageId."""
        found = [event for _, event in self._events if event.get("messageId") == message_id]
        assert len(found) == 1, f"{message_id} arrived {len(found)} times"
        return found[0]

    async def wait_for(self, n_events: int, timeout: float = 60) -> list[dict[str, Any]]:
        """Every received event, once there are `n_events`."""
        await self.wait_until(
            lambda: len(self._events) >= n_events,
            timeout,
            lambda: f"{len(self._events)} of {n_events} events",
        )
        return self.events()

    async def wait_for_ids(self, ids: set[str], timeout: float = 60) -> None:
        """Return once each of these messageIds has been received."""

        def missing() -> set[str]:
            return ids - self.counts.keys()

        await self.wait_until(
            lambda: not missing(),
            timeout,
            lambda: f"{len(missing())} of {len(ids)} missing: {sorted(missing())[:3]}",
        )

    async def wait_for_requests(self, n: int, timeout: float = 60) -> list[Received]:
        """Every request, whatever it was answered, once there are `n`."""
        await self.wait_until(
            lambda: len(self.requests) >= n, timeout, lambda: f"{len(self.requests)} of {n} requests"
        )
        return self.requests

    async def wait_until(
        self, holds: Callable[[], bool], timeout: float, describe: Callable[[], str] = lambda: "not yet"
    ) -> None:
        """Return once `holds()`, looked at after every request; fail after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout), self._changed:
                await self._changed.wait_for(holds)
        except TimeoutError:
            raise AssertionError(f"after {timeout} s the receiver has {describe()}") from None

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        await self._gate.wait()
        if self._is_stopping and request.transport is not None:
            request.transport.abort()
            return web.Response()
        status, headers = self._next_answer(request)
        await self._remember(request, body, status)
        return web.Response(body=b"{}", status=status, headers=headers, content_type="application/json")

    def _next_answer(self, request: web.Request) -> Reply:
        if self._expects is not None and (request.method, request.path) not in self._expects:
            self._unexpected.append(f"{request.method} {request.path}")
            return 404, {}
        if request.path in self._at:
            return self._at[request.path]
        return self._script.popleft() if self._script else self._default

    async def _remember(self, request: web.Request, body: bytes, status: int) -> None:
        headers = {name.title(): value for name, value in request.headers.items()}
        received = Received(request.method, request.path, headers, body, _decoded(body), status)
        async with self._changed:
            self.requests.append(received)
            if 200 <= status < 300:
                self._events += ((request.path, event) for event in received.events())
                self.counts.update(str(event.get("messageId")) for event in received.events())
            self._changed.notify_all()


async def close_door(listener: asyncio.Server) -> None:
    """Take no more connections, but lose none: of one that is being taken, `listener` must not be closed (gh-109564)."""
    for door in listener.sockets:
        asyncio.get_running_loop().remove_reader(door.fileno())
    for _ in range(3):  # turns of the loop: begin to take it, make it, tell the protocol of it
        await asyncio.sleep(0)
    listener.close()


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
