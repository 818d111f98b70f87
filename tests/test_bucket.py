"""The token bucket, with a clock that a test moves by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.bucket import Bucket


class Clock:
    """Seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


RATES = st.floats(0.1, 1000)
BURSTS = st.floats(1, 100)
PAUSES = st.lists(st.one_of(st.just(0.0), st.floats(0, 10)), max_size=60)


def took(bucket: Bucket, n: float = 1.0) -> bool:
    return bucket.wait(n) == 0


def test_a_full_bucket_gives_its_burst_at_once_and_no_more() -> None:
    bucket = Bucket(2, 5, Clock())
    assert [took(bucket) for _ in range(7)] == [True] * 5 + [False] * 2


def test_it_says_how_long_to_wait_and_then_gives() -> None:
    clock = Clock()
    bucket = Bucket(4, 1, clock)
    assert took(bucket)
    assert bucket.wait() == pytest.approx(0.25)
    clock.now += 0.125
    assert bucket.wait() == pytest.approx(0.125)
    clock.now += 0.125
    assert took(bucket)


def test_who_is_refused_takes_nothing() -> None:
    clock = Clock()
    bucket = Bucket(1, 2, clock)
    assert took(bucket)
    assert [bucket.wait(2) for _ in range(5)] == [1.0] * 5
    assert took(bucket)


def test_a_bucket_that_rests_fills_to_its_burst_and_not_over() -> None:
    clock = Clock()
    bucket = Bucket(10, 3, clock)
    clock.now += 3600
    assert [took(bucket) for _ in range(4)] == [True, True, True, False]


@given(rate=RATES, burst=BURSTS, pauses=PAUSES)
def test_in_no_window_is_more_given_than_the_burst_and_the_rate(
    rate: float, burst: float, pauses: list[float]
) -> None:
    clock = Clock()
    bucket = Bucket(rate, burst, clock)
    given_at: list[float] = []
    for pause in pauses:
        clock.now += pause
        while took(bucket):
            given_at.append(clock.now)
            if len(given_at) > 2000:
                return
    for first, start in enumerate(given_at):
        for last in range(first, len(given_at), 1 + len(given_at) // 50):
            assert last - first + 1 <= burst + rate * (given_at[last] - start) + 1e-6


@given(rate=RATES, burst=BURSTS, steps=st.lists(st.floats(-100, 10), max_size=60))
def test_a_clock_that_is_set_back_takes_no_tokens_away_and_gives_none(
    rate: float, burst: float, steps: list[float]
) -> None:
    clock = Clock()
    bucket = Bucket(rate, burst, clock)
    forward = taken = 0.0
    for step in steps:
        clock.now += step
        forward += max(0.0, step)
        if took(bucket):
            taken += 1
        assert taken <= burst + rate * forward + 1e-6
    clock.now -= 5000
    seconds = bucket.wait()
    assert seconds <= 1 / rate
    clock.now += seconds * (1 + 1e-9) + 1e-9
    assert seconds == 0 or took(bucket)


@given(rate=RATES, burst=BURSTS, pauses=PAUSES)
def test_who_waits_as_long_as_told_is_served(rate: float, burst: float, pauses: list[float]) -> None:
    clock = Clock()
    bucket = Bucket(rate, burst, clock)
    for pause in pauses:
        clock.now += pause
        seconds = bucket.wait()
        if seconds:
            clock.now += seconds * (1 + 1e-9) + 1e-9
            assert took(bucket)
