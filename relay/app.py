"""Builds the rooms, runs them and stops them: the only file that knows all.

Rooms open in the order an event walks through them, and close in reverse: the door first, then what is in
hand is finished within a limit, cursors are saved, the log is closed last.
"""

import asyncio
import gc
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import structlog

from relay import __version__
from relay.admission import normalise
from relay.admission.admit import Admission
from relay.admission.blocked import BlockedEvents
from relay.admission.bots import Bots
from relay.admission.consequences import Consequences, forwarding_of
from relay.admission.normalise import events_of
from relay.admission.plans import SourcePlans, settle_all
from relay.admission.releasing import Releasing
from relay.admission.seen import Seen
from relay.admission.transform import SourceTransformations
from relay.admission.violations_shown import ViolationsShown
from relay.alerts.alerts import Alerts
from relay.alerts.watch import Sight
from relay.alerts.watcher import Names
from relay.api.server import admin_application
from relay.browser.analytics_next import NAME as SEGMENTS
from relay.browser.settings import Facts
from relay.config import Config, load, with_generated
from relay.config_browser import facts_of, missing_scripts
from relay.config_connections import in_directory, with_connections
from relay.config_restart import restart_needed_for
from relay.console.debugger import Debugger
from relay.console.reasons import words
from relay.data_directory import DataDirectory
from relay.delivery.dead_letters import DeadLetters
from relay.delivery.delivery import Delivery
from relay.delivery.replays import Replays
from relay.destinations.bridge.folder import NAME as INTEGRATIONS
from relay.destinations.bridge.folder import current
from relay.destinations.bridge.kinds import BridgedDestination
from relay.destinations.bridge.runtime import Runtime
from relay.event import Event
from relay.gateway.gateway import Gateway
from relay.gateway.proxies import Proxies
from relay.gateway.source import Sources
from relay.history.history import History
from relay.listeners import listen_admin, listen_public
from relay.log.feed import Feed, Rulings
from relay.log.record import Record
from relay.log.retention import Retention
from relay.log.sqlite import SqliteLog
from relay.log.state import SQL, State
from relay.plans.compile import CompiledPlan
from relay.sandbox.sandbox import Sandbox

log = structlog.get_logger()

HOUSEKEEPING_SECONDS = 5.0
SWITCH_SECONDS = 0.0005  # database threads get the interpreter back this soon, not after Python's 5 ms

# What is accepted and not yet admitted, in bytes. From here on answers wait a little for admission: what it
# takes from memory costs it half of what it costs from disk, and a backlog that only grows helps nobody.
UNADMITTED_BYTES = 2_000_000
UNADMITTED_SECONDS = 1.0  # the longest wait: a client that gives up sends everything again


class App:
    """A running relay. Made by `running`."""

    def __init__(self, config: Config, environ: Mapping[str, str], stopping: asyncio.Event) -> None:
        self.config = config
        self.started_at = time.time()
        self.stopping = stopping
        self.log: SqliteLog
        self.state: State
        self.feed: Feed
        self.admission: Admission
        self.plans = SourcePlans()
        self.violations: ViolationsShown
        self.alerts: Alerts
        self.blocked_events: BlockedEvents
        self.consequences: Consequences
        self.releasing: Releasing
        self.bots = Bots()
        self.transformations = SourceTransformations()
        self.delivery: Delivery
        self.replays: Replays
        self.dead_letters: DeadLetters
        self.debugger = Debugger()
        self._facts: dict[str, Facts] = {}
        self.sources: Sources
        self.gateway: Gateway
        self.history: History
        self.admin_token = ""
        self._opened_as = config
        self.restart_needed_for: list[str] = []  # what of relay.toml was changed and is not in force
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
        self.config = self._opened_as = with_generated(self.config, directory.secret)
        self.admin_token = self.config.server.admin_token or directory.secret("admin_token")
        self.state = await State.open(directory.state)
        stack.push_async_callback(self.state.close)
        self.log = await SqliteLog.open(
            directory.log,
            durability=self.config.log.durability,
            not_before=await self.state.read(lambda c: c.execute(SQL["admission_cursor"]).fetchone()[0]),
        )
        stack.push_async_callback(self.log.close)
        self.feed = Feed(self.log, self.state, self._events_of)
        await self._open_blocked(stack, directory.blocked)
        self._admit_as(self.config)
        self.alerts = Alerts(self.state, self._sight())
        stack.push_async_callback(self.alerts.close)
        await self._alert_as(self.config)
        self.admission = Admission(
            self.log,
            self.state,
            Seen(directory.path),
            self.feed,
            self.debugger.admitted,
            transform=self._transform_all,
            foresee=self.bots.learn,
            plans=self.plans,
            violated=self.alerts.observe,
        )
        await self.admission.load()
        self.violations = ViolationsShown(self.log, self.state, lambda: self.config.violations.show_values)
        await self._open_delivery(stack)
        self._open_gateway(stack)
        await self._open_history(stack)
        self._start_tasks(stack)
        self._warn_of_missing_scripts()
        await listen_public(stack, self.config.server, self.gateway.handle)
        # last: whoever asks /readyz may send at once
        await listen_admin(stack, self.config.server, admin_application(self))

    async def _open_blocked(self, stack: AsyncExitStack, path: Path) -> None:
        self.blocked_events = await BlockedEvents.open(path)
        stack.push_async_callback(self.blocked_events.close)
        self.consequences = Consequences(
            self.log, self.state, self.feed, self.blocked_events, lambda: self.config.log.max_bytes
        )
        await self.consequences.load()
        self.releasing = Releasing(
            self.blocked_events,
            self.log,
            self.state,
            self.plans,
            lambda name: name in self.sources.by_name,
        )

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

    def _open_gateway(self, stack: AsyncExitStack) -> None:
        self.sources = Sources(self.config.sources, time.monotonic)
        self.gateway = Gateway(
            self.sources,
            Proxies(self.config.server.trusted_proxies),
            self.log,
            parser=normalise,
            is_pressed=self._is_pressed,
            relief=self.relief,
            facts_of=self._facts_of,
            judge=self.plans.judged,
            breaches=self.plans.breaches,
            browser=self.config.browser,
            segments=self._directory.path / SEGMENTS,
        )
        stack.push_async_callback(self.gateway.segment.close)

    async def _open_history(self, stack: AsyncExitStack) -> None:
        self.history = History(
            self.state,
            sources=lambda: self.sources.by_name,
            states=self.delivery.states,
            flush=self.delivery.ledger.flush,
            words=words,
        )
        await self.history.open()
        stack.push_async_callback(self.history.close)

    def _events_of(self, record: Record, rulings: Rulings) -> list[Event]:
        events = settle_all(events_of(record, self.state.log_id), rulings)
        return self.transformations.transform(self.bots.judge(events))

    def _transform_all(self, groups: list[list[Event]]) -> None:
        self.bots.judge_all(groups)
        self.transformations.transform_all(groups)

    def _admit_as(self, config: Config) -> None:
        self._facts.clear()
        self.plans.take_up(
            config.plans,
            ((source.name, source.controls) for source in config.sources),
            has_consent=any(destination.consent for destination in config.destinations),
        )
        self.bots.take_up((source.name, source.bots) for source in config.sources)
        self.transformations.take_up((source.name, source.transformations) for source in config.sources)
        self.consequences.take_up(forwarding_of(config.sources, config.plans))

    async def _alert_as(self, config: Config) -> None:
        plans = {name: compiled.plan.name for name, compiled in config.plans.items()}
        names = Names(
            tuple(destination.name for destination in config.destinations if destination.enabled),
            tuple(source.name for source in config.sources if source.enabled),
        )
        await self.alerts.apply(config.alerts, config.smtp, plans, names)

    def _sight(self) -> Sight:
        return Sight(
            consumers=lambda: self.delivery.consumers,
            head=lambda: self.feed.cursor,
            received_at=self.feed.received_at,
            words=words,
            console=lambda: f"http://{self.config.server.admin}",
        )

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

    def _warn_of_missing_scripts(self) -> None:
        for sentence in missing_scripts(self.config, self._directory.path):
            log.warning(sentence)

    def _start_tasks(self, stack: AsyncExitStack) -> None:
        self._retention = Retention(self.config.log, self.log, self.state, lambda: self._keep_from)
        loops = {
            "admission": self.admission.run(),
            "alerts": self.alerts.run(),
            "consequences": self.consequences.run(),
            "history": self.history.run(),
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
        marks = (
            self.admission.cursor,
            self.consequences.cursor,
            self.delivery.mark,
            self.replays.mark,
        )
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

    def _facts_of(self, source: str) -> Facts:
        """What browsers are told of a source; made once, until the configuration changes."""
        facts = self._facts.get(source)
        if facts is None:
            facts = self._facts[source] = facts_of(source, self.config)
        return facts

    async def reload(self) -> list[str]:
        """Take up relay.toml again. Returns what needs a restart; raises ConfigError and changes nothing."""
        if self.config.path is None:
            return []
        async with self._reloading:
            loaded = await asyncio.to_thread(load, self.config.path, self._environ)  # plans take a while
            config = with_generated(loaded, self._directory.secret)
            restart = self.restart_needed_for = restart_needed_for(self._opened_as, config)
            if "server.data_dir" in restart:  # what an API set is still where it was
                config = await asyncio.to_thread(in_directory, config, self.config.server.data_dir)
            self.config = config
            self.sources.apply(config.sources)
            self._admit_as(config)
            self._retention.config = config.log
            await self._alert_as(config)
            self.gateway.proxies = Proxies(config.server.trusted_proxies)
            self.gateway.take_up(config.browser)
            self._warn_of_missing_scripts()
            await self._bridge_as(config)
            await self.delivery.apply(config.destinations, config.settings)
            await self.replays.apply(config.destinations, config.settings)
        log.info("configuration taken up", restart_needed_for=restart)
        return restart

    def notes(self) -> list[str]:
        """What of the configuration works, and may not be what was meant; what it asks for and is not installed."""
        return [*self.config.notes, *missing_scripts(self.config, self._directory.path)]

    async def change_plans(self, work: Callable[[Config], Mapping[Path, CompiledPlan]]) -> None:
        """Let `work` write plans and what is connected to them, one such change at a time, and take it up.

        `work` runs beside the loop; it returns the plans that it compiled, by their files. The rest of relay.toml is
        not read again: it may be half edited.
        """
        async with self._reloading:
            fresh = await asyncio.to_thread(work, self.config)
            self.config = await asyncio.to_thread(with_connections, self.config, fresh)
            self._admit_as(self.config)
            await self._alert_as(self.config)

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
            "sources": self.sources.status(),
            "destinations": await self.delivery.status(),
        }


def _has_bridged(config: Config) -> bool:
    return any(isinstance(settings, BridgedDestination) for settings in config.settings.values())


@asynccontextmanager
async def running(
    config: Config, environ: Mapping[str, str], stopping: asyncio.Event | None = None
) -> AsyncIterator[App]:
    """A relay that is up; on leaving it stops in good order. `stopping` is set when a part of it has failed."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(50_000, 20, 50)  # decoded JSON has no cycles: looking for them often is wasted
    app = App(config, environ, stopping or asyncio.Event())
    async with AsyncExitStack() as stack:
        await app.open(stack)
        gc.freeze()
        yield app
