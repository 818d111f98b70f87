"""What only the log on disk promises: restarts, segments, compression, syncing."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from relay.database import Database, open_reader
from relay.log import segment, sqlite
from relay.log import segments as segments_of_a_log
from relay.log.sqlite import SqliteLog
from tests.faults.disk import Disk
from tests.log.records import NOON, append, append_singly, kept, read_all, record


def segments(folder: Path) -> list[int]:
    """The first sequences of the segments on disk."""
    return sorted(int(path.stem) for path in folder.glob("*.db"))


def rows(folder: Path) -> list[tuple[int, int, bytes]]:
    """Sequence, is_zstd and stored body of every row, as another program finds them."""
    found: list[tuple[int, int, bytes]] = []
    for path in sorted(folder.glob("*.db")):
        connection = sqlite3.connect(path)
        found += connection.execute("SELECT sequence, is_zstd, body FROM requests ORDER BY 1").fetchall()
        connection.close()
    return found


async def test_a_reopened_log_goes_on_where_it_was(tmp_path: Path) -> None:
    records = [record(n) for n in range(40)]
    for start in range(0, 40, 10):
        log = await SqliteLog.open(tmp_path)
        assert log.head == start
        assert await append(log, records[start : start + 10]) == list(range(start + 1, start + 11))
        await log.close()
    log = await SqliteLog.open(tmp_path)
    assert await read_all(log) == kept(records)
    await log.close()


async def test_a_log_that_was_trimmed_to_nothing_does_not_start_again_at_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "SEGMENT_BYTES", 1)
    log = await SqliteLog.open(tmp_path)
    await append_singly(log, [record(n) for n in range(5)])
    await log.trim(older_than=NOON * 2, keep_from=6, max_bytes=None)
    await log.close()
    log = await SqliteLog.open(tmp_path)
    assert (log.first, log.head) == (5, 5)
    assert await append(log, [record(5)]) == [6]
    await log.close()


async def test_many_who_lag_in_one_place_share_one_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []

    async def counted(path: Path) -> Database:
        opened.append(path)
        return await open_reader(path)

    monkeypatch.setattr(segments_of_a_log, "open_reader", counted)
    log = await SqliteLog.open(tmp_path)
    records = [record(n) for n in range(5)]
    await append(log, records)
    found = await asyncio.gather(*(log.find([1, 2, 3, 4, 5]) for _ in range(10)))
    assert found == [kept(records)] * 10
    assert len(opened) == 1
    await log.close()


async def test_a_full_segment_is_followed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "SEGMENT_BYTES", 50_000)
    log = await SqliteLog.open(tmp_path)
    await append_singly(log, [record(n, size=10_000) for n in range(20)])
    firsts = segments(tmp_path)
    assert firsts == [1, 6, 11, 16]
    assert await read_all(log, max_events=3) == kept([record(n, size=10_000) for n in range(20)])
    await log.close()
    assert segments(tmp_path) == firsts


async def test_every_sequence_is_in_exactly_one_segment_and_each_is_named_by_its_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "SEGMENT_BYTES", 20_000)
    log = await SqliteLog.open(tmp_path)
    await append_singly(log, [record(n, size=3000) for n in range(50)])
    await log.close()
    assert [sequence for sequence, _, _ in rows(tmp_path)] == list(range(1, 51))
    for path in tmp_path.glob("*.db"):
        connection = sqlite3.connect(path)
        assert connection.execute("SELECT min(sequence) FROM requests").fetchone() == (int(path.stem),)
        connection.close()


async def test_records_of_many_segments_are_found_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "SEGMENT_BYTES", 1)
    log = await SqliteLog.open(tmp_path)
    records = [record(n) for n in range(12)]
    await append_singly(log, records)
    expected = kept(records)
    assert await log.find({12, 1, 7, 3, 9, 5, 11}) == [expected[n - 1] for n in (1, 3, 5, 7, 9, 11, 12)]
    await log.close()


async def test_who_reads_from_memory_and_who_reads_from_disk_read_the_same(tmp_path: Path) -> None:
    log = await SqliteLog.open(tmp_path)
    await append(log, [record(n, size=n * 40, events=1 + n % 7) for n in range(300)])
    for after in range(0, 300, 7):
        near = await log.read(after, 50, 30_000)
        far = await log._segments.read(after, log.head, 50, 30_000)
        assert near == far
        assert near
    await log.close()


async def test_memory_keeps_only_the_newest_and_the_rest_is_read_from_disk(tmp_path: Path) -> None:
    log = await SqliteLog.open(tmp_path)
    records = [record(n, size=100_000) for n in range(120)]
    await append_singly(log, records)
    assert log._tail.read(0, 10, 1_000_000) is None
    assert log._tail.read(119, 10, 1_000_000) is not None
    assert await read_all(log) == kept(records)
    await log.close()


async def test_what_compresses_is_compressed_on_disk_and_returned_verbatim(tmp_path: Path) -> None:
    small, large = record(0), record(1)
    small.body, large.body = b'{"a":1}', b'{"batch":[' + b'{"type":"track"},' * 5000 + b"0]}"
    log = await SqliteLog.open(tmp_path)
    await append(log, [small, large])
    await log.close()
    (_, is_small_zstd, stored), (_, is_large_zstd, packed) = rows(tmp_path)
    assert (is_small_zstd, stored) == (0, small.body)
    assert is_large_zstd == 1
    assert len(packed) < len(large.body) / 20
    log = await SqliteLog.open(tmp_path)
    assert [r.body for r in await read_all(log)] == [small.body, large.body]
    await log.close()


@pytest.mark.parametrize("size", [0, 1, 4094, 4095, 4096, 500_000])
async def test_a_body_of_any_size_comes_back_from_disk(tmp_path: Path, size: int) -> None:
    log = await SqliteLog.open(tmp_path)
    await log.append(record(7, size=size))
    assert await log.find([1]) == kept([record(7, size=size)])
    await log.close()


@pytest.mark.parametrize(("durability", "synchronous"), [("full", 2), ("normal", 1)])
async def test_durability_decides_how_often_the_disk_is_synced(
    tmp_path: Path, durability: str, synchronous: int
) -> None:
    log = await SqliteLog.open(tmp_path, durability=durability)
    assert log._active is not None
    assert await log._active.run(lambda c: c.execute("PRAGMA synchronous").fetchone()) == (synchronous,)
    assert await log._active.run(lambda c: c.execute("PRAGMA journal_mode").fetchone()) == ("wal",)
    await log.close()


async def test_a_new_segment_is_synced_like_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "SEGMENT_BYTES", 1)
    log = await SqliteLog.open(tmp_path)
    await append_singly(log, [record(n) for n in range(3)])
    assert len(segments(tmp_path)) == 3
    assert log._active is not None
    assert await log._active.run(lambda c: c.execute("PRAGMA synchronous").fetchone()) == (2,)
    await log.close()


async def test_a_segment_has_one_writer_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "SEGMENT_BYTES", 10_000)
    disk = Disk()
    for start in range(0, 100, 50):
        log = await SqliteLog.open(tmp_path, connect=disk.connect)
        await append_singly(log, [record(n, size=1000) for n in range(start, start + 50)])
        await read_all(log)
        await log.close()
    assert len(disk.writers) > 5
    assert disk.most_writers == 1
    assert set(disk.writers.values()) == {0}


async def test_who_reads_cannot_write(tmp_path: Path) -> None:
    log = await SqliteLog.open(tmp_path)
    await log.append(record(0))
    await log.find([1])
    (reader,) = log._segments._readers.values()
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await reader.run(lambda c: c.execute("DELETE FROM requests"))
    await log.close()
    assert len(rows(tmp_path)) == 1


async def test_a_closed_log_leaves_whole_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "SEGMENT_BYTES", 1)
    log = await SqliteLog.open(tmp_path)
    await append_singly(log, [record(n) for n in range(5)])
    await read_all(log)
    await log.close()
    assert {path.suffix for path in tmp_path.iterdir()} == {".db"}


async def test_a_sealed_segment_that_a_crash_left_with_a_wal_is_finished(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    disk = Disk()
    log = await SqliteLog.open(before, connect=disk.connect)
    await append(log, [record(n) for n in range(5)])
    disk.copy(before, after)
    await log.close()
    next_segment = sqlite3.connect(segment.segment_path(after, 6))
    segment.prepare(next_segment)
    next_segment.close()
    wal = segment.segment_path(after, 1).with_suffix(".db-wal")
    assert wal.stat().st_size > 0
    log = await SqliteLog.open(after, connect=disk.connect)
    await log.close()
    assert not wal.exists()
    assert [sequence for sequence, _, _ in rows(after)] == [1, 2, 3, 4, 5]


async def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("not a segment")
    (tmp_path / "README").write_text("hello")
    log = await SqliteLog.open(tmp_path)
    await log.append(record(0))
    await log.close()
    assert (tmp_path / "notes.db").read_text() == "not a segment"
    assert (tmp_path / "README").read_text() == "hello"
