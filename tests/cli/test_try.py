"""`relay try`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from relay.cli import relay
from relay.errors import RelayError
from tests.acceptance.relay_process import REPOSITORY
from tests.cli.command import run

FIXTURES = REPOSITORY / "tests/fixtures/mapping"
MAPPING_CASES = (
    "mk-0019",
    "mk-0092",
    "mk-0130",
    "mk-0167",
    "mk-0242",
    "mk-0280",
    "mk-0299",
    "mk-0317",
    "mk-0355",
)
SUBSCRIPTION_CASES = (
    "fql-0348",
    "fql-0364",
    "fql-0384",
    "fql-0456",
    "fql-0528",
    "fql-0544",
    "fql-0652",
    "fql-0688",
)
TRACK, PAGE = {"type": "track", "event": "A", "n": 1}, {"type": "page", "n": "1"}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_events(TRACK, PAGE)


def write_events(*events: object) -> None:
    Path("events.ndjson").write_text("".join(json.dumps(event) + "\n" for event in events), "utf-8")


def attempt(*arguments: str, events: str = "events.ndjson", stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(relay, ["try", *arguments, "--events", events], input=stdin)


def try_mapping(mapping: object) -> Result:
    Path("mapping.json").write_text(json.dumps(mapping), "utf-8")
    return attempt("mapping", "mapping.json")


def reason(result: Result) -> str:
    """What `main` says on stderr before it ends with 1."""
    assert isinstance(result.exception, RelayError)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "")
    return str(result.exception)


def printed(result: Result) -> list[Any]:
    assert (result.exit_code, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


# filters and subscriptions


@pytest.mark.parametrize("kind", ["filter", "subscription"])
def test_each_event_has_its_line(kind: str) -> None:
    result = attempt(kind, 'type = "track"')
    assert (result.exit_code, result.stdout, result.stderr) == (0, "true\nfalse\n", "")


@pytest.mark.parametrize("kind", ["filter", "subscription"])
def test_events_come_from_standard_input_too(kind: str) -> None:
    lines = '\ufeff{"type": "track"}\r\n\r\n{"type": "page"}'
    assert printed(attempt(kind, 'type = "page"', events="-", stdin=lines)) == [False, True]


def test_the_two_are_read_differently() -> None:
    fql = 'type = "page" or event = "A" and type = "track"'
    assert printed(attempt("filter", fql)) == [True, True]
    result = attempt("subscription", fql)
    assert (result.exit_code, result.stdout) == (0, "false\nfalse\n")
    assert result.stderr.startswith('note: Segment reads this as `type = "page" and event = "A" and ')


def test_a_filter_that_cannot_be_read_says_where() -> None:
    assert reason(attempt("filter", "type = ")) == "the end stands where a value should (character 8)"


def test_a_subscription_that_is_invalid_says_where() -> None:
    said = reason(attempt("subscription", '((type = "track"))'))
    assert said.startswith("not a subscription: no `)` is left for this `(`")
    assert said.endswith("(character 2)")


def test_an_event_that_a_filter_cannot_judge_would_be_dropped() -> None:
    result = attempt("filter", 'type = "track" and n in [1] or n')
    assert (result.exit_code, result.stdout) == (0, "true\nfalse\n")
    assert result.stderr.startswith(
        "events.ndjson:2: the event would be dropped: a text stands where a truth "
    )


@pytest.mark.parametrize("name", SUBSCRIPTION_CASES)
def test_a_subscription_matches_as_observed_at_segment(name: str) -> None:
    observed = json.loads((FIXTURES / "fql.json").read_text("utf-8"))
    (case,) = [case for case in observed["cases"] if case["id"] == name]
    write_events(observed["events"][case["event_ref"]])
    result = attempt("subscription", case["fql"])
    assert (result.exit_code, result.stdout) == (0, f"{json.dumps(case['match'])}\n")


# mappings


def test_a_mapping_prints_what_it_makes_of_each_event() -> None:
    results = printed(try_mapping({"name": {"@path": "$.event"}, "ü": "é"}))
    assert results == [{"name": "A", "ü": "é"}, {"ü": "é"}]


def test_a_missing_result_is_null() -> None:
    assert printed(try_mapping({"@path": "$.event"})) == ["A", None]


def test_an_event_that_a_mapping_cannot_work_on_is_null_with_the_reason() -> None:
    result = try_mapping({"@template": {"@path": "$.event"}})
    assert (result.exit_code, result.stdout) == (1, '"A"\nnull\n')
    assert result.stderr == "events.ndjson:2: $.@template: the template is missing\n"


def test_a_result_that_cannot_be_written_is_null_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["relay.cli.events_file"]
    monkeypatch.setattr(module, "encode", lambda _value: None)  # how deep it can go is Python's affair
    result = attempt("filter", "all")
    assert (result.exit_code, result.stdout) == (1, "null\nnull\n")
    assert result.stderr.startswith("events.ndjson:1: the result is nested too deeply to be written\n")


def test_a_result_as_deep_as_events_can_be_is_no_stack_trace() -> None:
    depth = 1015
    Path("events.ndjson").write_text('{"a":' * depth + "1" + "}" * depth)
    result = try_mapping({"x": {"y": [{"@path": "$.a"}]}})
    assert len(result.stdout.splitlines()) == 1
    assert result.exit_code == bool(result.stderr)


def test_a_number_that_json_has_not_is_null() -> None:
    Path("events.ndjson").write_text('{"a": 1e999}')
    assert printed(try_mapping({"x": {"@path": "$.a"}})) == [{"x": None}]


def test_a_wrong_mapping_says_where() -> None:
    said = reason(try_mapping({"a": [1, {"@path": 5}]}))
    assert said == "mapping.json: $.a[1].@path: must be a text or a directive, not a number"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{\n  "a": 1,\n}', "mapping.json:3: not JSON: "),
        (b"", "mapping.json:1: not JSON: "),
        (b'{"a": "\xff"}', "mapping.json: not JSON: "),
        (b'{"a": NaN}', "mapping.json: not JSON: NaN is not JSON"),
        (b"[" * 100_000, "mapping.json: not JSON: nested too deeply"),
        (b"null", "mapping.json: must be a JSON object: the fields of an action, and what each is"),
        (b'[{"a": 1}]', "mapping.json: must be a JSON object: the fields of an action, and what each is"),
        (b'"$.event"', "mapping.json: must be a JSON object: the fields of an action, and what each is"),
    ],
)
def test_a_mapping_that_is_no_json_says_where(text: bytes, said: str) -> None:
    Path("mapping.json").write_bytes(text)
    assert reason(attempt("mapping", "mapping.json")).startswith(said)


def test_a_mapping_that_is_not_there_is_a_sentence() -> None:
    said = reason(attempt("mapping", "nowhere.json"))
    assert said == "nowhere.json: cannot be read: No such file or directory"


@pytest.mark.parametrize("package", ["liquid", "dateutil"])
def test_liquid_without_its_extra_says_what_to_install(package: str) -> None:
    code = f"""
import sys
sys.modules[{package!r}] = None
from relay.cli import main
sys.argv = ["relay", "try", "mapping", "mapping.json", "--events", "events.ndjson"]
main()
"""
    Path("mapping.json").write_text('{"v": {"@liquid": "{{ event }}"}}')
    environ = {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("mapping.json: ")
    assert done.stderr.endswith(" pip install 'relay[liquid]'\n")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", MAPPING_CASES)
def test_a_mapping_gives_what_was_observed_at_segment(name: str) -> None:
    observed = json.loads((FIXTURES / "mapping.json").read_text("utf-8"))
    (case,) = [case for case in observed["cases"] if case["id"] == name]
    write_events(observed["inputs"][case["input_ref"]] if "input_ref" in case else case["input"])
    assert printed(try_mapping(case["mapping"])) == [case.get("output")]


# the file of events


@pytest.mark.parametrize("kind", ["filter", "subscription", "mapping"])
def test_a_bad_line_costs_itself_only(kind: str) -> None:
    lines = (b'{"type": "track"}', b"", b"{oops}", b"[1]", b'{"a": "\xff"}', b"NaN", b'{"type": "track"}')
    Path("events.ndjson").write_bytes(b"\n".join(lines))
    Path("mapping.json").write_text("{}")
    result = attempt(kind, "mapping.json" if kind == "mapping" else 'type = "track"')
    assert result.exit_code == 1
    assert result.stdout.splitlines() == ["{}" if kind == "mapping" else "true"] * 2
    places = [line.partition(": ")[0] for line in result.stderr.splitlines()]
    assert places == [f"events.ndjson:{n}" for n in (3, 4, 5, 6)]
    assert "events.ndjson:4: an event is a JSON object, which this is not\n" in result.stderr
    assert "events.ndjson:6: not JSON: NaN is not JSON\n" in result.stderr


@pytest.mark.parametrize(
    ("events", "why"), [("nowhere", "No such file or directory"), (".", "Is a directory")]
)
def test_events_that_cannot_be_read_are_a_sentence(events: str, why: str) -> None:
    assert reason(attempt("filter", "all", events=events)) == f"{events}: cannot be read: {why}"


def test_no_events_are_no_lines() -> None:
    write_events()
    assert printed(attempt("filter", "all")) == []


# usage


@pytest.mark.parametrize(
    "arguments",
    [
        ("filter", "all"),
        ("filter", "--events", "events.ndjson"),
        ("subscription", "type = track", "more", "--events", "events.ndjson"),
        ("mapping", "--events", "events.ndjson"),
        ("guess", "--events", "events.ndjson"),
    ],
)
def test_wrong_usage_is_two(arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(relay, ["try", *arguments])
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize("command", [(), ("filter",), ("subscription",), ("mapping",)], ids=" ".join)
def test_help_explains_it(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(relay, ["try", *command, "-h"])
    assert result.exit_code == 0
    assert not command or "--events FILE" in result.stdout


async def test_what_is_wrong_is_said_on_standard_error(tmp_path: Path) -> None:
    outcome = await run("try", "filter", "type == 1", "--events", "events.ndjson", folder=tmp_path)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.error == "`=` stands where a value should (character 7)\n"
