"""The low-water mark against a model that keeps everything and counts it anew."""

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from relay.delivery.window import Window
from relay.event import Event
from relay.outcome import Outcome

START = 7
FATES: list[Outcome | None] = [*Outcome, None]


@dataclass
class Taken:
    """A record as the model sees it."""

    sequence: int
    events: int
    settled: list[Outcome | None] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return len(self.settled) < self.events


class Marks(RuleBasedStateMachine):
    """Records come in order, their events are settled in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.window = Window(START)
        self.waiting: list[Taken] = []
        self.passed: list[Taken] = []
        self.mark = self.taken = START

    @rule(gap=st.integers(1, 3), events=st.integers(1, 4))
    def take(self, gap: int, events: int) -> None:
        self.taken += gap
        self.window.take(self.taken, events)
        self.waiting.append(Taken(self.taken, events))

    @rule(gap=st.integers(-2, 4))
    def skip(self, gap: int) -> None:
        self.window.skip_to(self.taken + gap)
        self.taken = max(self.taken, self.taken + gap)
        self.move()

    @precondition(lambda self: any(r.is_open for r in self.waiting))
    @rule(data=st.data(), fate=st.sampled_from(FATES))
    def settle(self, data: st.DataObject, fate: Outcome | None) -> None:
        record = data.draw(st.sampled_from([r for r in self.waiting if r.is_open]))
        self.window.settle(record.sequence, fate)
        record.settled.append(fate)
        self.move()

    @precondition(lambda self: any(r.is_open for r in self.waiting))
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        left = [r for r in self.waiting for _ in range(r.events - len(r.settled))]
        batch = data.draw(st.lists(st.sampled_from(range(len(left))), unique=True))
        self.window.delivered([Event(left[n].sequence, 0, "web", "", b"{}") for n in batch])
        for n in batch:
            left[n].settled.append(Outcome.DELIVERED)
        self.move()

    def move(self) -> None:
        while self.waiting and not self.waiting[0].is_open:
            self.passed.append(self.waiting.pop(0))
            self.mark = self.passed[-1].sequence
        if not self.waiting:
            self.mark = self.taken

    @invariant()
    def the_mark_never_passes_an_unsettled_record(self) -> None:
        assert all(self.window.mark < r.sequence for r in self.waiting if r.is_open)
        assert self.window.mark == self.mark

    @invariant()
    def fates_are_those_of_the_events_that_the_mark_has_passed(self) -> None:
        fates = [fate for record in self.passed for fate in record.settled]
        assert +self.window.fates == Counter(fate for fate in fates if fate is not None)
        parked = fates.count(None)
        assert self.window.fates.total() == sum(r.events for r in self.passed) - parked

    @invariant()
    def what_is_open_is_what_was_taken_and_not_passed(self) -> None:
        assert self.window.open_records == len(self.waiting)
        assert self.window.taken == self.taken


Marks.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestMarks = Marks.TestCase


def test_a_record_that_waits_keeps_the_mark_whatever_is_finished_behind_it() -> None:
    window = Window(0)
    for sequence in (1, 2, 3):
        window.take(sequence, 1)
    window.settle(2)
    window.settle(3, Outcome.REJECTED)
    assert (window.mark, window.fates.total(), window.open_records) == (0, 0, 3)
    window.settle(1, Outcome.FILTERED)
    assert window.mark == 3
    assert window.fates == {Outcome.DELIVERED: 1, Outcome.REJECTED: 1, Outcome.FILTERED: 1}


def test_a_parked_event_lets_the_mark_pass_and_is_not_counted() -> None:
    window = Window(0)
    window.take(1, 2)
    window.settle(1, None)
    window.delivered([Event(1, 1, "web", "", b"{}")])
    assert window.mark == 1
    assert window.fates == {Outcome.DELIVERED: 1}


def test_nothing_for_this_consumer_moves_the_mark_only_when_nothing_is_open() -> None:
    window = Window(0)
    window.take(1, 1)
    window.skip_to(9)
    assert window.mark == 0
    window.settle(1)
    assert window.mark == 9
