"""Crashes and how long a start waits after them, on a clock moved by hand."""

from hypothesis import given
from hypothesis import strategies as st

from relay.sandbox.crashes import MAX_WAIT, SOME, WITHIN, Crashes
from tests.delivery.clock import Clock


def crashed(times: int, clock: Clock, every: float = 1.0) -> Crashes:
    crashes = Crashes(clock)
    for _ in range(times):
        clock.move(every)
        crashes.add()
    return crashes


def test_four_crashes_a_minute_make_nobody_wait() -> None:
    assert crashed(4, Clock()).opens_in == 0


def test_five_crashes_over_more_than_a_minute_make_nobody_wait() -> None:
    assert crashed(50, Clock(), every=15.1).opens_in == 0


def test_from_the_fifth_in_a_minute_on_starts_wait_twice_as_long_each_time() -> None:
    clock = Clock()
    crashes = crashed(SOME, clock)
    waits = [crashes.opens_in]
    for _ in range(7):
        clock.move(crashes.opens_in)
        crashes.add()
        waits.append(crashes.opens_in)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_minute_without_a_crash_and_all_is_forgotten() -> None:
    clock = Clock()
    crashes = crashed(SOME + 3, clock)
    clock.move(crashes.opens_in + WITHIN + 0.1)
    assert (crashes.opens_in, crashes.recent) == (0, 0)
    crashes.add()
    assert (crashes.opens_in, crashes.recent) == (0, 1)


@given(gaps=st.lists(st.floats(0, 200), max_size=60))
def test_whatever_happens_nobody_waits_longer_than_a_minute(gaps: list[float]) -> None:
    clock = Clock()
    crashes = Crashes(clock)
    for gap in gaps:
        clock.move(gap)
        crashes.add()
        assert 0 <= crashes.opens_in <= MAX_WAIT
        assert crashes.recent <= SOME
