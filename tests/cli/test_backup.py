"""`relay backup`."""

import sqlite3
import sys
import tarfile
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from relay.cli import relay as commands
from relay.log.record import Record
from relay.log.segment import prepare, segment_files, segment_path, write
from tests.acceptance.conftest import StartRelay
from tests.acceptance.relay_process import RelayProcess, running, source, webhook
from tests.cli.command import Outcome, ask, run
from tests.cli.writers import Writers
from tests.receiver import Receiver

CONFIG = source("web", "web-key")


def restore(file: Path, folder: Path) -> Path:
    """The data directory as it was, below `folder`."""
    data = folder / "data"
    with tarfile.open(file) as archive:
        archive.extractall(data, filter="data")
    return data


def ids_in_log(data: Path) -> set[str]:
    found: set[str] = set()
    for first in segment_files(data / "log"):
        with closing(sqlite3.connect(segment_path(data / "log", first))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            for (body,) in connection.execute("SELECT body FROM requests"):
                found.add(orjson.loads(body)["messageId"])
    return found


async def test_all_that_was_acknowledged_before_is_in_the_log_of_a_relay_on_the_copy(
    receiver: Receiver, start_relay: StartRelay, tmp_path_factory: pytest.TempPathFactory
) -> None:
    relay = await start_relay(CONFIG + webhook(receiver.url))
    writers = Writers(relay, 8)
    try:
        await writers.have(300)
        before = set(writers.acknowledged)
        outcome = await ask(relay, "backup", "copy.tar.gz", "--config", str(relay.file))
        assert outcome.code == 0, outcome.error
        assert len(writers.acknowledged) > len(before), "nothing was written meanwhile"
    finally:
        await writers.stop()
    folder = tmp_path_factory.mktemp("restored")
    data = restore(relay.file.parent / "copy.tar.gz", folder)
    assert before <= ids_in_log(data)
    async with running(folder, CONFIG + webhook(receiver.url, "later")) as restored:
        status = (await ask(restored, "status", "--json")).json
        assert status["log"]["head"] >= len(before)
        assert (await ask(restored, "send", "track", "After the restart")).code == 0
        assert before <= ids_in_log(data)


async def test_a_duplicate_is_still_known_and_delivery_goes_on_where_it_stood(
    receiver: Receiver, start_relay: StartRelay, tmp_path_factory: pytest.TempPathFactory
) -> None:
    config = CONFIG + webhook(receiver.url)
    relay = await start_relay(config)
    assert (await ask(relay, "send", "track", "Tested", "--message-id", "m1")).code == 0
    assert (await ask(relay, "pause", "hook")).code == 0
    assert (await ask(relay, "send", "track", "Tested", "--message-id", "m2")).code == 1
    assert (await ask(relay, "backup", "copy.tar.gz")).code == 0
    folder = tmp_path_factory.mktemp("restored")
    restore(relay.file.parent / "copy.tar.gz", folder)
    async with running(folder, config) as restored:
        outcome = await ask(restored, "send", "track", "Tested", "--message-id", "m1", "--json")
        assert outcome.json["verdict"] == "duplicate"
        assert (await ask(restored, "status", "--json")).json["destinations"][0]["state"] == "paused"
        assert (await ask(restored, "resume", "hook")).code == 0
        await receiver.wait_for_ids({"m2"})


@pytest.fixture
async def stopped(tmp_path: Path) -> RelayProcess:
    """A relay that has run: one event, keys it made itself, three segments of which one is its own."""
    relay = RelayProcess(tmp_path, "")
    lines = relay.file.read_text().splitlines(keepends=True)
    relay.file.write_text("".join(line for line in lines if "admin_token" not in line))
    try:
        await relay.start()
        assert (await ask(relay, "send", "track", "Tested")).code == 0
    finally:
        await relay.close()
    for first in (2, 3):
        add_segment(tmp_path / "data", first)
    return relay


def add_segment(data: Path, first: int) -> None:
    with closing(sqlite3.connect(segment_path(data / "log", first), isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        prepare(connection)
        body = orjson.dumps({"messageId": f"m{first}", "event": "E", "userId": "u"})
        write(connection, [Record(first, "default", "track", False, None, None, None, 1, body, first)])


async def back_up(relay: RelayProcess, *arguments: str) -> Outcome:
    return await ask(relay, "backup", "copy.tar.gz", *arguments)


async def test_a_relay_that_is_stopped_is_backed_up_too(stopped: RelayProcess) -> None:
    file = stopped.file.parent / "copy.tar.gz"
    outcome = await back_up(stopped)
    assert outcome.code == 0
    assert outcome.out.startswith("copy.tar.gz: ")
    assert "3 log segments" in outcome.out
    assert outcome.out.endswith("tar xzf copy.tar.gz -C DATA_DIR\n")
    assert file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(file) as archive:
        names = archive.getnames()
        assert names[0] == "state.db"
        assert names[1] == "blocked.db"
        assert names[2:5] == [f"log/{first:020}.db" for first in (1, 2, 3)]
        assert names[5:] == ["admin_token", "write_key"]
        assert archive.getmember("write_key").mode == 0o600


async def test_a_backup_that_is_there_is_only_overwritten_by_force(stopped: RelayProcess) -> None:
    file = stopped.file.parent / "copy.tar.gz"
    file.write_text("mine")
    outcome = await back_up(stopped)
    assert (outcome.code, file.read_text()) == (1, "mine")
    assert "is there already" in outcome.error
    outcome = await back_up(stopped, "--force", "--json")
    assert outcome.code == 0
    assert outcome.json == {"file": "copy.tar.gz", "bytes": file.stat().st_size, "segments": 3}


async def test_a_backup_that_fails_leaves_nothing_behind(stopped: RelayProcess) -> None:
    folder = stopped.file.parent
    segment_path(folder / "data" / "log", 2).write_text("no database" * 100)
    before = sorted(path.name for path in folder.iterdir())
    outcome = await back_up(stopped)
    assert outcome.code == 1
    assert outcome.error == "no backup was made: file is not a database\n"
    assert sorted(path.name for path in folder.iterdir()) == before


async def test_a_folder_that_is_not_there_or_no_data_directory_is_a_sentence(
    stopped: RelayProcess, tmp_path: Path
) -> None:
    outcome = await ask(stopped, "backup", "nowhere/copy.tar.gz")
    assert (outcome.code, outcome.error) == (1, "no backup was made: No such file or directory\n")
    (tmp_path / "empty").mkdir()
    outcome = await run("backup", "copy.tar.gz", folder=tmp_path / "empty")
    assert outcome.code == 1
    assert "data is no data directory of relay" in outcome.error


async def test_without_a_file_it_is_wrong_usage(tmp_path: Path) -> None:
    assert (await run("backup", folder=tmp_path)).code == 2


def test_a_segment_that_retention_takes_meanwhile_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    (data / "log").mkdir(parents=True)
    with closing(sqlite3.connect(data / "state.db")) as connection:
        connection.execute("CREATE TABLE some (thing)")
    for first in (1, 2, 3):
        add_segment(data, first)

    def files_then_trim(folder: Path) -> list[int]:
        found = segment_files(folder)
        segment_path(folder, 1).unlink()
        return found

    monkeypatch.setattr(sys.modules["relay.cli.backup"], "segment_files", files_then_trim)
    config = tmp_path / "relay.toml"
    config.write_text(f'[server]\ndata_dir = "{data}"\n')
    file = tmp_path / "copy.tar.gz"
    result = CliRunner().invoke(commands, ["backup", str(file), "--config", str(config)])
    assert result.exit_code == 0, result.exception
    with tarfile.open(file) as archive:
        assert archive.getnames() == ["state.db", f"log/{2:020}.db", f"log/{3:020}.db"]
