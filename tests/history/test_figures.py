"""Shares and quantiles of counts."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.delivery.tally import CLASSES, Tally
from relay.history.figures import error_rate, grown, quantile

DAY = 86_400_000


@given(st.lists(st.integers(0, 7 * DAY), min_size=1, max_size=200), st.sampled_from((0.5, 0.95)))
def test_a_quantile_is_in_the_class_of_the_delay_that_it_stands_for(delays: list[int], share: float) -> None:
    tally = Tally()
    for delay in delays:
        tally.delivered(1, 1_000, 1_000 + delay)
    assert sum(tally.delays) == len(delays)
    exact = sorted(delays)[math.ceil(len(delays) * share) - 1]
    found = quantile(tally.delays, share)
    assert found is not None
    high = 1 << exact.bit_length()
    assert (high >> 1) / 1000 - 0.0001 <= found <= high / 1000 + 0.0001


def test_a_clock_that_was_set_back_gives_no_delay() -> None:
    tally = Tally()
    tally.delivered(3, 5_000, 4_000)
    assert tally.delays[0] == 3


def test_the_last_class_has_all_that_took_longer() -> None:
    tally = Tally()
    tally.delivered(1, 0, 400 * DAY)
    assert tally.delays[CLASSES - 1] == 1


def test_nothing_has_no_quantile_and_no_rate() -> None:
    assert quantile([0] * CLASSES, 0.5) is None
    assert quantile([], 0.5) is None
    assert error_rate(0, 0) is None
    assert error_rate(3, 1) == pytest.approx(0.25)


def test_classes_that_an_older_row_does_not_have_are_new() -> None:
    assert grown([], [1, 2]) == [1, 2]
    assert grown([1], [1, 2]) == [0, 2]
