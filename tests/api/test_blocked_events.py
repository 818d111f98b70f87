"""Blocked events on the admin listener: seen, released, forwarded, with a running relay."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.acceptance.relay_process import eventually, webhook
from tests.gateway.relay_here import RelayHere, event, relay_here
from tests.plans.plans import about, plan
from tests.receiver import Receiver

OLD = plan(("Paid", about(price={"type": "number"})))
NEW = plan(("Paid", about(price={"type": ["number", "string"]})))
TABLES = """
[[sources]]
name = "web"
write_key = "web-key"
plan = "plan.json"
[sources.controls]
allow_unplanned_track_events = false
allow_track_event_on_violations = false
forwarding_violations_to = "issues"

[[sources]]
name = "issues"
write_key = "issues-key"
"""
WRONG = {"event": "Paid", "properties": {"price": "12"}}


@pytest.fixture
async def relay(receiver: Receiver, tmp_path: Path) -> AsyncIterator[RelayHere]:
    (tmp_path / "plan.json").write_text(json.dumps(OLD))
    async with relay_here(tmp_path, TABLES + webhook(receiver.url)) as here:
        yield here


async def asked(relay: RelayHere, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await relay.ask(method, path, None if body is None else orjson.dumps(body))
    assert answer.status == status, answer
    return answer.json


async def blocked(relay: RelayHere, n: int, query: str = "") -> list[dict[str, Any]]:
    """The blocked events, once there are `n`."""
    found: list[dict[str, Any]] = []

    async def look() -> bool:
        found[:] = (await asked(relay, "GET", f"/v1/blocked-events{query}"))["blockedEvents"]
        return len(found) == n

    await eventually(look, 30, lambda: f"{len(found)} blocked events, not {n}")
    return found


async def test_a_mended_plan_and_its_events_are_delivered_after_all(
    relay: RelayHere, receiver: Receiver
) -> None:
    sent = event(**WRONG)
    assert (await relay.post("/v1/track", sent)).status == 200
    assert (await relay.post("/v1/track", event(event="Lost"))).status == 200
    lost, wrong = await blocked(relay, 2)
    assert (wrong["messageId"], wrong["reason"]) == (sent["messageId"], "schema_violation")
    assert (lost["event"], lost["reason"]) == ("Lost", "unplanned")
    groups = (await asked(relay, "GET", "/v1/blocked-events/groups?source=web"))["groups"]
    assert sorted((group["event"], group["count"]) for group in groups) == [("Lost", 1), ("Paid", 1)]

    release = {"source": "web"}
    done = await asked(relay, "POST", "/v1/blocked-events/release", release)
    assert (done["released"], done["stillBlocked"], done["next"]) == (0, 2, None)
    (relay.file.parent / "plan.json").write_text(json.dumps(NEW))
    await asked(relay, "POST", "/v1/reload")
    done = await asked(relay, "POST", "/v1/blocked-events/release", release)
    assert done == {"dryRun": False, "released": 1, "stillBlocked": 1, "unknownSource": 0, "next": None}
    await receiver.wait_for(2)  # and the violation that was forwarded
    events = {one["event"]: one for one in receiver.events()}
    assert events["Paid"] == wrong["payload"]
    assert [one["messageId"] for one in await blocked(relay, 1)] == [lost["messageId"]]
    assert len(await blocked(relay, 2, "?released=true")) == 2
    assert await blocked(relay, 0, "?since=2030-01-01") == []


async def test_violations_arrive_as_events_of_the_other_source(relay: RelayHere, receiver: Receiver) -> None:
    sent = event(**WRONG)
    assert (await relay.post("/v1/track", sent)).status == 200
    await receiver.wait_for(1)
    (made,) = receiver.events()
    assert (made["event"], made["sourceId"], made["forwardedFromProject"]) == (
        "Violation Generated",
        "issues",
        "web",
    )
    assert made["properties"]["eventMessageID"] == sent["messageId"]
    assert made["properties"]["trackingPlanName"] == "Shop"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "name a source, or ids"),
        ({"source": 1}, "Expected `str | null`, got `int` - at `$.source`"),
        (
            {"source": "web", "since": "never"},
            "since: must be an ISO 8601 time, or a duration such as 2h or 3d",
        ),
        ({"ids": [-1]}, "Expected `int` >= 0 - at `$.ids[0]`"),
        ({"ids": [2**70]}, None),
        ({"source": "web", "sorce": 1}, "Object contains unknown field `sorce`"),
    ],
)
async def test_a_mistake_is_named(relay: RelayHere, body: dict[str, Any], said: str | None) -> None:
    answer = await relay.ask("POST", "/v1/blocked-events/release", json.dumps(body).encode())
    assert answer.status == 400
    assert said is None or answer.json["error"]["message"] == said


@pytest.mark.parametrize("query", ["since=x", "released=perhaps", "limit=x", "before=-1"])
async def test_a_mistake_in_the_query_is_named(relay: RelayHere, query: str) -> None:
    error = await asked(relay, "GET", f"/v1/blocked-events?{query}", status=400)
    assert error["error"]["message"].startswith(query.partition("=")[0])
