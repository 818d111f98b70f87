"""How fast and how soon: limits that answer how long, on a clock moved by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.delivery.pace import MAX_BACKOFF, PARKED_MAX, Concurrency, Gate, parked_delay
from tests.delivery.clock import Clock


def middle() -> float:
    """A spread of nothing: delays are exactly what they are meant to be."""
    return 0.5


def gate(clock: Clock, cap: int = 8, per_second: float | None = None) -> Gate:
    return Gate(cap, per_second, clock, middle)


def test_the_back_off_doubles_from_half_a_second_to_thirty() -> None:
    clock = Clock()
    one = gate(clock)
    waits = []
    for _ in range(9):
        assert one.enter() == 0.0
        one.failed(None)
        waits.append(one.opens_in)
        clock.move(one.opens_in)
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


@given(spread=st.floats(0, 1, exclude_max=True), failures=st.integers(1, 200))
def test_the_back_off_is_spread_by_a_quarter_and_never_overflows(spread: float, failures: int) -> None:
    clock = Clock()
    one = Gate(1, None, clock, lambda: spread)
    for _ in range(failures):
        clock.move(one.opens_in)
        assert one.enter() == 0.0
        one.failed(None)
    usual = min(0.5 * 2 ** (failures - 1), MAX_BACKOFF)
    assert usual * 0.75 - 1e-6 <= one.opens_in <= usual * 1.25 + 1e-6


def test_a_destination_that_failed_gets_one_probe_at_a_time() -> None:
    clock = Clock()
    one = gate(clock)
    assert one.enter() == 0.0
    one.failed(None)
    assert one.is_held
    assert one.enter() == 0.5
    clock.move(0.5)
    assert one.enter() == 0.0
    clock.move(3600)
    assert one.enter() is None, "a second probe left while the first was on its way"
    one.failed(None)
    assert one.enter() == 1.0


def test_an_answer_ends_the_hold_at_once() -> None:
    clock = Clock()
    one = gate(clock)
    for _ in range(2):
        assert one.enter() == 0.0
    one.failed(None)
    assert one.enter() is None
    one.succeeded(0.1)
    assert not one.is_held
    assert one.opens_in == 0.0
    assert one.enter() == 0.0


def test_a_retry_after_holds_whatever_else_succeeds() -> None:
    clock = Clock()
    one = gate(clock)
    for _ in range(2):
        assert one.enter() == 0.0
    one.failed(20.0)
    clock.move(1.0)
    one.succeeded(0.1)
    assert not one.is_held
    assert one.enter() == 19.0
    clock.move(18.5)
    assert one.enter() == 0.5
    clock.move(0.5)
    assert one.enter() == 0.0


def test_a_shorter_retry_after_does_not_take_back_a_longer_one() -> None:
    clock = Clock()
    one = gate(clock)
    for _ in range(2):
        assert one.enter() == 0.0
    one.failed(60.0)
    one.failed(1.0)
    assert one.opens_in == 60.0


def test_a_retry_after_shorter_than_the_back_off_does_not_shorten_it() -> None:
    clock = Clock()
    one = gate(clock)
    for _ in range(4):
        clock.move(one.opens_in)
        assert one.enter() == 0.0
        one.failed(0.1)
    assert one.opens_in == 4.0


def test_what_was_put_right_is_probed_at_once_but_for_a_retry_after() -> None:
    clock = Clock()
    one = gate(clock)
    assert one.enter() == 0.0
    one.failed(None)
    one.reopen()
    assert (one.is_held, one.opens_in) == (True, 0.0)
    assert one.enter() == 0.0
    assert one.enter() is None  # still one probe at a time
    one.failed(60)
    one.reopen()
    assert one.opens_in == 60


def test_an_attempt_given_up_on_our_side_says_nothing_of_the_destination() -> None:
    one = gate(Clock(), cap=1)
    assert one.enter() == 0.0
    assert one.enter() is None
    one.left()
    assert (one.failures, one.successes, one.opens_in) == (0, 0, 0.0)
    assert one.enter() == 0.0


def test_the_token_bucket_lets_a_rate_through() -> None:
    clock = Clock()
    one = gate(clock, per_second=10)
    passed, start = 0, clock()
    while clock() < start + 5:
        wait = one.enter()
        assert wait is not None
        clock.move(wait)
        if wait == 0.0:
            passed += 1
            one.succeeded(0.01)
    assert 50 <= passed <= 52  # five seconds of ten, and what the bucket held


def test_a_wait_for_a_token_takes_no_place_among_the_active() -> None:
    clock = Clock()
    one = gate(clock, cap=1, per_second=1)
    assert one.enter() == 0.0
    one.succeeded(0.01)
    assert one.enter() == pytest.approx(1.0)
    assert one.active == 0


ACTIONS = st.one_of(
    st.tuples(st.just("move"), st.floats(0, 40)),
    st.tuples(st.just("enter"), st.none()),
    st.tuples(st.just("succeeded"), st.floats(0, 20)),
    st.tuples(st.just("failed"), st.one_of(st.none(), st.floats(0, 100))),
    st.tuples(st.just("left"), st.none()),
)


@settings(max_examples=300, deadline=None)
@given(cap=st.integers(1, 9), actions=st.lists(ACTIONS, max_size=120))
def test_whatever_happens_the_gate_keeps_its_promises(
    cap: int, actions: list[tuple[str, float | None]]
) -> None:
    clock = Clock()
    one = gate(clock, cap)
    active, not_before = 0, 0.0
    for action, number in actions:
        if action == "move":
            clock.move(number or 0.0)
        elif action == "enter":
            was_held = one.is_held
            answer = one.enter()
            if answer == 0.0:
                active += 1
                assert clock() >= not_before, "a Retry-After was not obeyed"
                assert active <= (1 if was_held else cap)
            elif answer is None:
                assert active > 0, "nobody is under way, and yet somebody is waited for"
            else:
                assert 0 < answer <= max(not_before - clock(), MAX_BACKOFF * 1.25)
        elif active:
            active -= 1
            if action == "failed":
                not_before = max(not_before, clock() + (number or 0.0))
                one.failed(number)
            elif action == "succeeded":
                one.succeeded(number or 0.0)
            else:
                one.left()
        assert one.active == active
        assert 1 <= one.concurrency.limit <= cap


def test_concurrency_grows_by_one_after_a_round_of_good_answers() -> None:
    some = Concurrency(5)
    limits = []
    for _ in range(30):
        some.succeeded(0.1)
        limits.append(some.limit)
    assert limits[:9] == [2, 3, 3, 3, 4, 4, 4, 4, 5]
    assert limits[-1] == 5


def test_concurrency_halves_on_trouble_and_never_falls_below_one() -> None:
    some = Concurrency(16)
    for _ in range(200):
        some.succeeded(0.1)
    assert some.limit == 16
    limits = []
    for _ in range(6):
        some.failed()
        limits.append(some.limit)
    assert limits == [8, 4, 2, 1, 1, 1]


def test_an_answer_much_slower_than_usual_counts_as_trouble() -> None:
    some = Concurrency(8)
    for _ in range(60):
        some.succeeded(0.3)
    assert some.limit == 8
    some.succeeded(2.0)
    assert some.limit == 4


def test_a_fast_destination_may_be_four_times_slower_and_is_still_fast() -> None:
    some = Concurrency(8)
    for _ in range(60):
        some.succeeded(0.01)
    some.succeeded(0.9)
    assert some.limit == 8


@given(
    cap=st.integers(1, 20),
    answers=st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=200),
)
def test_concurrency_stays_between_one_and_its_cap(cap: int, answers: list[float | None]) -> None:
    some = Concurrency(cap)
    for seconds in answers:
        before = some.limit
        if seconds is None:
            some.failed()
        else:
            some.succeeded(seconds)
        assert 1 <= some.limit <= cap
        assert some.limit in (before, before + 1, max(1, before // 2))


def test_a_parked_event_waits_ten_seconds_doubling_to_an_hour() -> None:
    waits = [parked_delay(n, middle) for n in range(1, 12)]
    assert waits == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, PARKED_MAX, PARKED_MAX]


@given(attempts=st.integers(1, 900), spread=st.floats(0, 1, exclude_max=True))
def test_the_wait_of_a_parked_event_is_spread_by_a_quarter(attempts: int, spread: float) -> None:
    usual = parked_delay(attempts, middle)
    assert usual * 0.75 <= parked_delay(attempts, lambda: spread) <= usual * 1.25


def test_the_wait_of_an_event_tried_for_months_is_still_an_hour() -> None:
    assert parked_delay(5000, middle) == PARKED_MAX
