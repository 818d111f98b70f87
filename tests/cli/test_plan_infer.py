"""`relay plan infer`: from a file, from a running relay, into a plan that stands."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from relay.cli import relay
from relay.errors import RelayError
from tests.acceptance.conftest import StartRelay
from tests.acceptance.ground import is_success
from tests.acceptance.relay_process import eventually, source
from tests.cli.command import ask
from tests.plans.plans import about, plan
from tests.plans.shop import shop_events


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(events: list[Any]) -> None:
    Path("events.ndjson").write_text("".join(json.dumps(event) + "\n" for event in events))


def infer(*arguments: str) -> Result:
    return CliRunner().invoke(relay, ["plan", "infer", *arguments])


def refused(*arguments: str) -> str:
    result = infer(*arguments)
    assert isinstance(result.exception, RelayError), result.output
    return str(result.exception)


def test_a_plan_from_a_file_is_one_that_its_events_keep() -> None:
    write(list(shop_events(500)))
    result = infer("--events", "events.ndjson", "-o", "plan.json", "--name", "Shop")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines()[-1] == "500 events, 8 rules"
    checked = CliRunner().invoke(relay, ["plan", "check", "plan.json"])
    assert checked.output == "plan.json is right: 8 rules\n"
    kept = CliRunner().invoke(relay, ["plan", "check", "plan.json", "--events", "events.ndjson"])
    assert kept.output == "500 events, 0 not as the plan wants them\n"
    assert json.loads(Path("plan.json").read_text())["display_name"] == "Shop"


def test_without_a_file_the_plan_is_printed_and_what_is_odd_is_on_stderr() -> None:
    track = {"type": "track", "userId": "u", "event": "Paid"}
    write([*[track] * 30, {**track, "event": "Debug"}, {"type": "track"}, {"type": "alias", "userId": "u"}])
    result = infer("--events", "events.ndjson")
    assert [event["name"] for event in json.loads(result.stdout)["rules"]["events"]] == ["Debug", "Paid"]
    assert result.stderr.splitlines() == [
        "events.ndjson:32: passed over: userId or anonymousId is required",
        "events.ndjson:33: passed over: previousId is required",
        "note: Debug: seen once: is it meant?",
        "31 events, 2 rules",
    ]


def test_as_json_with_notes() -> None:
    write([{"type": "track", "userId": "u", "event": "Paid", "properties": {"sku": "G-1"}}])
    found = json.loads(infer("--events", "events.ndjson", "--json", "--examples").stdout)
    assert (found["events"], found["notes"], found["cutAt"]) == (1, [], None)
    assert 'such as "G-1"' in str(found["plan"])


def test_a_file_that_is_there_is_kept() -> None:
    write([{"type": "track", "userId": "u", "event": "Paid"}])
    Path("plan.json").write_text("mine")
    said = refused("--events", "events.ndjson", "-o", "plan.json")
    assert said == "plan.json is there already: --force overwrites it, --into adds to it"
    assert Path("plan.json").read_text() == "mine"
    assert infer("--events", "events.ndjson", "-o", "plan.json", "--force").exit_code == 0
    assert json.loads(Path("plan.json").read_text())["display_name"] == "Inferred"


def test_into_a_plan_that_stands_goes_what_is_new() -> None:
    write([{"type": "track", "userId": "u", "event": "Paid", "properties": {"id": "1", "total": 1}}])
    stands = plan(("Paid", about(required=("id",), id={"type": "string"})))
    Path("plan.json").write_text(json.dumps(stands))
    result = infer("--events", "events.ndjson", "--into", "plan.json")
    assert result.stderr.splitlines() == ["added: Paid: properties.total", "1 event, 1 addition"]
    inner = json.loads(Path("plan.json").read_text())["rules"]["events"][0]["rules"]["properties"][
        "properties"
    ]
    assert (inner["required"], list(inner["properties"])) == (["id"], ["id", "total"])
    again = infer("--events", "events.ndjson", "--into", "plan.json")
    assert again.stderr == "1 event, nothing new\n"


def test_into_no_plan_is_refused() -> None:
    write([{"type": "track", "userId": "u", "event": "Paid"}])
    assert refused("--events", "events.ndjson", "--into", "no.json").startswith("no.json: cannot be read")
    Path("plan.json").write_text('{"rules": 3}')
    assert refused("--events", "events.ndjson", "--into", "plan.json").startswith("plan.json: rules: must be")
    assert Path("plan.json").read_text() == '{"rules": 3}'


def test_a_file_without_events_makes_no_plan() -> None:
    write([])
    assert (
        refused("--events", "events.ndjson") == "events.ndjson: there is no event in it that could be planned"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name --source S, or --events FILE"),
        (["--source", "web", "--events", "e"], "name --source S, or --events FILE"),
        (["--events", "e", "--since", "1h"], "go with --source"),
        (["--events", "e", "-o", "a", "--into", "b"], "one of -o FILE and --into FILE"),
        (["--source", "web", "--limit", "0"], "--limit"),
        (["--source", "--json"], "--json is an option"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str) -> None:
    result = infer(*arguments)
    assert result.exit_code == 2
    assert said in result.output


async def test_from_a_running_relay(start_relay: StartRelay) -> None:
    running = await start_relay(source("web", "web-key") + source("app", "app-key"))
    events = list(shop_events(200))
    assert is_success(await running.post("/v1/batch", {"batch": events}, "web-key"))

    async def is_admitted() -> bool:
        status = (await running.ask_admin("GET", "/v1/status")).json
        return bool(status["admission"]["sequence"] == 1)

    await eventually(is_admitted, 30, lambda: "the events are not there")
    whole = await ask(running, "plan", "infer", "--source", "web", "--since", "1h", "--json")
    assert (whole.code, whole.json["events"], whole.json["cutAt"]) == (0, len(events), None)
    made = await ask(running, "plan", "infer", "--source", "web", "-o", "web.json", "--limit", "150")
    assert made.code == 0
    assert "note: more events came than are looked at: none after" in made.error
    assert made.error.splitlines()[-1].startswith("150 events, ")
    assert json.loads((running.file.parent / "web.json").read_text())["display_name"] == "web"
    nobody = await ask(running, "plan", "infer", "--source", "app")
    assert (nobody.code, nobody.error) == (1, "no events of app in that time\n")
    unknown = await ask(running, "plan", "infer", "--source", "wbe")
    assert (unknown.code, unknown.error) == (1, "there is no source `wbe`, did you mean `web`?\n")
