"""Alerts on destinations and sources: looked at every WATCH_SECONDS, and what is found and over written down to be sent.

What a rule has found is in the state database before it is told, and with the message that tells it: a restart repeats
nothing, and tells what was found before.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from relay.alerts import outbox, store
from relay.alerts.config import AlertConfig
from relay.alerts.findings import Facts, Finding, Outcome, Verdict, advance, settle
from relay.alerts.message import Message
from relay.alerts.outbox import SQL, Key
from relay.alerts.rules import Standing
from relay.alerts.telling import message_of
from relay.alerts.verdicts import judge, lasting
from relay.alerts.watch import Look, Sight, look
from relay.log.state import State, rows_json
from relay.times import format_iso

WATCH_SECONDS = 10.0
GONE = Verdict(is_so=False, facts=Facts(is_gone=True))

Findings = Mapping[str, Mapping[str, Finding]]  # by alert and name
_decode = msgspec.json.Decoder(Facts).decode


class Names(NamedTuple):
    """Which destinations and sources there are, and are enabled."""

    destinations: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def of(self, rule: AlertConfig) -> tuple[str, ...]:
        """Those that a rule is about."""
        is_source = rule.on.startswith("source_")
        wanted = rule.sources if is_source else rule.destinations
        known = self.sources if is_source else self.destinations
        return known if wanted is None else tuple(name for name in known if name in wanted)


class Watcher:
    """`step` looks when it is time. `clock` gives ms, `gather` ms."""

    def __init__(
        self, state: State, sight: Sight, clock: Callable[[], int], gather: Callable[[], int]
    ) -> None:
        self._state = state
        self._sight = sight
        self._clock = clock
        self._gather = gather
        self._rules: tuple[AlertConfig, ...] = ()
        self._names = Names()
        self._next_at = 0

    def apply(self, rules: Iterable[AlertConfig], names: Names) -> None:
        self._rules, self._names, self._next_at = tuple(rules), names, 0

    async def step(self, channels: Iterable[Key]) -> int | None:
        """Look, if it is time, and write down what is to be told. When the next look is, None: never."""
        rules, names, now = self._rules, self._names, self._clock()
        if not rules:
            return None
        period = int(WATCH_SECONDS * 1000)
        if now < self._next_at <= now + period:
            return self._next_at
        seen = await look(self._state, self._sight, rules, now)
        standings, findings = await self._state.read(_kept)
        outcomes = {
            rule: self._decided(rule, names, seen, standings[rule.name], findings.get(rule.name, {}))
            for rule in rules
            if rule.name in standings  # else a reload has just dropped it
        }
        await self._write(now, outcomes, standings, findings, tuple(channels))
        self._next_at = now + period
        return self._next_at

    def _decided(
        self,
        rule: AlertConfig,
        names: Names,
        seen: Look,
        standing: Standing,
        findings: Mapping[str, Finding],
    ) -> Outcome:
        watched = names.of(rule)
        found = []
        for name in dict.fromkeys((*watched, *findings)):
            before = findings.get(name, Finding(name))
            verdict = judge(rule, seen, before) if name in watched else GONE
            after = advance(before, verdict, seen.now, lasting(rule))
            if after is not None and after != Finding(name):
                found.append(after)
        return settle(standing, found, seen.now, self._gather(), int(rule.quiet * 1000))

    async def _write(
        self,
        now: int,
        outcomes: Mapping[AlertConfig, Outcome],
        standings: Mapping[str, Standing],
        findings: Findings,
        channels: tuple[Key, ...],
    ) -> None:
        rows, gone, changed, messages = [], [], [], []
        for rule, outcome in outcomes.items():
            before = findings.get(rule.name, {})
            rows += [
                _row(rule, one) for name, one in outcome.findings.items() if one.differs(before.get(name))
            ]
            gone += [(rule.name, name) for name in before if name not in outcome.findings]
            if outcome.standing != standings[rule.name]:
                changed.append((rule.name, outcome.standing))
            if outcome.told:
                messages.append(self._message(rule, outcome, now))
        if not (rows or gone or changed or messages):
            return

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(SQL["forget_alert_findings"], (rows_json(gone),))
            connection.execute(SQL["save_alert_findings"], (rows_json(rows),))
            for name, standing in changed:
                values = (standing.told, standing.due_at, standing.quiet_until, None, name)
                connection.execute(SQL["save_alert"], values)
            outbox.add(connection, messages, channels)

        # what is told must not be told again; the rest is found again
        await (self._state.write_through if messages else self._state.write)(work)

    def _message(self, rule: AlertConfig, outcome: Outcome, now: int) -> Message:
        words, console = self._sight.words, self._sight.console()
        return message_of(rule, outcome.told, now, words, console, is_summary=outcome.is_summary)


def _row(rule: AlertConfig, one: Finding) -> tuple[object, ...]:
    facts = msgspec.json.encode(one.facts).decode()
    return (
        rule.name, rule.on, one.name, one.streak, one.since, one.found_at, one.told_at, one.over_at, one.times, facts,
    )  # fmt: skip


def _kept(connection: sqlite3.Connection) -> tuple[Mapping[str, Standing], Findings]:
    standings = {name: one.standing for name, one in store.kept(connection).items()}
    return standings, kept_findings(connection)


def kept_findings(connection: sqlite3.Connection) -> Findings:
    found: dict[str, dict[str, Finding]] = {}
    for alert, *row, facts in connection.execute(SQL["alert_findings"]):
        found.setdefault(alert, {})[row[0]] = Finding(*(*row, _decode(facts)))
    return found


def open_ones(findings: Mapping[str, Finding]) -> list[dict[str, Any]]:
    """What `relay alerts` shows: what is so now, and since when."""
    return [
        {"name": one.name, "since": format_iso(one.since), "told": one.told_at is not None}
        for one in findings.values()
        if one.since is not None and one.over_at is None
    ]
