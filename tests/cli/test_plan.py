"""`relay plan check`."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from relay.cli import relay
from relay.errors import RelayError
from tests.cli.command import run
from tests.plans.plans import about, plan

SHOP = plan(
    ("Paid", about(required=("id",), id={"type": "string"}, price={"type": "number"})),
    identify=about("traits"),
)
NO_TYPE = "must be one of array, boolean, integer, null, number, object, string, or a list of these"
TRACK = {"type": "track", "event": "Paid", "userId": "u", "messageId": "m"}


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plan.json").write_text(json.dumps(SHOP))


def check(*arguments: str, events: list[Any] | None = None) -> Result:
    if events is not None:
        Path("events.ndjson").write_text("".join(json.dumps(event) + "\n" for event in events))
        arguments = (*arguments, "--events", "events.ndjson")
    return CliRunner().invoke(relay, ["plan", "check", "plan.json", *arguments])


def test_a_plan_that_is_right() -> None:
    result = check()
    assert (result.exit_code, result.output) == (0, "plan.json is right: 2 rules\n")
    assert json.loads(check("--json").output) == {"valid": True, "problems": [], "rules": 2}


def test_a_plan_with_mistakes() -> None:
    Path("plan.json").write_text(json.dumps(plan(("A", {"pattern": "(?=a)"}), ("B", {"type": "x"}))))
    result = check(events=[])
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "plan.json: rules.events[0].rules.pattern: look-ahead and look-behind are not supported in patterns",
        f"plan.json: rules.events[1].rules.type: {NO_TYPE}",
    ]
    found = json.loads(check("--json").output)
    assert (found["valid"], len(found["problems"])) == (False, 2)


def test_a_plan_that_is_not_there() -> None:
    Path("plan.json").unlink()
    result = check()
    assert (result.exit_code, result.output) == (1, "plan.json: cannot be read: No such file or directory\n")


def test_events_that_keep_the_plan() -> None:
    result = check(
        events=[
            {**TRACK, "properties": {"id": "1", "price": 1}},
            {"type": "alias", "userId": "u", "previousId": "v"},
        ]
    )
    assert (result.exit_code, result.output) == (0, "2 events, 0 not as the plan wants them\n")


def test_events_that_do_not() -> None:
    wrong = {**TRACK, "properties": {"price": "s3cr3t", "new": 1}}
    identify = {"type": "identify", "userId": "u", "traits": {"email": 1}}
    result = check(events=[wrong, {**TRACK, "event": "Lost"}, identify, {"type": "track", "event": "Paid"}])
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "events.ndjson:1: Paid: properties.new: not planned",
        "events.ndjson:1: Paid: properties.id: properties.id is required",
        "events.ndjson:1: Paid: properties.price: Invalid type. Expected: number, given: string",
        "events.ndjson:2: Lost: this event is not planned",
        "events.ndjson:3: identify: traits.email: not planned",
        "events.ndjson:4: never accepted: userId or anonymousId is required",
        "4 events, 4 not as the plan wants them",
    ]


def test_one_line_of_json_for_each_event() -> None:
    result = check("--json", events=[{**TRACK, "properties": {"id": "1"}}, {**TRACK, "event": "Lost"}])
    assert result.exit_code == 1
    good, bad = map(json.loads, result.output.splitlines())
    assert good == {
        "line": 1, "messageId": "m", "verdict": "admitted", "reason": None, "planned": True,
        "unplanned": [], "violations": [], "omitted": [], "omitted_on_violation": [],
    }  # fmt: skip
    assert (bad["line"], bad["planned"]) == (2, False)


def test_a_line_that_is_no_event_is_told_and_costs_the_others_nothing() -> None:
    result = check(events=[3, {**TRACK, "properties": {"id": "1"}}])
    assert result.exit_code == 1
    assert "events.ndjson:1: an event is a JSON object, which this is not" in result.output
    assert "1 event, 0 not as the plan wants them" in result.output


def test_events_that_are_not_there() -> None:
    result = CliRunner().invoke(relay, ["plan", "check", "plan.json", "--events", "none.ndjson"])
    assert isinstance(result.exception, RelayError)
    assert str(result.exception) == "none.ndjson: cannot be read: No such file or directory"


async def test_as_a_shell_runs_it(tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_text(json.dumps({**TRACK, "event": "Lost"}))
    outcome = await run("plan", "check", "plan.json", "--events", "events.ndjson", folder=tmp_path)
    assert outcome.code == 1
    assert outcome.out.splitlines()[0] == "events.ndjson:1: Lost: this event is not planned"
