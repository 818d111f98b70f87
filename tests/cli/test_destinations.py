"""`relay destinations`: the catalogue, one type of it, and presets that come back as they went."""

import json
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from relay.cli import relay
from relay.config import load
from relay.destinations import CATALOGUE
from relay.destinations.actions import ActionDestination
from relay.destinations.device import DEVICE_ONLY
from relay.errors import RelayError
from tests.environment import Environment

EVERY = {**CATALOGUE, **DEVICE_ONLY}
WITH_PRESETS = [
    name for name, kind in CATALOGUE.items() if issubclass(kind, ActionDestination) and kind.presets
]


def asked(*words: str) -> Result:
    return CliRunner().invoke(relay, ["destinations", *words])


def shown(*words: str) -> str:
    result = asked(*words)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def test_every_type_is_listed_with_its_title_and_settings() -> None:
    listed, _, hint = shown().strip().rpartition("\n\n")
    assert hint.endswith("relay destinations install")
    rows = listed.splitlines()
    assert [row.split()[0] for row in rows if not row.startswith(" ")] == ["type", *EVERY]
    assert [row.split()[0] for row in rows if " browser " in row] == list(DEVICE_ONLY)
    (amplitude,) = [row for row in rows if row.startswith("amplitude ")]
    assert "Actions Amplitude" in amplitude
    assert "native" in amplitude
    assert "apiKey [secretKey] [endpoint]" in amplitude


def test_the_list_is_also_json() -> None:
    listed = json.loads(shown("--json"))["destinations"]
    assert [one["type"] for one in listed] == list(EVERY)
    (segment,) = [one for one in listed if one["type"] == "segment"]
    (setting,) = segment["settings"]
    assert (setting["name"], setting["required"], setting["secret"]) == ("writeKey", True, True)


@pytest.mark.parametrize("name", EVERY)
def test_a_type_is_shown_with_everything(name: str) -> None:
    kind = EVERY[name]
    text = shown(name)
    assert text.startswith(f"{kind.title}: {kind.summary}\n")
    assert all(f"\n{field.encode_name} " in text for field in msgspec.structs.fields(kind))
    assert f'type = "{name}"' in text
    if issubclass(kind, ActionDestination):
        assert all(f"\nAction {action}: " in text for action in kind.actions)
        assert all(
            f"- {' '.join(sentence.split())}\n" in text for sentence in (*kind.differences, *kind.notes)
        )


def test_a_type_of_browsers_says_that_it_is_one_and_has_no_limits() -> None:
    text = shown("script")
    assert "in the browser only" in text
    assert "Limits" not in text
    assert "table of list of any value" in text
    assert 'mode = "device"' in text
    assert "did you mean `script`" in asked("scirpt").stderr


def test_json_has_the_default_mappings_as_they_are() -> None:
    found = json.loads(shown("amplitude", "--json"))
    assert json.loads(shown("--json", "amplitude")) == found
    (tracks,) = [one for one in found["actions"] if one["name"] == "logEventV2"]
    (device,) = [field for field in tracks["fields"] if field["name"] == "device_id"]
    assert device["defaultText"] == "context.device.id, else anonymousId"
    kind = CATALOGUE["amplitude"]
    assert issubclass(kind, ActionDestination)
    assert device["default"] == kind.actions["logEventV2"].fields["device_id"].default


@pytest.mark.parametrize("name", EVERY)
def test_the_block_is_right_when_its_variables_are_set(name: str, tmp_path: Path) -> None:
    block = json.loads(shown(name, "--json"))["block"]
    assert shown(name).endswith(f"\nIn relay.toml\n\n{block}")
    path = tmp_path / "relay.toml"
    path.write_text(block, "utf-8")
    config = load(path, Environment())
    assert [(one.name, one.type) for one in config.destinations] == [(name, name)]


@pytest.mark.parametrize("name", EVERY)
def test_what_a_block_leaves_out_can_be_put_in(name: str) -> None:
    block: str = json.loads(shown(name, "--json"))["block"]
    whole = tomllib.loads(block.replace("\n# ", "\n"))["destinations"][0]
    known = {field.encode_name for field in msgspec.structs.fields(EVERY[name])}
    assert set(whole.get("settings", {})) == known


@pytest.mark.parametrize("name", WITH_PRESETS)
def test_presets_that_are_saved_and_loaded_do_exactly_what_presets_do(name: str, tmp_path: Path) -> None:
    kind = CATALOGUE[name]
    assert issubclass(kind, ActionDestination)
    (tmp_path / "presets.json").write_text(shown(name, "--subscriptions"), "utf-8")
    block: str = json.loads(shown(name, "--json"))["block"]
    path = tmp_path / "relay.toml"
    named = 'subscriptions = "presets.json"'
    path.write_text(block.replace(f'type = "{name}"', f'type = "{name}"\n{named}', 1), "utf-8")
    (destination,) = load(path, Environment()).destinations
    assert destination.subscriptions is not None
    assert _written(destination.subscriptions) == _written(kind.preset_subscriptions())


def _written(subscriptions: Any) -> list[dict[str, Any]]:
    """As JSON, in which 1 is not true and a list no tuple."""
    found: list[dict[str, Any]] = json.loads(msgspec.json.encode(list(subscriptions)))
    return found


@pytest.mark.parametrize("name", sorted(EVERY.keys() - set(WITH_PRESETS)))
def test_a_type_without_presets_has_none_to_save(name: str) -> None:
    result = asked(name, "--subscriptions")
    assert (result.exit_code, result.stdout) == (1, "")
    assert isinstance(result.exception, RelayError)
    assert str(result.exception).startswith(f"`{name}` has no presets")


def test_a_type_that_needs_subscriptions_shows_one_to_begin_with() -> None:
    text = shown("slack")
    assert "There are no presets: nothing is sent without `subscriptions`." in text
    example = json.loads(shown("slack", "--json"))["example"]
    assert example["action"] == "postToChannel"
    assert example["mapping"] == {"url": "…", "text": "…", "username": "relay"}


@pytest.mark.parametrize("name", ["webhook", "segment", "relay"])
def test_a_type_that_takes_events_as_they_are_needs_no_subscriptions(name: str) -> None:
    found = json.loads(shown(name, "--json"))
    assert (found["needsSubscriptions"], found["example"], found["presets"]) == (False, None, [])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("amplitud", "amplitude"), ("google-analytics", "google-analytics-4"), ("logn", "login")],
)
def test_a_type_nobody_knows_is_wrong_usage_with_the_nearest(typed: str, meant: str) -> None:
    result = asked(typed)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"there is no type of destination `{typed}`, did you mean `{meant}`?" in result.stderr


def test_login_and_logout_are_commands_beside_the_types() -> None:
    text = shown("--help")
    assert "  login " in text
    assert "  logout " in text
    assert "amplitude" not in text
