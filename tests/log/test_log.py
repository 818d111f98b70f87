"""The log's promise, held to by everything that implements it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.errors import LogUnavailable
from relay.log import sqlite
from relay.log.base import Log
from relay.log.memory import MemoryLog
from relay.log.sqlite import SqliteLog
from tests.log.records import NOON, append, append_singly, kept, read_all, record

EVERYTHING = {"max_events": 1000, "max_bytes": 10_000_000}


@pytest.fixture(params=["memory", "sqlite"])
async def log(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Log]:
    """An empty log. On disk each group is a segment of its own, so that retention has pieces to drop."""
    monkeypatch.setattr(sqlite, "SEGMENT_BYTES", 1)
    opened: Log = MemoryLog() if request.param == "memory" else await SqliteLog.open(tmp_path / "log")
    yield opened
    await opened.close()


async def test_an_empty_log_has_no_head_and_nothing_to_read(log: Log) -> None:
    assert (log.head, log.first) == (0, 1)
    assert await log.read(0, **EVERYTHING) == []
    assert await log.find([0, 1, 2]) == []


async def test_sequences_start_at_one_and_have_no_gaps(log: Log) -> None:
    assert await append_singly(log, [record(n) for n in range(3)]) == [1, 2, 3]
    assert await append(log, [record(n) for n in range(3, 303)]) == list(range(4, 304))
    assert log.head == 303


async def test_what_was_acknowledged_is_read_back_verbatim_and_in_order(log: Log) -> None:
    records = [record(n, size=n * 10) for n in range(300)]
    await append(log, records[:200])
    await append_singly(log, records[200:205])
    await append(log, records[205:])
    assert await read_all(log) == kept(records)


async def test_an_acknowledged_record_can_be_read_at_once(log: Log) -> None:
    for n in range(5):
        sequence = await log.append(record(n))
        assert log.head == sequence
        assert await log.read(sequence - 1, **EVERYTHING) == kept([record(n)], sequence)


@pytest.mark.parametrize("after", [0, 1, 3, 5])
async def test_reading_goes_on_after_a_sequence(log: Log, after: int) -> None:
    await append(log, [record(n) for n in range(6)])
    found = await log.read(after, **EVERYTHING)
    assert [r.sequence for r in found] == list(range(after + 1, 7))


@pytest.mark.parametrize("after", [6, 7, 1_000_000])
async def test_there_is_nothing_after_the_head(log: Log, after: int) -> None:
    await append(log, [record(n) for n in range(6)])
    assert await log.read(after, **EVERYTHING) == []


async def test_a_read_stops_before_it_has_too_many_events(log: Log) -> None:
    await append(log, [record(n, events=10) for n in range(6)])
    assert [r.sequence for r in await log.read(1, 30, 10_000_000)] == [2, 3, 4]
    assert [r.sequence for r in await log.read(1, 39, 10_000_000)] == [2, 3, 4]


async def test_a_read_stops_before_it_has_too_many_bytes(log: Log) -> None:
    records = [record(n, size=1000) for n in range(6)]
    await append(log, records)
    room = sum(len(r.body) for r in records[1:4])
    assert [r.sequence for r in await log.read(1, 1000, room)] == [2, 3, 4]
    assert [r.sequence for r in await log.read(1, 1000, room - 1)] == [2, 3]


async def test_a_read_has_at_least_one_record_however_large(log: Log) -> None:
    await append(log, [record(n, size=5000, events=100) for n in range(3)])
    assert await log.read(0, 1, 1) == kept([record(0, size=5000, events=100)])
    assert await log.read(2, 99, 4999) == kept([record(2, size=5000, events=100)], 3)


async def test_found_are_those_that_are_kept_in_order(log: Log) -> None:
    records = [record(n) for n in range(6)]
    await append_singly(log, records)
    expected = kept(records)
    assert await log.find({5, 2, 6}) == [expected[1], expected[4], expected[5]]
    assert await log.find({0, 7, 3, -1}) == [expected[2]]
    assert await log.find(()) == []


async def test_who_waits_is_woken_by_the_record_that_was_waited_for(log: Log) -> None:
    waiting = asyncio.create_task(log.wait(1))
    await log.append(record(0))
    await asyncio.sleep(0)
    assert not waiting.done()
    await log.append(record(1))
    async with asyncio.timeout(60):
        await waiting
    assert log.head == 2


async def test_nobody_waits_for_what_is_there(log: Log) -> None:
    await log.append(record(0))
    async with asyncio.timeout(60):
        await log.wait(0)
    assert log.head == 1


async def test_a_waiter_that_gives_up_disturbs_no_other(log: Log) -> None:
    impatient, patient = (asyncio.create_task(log.wait(0)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    await log.append(record(0))
    async with asyncio.timeout(60):
        await patient
    assert impatient.cancelled()


async def test_a_sender_that_gives_up_disturbs_no_other(log: Log) -> None:
    futures = [log.append(record(n)) for n in range(3)]
    futures[1].cancel()
    assert await futures[2] == 3
    assert await read_all(log) == kept([record(n) for n in range(3)])


async def test_what_is_old_is_dropped(log: Log) -> None:
    await append_singly(log, [record(n, received_at=NOON + n) for n in range(5)])
    assert await log.trim(older_than=NOON + 3, keep_from=6, max_bytes=None) == 4
    assert log.first == 4
    assert [r.sequence for r in await read_all(log)] == [4, 5]
    assert await log.find([2, 3, 4]) == kept([record(3)], 4)


async def test_nothing_that_somebody_needs_is_dropped_however_old(log: Log) -> None:
    await append_singly(log, [record(n) for n in range(5)])
    assert await log.trim(older_than=NOON * 2, keep_from=3, max_bytes=None) == 3
    assert [r.sequence for r in await read_all(log)] == [3, 4, 5]
    assert await log.trim(older_than=NOON * 2, keep_from=1, max_bytes=0) == 3


async def test_nothing_is_dropped_without_a_reason(log: Log) -> None:
    await append_singly(log, [record(n) for n in range(5)])
    assert await log.trim(older_than=NOON, keep_from=6, max_bytes=None) == 1
    assert await log.trim(older_than=NOON, keep_from=6, max_bytes=10_000_000) == 1
    assert len(await read_all(log)) == 5


async def test_the_oldest_go_when_the_log_is_too_big_and_the_newest_stay(log: Log) -> None:
    await append_singly(log, [record(n, size=100_000) for n in range(8)])
    first = await log.trim(older_than=0, keep_from=9, max_bytes=500_000)
    assert 1 < first == log.first <= 8
    assert log.size <= 500_000
    assert [r.sequence for r in await read_all(log)] == list(range(first, 9))


async def test_a_trimmed_log_goes_on_where_it_was(log: Log) -> None:
    await append_singly(log, [record(n) for n in range(5)])
    await log.trim(older_than=NOON * 2, keep_from=6, max_bytes=None)
    assert await append(log, [record(5)]) == [6]
    assert await log.read(5, **EVERYTHING) == kept([record(5)], 6)


async def test_the_size_grows_with_what_is_kept(log: Log) -> None:
    before = log.size
    await append(log, [record(n, size=10_000) for n in range(10)])
    assert 100_000 <= log.size - before <= 200_000


async def test_what_is_pending_is_finished_before_the_log_closes(log: Log) -> None:
    futures = [log.append(record(n)) for n in range(300)]
    await log.close()
    assert [await future for future in futures] == list(range(1, 301))


async def test_a_log_may_be_closed_twice(log: Log) -> None:
    await log.append(record(0))
    await log.close()
    await log.close()
    assert log.head == 1


async def test_a_closed_log_takes_nothing(log: Log) -> None:
    await log.close()
    with pytest.raises(LogUnavailable, match="shutting down"):
        log.append(record(0))
    assert log.head == 0
