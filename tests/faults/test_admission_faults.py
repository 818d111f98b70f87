"""The state's disk refuses, or the process is killed: verdicts stay what they were, and no event is lost."""

import sqlite3
from pathlib import Path

import pytest

from relay.admission import admit
from tests.admission.house import House, Verdict, fates, house
from tests.faults.disk import Disk, Moment

STREAM = [("a", "b"), ("a", "c"), ("!", "d"), ("d", "", "a"), ("e",), ("e", "c", "f")]
FATES = ["a", "b", "a=duplicate", "c", "=rejected", "d", "d=duplicate", "", "a=duplicate", "e"]
FATES += ["e=duplicate", "c=duplicate", "f"]


async def end(built: House) -> tuple[list[str], list[Verdict]]:
    """What became of STREAM, once all is admitted; a derived id is written as nothing."""
    found = fates(await built.read_feed())
    return ["" if fate.startswith("relay-") else fate for fate in found], await built.verdicts()


async def undisturbed(folder: Path) -> list[Verdict]:
    async with house(folder) as built:
        for names in STREAM:
            await built.take(*names)
        await built.admit()
        found, verdicts = await end(built)
        assert found == FATES
        return verdicts


@pytest.mark.parametrize(
    ("word", "moment"),
    [
        ("BEGIN", "before"),
        *[(word, m) for word in ("INSERT", "UPDATE", "COMMIT") for m in ("before", "after")],
    ],
)
@pytest.mark.parametrize("slice_ids", [2, 1000])
async def test_a_pass_that_could_not_be_written_is_repeated_with_the_same_verdicts(
    tmp_path: Path, word: str, moment: Moment, slice_ids: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admit, "RETRY_SECONDS", 0)
    monkeypatch.setattr(admit, "GAP_SECONDS", 0)
    disk = Disk()
    async with house(tmp_path / "one", disk=disk, slice_ids=slice_ids) as built:
        async with built.running():
            for sequence, names in enumerate(STREAM, 1):
                disk.break_down(word, moment=moment, times=3)
                await built.take(*names)
                await built.feed.wait(sequence - 1)
        disk.heal()
        assert disk.refused >= 3
        assert await end(built) == (FATES, await undisturbed(tmp_path / "other"))


async def test_while_the_state_cannot_be_written_nothing_is_shown_to_anybody(tmp_path: Path) -> None:
    disk = Disk()
    async with house(tmp_path, disk=disk) as built:
        await built.take("a", "b")
        disk.break_down("COMMIT")
        for _ in range(3):
            with pytest.raises(sqlite3.OperationalError):
                await built.admit()
        assert (built.feed.cursor, built.observed, await built.read_feed()) == (0, [], [])
        disk.heal()
        await built.admit()
        assert fates(await built.read_feed()) == ["a", "b"]
        assert len(built.observed) == 2


@pytest.mark.parametrize("statement", range(1, 40, 3))
@pytest.mark.parametrize("slice_ids", [2, 1000])
async def test_a_kill_at_any_statement_of_the_state_changes_no_verdict(
    tmp_path: Path, statement: int, slice_ids: int
) -> None:
    disk, left = Disk(), statement

    def at_statement(_: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            disk.copy(tmp_path / "one", tmp_path / "killed")

    async with house(tmp_path / "one", disk=disk, slice_ids=slice_ids) as built:
        for names in STREAM:
            await built.take(*names)
        disk.at_statement = at_statement
        for _ in STREAM:
            await built.admit(limit=1)
        disk.at_statement = None
        if left > 0:
            disk.copy(tmp_path / "one", tmp_path / "killed")
        expected = await end(built)
    async with house(tmp_path / "killed", slice_ids=slice_ids) as again:
        while again.admission.cursor < len(STREAM):
            await again.admit(limit=2)
        assert await end(again) == expected


async def test_a_filter_that_cannot_be_saved_does_not_end_admission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.admission.seen.SAVE_EVERY", 1)
    monkeypatch.setattr(admit, "RETRY_SECONDS", 0)
    async with house(tmp_path, slice_ids=1) as built:
        (tmp_path / f"seen-{built.seen._current}.part").mkdir()  # as good as a full disk
        async with built.running():
            for n, name in enumerate(("a", "b", "a")):
                await built.take(name)
                await built.feed.wait(n)
        assert fates(await built.read_feed()) == ["a", "b", "a=duplicate"]


async def test_a_power_cut_that_took_more_of_the_log_than_of_the_state_hides_no_later_event(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as built:
        for names in STREAM:
            await built.take(*names)
        await built.admit()
    for path in (tmp_path / "log").iterdir():
        path.unlink()  # with durability = "normal" nothing of it had been synced
    async with house(tmp_path) as again:
        before = again.admission.cursor
        assert await again.take("x", "y") > before, "consumers are past it already"
        await again.take("z")
        await again.admit()
        assert fates(again.observed) == ["x", "y", "z"]
        again.feed._recent.clear()
        assert fates(await again.read_feed())[-3:] == ["x", "y", "z"]


async def test_the_state_is_written_by_one_connection(tmp_path: Path) -> None:
    disk = Disk()
    async with house(tmp_path, disk=disk, slice_ids=1) as built:
        await built.take("a")
        await built.admit()
        assert built.admission.cursor == 1
    assert disk.most_writers == 1
    assert [path.name for path in disk.writers] == ["state.db"]
