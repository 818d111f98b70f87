"""`relay plan blocked` and `relay plan release`."""

import json
from pathlib import Path

import pytest

from tests.acceptance.conftest import StartRelay
from tests.acceptance.ground import event, is_success
from tests.acceptance.relay_process import RelayProcess, eventually
from tests.cli.command import ask
from tests.plans.plans import about, plan

TABLE = """
[[sources]]
name = "web"
write_key = "web-key"
plan = "plan.json"
[sources.controls]
allow_unplanned_track_events = false
"""
OLD = plan(("Paid", about()))
NEW = plan(("Paid", about()), ("Lost", about()))


@pytest.fixture
async def relay(tmp_path: Path, start_relay: StartRelay) -> RelayProcess:
    """Three events are blocked, of two names."""
    (tmp_path / "plan.json").write_text(json.dumps(OLD))
    relay = await start_relay(TABLE)
    for name in ("Lost", "Lost", "Other"):
        assert is_success(await relay.post("/v1/track", event(event=name), "web-key"))

    async def are_kept() -> bool:
        groups = (await relay.ask_admin("GET", "/v1/blocked-events/groups")).json["groups"]
        return bool(sum(group["count"] for group in groups) == 3)

    await eventually(are_kept, 30, lambda: "they are not blocked")
    return relay


async def test_they_are_shown_released_and_gone(relay: RelayProcess) -> None:
    shown = await ask(relay, "plan", "blocked")
    assert shown.code == 0
    header, *rows = shown.rows
    assert header == ["source", "event", "reason", "events", "first", "last"]
    assert sorted(row[:4] for row in rows) == [
        ["web", "Lost", "unplanned", "2"],
        ["web", "Other", "unplanned", "1"],
    ]
    each = await ask(relay, "plan", "blocked", "--events", "--event", "Lost")
    assert [row[3] for row in each.rows[1:]] == ["Lost", "Lost"]
    whole = await ask(relay, "plan", "blocked", "--events", "--json", "--limit", "1")
    assert whole.json["blockedEvents"][0]["payload"]["event"] == "Other"

    (relay.file.parent / "plan.json").write_text(json.dumps(NEW))
    assert (await ask(relay, "reload")).code == 0
    tried = await ask(relay, "plan", "release", "--source", "web", "--dry-run")
    assert (tried.code, tried.out) == (
        1,
        "2 events would be released\n1 event blocked by the plan as it is now\n",
    )
    done = await ask(relay, "plan", "release", "--source", "web", "--event", "Lost")
    assert (done.code, done.out) == (0, "2 events released\n")
    again = await ask(relay, "plan", "release", "--source", "web", "--event", "Lost", "--json")
    assert again.json == {"dryRun": False, "released": 0, "stillBlocked": 0, "unknownSource": 0}
    assert [row[:2] for row in (await ask(relay, "plan", "blocked")).rows[1:]] == [["web", "Other"]]


async def test_mistakes_are_one_sentence(relay: RelayProcess) -> None:
    assert (await ask(relay, "plan", "release")).code == 2
    unknown = await ask(relay, "plan", "release", "--source", "wbe")
    assert (unknown.code, unknown.error) == (1, "there is no source `wbe`, did you mean `web`?\n")
    wrong = await ask(relay, "plan", "blocked", "--since", "yesterday")
    assert wrong.code == 1
    assert "since: must be an ISO 8601 time, or a duration such as 2h or 3d" in wrong.error
    nothing = await ask(relay, "plan", "release", "--id", "99999")
    assert (nothing.code, nothing.out) == (0, "there is nothing to release\n")
    removed = await ask(relay, "plan", "blocked", "--source", "wbe")  # it may have left some
    assert (removed.code, removed.out) == (0, "no blocked events\n")
    assert removed.error == "note: there is no source `wbe`, did you mean `web`?\n"
