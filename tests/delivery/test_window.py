"""The low-water mark against a model that keeps everything and counts it anew."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from relay.delivery.tally import Reason, Tally, Why
from relay.delivery.window import Window
from relay.event import Event
from relay.outcome import Outcome

START = 7
NOW = 1_700_000_000.0
DELIVERED = "delivered"
WHYS: list[Why | None] = [
    *(
        Why(outcome, code, 0, is_verdict)
        for outcome in Outcome
        if outcome is not Outcome.DELIVERED
        for code, is_verdict in (("one", False), ("one", True), ("other", False))
    ),
    None,
]


@dataclass
class Taken:
    """A record as the model sees it."""

    sequence: int
    events: int
    settled: list[Why | str | None] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return len(self.settled) < self.events


def received_at(sequence: int) -> int:
    """A second ago, less a bit: class 10."""
    return int(NOW * 1000) - 1000 + sequence % 400


def event(sequence: int) -> Event:
    return Event(sequence, 0, "web", "", b"{}")


class Marks(RuleBasedStateMachine):
    """Records come in order, their events are settled in any order, and now and then the process ends."""

    def __init__(self) -> None:
        super().__init__()
        self.window = Window(START, now=lambda: NOW)
        self.saved: Counter[Outcome] = Counter()  # fates of earlier processes
        self.waiting: list[Taken] = []  # above the mark, finished or not
        self.finished: list[Taken] = []
        self.reasons: dict[Any, tuple[Any, ...]] = {}  # rows of fate_reasons
        self.mark = self.taken = START

    @rule(gap=st.integers(1, 3), events=st.integers(1, 4))
    def take(self, gap: int, events: int) -> None:
        self.taken += gap
        self.window.take(self.taken, events, received_at(self.taken))
        self.waiting.append(Taken(self.taken, events))

    @rule(gap=st.integers(-2, 4))
    def skip(self, gap: int) -> None:
        self.window.skip_to(self.taken + gap)
        self.taken = max(self.taken, self.taken + gap)
        self.move()

    @precondition(lambda self: any(r.is_open for r in self.waiting))
    @rule(data=st.data(), why=st.sampled_from(WHYS))
    def settle(self, data: st.DataObject, why: Why | None) -> None:
        record = data.draw(st.sampled_from(self.open))
        self.window.settle(record.sequence, why)
        self.note(record, why)
        self.move()

    @precondition(lambda self: any(r.is_open for r in self.waiting))
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        left = [r for r in self.open for _ in range(r.events - len(r.settled))]
        batch = data.draw(st.lists(st.sampled_from(range(len(left))), unique=True))
        self.window.delivered([event(left[n].sequence) for n in batch])
        for n in batch:
            self.note(left[n], DELIVERED)
        self.move()

    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        """The next process goes on with what was saved, and may itself end before it has caught up."""
        self.saved += self.window.fates
        again = [Taken(r.sequence, r.events) for r in self.open]
        for caught_up in (data.draw(st.integers(0, len(again))), len(again)):
            self.window = Window(self.window.mark, *self.window.resume(), self.next_tally(), now=lambda: NOW)
            for record in again[:caught_up]:
                self.window.take(record.sequence, record.events, received_at(record.sequence))
        self.window.skip_to(self.taken)
        self.waiting = again
        self.move()

    def next_tally(self) -> Tally:
        """What the next process reads of what this one wrote."""
        for outcome, code, is_verdict, count, samples in self.window.tally.take():
            self.reasons[outcome, code, is_verdict] = count, samples
        rows = [(*reason, *row) for reason, row in self.reasons.items()]
        return Tally(rows, self.window.tally.delays)

    @property
    def open(self) -> list[Taken]:
        return [record for record in self.waiting if record.is_open]

    def note(self, record: Taken, why: Why | str | None) -> None:
        record.settled.append(why)
        if not record.is_open:
            self.finished.append(record)

    def move(self) -> None:
        while self.waiting and not self.waiting[0].is_open:
            self.mark = self.waiting.pop(0).sequence
        if not self.waiting:
            self.mark = self.taken

    @invariant()
    def the_mark_never_passes_an_unsettled_record(self) -> None:
        assert all(self.window.mark < record.sequence for record in self.open)
        assert self.window.mark == self.mark

    @invariant()
    def fates_are_those_of_the_events_of_finished_records(self) -> None:
        whys = [why for record in self.finished for why in record.settled]
        counted = self.saved + self.window.fates
        known = [why for why in whys if why is not None]
        assert counted == Counter(w.outcome if isinstance(w, Why) else Outcome.DELIVERED for w in known)
        assert counted.total() == sum(r.events for r in self.finished) - whys.count(None)

    @invariant()
    def reasons_and_delays_add_up_to_the_fates(self) -> None:
        whys = [(r.sequence, why) for r in self.finished for why in r.settled if isinstance(why, Why)]
        tally = self.window.tally
        assert tally.counts == Counter(Reason(w.outcome, w.code, w.is_verdict) for _, w in whys)
        assert sum(tally.delays) == (self.saved + self.window.fates)[Outcome.DELIVERED]
        assert sum(tally.delays[:11]) == tally.delays[10]  # each took a second, about

    @invariant()
    def what_is_open_is_what_was_taken_and_not_passed(self) -> None:
        assert self.window.open_records == len(self.waiting)
        assert self.window.taken == self.taken

    @invariant()
    def the_next_process_does_again_what_is_open_and_nothing_else(self) -> None:
        following = Window(self.window.mark, *self.window.resume())
        still_open = {record.sequence for record in self.open}
        for sequence in range(self.mark + 1, self.taken + 5):
            is_finished = sequence <= self.taken and sequence not in still_open
            assert following.is_finished(sequence) is is_finished, sequence


Marks.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestMarks = Marks.TestCase


def test_a_record_that_waits_keeps_the_mark_whatever_is_finished_behind_it() -> None:
    window = Window(0)
    for sequence in (1, 2, 3):
        window.take(sequence, 1, 0)
    window.delivered([event(2)])
    window.settle(3, Why(Outcome.REJECTED, "410", 0))
    assert (window.mark, window.open_records, window.resume()) == (0, 3, (3, [[1, 1]]))
    window.settle(1, Why(Outcome.FILTERED, "FILTERED_BY_RULES", 0))
    assert (window.mark, window.open_records, window.resume()) == (3, 0, (3, []))
    assert window.fates == {Outcome.DELIVERED: 1, Outcome.REJECTED: 1, Outcome.FILTERED: 1}


def test_a_parked_event_lets_the_mark_pass_and_is_not_counted() -> None:
    window = Window(0)
    window.take(1, 2, 0)
    window.settle(1, None)
    window.delivered([event(1)])
    assert window.mark == 1
    assert window.fates == {Outcome.DELIVERED: 1}


def test_nothing_for_this_consumer_moves_the_mark_only_when_nothing_is_open() -> None:
    window = Window(0)
    window.take(1, 1, 0)
    window.skip_to(9)
    assert window.mark == 0
    window.delivered([event(1)])
    assert window.mark == 9


def test_a_record_is_done_above_the_mark_too() -> None:
    before = Window(START)
    for sequence in (8, 9, 10):
        before.take(sequence, 1, received_at(sequence))
    before.delivered([event(9)])
    assert [before.is_done(sequence) for sequence in (7, 8, 9, 10, 11)] == [True, False, True, False, False]
    taken, ranges = before.resume()
    after = Window(before.mark, taken, ranges)
    assert [after.is_done(sequence) for sequence in (7, 8, 9, 10, 11)] == [True, False, True, False, False]
