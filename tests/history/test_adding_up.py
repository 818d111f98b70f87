"""Totals against a model that remembers every event: whatever happens, fates add up to what came in."""

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import orjson
import pytest

from relay.admission.counts import count_events
from relay.console.debugger import Debugger
from relay.database import connect_writer, migrate, transaction
from relay.delivery.batch import Batch, Waiting
from relay.delivery.config import DestinationConfig
from relay.delivery.consumer import Consumer
from relay.delivery.delivery import _enrol
from relay.delivery.fates import Fates
from relay.delivery.ledger import Ledger
from relay.delivery.window import Window
from relay.destinations.reply import Reply
from relay.event import Event
from relay.history.funnel import DestinationFunnel, SourceFunnel, Stage, make_funnel
from relay.history.totals import Standing, read_standing
from relay.log.state import MIGRATIONS, SQL, rows_json
from relay.outcome import Outcome

T = TypeVar("T")
SOURCES = ("web", "app")
CONFIGS = {
    "all": DestinationConfig(name="all", type="webhook"),
    "some": DestinationConfig(name="some", type="webhook", sources=("web",)),
}
VERDICTS = (
    None,
    None,
    (Outcome.DUPLICATE, "duplicate_message_id"),
    (Outcome.REJECTED, "bad_request"),
    (Outcome.BLOCKED, "unplanned"),
)
REFUSED = (Reply(400, "no"), Reply(400, "", error="bad_request"), Reply(410, "gone"))
ENDS = ("delivered", "filtered", "bury", "expire", "park")
LETTERS = "SELECT id, sequence, place, outcome, reason FROM dead_letters WHERE destination = ?"
NOW = 1_700_000_000.0


class Kept:
    """A state database, at once."""

    def __init__(self) -> None:
        self.connection = connect_writer(Path(":memory:"), "OFF")
        migrate(self.connection, MIGRATIONS, Path(":memory:"))

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with transaction(self.connection):
            return work(self.connection)


class Sending:
    """One destination as a process has it."""

    def __init__(self, config: DestinationConfig, state: Kept, ledger: Ledger) -> None:
        with transaction(state.connection):
            row = _enrol(state.connection, config)
        self.config = config
        self.window = Window(
            row["cursor"], row["taken"], _ranges(row), row["tally"], now=lambda: NOW, settled=row["settled"]
        )
        self.fates = Fates(config, self.window, ledger, Debugger(), now=lambda: NOW)
        self.fates.counts.update({o: row[o] for o in Outcome})
        self.open: list[Event] = []
        stub: Any = SimpleNamespace(window=self.window, fates=self.fates, name=config.name)
        ledger.follow(config.name, lambda: Consumer.snapshot(stub), self.window.tally)

    def take(self, records: dict[int, list[Event]], most: int) -> None:
        for sequence in sorted(n for n in records if n > self.window.taken)[:most]:
            some = records[sequence]
            if some and self.wants(some[0].source) and not self.window.is_finished(sequence):
                self.window.take(sequence, len(some), some[0].received_at)
                for event in Consumer._unsettled(self, some):  # type: ignore[arg-type]
                    if event.outcome is not None:
                        self.fates.judged(event, event.outcome)
                    else:
                        self.open.append(event)
            self.window.skip_to(sequence)

    def wants(self, source: str) -> bool:
        return self.config.sources is None or source in self.config.sources

    def settle(self, batch: Batch, how: str, reply: Reply) -> None:
        if how == "delivered":
            self.fates.delivered(batch)
        elif how == "filtered":
            self.fates.unwanted(batch, "FILTERED_BY_RULES")
        elif how == "bury":
            self.fates.bury(batch, reply)
        elif how == "expire":
            self.fates.bury(batch, reply, Outcome.EXPIRED)
        else:
            self.fates.park(batch, reply, 0)


class Running:
    """Events come in and go out; the process ends now and then; somebody looks at any moment."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.state = Kept()
        self.records: dict[int, list[Event]] = {}
        self.joined = dict.fromkeys(CONFIGS, 0)  # the sequence after which a destination takes part
        self.came_before = dict.fromkeys(CONFIGS, 0)  # events of earlier times that it took part
        self.start()
        self.base = self.look()
        self.base_records: set[int] = set()

    def start(self) -> None:
        self.ledger = Ledger(self.state)  # type: ignore[arg-type]
        self.sending = {name: Sending(config, self.state, self.ledger) for name, config in CONFIGS.items()}

    def look(self) -> Standing:
        return read_standing(self.state.connection, (), SOURCES, dict.fromkeys(self.sending, "running"))

    def flush(self) -> None:
        asyncio.run(self.ledger.flush())

    def admit(self) -> None:
        """A pass; sometimes its commit is said to have failed, and it comes again."""
        chance, again = self.chance, self.chance.random() < 0.2
        some = [
            (chance.choice(SOURCES), [chance.choice(VERDICTS) for _ in range(chance.randint(0, 3))])
            for _ in range(chance.randint(0, 4))
        ]
        head = max(self.records, default=0)
        groups = []
        for number, (source, verdicts) in enumerate(some, head + 1):
            events = [Event(number, index, source, "", b"{}") for index in range(len(verdicts))]
            for event, verdict in zip(events, verdicts, strict=True):
                event.outcome, event.reason = verdict or (None, None)
                event.received_at = int(NOW * 1000) - 5
            groups.append(events)
        exceptions = [e for events in groups for e in events if e.outcome is not None]
        for _ in range(2 if again else 1):
            with transaction(self.state.connection):
                count_events(self.state.connection, groups, exceptions)
                self.state.connection.execute(SQL["set_admission_cursor"], (head + len(groups),))
        self.records |= dict(enumerate(groups, head + 1))

    def take(self) -> None:
        for name in self.some_sending():
            self.sending[name].take(self.records, self.chance.randint(1, 5))

    def settle(self) -> None:
        for name in self.some_sending():
            sending, how = self.sending[name], self.chance.choice(("delivered", *ENDS))
            some = self.chance.sample(sending.open, self.chance.randint(0, len(sending.open)))
            sending.open = [event for event in sending.open if event not in some]
            if some:
                sending.settle(Batch(some), how, self.chance.choice(REFUSED))

    def retry(self) -> None:
        self.flush()
        for name in self.some_sending():
            found = self.state.connection.execute(SQL["due"], (name, 2**60, 100)).fetchall()
            if not found:
                continue
            (sequence, place, *row), how = self.chance.choice(found), self.chance.choice((*ENDS, "lost"))
            if how == "lost":
                self.sending[name].fates.lost(sequence, place, Waiting(*row))
                continue
            batch = Batch([self.records[sequence][place]], parked={(sequence, place): Waiting(*row)})
            self.sending[name].settle(batch, how, self.chance.choice(REFUSED))

    def redrive(self) -> None:
        self.flush()
        for name in self.some_sending():
            letters = self.state.connection.execute(LETTERS, (name,)).fetchall()
            if letters:
                number, sequence, place, outcome, reason = self.chance.choice(letters)
                self.ledger.park(name, sequence, place, 0, 0, 0, 0, "redriven", None, "")
                self.ledger.redrive(number)
                self.sending[name].fates.redriven(sequence, place, Outcome(outcome), reason)

    def some_sending(self) -> list[str]:
        return [name for name in self.sending if self.chance.random() < 0.7]

    def save(self) -> None:
        self.flush()

    def crash(self) -> None:
        """What was not saved is done again."""
        away = CONFIGS.keys() - self.sending.keys()
        self.start()
        for name in away:
            self.leave(name)

    def go(self) -> None:
        """What is on its way arrives first."""
        if len(self.sending) == len(CONFIGS):
            name = self.chance.choice(sorted(CONFIGS))
            if some := self.sending[name].open:
                self.sending[name].settle(Batch(some), "delivered", REFUSED[0])
                self.sending[name].open = []
            if self.sending[name].window.open_records == 0 and not self.sending[name].window.settled:
                self.leave(name)

    def leave(self, name: str) -> None:
        self.flush()
        self.ledger.unfollow(name)
        del self.sending[name]
        with transaction(self.state.connection):
            self.state.connection.execute(SQL["mark_absent"], (rows_json(list(self.sending)),))

    def come_back(self) -> None:
        """At the head: what it had in hand when it left was given up, and what came meanwhile is not its own."""
        self.flush()
        for name in CONFIGS.keys() - self.sending.keys():
            self.sending[name] = Sending(CONFIGS[name], self.state, self.ledger)
        self.remember()

    def remember(self) -> None:
        """A minute is over."""
        self.flush()
        self.base, self.base_records = self.look(), set(self.records)

    def destination_funnels(self) -> dict[str, DestinationFunnel]:
        base = {(kind, name): totals for kind, name, totals in self.base.all()}
        funnel = make_funnel(0, 1, base, self.look())
        assert [source.name for source in funnel.sources] == list(SOURCES)
        for source in funnel.sources:
            self.check_source(source)
        return {one.name: one for one in funnel.destinations}

    def check_source(self, funnel: SourceFunnel) -> None:
        came = [
            event
            for sequence, events in self.records.items()
            for event in events
            if sequence not in self.base_records and event.source == funnel.name
        ]
        outcomes = Counter(event.outcome for event in came)
        assert funnel.received == len(came)
        assert funnel.admitted == outcomes[None]
        assert stage(funnel.failed_on_ingest) == outcomes[Outcome.REJECTED]
        assert stage(funnel.filtered_at_source) == outcomes[Outcome.DUPLICATE] + outcomes[Outcome.BLOCKED]

    def what_came_is_what_became_of_it(self) -> None:
        for name, one in self.destination_funnels().items():
            stages = (
                one.failed_on_ingest,
                one.filtered_at_source,
                one.filtered_at_destination,
                one.failed_delivery,
            )
            before = one.carried + one.redriven + one.received
            assert before == sum(map(stage, stages)) + one.delivered + one.pending_retry + one.in_hand, name

    def what_is_saved_adds_up(self) -> None:
        """Fates, their reasons, what is parked and what is in hand, against the records themselves."""
        for name in self.sending:
            (row,) = self.state.connection.execute(
                "SELECT cursor, taken, open_ranges, delivered, filtered, duplicate, blocked, rejected, expired, due, delays "
                "FROM consumers WHERE name = ?",
                (name,),
            ).fetchall()
            fates = dict(zip(Outcome, row[3:9], strict=True))
            reasons: Counter[str] = Counter()
            for outcome, _, _, count, samples in self.state.connection.execute(SQL["fate_reasons"], (name,)):
                assert count >= 0
                assert len(orjson.loads(samples)) <= 10
                reasons[outcome] += count
            assert +reasons == +Counter({o: n for o, n in fates.items() if o is not Outcome.DELIVERED})
            assert sum(orjson.loads(row[10])) == fates[Outcome.DELIVERED]
            (parked,) = self.state.connection.execute(SQL["count_parked"], (name,)).fetchone()
            saved = Window(row[0], row[1], orjson.loads(row[2]))
            left = sum(
                len(events)
                for sequence, events in self.records.items()
                if sequence > row[0] and events and self.sending[name].wants(events[0].source)
                if not saved.is_finished(sequence)
            )
            # what is parked of a record that is not finished waits there, and is not in hand
            rows = self.state.connection.execute(SQL["settled_after"], (name, row[0])).fetchall()
            early = sum(
                not saved.is_finished(sequence) for sequence, _, outcome, _ in rows if outcome is None
            )
            assert row[9] - sum(fates.values()) - parked == left - early, name


def stage(one: Stage) -> int:
    """How many ended there."""
    assert one.events == sum(reason.events for reason in one.reasons)
    assert all(len(reason.samples) <= min(10, reason.events) and reason.words for reason in one.reasons)
    return one.events


def _ranges(row: dict[str, Any]) -> list[list[int]]:
    ranges: list[list[int]] = orjson.loads(row["open_ranges"])
    return ranges


STEPS: tuple[tuple[Callable[[Running], None], int], ...] = (
    (Running.admit, 6),
    (Running.take, 6),
    (Running.settle, 8),
    (Running.retry, 4),
    (Running.redrive, 3),
    (Running.save, 3),
    (Running.crash, 2),
    (Running.go, 1),
    (Running.come_back, 1),
    (Running.remember, 1),
)


@pytest.mark.parametrize("seed", range(25))
def test_whatever_happens_it_adds_up(seed: int) -> None:
    chance = random.Random(seed)
    running = Running(chance)
    steps, weights = zip(*STEPS, strict=True)
    try:
        for step in chance.choices(steps, weights, k=150):
            step(running)
            running.what_came_is_what_became_of_it()
            running.what_is_saved_adds_up()
        running.come_back()
        running.flush()
        running.what_is_saved_adds_up()
        hook = running.destination_funnels()["all"]
    finally:
        running.state.connection.close()
    assert hook.state == "running"
