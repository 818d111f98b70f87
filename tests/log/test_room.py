"""A log that may take only so much: it says so, and goes on when there is room."""

from pathlib import Path

import pytest

from relay.errors import LogUnavailable
from relay.log import sqlite
from relay.log.sqlite import SqliteLog
from tests.log.records import NOON, append_singly, read_all, record

DAY = 86_400.0
MAX_BYTES = 2_000_000


class Clock:
    """Seconds since 1970, moved by hand."""

    def __init__(self) -> None:
        self.now = NOON / 1000

    def __call__(self) -> float:
        return self.now


async def filled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> SqliteLog:
    """A log that holds more than MAX_BYTES, and cannot drop any."""
    monkeypatch.setattr(sqlite, "SEGMENT_BYTES", 200_000)
    log = await SqliteLog.open(folder)
    await append_singly(log, [record(n, size=50_000) for n in range(60)])
    await log.trim(older_than=0, keep_from=1, max_bytes=MAX_BYTES)
    return log


async def test_a_log_that_has_reached_max_bytes_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await filled(tmp_path, monkeypatch)
    assert log.problem == "the log has reached max_bytes"
    with pytest.raises(LogUnavailable, match="reached max_bytes") as refusal:
        log.append(record(60))
    assert refusal.value.after_seconds >= 1
    assert len(await read_all(log)) == 60
    await log.close()


async def test_a_full_log_goes_on_as_soon_as_something_could_be_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await filled(tmp_path, monkeypatch)
    first = await log.trim(older_than=0, keep_from=61, max_bytes=MAX_BYTES)
    assert first > 1
    assert log.problem is None
    assert await log.append(record(60)) == 61
    await log.close()


async def test_a_full_log_goes_on_as_soon_as_it_may_take_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await filled(tmp_path, monkeypatch)
    await log.trim(older_than=0, keep_from=1, max_bytes=None)
    assert await log.append(record(60)) == 61
    await log.close()


async def test_a_log_smaller_than_a_segment_has_something_to_drop(tmp_path: Path) -> None:
    log = await SqliteLog.open(tmp_path)
    await log.trim(older_than=0, keep_from=1, max_bytes=1_000_000)
    for n in range(100):
        await log.append(record(n, size=50_000))
        await log.trim(older_than=0, keep_from=log.head + 1, max_bytes=1_000_000)
        assert log.problem is None
    assert log.first > 50
    await log.close()


async def test_a_quiet_log_with_max_bytes_is_not_taken_for_full(tmp_path: Path) -> None:
    clock = Clock()
    log = await SqliteLog.open(tmp_path, clock=clock)
    await log.append(record(0))
    clock.now += 2 * DAY
    await log.trim(older_than=0, keep_from=1, max_bytes=10_000_000)
    assert log.problem is None
    assert log.size < 100_000
    assert await log.append(record(1)) == 2
    await log.close()


async def test_a_quiet_log_is_cut_once_a_day_so_that_its_old_part_can_go(tmp_path: Path) -> None:
    clock = Clock()
    log = await SqliteLog.open(tmp_path, clock=clock)
    for day in range(4):
        at = int(clock.now * 1000)
        await log.append(record(day, received_at=at))
        clock.now += 1.5 * DAY
        await log.trim(older_than=at - int(2 * DAY * 1000), keep_from=log.head + 1, max_bytes=None)
    assert (log.first, log.head) == (3, 4)
    await log.close()
