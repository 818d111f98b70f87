"""Builds the rooms, runs them and stops them: the only file that knows all.

Rooms open in the order an event walks through them, and close in reverse: the door first, then what is in
hand is finished within a limit, cursors are saved, the log is closed last.
"""

import asyncio
import gc
import resource
import signal
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web

from relay import __version__
from relay.admission import normalise
from relay.admission.admit import Admission
from relay.admission.normalise import events_of
from relay.admission.plans import SourcePlans, settle_all
from relay.admission.seen import Seen
from relay.admission.transform import SourceTransformations
from relay.api.server import admin_application
from relay.config import Config, load, with_generated
from relay.config_checks import parse_address
from relay.console.debugger import Debugger
from relay.data_directory import DataDirectory
from relay.delivery.dead_letters import DeadLetters
from relay.delivery.delivery import Delivery
from relay.delivery.replays import Replays
from relay.destinations.bridge.folder import NAME as INTEGRATIONS
from relay.destinations.bridge.folder import current
from relay.destinations.bridge.kinds import BridgedDestination
from relay.destinations.bridge.runtime import Runtime
from relay.errors import ConfigError, DataDirectoryError, RelayError
from relay.event import Event
from relay.gateway.gateway import Gateway
from relay.gateway.proxies import Proxies
from relay.gateway.source import Sources
from relay.log.feed import Feed, Rulings
from relay.log.record import Record
from relay.log.retention import Retention
from relay.log.sqlite import SqliteLog
from relay.log.state import SQL, State
from relay.sandbox.sandbox import Sandbox

log = structlog.get_logger()

SHUTDOWN_SECONDS = 10.0  # for answers that are being given
KEEP_ALIVE_SECONDS = 75.0  # a connection without requests; longer than the proxies' usual 60 s
BACKLOG = 2048  # connections that wait to be accepted
HOUSEKEEPING_SECONDS = 5.0
SWITCH_SECONDS = 0.0005  # database threads get the interpreter back this soon, not after Python's 5 ms

# What is accepted and not yet admitted, in bytes. From here on answers wait a little for admission: what it
# takes from memory costs it half of what it costs from disk, and a backlog that only grows helps nobody.
UNADMITTED_BYTES = 2_000_000
UNADMITTED_SECONDS = 1.0  # the longest wait: a client that gives up sends everything again


class App:
    """A running relay. Made by `running`."""

    def __init__(self, config: Config, environ: Mapping[str, str]) -> None:
        self.config = config
        self.started_at = time.time()
        self.stopping = asyncio.Event()
        self.log: SqliteLog
        self.state: State
        self.feed: Feed
        self.admission: Admission
        self.plans = SourcePlans()
        self.transformations = SourceTransformations()
        self.delivery: Delivery
        self.replays: Replays
        self.dead_letters: DeadLetters
        self.debugger = Debugger()
        self.sources: Sources
        self.gateway: Gateway
        self.admin_token = ""
        self.has_failed = False
        self.has_own_sources = True  # False: the one source and its key were made by relay
        self._environ = environ
        self._directory: DataDirectory
        self._retention: Retention
        self._reloading = asyncio.Lock()

    async def open(self, stack: AsyncExitStack) -> None:
        """Open every room; `stack` closes them."""
        directory = self._directory = stack.enter_context(DataDirectory(Path(self.config.server.data_dir)))
        self.has_own_sources = bool(self.config.sources)
        self.config = with_generated(self.config, directory.secret)
        self.admin_token = self.config.server.admin_token or directory.secret("admin_token")
        self.state = await State.open(directory.state)
        stack.push_async_callback(self.state.close)
        self.log = await SqliteLog.open(
            directory.log,
            durability=self.config.log.durability,
            not_before=await self.state.read(lambda c: c.execute(SQL["admission_cursor"]).fetchone()[0]),
        )
        stack.push_async_callback(self.log.close)
        self._admit_as(self.config)
        self.feed = Feed(self.log, self.state, self._events_of)
        self.admission = Admission(
            self.log,
            self.state,
            Seen(directory.path),
            self.feed,
            self.debugger.admitted,
            transform=self.transformations.transform_all,
            plans=self.plans,
        )
        await self.admission.load()
        await self._open_delivery(stack)
        self.sources = Sources(self.config.sources, time.monotonic)
        self.gateway = Gateway(
            self.sources,
            Proxies(self.config.server.trusted_proxies),
            self.log,
            parser=normalise,
            is_pressed=self._is_pressed,
            relief=self.relief,
            cloud_of=self._cloud_of,
            judge=self.plans.judged,
        )
        self._start_tasks(stack)
        await self._listen_public(stack)
        await self._listen_admin(stack)  # last: whoever asks /readyz may send at once

    async def _open_delivery(self, stack: AsyncExitStack) -> None:
        self._sandbox = await stack.enter_async_context(Sandbox())
        key = self.config.server.encryption_key
        self.delivery = Delivery(self.feed, self.state, self.debugger, key)
        stack.push_async_callback(self.delivery.close)
        await self.delivery.accounts.store.seal_all()
        await self._bridge_as(self.config)
        self.replays = Replays(self.feed, self.state, self.delivery, self.debugger)
        stack.push_async_callback(self.replays.close)
        # before anything that it changes is closed, a reload on its way is finished; none begins after
        stack.push_async_callback(self._reloading.acquire)
        self.dead_letters = DeadLetters(self.state, self.feed, self.delivery, self.replays)
        await self.delivery.apply(self.config.destinations, self.config.settings)
        await self.replays.apply(self.config.destinations, self.config.settings)

    def _events_of(self, record: Record, rulings: Rulings) -> list[Event]:
        return self.transformations.transform(settle_all(events_of(record, self.state.log_id), rulings))

    def _admit_as(self, config: Config) -> None:
        self.plans.take_up(config.plans, ((source.name, source.controls) for source in config.sources))
        self.transformations.take_up((source.name, source.transformations) for source in config.sources)

    async def _bridge_as(self, config: Config) -> None:
        """Let bridged destinations run in the installed version, with what they are given besides their settings."""
        found = current(self._directory.path / INTEGRATIONS) if _has_bridged(config) else None
        bridge = self.delivery.bridge
        if bridge is not None and (found is None or bridge.folder != found.folder):
            self.delivery.bridge = None
            await bridge.close()
        if found is None:
            return
        if self.delivery.bridge is None:
            self.delivery.bridge = Runtime(self._sandbox, found.folder)
        self.delivery.bridge.give(config.integrations.secrets, config.integrations.features)

    def _start_tasks(self, stack: AsyncExitStack) -> None:
        self._retention = Retention(self.config.log, self.log, self.state, lambda: self._keep_from)
        loops = {
            "admission": self.admission.run(),
            "ledger": self.delivery.ledger.run(),
            "retention": self._retention.run(HOUSEKEEPING_SECONDS),
        }
        tasks = [asyncio.create_task(loop, name=name) for name, loop in loops.items()]
        for task in tasks:
            task.add_done_callback(self._ended)

        async def cancel() -> None:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        # admission is stopped before delivery is: what it admits then would only be taken and given up
        stack.push_async_callback(cancel)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is not None:
            log.error("a part of relay failed, stopping", part=task.get_name(), exc_info=task.exception())
            self.has_failed = True
            self.stopping.set()

    @property
    def _keep_from(self) -> int:
        """The first sequence that somebody still needs."""
        marks = (self.admission.cursor, self.delivery.mark, self.replays.mark)
        return 1 + min(mark for mark in marks if mark is not None)

    def _is_pressed(self) -> bool:
        return self.log.appended_bytes - self.admission.admitted_bytes > UNADMITTED_BYTES

    async def relief(self) -> None:
        """Hold an answer back while admission is behind."""
        try:
            async with asyncio.timeout(UNADMITTED_SECONDS):
                while self._is_pressed():
                    await self.feed.wait(self.feed.cursor)
        except TimeoutError:
            pass

    def _cloud_of(self, source: str) -> list[str]:
        titles = {
            type(self.config.settings[d.name]).title
            for d in self.config.destinations
            if d.enabled and (d.sources is None or source in d.sources)
        }
        return sorted(titles)

    async def _listen_public(self, stack: AsyncExitStack) -> None:
        server = web.Server(
            self.gateway.handle, access_log=None, logger=_QUIET, keepalive_timeout=KEEP_ALIVE_SECONDS
        )
        host, port = parse_address(self.config.server.listen)
        listener = await asyncio.get_running_loop().create_server(
            server, host, port, ssl=self._tls(), backlog=BACKLOG
        )

        async def close() -> None:
            listener.close()
            server.pre_shutdown()
            await server.shutdown(SHUTDOWN_SECONDS)

        stack.push_async_callback(close)

    def _tls(self) -> ssl.SSLContext | None:
        server = self.config.server
        if server.tls_cert is None or server.tls_key is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(server.tls_cert, server.tls_key)
        return context

    async def _listen_admin(self, stack: AsyncExitStack) -> None:
        runner = web.AppRunner(admin_application(self), access_log=None, logger=_QUIET, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, *parse_address(self.config.server.admin)).start()

    async def reload(self) -> list[str]:
        """Take up relay.toml again. Returns what needs a restart; raises ConfigError and changes nothing."""
        if self.config.path is None:
            return []
        async with self._reloading:
            loaded = await asyncio.to_thread(load, self.config.path, self._environ)  # plans take a while
            config = with_generated(loaded, self._directory.secret)
            restart = self._fixed_changes(config)
            self.config = config
            self.sources.apply(config.sources)
            self._admit_as(config)
            self._retention.config = config.log
            self.gateway.proxies = Proxies(config.server.trusted_proxies)
            await self._bridge_as(config)
            await self.delivery.apply(config.destinations, config.settings)
            await self.replays.apply(config.destinations, config.settings)
        log.info("configuration taken up", restart_needed_for=restart)
        return restart

    def _fixed_changes(self, config: Config) -> list[str]:
        """What has changed and cannot while relay runs."""
        before, after = self.config.server, config.server
        keys = ("listen", "admin", "data_dir", "tls_cert", "tls_key", "admin_token", "encryption_key")
        changed = [f"server.{key}" for key in keys if getattr(before, key) != getattr(after, key)]
        return changed + (["log.durability"] if config.log.durability != self.config.log.durability else [])

    async def status(self) -> dict[str, Any]:
        """What `relay status` prints."""
        return {
            "version": __version__,
            "uptimeSeconds": round(time.time() - self.started_at, 1),
            "log": {
                "head": self.log.head,
                "first": self.log.first,
                "bytes": self.log.size,
                "problem": self.log.problem,
            },
            "admission": {
                "sequence": self.admission.cursor,
                "lag": self.log.head - self.admission.cursor,
            },
            "sources": [
                {
                    "name": source.name,
                    "enabled": source.is_enabled,
                    "events": source.events,
                    "answers": {str(status): n for status, n in sorted(source.statuses.items())},
                    "rejected": dict(source.rejected),
                }
                for source in self.sources.by_name.values()
            ],
            "destinations": await self.delivery.status(),
        }


def _has_bridged(config: Config) -> bool:
    return any(isinstance(settings, BridgedDestination) for settings in config.settings.values())


class _Quiet:
    """aiohttp's own log of broken requests: they are the sender's affair, and may hold an event's values."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


_QUIET: Any = _Quiet()


@asynccontextmanager
async def running(config: Config, environ: Mapping[str, str]) -> AsyncIterator[App]:
    """A relay that is up; on leaving it stops in good order."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(50_000, 20, 50)  # decoded JSON has no cycles: looking for them often is wasted
    app = App(config, environ)
    async with AsyncExitStack() as stack:
        await app.open(stack)
        gc.freeze()
        yield app


async def serve(config: Config, environ: Mapping[str, str], ready: Callable[[App], None]) -> None:
    """Run until SIGTERM or SIGINT; SIGHUP takes up the configuration again. `ready(app)` is called once up.

    Raises RelayError when it cannot start, or when a part of it failed by a fault of its own.
    """
    _raise_file_limit()
    loop = asyncio.get_running_loop()
    reloads: set[asyncio.Task[None]] = set()
    async with AsyncExitStack() as stack:
        try:
            app = await stack.enter_async_context(running(config, environ))
        except OSError as error:
            raise DataDirectoryError(f"cannot start: {error.strerror or error}") from error
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, app.stopping.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: reloads.add(loop.create_task(_reload(app))))
        ready(app)
        await app.stopping.wait()
        log.info("stopping")
    log.info("stopped")
    if app.has_failed:
        raise RelayError("a part of relay failed: see the log above")


def _raise_file_limit() -> None:
    """As many files as the system allows: every browser that is connected takes one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _reload(app: App) -> None:
    try:
        await app.reload()
    except ConfigError as error:
        for problem in error.problems:
            log.error("configuration refused, the old one stays in force", problem=problem)
