"""A relay as an operator runs it: `python -m relay serve`, a relay.toml, signals, and HTTP from outside."""

import asyncio
import base64
import io
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from tests.ports import free_ports

ADMIN_TOKEN = "test-admin-token"
REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 60
STOP_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What relay answered, read to the end."""

    status: int
    headers: Mapping[str, str]  # names in any case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @classmethod
    async def of(cls, response: aiohttp.ClientResponse) -> Self:
        return cls(response.status, CIMultiDict(response.headers), await response.read())


class RelayProcess:
    """One relay with its folder. It keeps ports and data from one start to the next."""

    def __init__(self, folder: Path, config: str) -> None:
        public, admin = free_ports(2)
        self.public = f"http://127.0.0.1:{public}"
        self.admin = f"http://127.0.0.1:{admin}"
        self.file = folder / "relay.toml"
        self._server_table = _server_table(public, admin, folder / "data")
        self._log = bytearray()
        self._pumps: list[asyncio.Task[None]] = []
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None
        self.configure(config)

    @property
    def log(self) -> str:
        """All that every start so far has written to its stderr."""
        return self._log.decode(errors="replace")

    @property
    def pid(self) -> int:
        assert self._process is not None, "relay is not running"
        return self._process.pid

    @property
    def session(self) -> aiohttp.ClientSession:
        """A client that sends what the test says and adds no header of its own."""
        assert self._session is not None, "relay was never started"
        return self._session

    def configure(self, config: str) -> str:
        """Write relay.toml: `config` after the `[server]` table. Returns the text of the file."""
        text = self._server_table + config
        self.file.write_text(text)
        return text

    async def start(self) -> None:
        """Return once /readyz says 200."""
        if self._session is None:
            self._session = new_session()
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "relay", "serve", "--config", str(self.file)),
            cwd=self.file.parent,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,  # no file: a test that forbids file writes must still see the log
        )
        assert self._process.stderr is not None
        self._pumps.append(asyncio.create_task(self._pump(self._process.stderr)))
        await eventually(self._is_ready, START_SECONDS, lambda: f"relay is not ready:\n{self.log}")

    async def stop(self) -> None:
        """SIGTERM. It must leave in time, and content."""
        process = self._running()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_SECONDS):
            code = await process.wait()
        await self._ended()
        assert code == 0, f"relay left with {code}:\n{self.log}"

    async def kill(self) -> None:
        """SIGKILL: no last word."""
        process = self._running()
        process.kill()
        await process.wait()
        await self._ended()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def close(self) -> None:
        """The end of a test: relay stops as it should, and never had to show a stack trace."""
        try:
            if self._process is not None:
                await self.stop()
        finally:
            await self._give_up()
        assert "Traceback" not in self.log, self.log

    def signal(self, number: signal.Signals) -> None:
        self._running().send_signal(number)

    async def wait_for_log(self, text: str, timeout: float = 60) -> None:
        """Return once `text` stands in the log."""
        await eventually(lambda: text in self.log, timeout, lambda: f"no {text!r} in the log:\n{self.log}")

    async def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request to the public listener. Bytes and streams go as they are, the rest as JSON."""
        data = _as_sent(body)
        url = URL(self.public + path, encoded=True)
        async with self.session.request(
            method, url, data=data, headers=headers, allow_redirects=False
        ) as response:
            return await Answer.of(response)

    async def post(
        self, path: str, body: Any, key: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """POST with the write key as SDKs send it."""
        return await self.request("POST", path, body, (basic(key) if key else {}) | dict(headers or {}))

    async def ask_admin(self, method: str, path: str, token: str | None = ADMIN_TOKEN) -> Answer:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.session.request(
            method, self.admin + path, headers=headers, allow_redirects=False
        ) as response:
            return await Answer.of(response)

    def _running(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "relay is not running"
        return self._process

    async def _is_ready(self) -> bool:
        assert self._running().returncode is None, f"relay ended at once:\n{self.log}"
        try:
            return (await self.ask_admin("GET", "/readyz", token=None)).status == 200
        except aiohttp.ClientError:
            return False

    async def _pump(self, stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(65536):
            self._log += chunk

    async def _ended(self) -> None:
        self._process = None
        await asyncio.gather(*self._pumps)
        self._pumps.clear()

    async def _give_up(self) -> None:
        if self._process is not None:
            await self.kill()
        if self._session is not None:
            await self._session.close()


@asynccontextmanager
async def running(folder: Path, config: str) -> AsyncIterator[RelayProcess]:
    """A started relay; its end is checked."""
    relay = RelayProcess(folder, config)
    try:
        await relay.start()
        yield relay
    finally:
        await relay.close()


async def eventually(
    holds: Callable[[], bool | Awaitable[bool]], timeout: float, describe: Callable[[], str]
) -> None:
    """Return once `holds()`; fail with `describe()` after `timeout` seconds."""
    deadline = asyncio.get_running_loop().time() + timeout
    while True:
        answer = holds()
        if answer if isinstance(answer, bool) else await answer:
            return
        assert asyncio.get_running_loop().time() < deadline, describe()
        await asyncio.sleep(0.02)


def new_session() -> aiohttp.ClientSession:
    """A client without headers of its own and without a limit on connections."""
    return aiohttp.ClientSession(
        # a connection that relay closes after a bad body must not be the one that the next request takes
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        timeout=aiohttp.ClientTimeout(total=60),
    )


def basic(key: str) -> dict[str, str]:
    """The header that carries a write key: the key is the user, the password is empty."""
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def webhook(url: str, name: str = "hook", more: str = "") -> str:
    """A `[[destinations]]` table that posts arrays of events to `url` without delay."""
    return f"""
[[destinations]]
name = "{name}"
type = "webhook"
settings = {{ url = "{url}" }}
batch_size = 50
batch_wait = "10ms"
{more}
"""


def source(name: str, key: str, more: str = "rate_limit = 100000") -> str:
    """A `[[sources]]` table."""
    return f"""
[[sources]]
name = "{name}"
write_key = "{key}"
{more}
"""


def _as_sent(body: Any) -> Any:
    if body is None or hasattr(body, "__aiter__"):
        return body
    if not isinstance(body, bytes):
        body = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    return io.BytesIO(body)  # the client warns of large bodies in any other form


def _server_table(public: int, admin: int, data: Path) -> str:
    return f"""[server]
listen = "127.0.0.1:{public}"
admin = "127.0.0.1:{admin}"
admin_token = "{ADMIN_TOKEN}"
data_dir = "{data}"
"""
