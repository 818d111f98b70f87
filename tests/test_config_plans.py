"""`plan` and `[sources.controls]` in relay.toml."""

import json
from pathlib import Path

import pytest

from relay.config import Config, load
from relay.errors import ConfigError
from relay.plans.controls import Controls
from tests.plans.plans import about, plan

SOURCE = '[[sources]]\nname = "{0}"\nwrite_key = "{0}-key"\n'


def loaded(folder: Path, text: str) -> Config:
    (folder / "relay.toml").write_text(text)
    return load(folder / "relay.toml", {})


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        loaded(folder, text)
    return [problem.removeprefix(f"{folder / 'relay.toml'}:") for problem in raised.value.problems]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a plan and an empty file."""
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans/web.json").write_text(json.dumps(plan(("A", about()))))
    (tmp_path / "plans/empty.json").touch()
    return tmp_path


def test_a_plan_is_read_from_the_folder_of_relay_toml(folder: Path) -> None:
    config = loaded(folder, SOURCE.format("web") + 'plan = "plans/web.json"\n' + SOURCE.format("app"))
    assert config.plans.keys() == {"web"}
    assert config.plans["web"].plan.name == "Shop"
    assert [source.controls for source in config.sources] == [Controls(), Controls()]


def test_sources_that_name_the_same_file_share_what_was_compiled(folder: Path) -> None:
    one = 'plan = "plans/web.json"\n'
    config = loaded(folder, SOURCE.format("web") + one + SOURCE.format("app") + one)
    assert config.plans["web"] is config.plans["app"]


def test_controls_are_read(folder: Path) -> None:
    text = SOURCE.format("web") + 'plan = "plans/web.json"\n[sources.controls]\n'
    config = loaded(
        folder, text + 'allow_unplanned_track_events = false\ncommon_group_event_on_violations = "BLOCK"\n'
    )
    said = Controls(allow_unplanned_track_events=False, common_group_event_on_violations="BLOCK")
    assert config.sources[0].controls == said


def test_every_wrong_control_is_told_at_its_line(folder: Path) -> None:
    text = SOURCE.format("web") + 'plan = "plans/web.json"\n[sources.controls]\n'
    wrong = 'allow_unplanned_track_event = false\nallow_track_event_on_violations = 0\ncommon_group_event_on_violations = "OMIT_PROPERTIES"\n'
    assert problems(folder, text + wrong) == [
        "6: unknown control `allow_unplanned_track_event`, did you mean `allow_unplanned_track_events`?",
        "7: Expected `bool`, got `int` - at `allow_track_event_on_violations`",
        "8: Expected `ALLOW` or `OMIT_TRAITS` or `BLOCK` - at `common_group_event_on_violations`",
    ]


def test_controls_that_are_no_table_are_told(folder: Path) -> None:
    text = SOURCE.format("web") + 'plan = "plans/web.json"\ncontrols = 1\n'
    assert problems(folder, text) == ["5: Expected `object`, got `int` - at `controls`"]


def test_a_strict_source_without_a_plan_is_told(folder: Path) -> None:
    text = SOURCE.format("web") + "strict = true\n"
    assert problems(folder, text) == ["4: `strict` needs a `plan`: what breaks it is refused"]


def test_controls_without_a_plan_are_told(folder: Path) -> None:
    text = SOURCE.format("web") + "controls.allow_unplanned_track_events = false\n"
    assert problems(folder, text) == ["4: `controls` need a `plan`: they say what becomes of what breaks it"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("plans/none.json", "cannot be read: No such file or directory"),
        ("plans", "cannot be read: Is a directory"),
        ("plans/empty.json", "not JSON: Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_a_plan_that_cannot_be_read_is_told(folder: Path, name: str, told: str) -> None:
    (mistake,) = problems(folder, SOURCE.format("web") + f'plan = "{name}"\n')
    assert mistake.startswith(f"4: `plan`: {name}: {told[:12]}")


def test_every_mistake_of_a_plan_is_told_with_its_place(folder: Path) -> None:
    events = [
        {"name": "A", "rules": {"$ref": "http://x/"}},
        {"rules": {}},
        {"name": "B", "rules": {"pattern": "(?=a)"}},
    ]
    (folder / "plans/web.json").write_text(json.dumps({"rules": {"events": events}}))
    start = "4: `plan`: plans/web.json: rules.events"
    assert sorted(problems(folder, SOURCE.format("web") + 'plan = "plans/web.json"\n')) == [
        f"{start}[0].rules.$ref: must begin with `#`: nothing outside the schema is fetched",
        f"{start}[1].name: must be the name of an event",
        f"{start}[2].rules.pattern: look-ahead and look-behind are not supported in patterns",
    ]


def test_a_plan_of_more_than_15_mb_is_not_even_read(folder: Path) -> None:
    with (folder / "plans/web.json").open("wb") as file:
        file.truncate(15_000_001)
    (mistake,) = problems(folder, SOURCE.format("web") + 'plan = "plans/web.json"\n')
    assert mistake == "4: `plan`: plans/web.json: has more than 15,000,000 bytes"


@pytest.mark.parametrize("control", ["forwarding_violations_to", "forwarding_blocked_events_to"])
def test_what_is_forwarded_goes_to_another_source_that_is_there(folder: Path, control: str) -> None:
    text = SOURCE.format("web") + 'plan = "plans/web.json"\n[sources.controls]\n'
    assert problems(folder, text + f'{control} = "wbe"\n') == [f"6: `{control}`: there is no source `wbe`"]
    assert problems(folder, text + f'{control} = "web"\n') == [
        f"6: `{control}`: must be another source than `web` itself"
    ]
    config = loaded(folder, text + f'{control} = "app"\n' + SOURCE.format("app"))
    assert getattr(config.sources[0].controls, control) == "app"
