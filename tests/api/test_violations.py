"""/v1/violations, and the debugger's view of them, over HTTP."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.relay_process import eventually
from tests.api.test_debugger import events_of, live, names, take
from tests.gateway.relay_here import READ_TOKEN, SOURCE, RelayHere, event, relay_here
from tests.plans.plans import about, plan

MARKER = "s3cr3t"
SHOP = plan(("Tested", about(price={"type": "number"})))
VIOLATION = {
    "type": "Invalid Type",
    "field": "properties.price",
    "description": "Invalid type. Expected: number, given: string",
}


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[RelayHere]:
    (tmp_path / "plan.json").write_text(json.dumps(SHOP))
    controls = "[sources.controls]\nallow_unplanned_track_events = false\n"
    async with relay_here(tmp_path, SOURCE + 'plan = "plan.json"\n' + controls) as here:
        yield here


def wrong(**fields: Any) -> dict[str, Any]:
    return event(type="track", properties={"price": MARKER}, **fields)


async def sent(relay: RelayHere) -> list[dict[str, Any]]:
    """Three events that are admitted: one that is good, one with a violation, one that is blocked."""
    events = [event(type="track"), wrong(), event(type="track", event="Lost")]
    assert (await relay.post("/v1/batch", {"batch": events})).status == 200
    await eventually(lambda: relay.app.admission.cursor >= 1, 20, lambda: "not admitted")
    return events


async def violations(relay: RelayHere, query: str = "") -> list[dict[str, Any]]:
    answer = await relay.ask("GET", f"/v1/violations{query}", token=READ_TOKEN)
    assert answer.status == 200, answer
    found: list[dict[str, Any]] = answer.json["violations"]
    return found


async def test_a_violation_is_shown_without_any_value(relay: RelayHere) -> None:
    _, bad, _ = await sent(relay)
    (found,) = await violations(relay)
    assert {key: found[key] for key in VIOLATION} == VIOLATION
    assert (found["source"], found["event"], found["count"]) == ("web", "Tested", 1)
    assert found["samples"][0]["messageId"] == bad["messageId"]
    assert MARKER not in (await relay.ask("GET", "/v1/violations")).body.decode()


async def test_values_are_shown_from_the_reload_on_that_wants_them(relay: RelayHere) -> None:
    await sent(relay)
    text = relay.file.read_text("utf-8")
    relay.file.write_text(text + "\n[violations]\nshow_values = true\n", "utf-8")
    assert await relay.app.reload() == []
    (found,) = await violations(relay)
    assert found["samples"][0]["event"]["properties"] == {"price": MARKER}
    relay.file.write_text(text, "utf-8")
    await relay.app.reload()
    (found,) = await violations(relay)
    assert found["samples"][0]["event"]["properties"] == {"price": "<string>"}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?source=web", 1),
        ("?source=nobody", 0),
        ("?event=Tested", 1),
        ("?event=Lost", 0),
        ("?since=1h", 1),
        ("?since=2026-01-01", 1),
        ("?since=2999-01-01", 0),
        ("?limit=0", 0),
    ],
)
async def test_only_what_was_asked_for(query: str, count: int, relay: RelayHere) -> None:
    await sent(relay)
    assert len(await violations(relay, query)) == count


@pytest.mark.parametrize("query", ["since=yesterday", "since=", "limit=x"])
async def test_a_parameter_that_is_none_is_named(query: str, relay: RelayHere) -> None:
    answer = await relay.ask("GET", f"/v1/violations?{query}")
    assert (answer.status, answer.json["error"]["code"]) == (400, "bad_request")
    assert answer.json["error"]["message"].startswith(query.partition("=")[0])


async def test_counts_are_there_after_a_restart(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(SHOP))
    tables = SOURCE + 'plan = "plan.json"\n'
    bad = wrong()
    for expected in (1, 2):
        async with relay_here(tmp_path, tables) as here:
            await here.post("/v1/batch", {"batch": [bad, wrong()][expected - 1 :]})
            await here.post("/v1/batch", {"batch": [bad]})

            async def are_counted(here: RelayHere = here, expected: int = expected) -> bool:
                return here.app.admission.cursor == 2 * expected

            await eventually(are_counted, 20, lambda: "not admitted")
            (found,) = await violations(here)
            assert found["count"] == expected + 1


async def test_the_debugger_shows_the_violations_of_an_event(relay: RelayHere) -> None:
    await sent(relay)
    found = {one["event"]["event"]: one["violations"] for one in await events_of(relay, "?violations=true")}
    assert found == {"Tested": [VIOLATION], "Lost": []}
    assert len(await events_of(relay, "?violations=false")) == 3
    assert names(await events_of(relay, "?violations=true&limit=1")) == ["Lost"]
    answer = await relay.ask("GET", "/v1/debugger/events?violations=yes")
    assert (answer.status, answer.json["error"]["message"]) == (400, "violations must be true or false")


async def test_a_stream_shows_only_events_that_break_their_plan(relay: RelayHere) -> None:
    async with live(relay, "?violations=true") as items:
        await sent(relay)
        found = [data for _, data in await take(items, 2)]
    assert [(one["event"]["event"], one["verdict"], one["violations"]) for one in found] == [
        ("Tested", "admitted", [VIOLATION]),
        ("Lost", "blocked", []),
    ]
