"""A disk that refuses the log's commits: nobody is told what is not so, and the log recovers by itself."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from relay.errors import LogUnavailable
from relay.log import sqlite
from relay.log.record import Record
from relay.log.sqlite import RETRY_SECONDS, SqliteLog
from tests.faults.disk import FULL, IO_ERROR, Disk, Moment
from tests.log.records import append, append_singly, kept, read_all, record

FEW, MANY = range(10, 12), range(10, 310)  # one statement, and BEGIN to COMMIT
WRITES = ("INSERT", "COMMIT")


class Clock:
    """Seconds, moved by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def refused(log: SqliteLog, records: list[Record]) -> str:
    """Append and be refused, every one for the same reason."""
    answers = await asyncio.gather(*[log.append(r) for r in records], return_exceptions=True)
    assert all(isinstance(answer, LogUnavailable) for answer in answers)
    (reason,) = {str(answer) for answer in answers}
    return reason


async def opened(folder: Path, disk: Disk, clock: Clock) -> SqliteLog:
    """A log with ten records."""
    log = await SqliteLog.open(folder, clock=clock, connect=disk.connect)
    await append_singly(log, [record(n) for n in range(10)])
    return log


@pytest.mark.parametrize("error", [IO_ERROR, FULL])
@pytest.mark.parametrize("group", [FEW, MANY])
async def test_a_group_that_could_not_be_written_is_refused_and_not_there(
    tmp_path: Path, group: range, error: str
) -> None:
    disk, clock = Disk(), Clock()
    log = await opened(tmp_path, disk, clock)
    disk.break_down(*WRITES, error=error)
    assert error in await refused(log, [record(n) for n in group])
    assert error in (log.problem or "")
    disk.heal()
    clock.now += RETRY_SECONDS
    assert await append(log, [record(1000)]) == [11]
    assert log.problem is None
    assert await read_all(log) == kept([*(record(n) for n in range(10)), record(1000)])
    await log.close()


@pytest.mark.parametrize("group", [FEW, MANY])
async def test_a_group_that_was_written_though_the_disk_denied_it_keeps_its_sequences(
    tmp_path: Path, group: range
) -> None:
    disk, clock = Disk(), Clock()
    log = await opened(tmp_path, disk, clock)
    disk.break_down("INSERT" if group is FEW else "COMMIT", moment="after")
    await refused(log, [record(n) for n in group])
    disk.heal()
    clock.now += RETRY_SECONDS
    assert await append(log, [record(1000)]) == [11 + len(group)]
    everything = [*(record(n) for n in range(10)), *(record(n) for n in group), record(1000)]
    assert await read_all(log) == kept(everything)
    await log.close()


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_who_waits_for_a_group_that_survived_its_failure_is_woken(
    tmp_path: Path, moment: Moment
) -> None:
    disk, clock = Disk(), Clock()
    log = await opened(tmp_path, disk, clock)
    waiting = asyncio.create_task(log.wait(10))
    disk.break_down("INSERT", moment=moment)
    await refused(log, [record(10)])
    disk.heal()
    clock.now += RETRY_SECONDS
    await log.append(record(11))
    async with asyncio.timeout(60):
        await waiting
    assert log.head == (11 if moment == "before" else 12)
    await log.close()


async def test_while_the_disk_refuses_nothing_is_taken_until_it_is_time_to_try_again(tmp_path: Path) -> None:
    disk, clock = Disk(), Clock()
    log = await opened(tmp_path, disk, clock)
    disk.break_down(*WRITES, "BEGIN")
    await refused(log, [record(10)])
    attempts = disk.refused
    clock.now += RETRY_SECONDS / 2
    with pytest.raises(LogUnavailable, match=IO_ERROR):
        log.append(record(11))
    assert disk.refused == attempts
    clock.now += RETRY_SECONDS
    await refused(log, [record(12)])
    assert disk.refused > attempts
    await log.close()


async def test_a_file_whose_commit_failed_is_never_written_again(tmp_path: Path) -> None:
    disk, clock = Disk(), Clock()
    log = await opened(tmp_path, disk, clock)
    disk.break_down("INSERT", moment="after", times=1)
    await refused(log, [record(10)])
    clock.now += RETRY_SECONDS
    await append_singly(log, [record(n) for n in range(11, 20)])
    await log.close()
    assert sorted(int(path.stem) for path in tmp_path.glob("*.db")) == [1, 12]


@pytest.mark.parametrize("words", [("CONNECT",), ("PRAGMA",), ("SCRIPT",), ("SELECT",)])
async def test_a_segment_that_cannot_be_opened_is_tried_again(tmp_path: Path, words: tuple[str]) -> None:
    disk, clock = Disk(), Clock()
    log = await opened(tmp_path, disk, clock)
    disk.break_down("INSERT", times=1)
    await refused(log, [record(10)])
    for _ in range(3):
        clock.now += RETRY_SECONDS
        disk.break_down(*words)
        await refused(log, [record(10)])
    disk.heal()
    clock.now += RETRY_SECONDS
    assert await append(log, [record(11)]) == [11]
    assert await read_all(log) == kept([*(record(n) for n in range(10)), record(11)])
    await log.close()


async def test_a_next_segment_that_cannot_be_opened_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "SEGMENT_BYTES", 1)
    disk, clock = Disk(), Clock()
    log = await opened(tmp_path, disk, clock)
    disk.break_down("SCRIPT")
    await refused(log, [record(10)])
    disk.heal()
    clock.now += RETRY_SECONDS
    assert await append_singly(log, [record(n) for n in range(11, 15)]) == [11, 12, 13, 14]
    assert await read_all(log) == kept([record(n) for n in range(15) if n != 10])
    await log.close()


async def test_what_is_kept_can_be_read_while_nothing_can_be_written(tmp_path: Path) -> None:
    disk, clock = Disk(), Clock()
    log = await opened(tmp_path, disk, clock)
    disk.break_down(*WRITES, "BEGIN", "CONNECT")
    await refused(log, [record(10)])
    assert await read_all(log) == kept([record(n) for n in range(10)])
    assert await log.find({3}) == kept([record(2)], 3)
    await log.close()


async def test_groups_that_wait_behind_a_failed_one_are_written_when_the_disk_recovers_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "GROUP_BYTES", 1)  # each record is a group of its own
    disk, clock = Disk(), Clock()
    log = await opened(tmp_path, disk, clock)
    disk.break_down("INSERT", times=1)
    futures = [log.append(record(n)) for n in range(10, 15)]
    answers = await asyncio.gather(*futures, return_exceptions=True)
    assert isinstance(answers[0], LogUnavailable)
    assert answers[1:] == [11, 12, 13, 14]
    assert await read_all(log) == kept([record(n) for n in range(15) if n != 10])
    await log.close()


async def test_a_log_that_cannot_be_opened_leaves_no_connection_open(tmp_path: Path) -> None:
    disk = Disk()
    disk.break_down("SCRIPT", error=FULL)
    with pytest.raises(sqlite3.OperationalError, match=FULL):
        await SqliteLog.open(tmp_path, connect=disk.connect)
    assert set(disk.writers.values()) == {0}
