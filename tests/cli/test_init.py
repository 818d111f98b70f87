"""`relay init`."""

import json
import os
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from relay.cli import relay
from relay.cli.client import CannotDo
from relay.config import load


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def init(*arguments: str) -> Result:
    return CliRunner().invoke(relay, ["init", *arguments])


def keys_in(path: Path) -> set[str]:
    raw = tomllib.loads(path.read_text())
    return {raw["server"]["admin_token"], raw["sources"][0]["write_key"]}


def test_the_file_is_right_and_readable_by_its_owner_only() -> None:
    result = init()
    assert result.exit_code == 0
    assert "relay serve" in result.output
    assert Path("relay.toml").stat().st_mode & 0o777 == 0o600
    config = load(Path("relay.toml"), os.environ)
    assert [source.name for source in config.sources] == ["web"]


def test_keys_are_new_each_time_and_not_printed() -> None:
    result = init()
    init("--config", "other.toml")
    keys, others = keys_in(Path("relay.toml")), keys_in(Path("other.toml"))
    assert len(keys | others) == 4
    assert not [key for key in keys if key in result.output]


def test_what_to_do_next_names_the_file() -> None:
    assert "relay serve --config other.toml" in init("--config", "other.toml").output


def test_a_file_that_is_there_is_left_alone() -> None:
    Path("relay.toml").write_text("# mine")
    result = init()
    assert result.exit_code == 1
    assert isinstance(result.exception, CannotDo)
    assert "is there already" in str(result.exception)
    assert Path("relay.toml").read_text() == "# mine"


def test_a_folder_that_is_not_there_is_a_sentence() -> None:
    result = init("--config", "nowhere/relay.toml")
    assert result.exit_code == 1
    assert str(result.exception) == "nowhere/relay.toml cannot be written: No such file or directory"


def test_json_says_what_was_written() -> None:
    assert json.loads(init("--json").output) == {"file": "relay.toml", "source": "web"}
