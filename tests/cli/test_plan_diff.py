"""`relay plan diff`: sentences, JSON and exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from relay.cli import relay
from tests.plans.plans import about, plan

OLD = plan(("Paid", about(required=("id",), id={"type": "string"}, price={"type": "number"})))
LOOSER = plan(("Paid", about(id={"type": "string"}, price={"type": ["number", "null"]})))


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def diff(old: Any, new: Any, *arguments: str) -> Result:
    Path("old.json").write_text(json.dumps(old))
    Path("new.json").write_text(json.dumps(new))
    return CliRunner().invoke(relay, ["plan", "diff", "old.json", "new.json", *arguments])


def test_nothing_changed() -> None:
    result = diff(OLD, OLD)
    assert (result.exit_code, result.output) == (0, "no differences\n")


def test_what_breaks_nothing_is_exit_code_0() -> None:
    result = diff(OLD, LOOSER)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "Paid: properties.price: type widened: number → number or null",
        "Paid: properties.id: is not required any more",
        "2 changes, 0 breaking",
    ]


def test_what_breaks_is_exit_code_1() -> None:
    result = diff(LOOSER, OLD)
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "BREAKING: Paid: properties.price: type narrowed: number or null → number",
        "BREAKING: Paid: properties.id: is required now",
        "2 changes, 2 breaking",
    ]


def test_as_json() -> None:
    result = diff(LOOSER, OLD, "--json")
    found = json.loads(result.output)
    assert (result.exit_code, found["breaking"], len(found["changes"])) == (1, True, 2)
    assert found["changes"][1] == {
        "event": "Paid",
        "version": None,
        "field": "properties.id",
        "breaking": True,
        "description": "is required now",
    }
    assert json.loads(diff(OLD, OLD, "--json").output) == {"breaking": False, "changes": []}


def test_what_is_no_plan_is_exit_code_2() -> None:
    result = diff(OLD, {"rules": 3})
    assert result.exit_code == 2
    assert result.output.startswith("new.json: rules: must be an object")
    assert CliRunner().invoke(relay, ["plan", "diff", "old.json"]).exit_code == 2
    assert CliRunner().invoke(relay, ["plan", "diff", "old.json", "none.json"]).exit_code == 2
