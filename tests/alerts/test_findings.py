"""Whatever happens to a destination, each thing is told once, and its end after it."""

from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from relay.alerts.findings import Facts, Finding, Verdict, advance, settle
from relay.alerts.rules import Standing

LASTING, GATHER, QUIET = 60_000, 30_000, 600_000
NOW = 1_790_000_000_000


@given(st.lists(st.tuples(st.integers(1_000, 120_000), st.sampled_from([True, False, None])), max_size=80))
def test_a_beginning_is_told_once_and_its_end_after_it(steps: list[tuple[int, bool | None]]) -> None:
    now, standing, finding = NOW, Standing(0), Finding("hook")
    told: list[bool] = []  # whether it was over
    begun_at: list[int] = []
    for wait, is_so in steps:
        now += wait
        after = advance(finding, Verdict(is_so), now, LASTING) or Finding("hook")
        outcome = settle(standing, [after], now, GATHER, QUIET)
        for one in outcome.told:
            if one.told_at is None:
                assert not begun_at or now - begun_at[-1] >= QUIET
                begun_at.append(now)
            else:
                assert one.over_at is not None
                assert told[-1] is False  # it was told while it was so, and nothing since
            assert one.since is not None
            assert one.since <= (one.over_at or now)
            told.append(one.over_at is not None)
        standing, finding = outcome.standing, outcome.findings.get("hook", Finding("hook"))
        assert standing.due_at is None or standing.due_at > now
    assert not any(earlier is False and later is False for earlier, later in pairwise(told))


@given(st.lists(st.tuples(st.integers(-600_000, 120_000), st.booleans()), max_size=60))
def test_any_clock_is_borne(steps: list[tuple[int, bool]]) -> None:
    now, standing, finding = NOW, Standing(0), Finding("hook")
    for wait, is_so in steps:
        now += wait
        after = advance(finding, Verdict(is_so), now, LASTING) or Finding("hook")
        outcome = settle(standing, [after], now, GATHER, QUIET)
        standing, finding = outcome.standing, outcome.findings.get("hook", Finding("hook"))
        assert standing.quiet_until <= now + QUIET
        assert standing.due_at is None or standing.due_at <= now + QUIET + GATHER


def test_facts_alone_are_not_written_down() -> None:
    one = Finding("hook", streak=1, facts=Facts(waiting=1))
    assert not one.differs(msgspec.structs.replace(one, facts=Facts(waiting=2)))
    assert one.differs(None)
    assert one.differs(Finding("hook", streak=2))
