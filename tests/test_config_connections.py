"""What the plan APIs set, taken up beside relay.toml."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from relay.config import Config, default, load, with_generated
from relay.config_connections import with_connections
from relay.errors import ConfigError
from relay.plans.connections import Connections, read_connections
from relay.plans.controls import Controls
from tests.plans.plans import about, plan

SOURCE = '[[sources]]\nname = "{0}"\nwrite_key = "{0}-key"\n'
BLOCKED: dict[str, Any] = {"allow_unplanned_track_events": False}


class Folder:
    """One with relay.toml, a data directory and plans."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "plans").mkdir()
        (path / "data").mkdir()

    def plan(self, name: str = "rs_1", *events: str) -> None:
        (self.path / f"plans/{name}.json").write_text(json.dumps(plan(*[(e, about()) for e in events])))

    def connect(self, **sources: Any) -> None:
        (self.path / "data/api.json").write_text(json.dumps({"sources": sources}))

    def load(self, *tables: str) -> Config:
        text = f'[server]\ndata_dir = "{self.path / "data"}"\n' + "".join(tables)
        (self.path / "relay.toml").write_text(text)
        return load(self.path / "relay.toml", {})

    def problems(self, *tables: str) -> list[str]:
        with pytest.raises(ConfigError) as raised:
            self.load(*tables)
        return [problem.removeprefix(f"{self.path}/") for problem in raised.value.problems]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_plan_and_controls_are_taken_up(folder: Folder) -> None:
    folder.plan("rs_1", "A")
    folder.connect(web={"plan": "rs_1", "controls": BLOCKED})
    config = folder.load(SOURCE.format("web"), SOURCE.format("app"))
    assert config.plans.keys() == {"web"}
    assert config.plan_files == {"web": folder.path.resolve() / "plans/rs_1.json"}
    assert [source.controls for source in config.sources] == [Controls(**BLOCKED), Controls()]
    assert config.in_file == {}


def test_sources_of_one_plan_share_what_was_compiled(folder: Folder) -> None:
    folder.plan()
    folder.connect(web={"plan": "rs_1"}, app={"plan": "rs_1"})
    config = folder.load(SOURCE.format("web"), SOURCE.format("app"))
    assert config.plans["web"] is config.plans["app"]


def test_what_the_file_says_counts_more(folder: Folder) -> None:
    folder.plan("rs_1", "A")
    folder.plan("mine", "B")
    folder.connect(web={"plan": "rs_1", "controls": BLOCKED})
    config = folder.load(SOURCE.format("web"), 'plan = "plans/mine.json"\n[sources.controls]\n')
    assert [rule.key for rule in config.plans["web"].plan.rules] == ["B"]
    assert config.sources[0].controls == Controls()
    file = folder.path / "relay.toml"
    assert config.in_file == {("web", "plan"): f"{file}:6", ("web", "controls"): f"{file}:7"}


def test_controls_of_the_file_may_be_about_a_plan_of_an_api(folder: Folder) -> None:
    folder.plan()
    folder.connect(web={"plan": "rs_1"})
    config = folder.load(SOURCE.format("web"), "controls.allow_unplanned_track_events = false\n")
    assert config.sources[0].controls == Controls(**BLOCKED)


def test_a_source_that_is_gone_is_passed_over(folder: Folder) -> None:
    folder.connect(old={"plan": "rs_1"})
    assert folder.load(SOURCE.format("web")).plans == {}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"plan": "rs_2"}, "rs_2.json: cannot be read: No such file or directory"),
        ({"plan": "rs_broken"}, "rs_broken.json: rules.events: must be a list"),
        ({"plan": "../../x"}, "source `web`: `../../x` is no id of a plan"),
        (
            {"controls": {"forwarding_violations_to": "nobody"}},
            "`forwarding_violations_to` must be another source",
        ),
        ({"controls": {"allow": 1}}, "unknown field `allow`"),
    ],
)
def test_what_cannot_be_is_told_with_the_file(folder: Folder, said: Any, told: str) -> None:
    (folder.path / "plans/rs_broken.json").write_text('{"rules": {"events": 3}}')
    folder.connect(web=said)
    (problem,) = folder.problems(SOURCE.format("web"))
    assert problem.startswith("data/api.json: ")
    assert told in problem


def test_without_sources_the_one_that_is_made_has_what_was_set(folder: Folder) -> None:
    folder.plan()
    folder.connect(default={"plan": "rs_1", "controls": BLOCKED})
    config = with_generated(folder.load(), lambda _: "key")
    assert config.plans.keys() == {"default"}
    assert config.sources[0].controls == Controls(**BLOCKED)


def test_without_a_file_plans_are_with_the_data(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.path)
    (folder.path / "data/plans").mkdir()
    (folder.path / "data/plans/rs_1.json").write_text(json.dumps(plan(("A", about()))))
    folder.connect(default={"plan": "rs_1"})
    assert default().plans.keys() == {"default"}


def test_a_data_directory_that_is_not_ours_to_look_into_says_nothing(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    folder.connect(web={"plan": "rs_1"})
    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.stat", refuse)
        assert read_connections(folder.path / "data") == Connections()


def test_what_was_compiled_is_compiled_once(folder: Folder) -> None:
    folder.plan("rs_1", "A")
    folder.connect(web={"plan": "rs_1"})
    config = folder.load(SOURCE.format("web"))
    again = with_connections(config)
    assert again.plans["web"] is config.plans["web"]
    assert msgspec.structs.replace(again, plans=config.plans) == config
