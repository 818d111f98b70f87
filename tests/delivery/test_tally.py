"""Reasons of one destination: bounded, with their newest places, and written when they are new."""

from relay.delivery.tally import MAX_REASON, MAX_REASONS, OTHERS, Reason, Tally, Why
from relay.outcome import Outcome


def refused(code: str, place: int = 0) -> Why:
    return Why(Outcome.REJECTED, code, place)


def test_of_each_reason_the_newest_ten_are_remembered() -> None:
    tally = Tally()
    for sequence in range(1, 13):
        tally.count(refused("400", sequence % 3), sequence)
    ((outcome, code, is_verdict, count, samples),) = tally.take()
    assert (outcome, code, is_verdict, count) == ("rejected", "400", False, 12)
    assert str(samples).startswith("[[12,0],[11,2],")
    assert str(samples).count("[") == 11


def test_only_what_is_new_is_taken_and_what_could_not_be_written_is_taken_again() -> None:
    tally = Tally()
    tally.count(refused("400"), 1)
    tally.count(refused("410"), 1)
    rows = list(tally.take())
    assert len(rows) == 2
    assert list(tally.take()) == []
    tally.give_back(rows[:1])
    assert list(tally.take()) == rows[:1]


def test_the_next_process_goes_on_where_this_one_was() -> None:
    tally = Tally()
    for sequence in range(1, 15):
        tally.count(refused("400"), sequence)
    (row,) = tally.take()
    following = Tally([row], tally.delays)
    following.count(refused("400"), 15)
    ((*_, count, samples),) = following.take()
    assert count == 15
    assert str(samples).startswith("[[15,0],[14,0],")
    assert str(samples).endswith(",[6,0]]")


def test_a_destination_that_makes_up_reasons_has_no_more_than_so_many() -> None:
    tally = Tally()
    for number in range(MAX_REASONS + 50):
        tally.count(refused(f"reason {number}"), number)
    assert len(tally.counts) == MAX_REASONS + 1
    assert tally.counts[Reason(Outcome.REJECTED, OTHERS)] == 50
    tally.count(refused("x" * 1000), 1)
    assert sum(tally.counts.values()) == MAX_REASONS + 51
    assert max(len(reason.code) for reason in tally.counts) <= MAX_REASON


def test_what_is_open_again_leaves_the_reason_that_it_was_counted_under() -> None:
    tally = Tally(
        [("rejected", "", 0, 1, "[]"), ("rejected", OTHERS, 0, 1, "[]"), ("rejected", "400", 0, 1, "[]")]
    )
    for left in (2, 1, 0, 0):
        tally.uncount(Outcome.REJECTED, "400")
        assert sum(tally.counts.values()) == left
