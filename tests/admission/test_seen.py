"""The index of seen ids: exact over restarts, days and crashes, in bounded memory."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.admission import seen as seen_module
from tests.admission.index import DAY, START, Index, ids


@pytest.fixture(autouse=True)
def _every_slice_saves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_module, "SAVE_EVERY", 1)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = Index(tmp_path)
    yield opened
    opened.close()


def test_an_id_is_fresh_once(index: Index) -> None:
    assert index.see(*ids(1, 2)) == [False, False]
    assert index.see(*ids(2, 3, 1)) == [True, False, True]


def test_ids_are_remembered_over_a_restart_whether_sorted_or_not(index: Index) -> None:
    index.see(*ids(*range(25)))
    index.see(*ids(*range(25, 30)))
    assert (index.count("seen"), len(index.slices())) == (25, 1)
    index = index.reopened()
    assert index.see(*ids(*range(30))) == [True] * 30
    assert index.see(*ids(*range(30, 60))) == [False] * 30
    index.close()


def test_a_full_set_of_newest_ids_becomes_a_sorted_slice(index: Index) -> None:
    for n in range(0, 50, 5):
        index.see(*ids(*range(n, n + 5)))
        assert len(index.seen._recent) < 10
    assert index.slices() == [(n, START // DAY) for n in range(1, 6)]
    assert index.count("seen") == 50
    assert index.count("seen_recent") == 0
    assert index.see(*ids(*range(50))) == [True] * 50


def test_memory_holds_no_more_ids_after_a_restart_than_before(index: Index) -> None:
    index.see(*ids(*range(95)))
    index.see(*ids(*range(95, 102)))
    index = index.reopened()
    assert len(index.seen._recent) == 7
    index.close()


def test_fresh_ids_cost_no_look_at_the_disk(index: Index) -> None:
    index = index.reopened(filter_bits=24)
    for n in range(0, 1000, 10):
        index.see(*ids(*range(n, n + 10)))
    assert index.looked_up == 0
    index.see(*ids(*range(1000)))
    assert index.looked_up == 1000
    index.close()


def test_a_filter_that_is_full_is_still_exact(tmp_path: Path) -> None:
    index = Index(tmp_path, filter_bits=9)
    assert not any(index.see(*ids(*range(2000))))
    assert not any(index.see(*ids(*range(2000, 4000))))
    assert all(index.see(*ids(*range(4000))))
    index.close()


@pytest.mark.parametrize("hours", [0, 1, 23])
def test_an_id_is_known_for_at_least_a_day_whenever_it_came(tmp_path: Path, hours: int) -> None:
    index = Index(tmp_path, now=START + hours * 3_600_000, slice_ids=1)
    index.see("id")
    index.now += DAY
    assert index.see("other") == [False]
    index.forget()
    assert index.see("id") == [True]
    index = index.reopened(slice_ids=1)
    assert index.see("id") == [True]
    index.close()


@pytest.mark.parametrize("is_restarted", [False, True])
def test_an_id_is_forgotten_after_two_days(tmp_path: Path, is_restarted: bool) -> None:
    index = Index(tmp_path, now=START, slice_ids=1)
    index.see("id")
    index.now += 2 * DAY
    if is_restarted:
        index = index.reopened(slice_ids=1)
    index.see("other")
    index.forget()
    assert index.slices() == [(2, START // DAY + 2)]
    assert index.count("seen") == 1
    assert index.see("id") == [False]
    assert len(index.filters()) == 1
    index.close()


def test_an_id_that_waited_for_its_slice_over_midnight_is_known_the_day_after(index: Index) -> None:
    index.now = START + DAY - 1
    index.see(*ids(*range(5)))
    index.now = START + DAY
    index.see(*ids(*range(5, 15)))
    index.now = START + 2 * DAY - 1
    assert index.see(*ids(*range(15))) == [True] * 15
    index = index.reopened()
    assert index.see(*ids(*range(15))) == [True] * 15
    index.close()


def test_what_is_old_is_forgotten_in_bites(tmp_path: Path) -> None:
    index = Index(tmp_path, slice_ids=50_000)
    index.see(*ids(*range(50_000)))
    index.now += 2 * DAY
    index.see("today")
    assert index.forget() == 4  # of 20,000 each, and one to see that nothing is left
    assert index.count("seen") == 0
    assert index.forget() == 0
    index.close()


def test_ids_of_a_slice_whose_filter_was_not_saved_are_known_after_the_crash(index: Index) -> None:
    index.see(*ids(*range(10)))
    index.see(*ids(*range(10, 20)), is_saved=False)
    assert len(index.slices()) == 2
    index = index.reopened()
    assert index.see(*ids(*range(20))) == [True] * 20
    index.close()


def test_ids_are_known_though_the_filter_is_saved_only_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen_module, "SAVE_EVERY", 4)
    index = Index(tmp_path)
    for n in range(0, 90, 10):
        index.see(*ids(*range(n, n + 10)))
    index = index.reopened()
    assert index.see(*ids(*range(90))) == [True] * 90
    index.close()


@pytest.mark.parametrize("content", [None, b"", b"relayBF1", b"\0" * 8208])
def test_a_filter_that_is_missing_or_spoiled_is_made_again(index: Index, content: bytes | None) -> None:
    index.see(*ids(*range(30)))
    (name,) = index.filters()
    (index.folder / name).unlink()
    if content is not None:
        (index.folder / name).write_bytes(content)
    index = index.reopened()
    assert index.see(*ids(*range(30))) == [True] * 30
    assert index.see(*ids(*range(30, 40))) == [False] * 10
    index.close()


def test_a_clock_that_is_set_back_over_midnight_at_a_restart_forgets_nothing(index: Index) -> None:
    index.now = START + 1000
    index.see(*ids(*range(10)))
    index = index.reopened(after_ms=-5000)
    assert index.see(*ids(*range(10))) == [True] * 10
    index.close()


def test_a_transaction_that_failed_makes_nothing_known(index: Index) -> None:
    keys = [b"k" * 16]
    assert not index.seen.may_be_known(keys[0])
    assert index.seen.may_be_known(keys[0])  # perhaps
    assert not index.seen.is_recent(keys[0])
    assert index.seen.find(index.connection, keys) == set()


STEPS = st.one_of(
    st.lists(st.integers(0, 60), min_size=1, max_size=15),
    st.sampled_from(["restart", "crash", "hours", "day", "forget"]),
)


@settings(max_examples=80, deadline=None)
@given(steps=st.lists(STEPS, max_size=40))
def test_whatever_happens_what_was_seen_within_a_day_is_known_and_nothing_else(
    steps: list[list[int] | str],
) -> None:
    first_seen: dict[int, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        index = Index(Path(folder))
        for step in steps:
            if isinstance(step, str):
                index = _happen(index, step)
                continue
            known = index.see(*ids(*step))
            for number, is_known in zip(step, known, strict=True):
                at = first_seen.get(number)
                if at is None:
                    assert not is_known
                elif index.now - at <= DAY:
                    assert is_known
            for number, is_known in zip(step, known, strict=True):
                if not is_known:
                    first_seen[number] = index.now
        index.close()


def _happen(index: Index, event: str) -> Index:
    if event == "restart":
        return index.reopened()
    if event == "crash":
        index.sort(is_saved=False)
        return index.reopened()
    if event == "forget":
        index.forget()
    index.now += {"hours": DAY // 5, "day": DAY}.get(event, 0)
    return index
