"""Alerts in the state database: how far each rule has come, what there is to tell, and the messages that say it."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson

from relay.alerts import outbox
from relay.alerts.config import AlertConfig
from relay.alerts.message import LISTED, Group, Message
from relay.alerts.outbox import SQL, Key
from relay.alerts.rates import Tally
from relay.alerts.rules import Decision, New, Rule, Standing
from relay.log.state import rows_json


class Kept(NamedTuple):
    """A row of `alerts`."""

    standing: Standing
    sent_at: int | None
    pending: str | None


def enrol(
    connection: sqlite3.Connection, configs: Iterable[AlertConfig], channels: Iterable[Key]
) -> Mapping[str, Kept]:
    """From now on these rules and channels. What others had to say is not said any more."""
    known = rows_json((config.name, config.on) for config in configs)
    connection.execute(SQL["drop_alerts"], (known,))
    connection.execute(SQL["drop_alert_findings"], (known,))
    connection.execute(SQL["add_alerts"], (known,))
    connection.execute(SQL["drop_alert_messages"], (rows_json(channels),))
    return kept(connection)


def kept(connection: sqlite3.Connection) -> Mapping[str, Kept]:
    """All there are, by name."""
    return {
        name: Kept(Standing(told, due_at, quiet_until), sent_at, pending)
        for name, told, due_at, quiet_until, sent_at, pending in connection.execute(SQL["alerts"])
    }


def look(
    connection: sqlite3.Connection, rules: Iterable[Rule]
) -> tuple[Mapping[str, Kept], Mapping[str, New]]:
    """How far the rules have come, and what is new for those that are about it."""
    standings = kept(connection)
    (newest,) = connection.execute(SQL["newest_violation"]).fetchone()
    found = {}
    for rule in rules:
        name = rule.config.name
        if rule.config.on == "new_violation" and name in standings:
            told = standings[name].standing.told
            found[name] = New(newest) if told >= newest else _new(connection, newest, told, rule.config)
    return standings, found


def _new(connection: sqlite3.Connection, newest: int, told: int, config: AlertConfig) -> New:
    row = connection.execute(SQL["new_violations"], (told, *_wanted(config))).fetchone()
    count, total, since, sources = row
    return New(newest, count, total, since, tuple(sorted(orjson.loads(sources))))


def _wanted(config: AlertConfig) -> tuple[str | None, ...]:
    return tuple(None if names is None else rows_json(names) for names in (config.sources, config.events))


def write(
    connection: sqlite3.Connection,
    now: int,
    decisions: Iterable[Decision],
    channels: Iterable[Key],
    plans: Mapping[str, str],
) -> None:
    """Write decisions down, with the messages that they make. Inside one transaction: nothing is told twice."""
    decisions = list(decisions)
    for one in decisions:
        after = one.standing
        row = (after.told, after.due_at, after.quiet_until, one.pending, one.rule.config.name)
        connection.execute(SQL["save_alert"], row)
    messages = [_message(connection, now, one, plans) for one in decisions if one.is_told]
    if messages:
        outbox.add(connection, messages, channels)


def _message(connection: sqlite3.Connection, now: int, one: Decision, plans: Mapping[str, str]) -> Message:
    config = one.rule.config
    if one.tally is not None:
        sources = tuple(sorted({source for source, *_ in one.tally.by_group}))
        groups = _counted(connection, one.tally)
        more, since, total = len(one.tally.by_group) - len(groups), one.tally.since, one.tally.total
    else:
        assert one.new is not None
        values = (one.before.told, *_wanted(config), LISTED)
        groups = [Group(*row) for row in connection.execute(SQL["list_new_violations"], values)]
        sources, more = one.new.sources, one.new.count - len(groups)
        since, total = one.new.since, one.new.total
    return Message(
        config.name,
        config.on,
        now,
        since,
        sources,
        {source: plans[source] for source in sources if source in plans},
        tuple(groups),
        more,
        total,
        config.over,
        None if config.within is None else float(config.within),  # of a Duration msgspec makes no JSON
        one.is_summary,
    )


def _counted(connection: sqlite3.Connection, tally: Tally) -> list[Group]:
    """The largest groups of a tally, with what the plan says of each."""
    groups = []
    for key, count in tally.most(LISTED):
        row = connection.execute(SQL["description_of_violation"], key).fetchone()
        groups.append(Group(*key, row[0] if row else "", count))
    return groups
