"""The log on disk against a model: random actions, failing commits, kill -9 at any statement."""

import asyncio
import shutil
import tempfile
import threading
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from relay.errors import LogUnavailable
from relay.log import sqlite
from relay.log.record import Record
from relay.log.sqlite import RETRY_SECONDS, SqliteLog
from tests.faults.disk import FULL, IO_ERROR, Disk, Moment
from tests.faults.model import Model, number_of
from tests.log.records import NOON

T = TypeVar("T")

SIZES = st.sampled_from([0, 30, 30, 30, 5000, 20_000])
WORDS = st.sets(
    st.sampled_from(["INSERT", "BEGIN", "COMMIT", "SELECT", "PRAGMA", "SCRIPT", "CONNECT"]), min_size=1
)


class LogMachine(RuleBasedStateMachine):
    """One log, its folder, and what it must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(sqlite, "SEGMENT_BYTES", 60_000)
        self.patch.setattr(sqlite, "GAP_SECONDS", 0)
        self.loop = asyncio.new_event_loop()
        self.root = Path(tempfile.mkdtemp(prefix="relay-log-"))
        self.crashes = 0
        self.now = NOON / 1000
        self.disk = Disk()
        self.model = Model()
        self.open_log()

    def run(self, work: Awaitable[T]) -> T:
        async def bounded() -> T:
            async with asyncio.timeout(60):
                return await work

        return self.loop.run_until_complete(bounded())

    @property
    def folder(self) -> Path:
        return self.root / str(self.crashes)

    def open_log(self) -> None:
        opening = SqliteLog.open(self.folder, clock=lambda: self.now, connect=self.disk.connect)
        self.log = self.run(opening)

    async def hand_in(self, records: list[Record]) -> list[int | BaseException]:
        """Append all at once; what each was answered."""
        try:
            futures = [self.log.append(r) for r in records]
        except LogUnavailable as error:
            assert self.log.problem is not None
            return [error] * len(records)
        answers = await asyncio.gather(*futures, return_exceptions=True)
        for answer, one in zip(answers, records, strict=True):
            if isinstance(answer, int):
                self.model.acknowledge(answer, one)
            else:
                assert isinstance(answer, LogUnavailable)
        return list(answers)

    def append(self, sizes: list[int]) -> None:
        is_well = self.disk.remaining == 0 and self.log.problem is None
        answers = self.run(self.hand_in(self.model.make(sizes)))
        if is_well:
            start = self.log.head - len(sizes)
            assert answers == list(range(start + 1, start + 1 + len(sizes)))

    @rule(size=SIZES)
    def append_one(self, size: int) -> None:
        self.append([size])

    @rule(sizes=st.lists(SIZES, min_size=2, max_size=20))
    def append_some(self, sizes: list[int]) -> None:
        self.append(sizes)

    @rule(count=st.integers(120, 300))
    def append_many(self, count: int) -> None:
        self.append([20] * count)

    @rule(part=st.floats(0, 1), max_events=st.integers(1, 50), max_bytes=st.sampled_from([1, 20_000, 10**7]))
    def read(self, part: float, max_events: int, max_bytes: int) -> None:
        after = self.log.first - 1 + int(part * (self.log.head - self.log.first + 1))
        found = self.run(self.log.read(after, max_events, max_bytes))
        assert [r.sequence for r in found] == list(range(after + 1, after + 1 + len(found)))
        assert bool(found) == (after < self.log.head)
        assert len(found) <= 1 or sum(r.events for r in found) <= max_events
        assert all(self.model.acknowledged.get(r.sequence, number_of(r)) == number_of(r) for r in found)

    @rule(parts=st.lists(st.floats(0, 1), max_size=5))
    def find(self, parts: list[float]) -> None:
        span = self.log.head - self.log.first
        wanted = {self.log.first + int(part * span) for part in parts} if span >= 0 else set()
        found = self.run(self.log.find(wanted))
        assert [r.sequence for r in found] == sorted(wanted)

    @rule(age=st.floats(0, 1), needed=st.floats(0, 1))
    def trim(self, age: float, needed: float) -> None:
        keep_from = 1 + int(needed * self.log.head)
        older_than = NOON + int(age * len(self.model.made))
        before = self.log.first
        first = self.run(self.log.trim(older_than=older_than, keep_from=keep_from, max_bytes=None))
        assert first == self.log.first
        assert before <= first <= max(keep_from, before)

    @rule(words=WORDS, moment=st.sampled_from(["before", "after"]), error=st.sampled_from([IO_ERROR, FULL]))
    def break_disk(self, words: set[str], moment: Moment, error: str) -> None:
        self.disk.break_down(*words, moment=moment, error=error)

    @rule(word=st.sampled_from(["INSERT", "COMMIT", "SCRIPT"]), moment=st.sampled_from(["before", "after"]))
    def break_disk_once(self, word: str, moment: Moment) -> None:
        self.disk.break_down(word, moment=moment, times=1)

    @rule(seconds=st.sampled_from([0.1, RETRY_SECONDS, 90_000.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def recover(self) -> None:
        self.disk.heal()
        self.now += RETRY_SECONDS
        (answer,) = self.run(self.hand_in(self.model.make([30])))
        assert answer == self.log.head
        assert self.log.problem is None

    @rule()
    def reopen(self) -> None:
        self.disk.heal()
        self.run(self.log.close())
        self.open_log()
        self.run(self.model.check(self.log))

    @rule(sizes=st.lists(SIZES, min_size=1, max_size=8), statement=st.integers(1, 6))
    def kill(self, sizes: list[int], statement: int) -> None:
        self.crash(sizes, statement)

    @precondition(lambda self: self.disk.remaining == 0)
    @rule(count=st.integers(129, 300), statement=st.integers(1, 6))
    def kill_in_a_large_group(self, count: int, statement: int) -> None:
        self.crash([20] * count, statement)

    def crash(self, sizes: list[int], statement: int) -> None:
        """Go on from the files as they are before some statement, or after all of them."""
        target = self.root / str(self.crashes + 1)
        surely: dict[int, int] = {}
        left = statement

        def copy() -> None:
            surely.update(self.model.acknowledged)
            self.disk.copy(self.folder, target)

        def at_statement(_: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                copy()

        self.disk.at_statement = at_statement
        self.run(self.hand_in(self.model.make(sizes)))
        self.disk.at_statement = None
        if left > 0:
            copy()
        self.disk.heal()
        self.run(self.log.close())
        self.crashes += 1
        self.open_log()
        self.run(self.model.learn(self.log, surely))

    @rule()
    def check(self) -> None:
        self.run(self.model.check(self.log))

    def teardown(self) -> None:
        self.disk.at_statement = None
        self.disk.heal()
        try:
            self.run(self.model.check(self.log))
            assert self.disk.most_writers <= 2  # a sealed segment may still be closing
        finally:
            self.run(self.log.close())
            for thread in threading.enumerate():
                if "_connection_worker_thread" in thread.name:  # it may still be ending
                    thread.join(10)
                    assert not thread.is_alive(), "a connection was left open"
            self.loop.close()
            self.patch.undo()
            shutil.rmtree(self.root)


LogMachine.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestLogMachine = LogMachine.TestCase
