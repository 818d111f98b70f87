"""`relay try destination`: what would be sent, what would become of it, and nothing that leaves."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from relay.cli import relay
from relay.errors import RelayError

SECRET = "very-5ecret"
PAGE = {"type": "page", "messageId": "p1", "userId": "u1", "receivedAt": "2026-03-02T09:00:00.000Z"}
TRACK = {"type": "track", "event": "A", "messageId": "t1", "userId": "u1"}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    configured()


def configured(**more: Any) -> None:
    keys = {
        "name": "hook",
        "type": "webhook",
        "settings": {"url": f"https://a.example/in?key={SECRET}", "sharedSecret": SECRET},
    } | more
    lines = [f"{key} = {_toml(value)}" for key, value in keys.items()]
    Path("relay.toml").write_text("[[destinations]]\n" + "\n".join(lines) + "\n")


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"'{k}' = {_toml(v)}" for k, v in value.items()) + " }"
    return json.dumps(value)


def attempt(*options: str, events: list[Any], replies: list[Any] | None = None) -> Result:
    Path("e.ndjson").write_text("".join(json.dumps(event) + "\n" for event in events))
    if replies is not None:
        Path("r.ndjson").write_text("".join(json.dumps(one) + "\n" for one in replies))
        options = (*options, "--replies", "r.ndjson")
    return CliRunner().invoke(relay, ["try", "destination", "hook", "--events", "e.ndjson", *options])


def tried(*options: str, events: list[Any], replies: list[Any] | None = None) -> list[dict[str, Any]]:
    result = attempt("--json", *options, events=events, replies=replies)
    assert result.stderr == ""
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_an_admitted_event_is_shown_as_it_would_be_sent() -> None:
    (shown,) = tried("--show-secrets", events=[PAGE])
    (request,) = shown.pop("requests")
    assert shown == {"messageId": "p1", "outcome": "delivered", "reason": None}
    assert (request["method"], request["url"]) == ("POST", f"https://a.example/in?key={SECRET}")
    assert request["json"] == PAGE
    assert len(request["headers"]["X-Signature"]) == 40


def test_secrets_are_masked_unless_they_are_asked_for() -> None:
    output = attempt("--json", events=[PAGE]).stdout + attempt(events=[PAGE]).stdout
    assert SECRET not in output
    assert '"X-Signature":"[secret]"' in output


def test_the_url_of_a_slack_webhook_is_not_shown_unless_it_is_asked_for() -> None:
    url = "https://hooks.slack.com/services/T0/B0/s3cret"
    said = {"action": "postToChannel", "subscribe": 'type = "page"', "mapping": {"url": url, "text": "hello"}}
    Path("s.json").write_text(json.dumps([said]))
    configured(type="slack", settings={}, subscriptions="s.json")
    (shown,) = tried(events=[PAGE])
    assert shown["requests"][0]["url"] == "https://hooks.slack.com/services/[secret]/[secret]/[secret]"
    (shown,) = tried("--show-secrets", events=[PAGE])
    assert shown["requests"][0]["url"] == url


def test_a_secret_that_is_part_of_a_number_is_masked_all_the_same() -> None:
    configured(type="amplitude", settings={"apiKey": "1772442000"})
    (shown,) = tried(events=[TRACK | {"receivedAt": PAGE["receivedAt"], "timestamp": PAGE["receivedAt"]}])
    assert '"time":[secret]000' in shown["requests"][0]["text"]


def test_an_event_that_has_not_arrived_is_admitted_first() -> None:
    good, bad = tried(events=[TRACK, {"type": "track", "userId": "u"}])
    assert good["requests"][0]["json"]["receivedAt"] == good["requests"][0]["json"]["timestamp"]
    assert (bad["outcome"], bad["requests"]) == ("rejected", [])
    assert bad["reason"] == "missing_event"
    assert good["messageId"] == "t1"


def test_an_event_without_an_id_is_called_by_its_line() -> None:
    nameless = {"type": "page", "userId": "u1"}
    first, second = tried(events=[nameless, nameless])
    assert (first["messageId"], second["messageId"]) == ("relay-try-1-0", "relay-try-2-0")
    lines = attempt(events=[PAGE, {"type": "track", "userId": "u"}]).stdout.splitlines()
    assert lines[-1] == "line 2 rejected: missing_event (event is required: a non-empty string)"


@pytest.mark.parametrize(
    ("more", "event", "reason"),
    [
        ({"filter": 'type = "page"'}, TRACK, "FILTERED_BY_RULES"),
        ({}, TRACK | {"integrations": {"Webhook": False}}, "FILTERED_BY_INTEGRATIONS_OBJECT"),
        (
            {"consent": ["C1"]},
            TRACK | {"context": {"consent": {"categoryPreferences": {"C1": False}}}},
            "FILTERED_BY_END_USER_CONSENT",
        ),
    ],
)
def test_what_keeps_an_event_away_is_said_and_can_be_skipped(
    more: dict[str, Any], event: dict[str, Any], reason: str
) -> None:
    configured(**more)
    (shown,) = tried(events=[event])
    assert (shown["outcome"], shown["reason"], shown["requests"]) == ("filtered", reason, [])
    (shown,) = tried("--no-routing", events=[event])
    assert shown["outcome"] == "delivered"


def test_an_event_no_subscription_asks_for_is_filtered_all_the_same() -> None:
    Path("s.json").write_text(json.dumps([{"action": "send", "subscribe": 'type = "page"'}]))
    configured(subscriptions="s.json")
    page, track = tried("--no-routing", events=[PAGE, TRACK])
    assert page["outcome"] == "delivered"
    assert (track["outcome"], track["reason"]) == ("filtered", "NO_MATCHING_MAPPING")


def test_replies_decide_what_becomes_of_an_event() -> None:
    replies = [[{"status": 503}], [{"status": 400, "text": f"bad {SECRET}"}], [], [{"json": {"ok": True}}]]
    shown = tried(events=[PAGE] * 4, replies=replies)
    assert [(one["outcome"], one["reason"]) for one in shown] == [
        ("retrying", "503"),
        ("rejected", "400"),
        ("delivered", None),
        ("delivered", None),
    ]


def test_the_endpoint_of_the_configuration_shows() -> None:
    configured(endpoint="http://127.0.0.1:9")
    (shown,) = tried("--show-secrets", events=[PAGE])
    assert shown["requests"][0]["url"] == f"http://127.0.0.1:9/in?key={SECRET}"


def test_a_destination_nobody_knows_is_said_with_the_nearest() -> None:
    Path("e.ndjson").write_text("")
    result = CliRunner().invoke(relay, ["try", "destination", "hok", "--events", "e.ndjson"])
    assert isinstance(result.exception, RelayError)
    assert str(result.exception) == "there is no destination `hok` in relay.toml, did you mean `hook`?"


@pytest.mark.parametrize("line", ["{}", "[1]", "nonsense", '[{"status": "x"}]', '[{"stat": 500}]'])
def test_replies_that_are_none_are_named_by_their_line(line: str) -> None:
    Path("e.ndjson").write_text(json.dumps(PAGE) + "\n")
    Path("r.ndjson").write_text(line + "\n")
    result = CliRunner().invoke(
        relay, ["try", "destination", "hook", "--events", "e.ndjson", "--replies", "r.ndjson"]
    )
    assert str(result.exception).startswith("r.ndjson:1: must be a JSON array of")


def test_a_person_reads_the_request() -> None:
    lines = attempt(events=[PAGE]).stdout.splitlines()
    assert lines[0] == "p1 delivered"
    assert lines[1] == "  POST https://a.example/in?key=[secret]"
