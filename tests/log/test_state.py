"""The state database: its schema over the years, and whole transactions."""

import re
import sqlite3
from importlib.resources import files
from pathlib import Path

import pytest

from relay.database import connect_writer, migrate, migrations, named_queries
from relay.errors import DataDirectoryError
from relay.log.state import MIGRATIONS, SQL, State, rows_json
from tests.faults.disk import Disk

Schema = set[tuple[str, str, str, str]]


def schema_of(connection: sqlite3.Connection) -> Schema:
    """Every table and index, however its SQL is laid out."""
    rows = connection.execute("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master")
    return {(kind, name, table, normalised(sql)) for kind, name, table, sql in rows}


def normalised(sql: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"--[^\n]*", "", sql)).strip()


def migrated(path: Path, folder: Path | None = None) -> sqlite3.Connection:
    connection = connect_writer(path, "NORMAL")
    migrate(connection, folder or MIGRATIONS, path)
    return connection


def version(path: Path) -> int:
    connection = sqlite3.connect(path)
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return int(number)


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    """A folder with three migrations; the second fills what the first made."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_a.sql").write_text("CREATE TABLE a (n INTEGER NOT NULL);\nINSERT INTO a VALUES (1);")
    (folder / "0002_b.sql").write_text(
        "CREATE TABLE b (n INTEGER NOT NULL);\nINSERT INTO b SELECT n + 1 FROM a;"
    )
    (folder / "0003_c.sql").write_text("ALTER TABLE b ADD COLUMN m TEXT;")
    (folder / "README.md").write_text("not a migration")
    return folder


def test_all_migrations_together_equal_schema_sql(tmp_path: Path) -> None:
    by_steps = migrated(tmp_path / "state.db")
    at_once = sqlite3.connect(":memory:")
    at_once.executescript(files("relay.log").joinpath("sql/schema.sql").read_text())
    assert schema_of(by_steps) == schema_of(at_once)
    assert len(schema_of(at_once)) > 10
    by_steps.close()
    at_once.close()


async def test_an_empty_file_gets_todays_schema(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.touch()
    state = await State.open(path)
    assert await state.read(lambda c: c.execute(SQL["admission_cursor"]).fetchall()) == [(0,)]
    await state.close()
    assert version(path) == len(migrations(MIGRATIONS))


async def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    state = await State.open(path)
    first = state.log_id
    await state.write(lambda c: c.execute(SQL["set_admission_cursor"], (7,)))
    await state.close()
    state = await State.open(path)
    assert state.log_id == first
    assert await state.read(lambda c: c.execute(SQL["admission_cursor"]).fetchall()) == [(7,)]
    await state.close()


async def test_two_data_directories_have_different_ids(tmp_path: Path) -> None:
    states = [await State.open(tmp_path / name) for name in ("a.db", "b.db")]
    assert states[0].log_id != states[1].log_id
    assert all(re.fullmatch("[0-9a-f]{8}", state.log_id) for state in states)
    for state in states:
        await state.close()


@pytest.mark.parametrize("old", [0, 1, 2, 3])
def test_an_old_file_is_brought_up_step_by_step(tmp_path: Path, steps: Path, old: int) -> None:
    path = tmp_path / "old.db"
    scripts = migrations(steps)
    assert len(scripts) == 3
    connection = connect_writer(path, "NORMAL")
    for script in scripts[:old]:
        connection.executescript(script)
    connection.execute(f"PRAGMA user_version = {old}")
    migrate(connection, steps, path)
    assert connection.execute("SELECT n, m FROM b").fetchall() == [(2, None)]
    connection.close()
    assert version(path) == 3


def test_a_step_that_fails_leaves_the_version_before_it(tmp_path: Path, steps: Path) -> None:
    path = tmp_path / "old.db"
    (steps / "0003_c.sql").write_text("CREATE TABLE c (n);\nDELETE FROM b;\nSELECT * FROM nowhere;")
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrated(path, steps)
    assert version(path) == 2
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT n FROM b").fetchall() == [(2,)]
    assert ("c",) not in connection.execute("SELECT name FROM sqlite_master").fetchall()
    connection.close()


async def test_a_file_of_a_newer_relay_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    await (await State.open(path)).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 1000")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(DataDirectoryError, match=r"state\.db was written by a newer relay \(schema 1000"):
        await State.open(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["state.db"]


async def test_a_write_is_all_or_nothing(tmp_path: Path) -> None:
    state = await State.open(tmp_path / "state.db")

    def work(connection: sqlite3.Connection) -> None:
        connection.execute(SQL["set_admission_cursor"], (5,))
        connection.execute(SQL["add_verdicts"], (rows_json([(1, 0, "duplicate", "why")]),))
        raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        await state.write(work)
    assert await state.read(lambda c: c.execute(SQL["admission_cursor"]).fetchone()) == (0,)
    assert await state.read(lambda c: c.execute(SQL["verdicts_between"], (0, 9)).fetchall()) == []
    await state.write(lambda c: c.execute(SQL["set_admission_cursor"], (6,)))
    assert await state.read(lambda c: c.execute(SQL["admission_cursor"]).fetchone()) == (6,)
    await state.close()


async def test_what_is_written_through_is_synced_and_the_rest_as_before(tmp_path: Path) -> None:
    state = await State.open(tmp_path / "state.db")

    def level(connection: sqlite3.Connection) -> int:
        (number,) = connection.execute("PRAGMA synchronous").fetchone()
        return int(number)

    full, normal = 2, 1
    assert await state.write(level) == normal
    assert await state.write_through(level) == full
    with pytest.raises(sqlite3.OperationalError):
        await state.write_through(lambda c: c.execute("SELECT * FROM nowhere"))
    assert await state.write(level) == normal
    await state.close()


async def test_a_commit_that_fails_is_rolled_back_and_can_be_repeated(tmp_path: Path) -> None:
    disk = Disk()
    state = await State.open(tmp_path / "state.db", connect=disk.connect)
    disk.break_down("COMMIT", times=1)
    with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
        await state.write(lambda c: c.execute(SQL["set_admission_cursor"], (5,)))
    assert await state.read(lambda c: c.execute(SQL["admission_cursor"]).fetchone()) == (0,)
    await state.write(lambda c: c.execute(SQL["set_admission_cursor"], (5,)))
    assert await state.read(lambda c: c.execute(SQL["admission_cursor"]).fetchone()) == (5,)
    await state.close()


async def test_a_state_that_cannot_be_opened_leaves_no_connection_open(tmp_path: Path) -> None:
    disk = Disk()
    disk.break_down("SCRIPT")
    with pytest.raises(sqlite3.OperationalError):
        await State.open(tmp_path / "state.db", connect=disk.connect)
    assert set(disk.writers.values()) == {0}


@pytest.mark.parametrize("name", ["sql/queries.sql", "sql/seen.sql"])
def test_every_statement_fits_the_schema(tmp_path: Path, name: str) -> None:
    connection = migrated(tmp_path / "state.db")
    connection.text_factory = bytes  # a plan may quote ids
    queries = named_queries("relay.log", name)
    for sql in queries.values():
        numbered = [int(number) for number in re.findall(r"\?(\d+)", sql)]
        count = max(numbered) if numbered else sql.count("?")
        assert connection.execute(f"EXPLAIN {sql}", [None] * count).fetchall()
    assert len(queries) > 10
    connection.close()
