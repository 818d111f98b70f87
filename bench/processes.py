"""Starts, pins, measures and stops what takes part in a benchmark: relay, a baseline, receivers.

    async with Stage() as stage:
        relay = await stage.relay(sources=1)
        before = relay.cpu_seconds()

Servers under measurement get the first core this process may use, receivers and the load generator
(this process) the last; with one core nothing is pinned. Leaving the stage stops every process it
started, by pid, and removes their folder, which lies below `build/` in the current directory: on a
real disk, so that a flush costs what it costs.

CPU time is the kernel's clock of the whole process in nanoseconds: all threads, ended ones too.
Children of the server would not be in it, nor is what the kernel's own threads do for a flush.
"""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import aiohttp
import orjson

from bench.events import write_key

_ROOT = Path(__file__).parents[1]
_CORES = sorted(os.sched_getaffinity(0))
_READY_SECONDS = 30.0
_SETTLE_SECONDS = 120.0
_STOP_SECONDS = 30.0
TOKEN = "bench"


class BenchError(Exception):
    """The benchmark cannot go on: a server did not start, ended early or never caught up."""


class Webhook(NamedTuple):
    """A webhook destination to configure relay with."""

    name: str
    port: int
    batch_size: int


class Running(NamedTuple):
    """A process just started, and the file its output goes to."""

    name: str
    process: "subprocess.Popen[bytes]"
    output: Path


def pin_load() -> None:
    """Move this process to the last core."""
    os.sched_setaffinity(0, {_CORES[-1]})


def core_busy_seconds() -> float:
    """How long the servers' core has been busy since boot, whoever kept it busy."""
    name = f"cpu{_CORES[0]} "
    line = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith(name))
    user, nice, system, _idle, _iowait, *others = map(int, line.split()[1:9])
    return (user + nice + system + sum(others)) / os.sysconf("SC_CLK_TCK")


class Server:
    """A running process that listens on `port`."""

    def __init__(self, running: Running, port: int) -> None:
        self.name, self._process, self._output = running
        self.port = port

    def cpu_seconds(self) -> float:
        """Tell the CPU time of all its threads, ended ones too."""
        self._check()
        return time.clock_gettime(~self._process.pid << 3 | 2)  # what clock_getcpuclockid(3) makes of a pid

    def rss_mb(self) -> float:
        """Tell how much memory it holds now."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def peak_rss_mb(self) -> float:
        """Tell the most memory it has held since it started."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024 / 1e6

    async def settle(self) -> None:
        """Wait until all work that was accepted is done; one that only answers has none."""

    async def ready(self) -> None:
        """Wait until it answers."""
        await self._wait(self._is_ready, _READY_SECONDS, "was not ready")

    async def stop(self) -> None:
        """End it: politely, then not."""
        self._process.terminate()
        try:
            await asyncio.to_thread(self._process.wait, _STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    async def _is_ready(self) -> bool:
        return (await fetch(self.port, "/stats"))[0] == 200

    async def _wait(self, holds: Callable[[], Awaitable[bool]], seconds: float, complaint: str) -> None:
        gives_up = time.monotonic() + seconds
        while True:
            self._check()
            try:
                if await holds():
                    return
            except (OSError, aiohttp.ClientError):
                pass  # not listening yet; `_check` sees it if it never will
            if time.monotonic() > gives_up:
                raise BenchError(
                    f"{self.name} {complaint} within {seconds:.0f} seconds\n{self._last_words()}"
                )
            await asyncio.sleep(0.05)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def _check(self) -> None:
        if self._process.poll() is not None:
            code = self._process.returncode
            raise BenchError(f"{self.name} ended with exit code {code}\n{self._last_words()}")

    def _last_words(self) -> str:
        lines = self._output.read_text(errors="replace").splitlines()
        return "\n".join(lines[-20:])


class Sink(Server):
    """A receiver; `bench.sink` says what it counts."""

    async def stats(self) -> dict[str, Any]:
        """Ask what has arrived."""
        return await fetch_json(self.port, "/stats")

    async def ids(self) -> set[bytes]:
        """Ask for the distinct messageIds that have arrived."""
        return set((await fetch(self.port, "/ids"))[1].split(b"\n")) - {b""}


class Relay(Server):
    """relay itself."""

    def __init__(self, running: Running, port: int, admin_port: int, config: Path) -> None:
        super().__init__(running, port)
        self.admin_port = admin_port
        self.config = config

    async def status(self) -> dict[str, Any]:
        """`GET /v1/status` of the admin listener."""
        return await fetch_json(self.admin_port, "/v1/status", TOKEN)

    async def add(self, webhook: Webhook) -> None:
        """Put one more destination into relay.toml, and have it taken up."""
        with self.config.open("a") as file:
            file.write(_destination(webhook))
        await self.ask_admin("POST", "/v1/reload")

    async def ask_admin(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Ask the admin listener for the JSON object that it answers with."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url, data = _url(self.admin_port, path), None if body is None else orjson.dumps(body)
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, url, data=data) as reply,
        ):
            content: dict[str, Any] = orjson.loads(await reply.read())
        if not reply.ok:
            raise BenchError(f"{method} {path} was answered with {reply.status}: {content}")
        return content

    async def settle(self) -> None:
        """Wait until admission has read everything in the log."""
        await self._wait(self._is_admitted, _SETTLE_SECONDS, "did not admit what it had accepted")

    async def _is_admitted(self) -> bool:
        status = await self.status()
        return bool(status["admission"]["sequence"] >= status["log"]["head"])

    async def _is_ready(self) -> bool:
        return (await fetch(self.admin_port, "/readyz"))[0] == 200


_S = TypeVar("_S", bound=Server)


class Stage:
    """Everything a benchmark starts; leaving it stops and removes all of it."""

    def __init__(self) -> None:
        self._servers: list[Server] = []

    async def __aenter__(self) -> Self:
        Path("build").mkdir(exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix="bench-", dir="build")).absolute()
        pin_load()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in reversed(self._servers):
            await server.stop()  # one that was killed is stopped already
        shutil.rmtree(self._folder)

    async def baseline(self, kind: str) -> Server:
        """Start an aiohttp server that only answers: `server` or `application`, see `bench.baseline`."""
        port = free_port()
        running = self._spawn(f"aiohttp {kind}", ["bench.baseline", kind, str(port)], _CORES[0])
        return await self._ready(Server(running, port))

    async def sink(self, name: str = "sink", port: int | None = None) -> Sink:
        """Start a receiver, on the load generator's core."""
        port = port or free_port()
        running = self._spawn(name, ["bench.sink", str(port)], _CORES[-1])
        return await self._ready(Sink(running, port))

    async def relay(self, *, sources: int = 1, webhooks: Iterable[Webhook] = ()) -> Relay:
        """Start a relay that flushes to disk before it answers, with these destinations."""
        port, admin_port = free_port(), free_port()
        folder = Path(tempfile.mkdtemp(prefix="relay-", dir=self._folder))
        config = folder / "relay.toml"
        config.write_text(_config(port, admin_port, folder / "data", sources, webhooks))
        running = self._spawn("relay", ["relay", "serve", "--config", str(config)], _CORES[0])
        return await self._ready(Relay(running, port, admin_port, config))

    def again(self, relay: Relay) -> Relay:
        """Start a relay that was killed once more, without waiting until it is ready."""
        running = self._spawn("relay", ["relay", "serve", "--config", str(relay.config)], _CORES[0])
        started = Relay(running, relay.port, relay.admin_port, relay.config)
        self._servers.append(started)
        return started

    def _spawn(self, name: str, module: list[str], core: int) -> Running:
        output = self._folder / f"{len(self._servers)}-{name}.log"
        with output.open("wb") as file, _on_core(core):
            process = subprocess.Popen(
                [sys.executable, "-m", *module], cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
        return Running(name, process, output)

    async def _ready(self, server: _S) -> _S:
        self._servers.append(server)
        await server.ready()
        return server


async def fetch(port: int, path: str, token: str = "") -> tuple[int, bytes]:
    """Fetch the status and body that a local server answers to a GET."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(_url(port, path)) as reply:
        return reply.status, await reply.read()


async def fetch_json(port: int, path: str, token: str = "") -> dict[str, Any]:
    """Fetch the JSON object that a local server answers to a GET."""
    status, body = await fetch(port, path, token)
    if status != 200:
        raise BenchError(f"GET {path} was answered with {status}: {body[:200]!r}")
    content: dict[str, Any] = orjson.loads(body)
    return content


def _url(port: int, path: str) -> str:
    return f"http://127.0.0.1:{port}{path}"


def _config(port: int, admin_port: int, data: Path, sources: int, webhooks: Iterable[Webhook]) -> str:
    parts = [
        "[server]",
        f'listen = "127.0.0.1:{port}"',
        f'admin = "127.0.0.1:{admin_port}"',
        f'admin_token = "{TOKEN}"',
        f'data_dir = "{data}"',
        "[log]",
        'durability = "full"',
    ]
    for n in range(sources):
        parts += ["[[sources]]", f'name = "s{n}"', f'write_key = "{write_key(n)}"', "rate_limit = 1000000"]
    return "\n".join(parts) + "\n" + "".join(map(_destination, webhooks))


def _destination(webhook: Webhook) -> str:
    parts = ["[[destinations]]", f'name = "{webhook.name}"', 'type = "webhook"']
    parts += [f'settings = {{ url = "{_url(webhook.port, "/hook")}" }}', f"batch_size = {webhook.batch_size}"]
    return "\n".join(parts) + "\n"


@contextmanager
def _on_core(core: int) -> Iterator[None]:
    """Have what is started meanwhile born on that core, so that all its threads are there."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
