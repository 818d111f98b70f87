"""Somebody hears of it: the rules of `[[alerts]]`, held against what happens, and their messages sent.

What a rule has told, until when it is quiet and what is still to be sent stand in the state database: a restart repeats
nothing and forgets nothing, but for the violations that rates had in their windows. A rule that is new begins with what
comes next; one that is changed goes on.

Rules about violations of tracking plans decide here; those about destinations and sources are a `Watcher`'s. Channels,
quiet times and the outbox are the same for both.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog

from relay.alerts import outbox, store
from relay.alerts.channels import Channel, channels_of, new_session
from relay.alerts.config import VIOLATIONS, AlertConfig, SmtpConfig
from relay.alerts.findings import Finding
from relay.alerts.message import Message
from relay.alerts.outbox import Key, Outbox, Waiting
from relay.alerts.rates import Key as GroupKey
from relay.alerts.rates import from_json
from relay.alerts.rules import GATHER_SECONDS, Decision, Rule
from relay.alerts.store import Kept
from relay.alerts.watch import Sight
from relay.alerts.watcher import Findings, Names, Watcher, kept_findings, open_ones
from relay.log.state import State
from relay.times import format_iso

LOOK_SECONDS = 1.0  # between two looks: a busy relay looks once for many passes
LONGEST_SECONDS = 60.0  # the wall clock may be set meanwhile
RETRY_SECONDS = 5.0  # while the state database cannot be used

log = structlog.get_logger()


class Alerts:
    """`observe` is told of violations, `sight` shows the rest, `run` tells people. `clock` gives seconds since 1970."""

    def __init__(
        self,
        state: State,
        sight: Sight,
        clock: Callable[[], float] = time.time,
        gather_seconds: float | None = None,
    ) -> None:
        self._state = state
        self._seconds = clock
        self._gather_seconds = GATHER_SECONDS if gather_seconds is None else gather_seconds
        self._configs: dict[str, AlertConfig] = {}
        self._rules: dict[str, Rule] = {}  # about violations
        self._watcher = Watcher(state, sight, self._now, lambda: int(self._gather_seconds * 1000))
        self._channels: dict[Key, Channel] = {}
        self._plans: Mapping[str, str] = {}
        self._woken = asyncio.Event()
        self._session = new_session()
        self.outbox = Outbox(state, self._now, self._woken.set)

    def _now(self) -> int:
        return int(self._seconds() * 1000)

    async def apply(
        self,
        configs: Iterable[AlertConfig],
        smtp: SmtpConfig | None,
        plans: Mapping[str, str],
        names: Names,
    ) -> None:
        """From now on these rules. `plans`: the name of each source's plan."""
        configs = tuple(configs)
        channels = {
            (config.name, name): channel
            for config in configs
            for name, channel in channels_of(config, smtp, self._session).items()
        }
        kept = await self._state.write(lambda connection: store.enrol(connection, configs, channels))
        self._configs = {config.name: config for config in configs}
        self._rules = {
            config.name: self._rule(config, kept[config.name])
            for config in configs
            if config.on in VIOLATIONS
        }
        self._watcher.apply((config for config in configs if config.on not in VIOLATIONS), names)
        self._channels = channels
        self._plans = dict(plans)
        self._woken.set()

    def _rule(self, config: AlertConfig, kept: Kept) -> Rule:
        """The rule that is there already, if it counts the same."""
        before = self._rules.get(config.name)
        if before is not None and _counted(before.config) == _counted(config):
            before.config = config
            return before
        return Rule(config, from_json(kept.pending))

    def observe(self, counts: Mapping[GroupKey, int]) -> None:
        """Violations that admission has just written down, by group."""
        if not self._rules or not counts:
            return
        now = self._now()
        for rule in self._rules.values():
            rule.observe(now, counts.items())
        self._woken.set()

    async def run(self) -> None:
        """Tell what there is to tell, for ever."""
        while True:
            self._woken.clear()
            try:
                seconds = await self.step()
            except sqlite3.Error as error:
                log.error("alerts wait: the state database cannot be used", error=str(error))
                seconds = RETRY_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
            try:
                async with asyncio.timeout(seconds - LOOK_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def step(self) -> float:
        """Decide what is to be told, and begin to send what is due. Seconds until there is more to do."""
        times = [
            await self._decide(),
            await self._watcher.step(self._channels),
            await self.outbox.dispatch(self._channels),
        ]
        waits = [(at - self._now()) / 1000 for at in times if at is not None]
        return max(0.0, min([*waits, LONGEST_SECONDS]))

    async def _decide(self) -> int | None:
        """Write down what is to be told now. When something else is due, None: nothing was found."""
        rules, channels, plans = list(self._rules.values()), list(self._channels), self._plans
        kept, found = await self._state.read(lambda connection: store.look(connection, rules))
        now = self._now()
        decisions = []
        for rule in rules:
            name = rule.config.name
            if name in kept:  # else a reload has just dropped it
                new = found.get(name)
                decisions.append(rule.decide(now, kept[name].standing, new, self._gather_seconds))
        changed = [one for one in decisions if _is_news(one, kept[one.rule.config.name])]
        if changed:
            await self._write(now, changed, channels, plans)
        return min((at for one in decisions if (at := one.standing.due_at) is not None), default=None)

    async def _write(
        self, now: int, decisions: list[Decision], channels: list[Key], plans: Mapping[str, str]
    ) -> None:
        # what is told must not be told again; the rest is found again
        write = self._state.write_through if any(one.is_told for one in decisions) else self._state.write
        try:
            await write(lambda connection: store.write(connection, now, decisions, channels, plans))
        except sqlite3.Error:
            for one in decisions:
                one.rule.give_back(one.tally)
            raise

    async def test(self, name: str) -> Mapping[str, str | None]:
        """Send a message by every channel of a rule: why it did not go, None where it did. KeyError: no such rule."""
        config, now = self._configs[name], self._now()
        message = Message(name, config.on, now, now, is_test=True)
        channels = {channel: one for (alert, channel), one in self._channels.items() if alert == name}
        key = f"{self._state.log_id}-test-{now}"
        problems = await asyncio.gather(*(outbox.attempt(one, message, key) for one in channels.values()))
        return dict(zip(channels, problems, strict=True))

    async def status(self) -> list[dict[str, Any]]:
        """What `relay alerts` prints."""

        def work(connection: sqlite3.Connection) -> tuple[Mapping[str, Kept], Findings, list[Waiting]]:
            return store.kept(connection), kept_findings(connection), outbox.waiting(connection)

        kept, findings, waiting = await self._state.read(work)
        by_key = {(one.alert, one.channel): one for one in waiting}
        return [
            {
                **_shown(config, kept[name], findings.get(name, {}), self._now()),
                "channels": [
                    {"channel": channel, **_state_of(by_key.get((name, channel)))}
                    for channel in config.channels
                ],
            }
            for name, config in self._configs.items()
            if name in kept
        ]

    async def close(self) -> None:
        """Let what is on its way arrive. What was counted in a quiet time was written down when it was looked at."""
        await self.outbox.close()
        await self._session.close()


def _counted(config: AlertConfig) -> tuple[object, ...]:
    """What decides on the numbers of a rate."""
    return config.on, config.sources, config.events, config.over, config.within


def _is_news(one: Decision, kept: Kept) -> bool:
    return one.is_told or one.standing != kept.standing or one.pending != kept.pending


def _shown(config: AlertConfig, kept: Kept, findings: Mapping[str, Finding], now: int) -> dict[str, Any]:
    standing = kept.standing
    return {
        "alert": config.name,
        "on": config.on,
        "sources": config.sources,
        "events": config.events,
        "destinations": config.destinations,
        "open": open_ones(findings),
        "lastSentAt": _moment(kept.sent_at),
        "quietUntil": _moment(standing.quiet_until if standing.quiet_until > now else None),
        "dueAt": _moment(standing.due_at),
    }


def _state_of(one: Waiting | None) -> dict[str, Any]:
    """How a channel is doing: what waits for it, and why the last try failed."""
    if one is None:
        return {"waiting": 0, "problem": None, "attempts": 0, "nextTryAt": None}
    return {
        "waiting": one.waiting,
        "problem": one.problem,
        "attempts": one.attempts,
        "nextTryAt": _moment(one.next_at),
    }


def _moment(ms: int | None) -> str | None:
    return None if ms is None else format_iso(ms)
