"""/v1/plans/infer: what came in, whatever a plan made of it; one at a time, and never long on the loop."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from relay.admission.inferring import Reading
from tests.acceptance.relay_process import eventually
from tests.gateway.relay_here import KEY, READ_TOKEN, RelayHere, event, relay_here
from tests.plans.plans import about, plan
from tests.plans.shop import shop_events

PLAN = plan(("Tested", about(a={"type": "string"})), ("Blocked", about()))
SOURCES = f"""
[[sources]]
name = "web"
write_key = "{KEY}"
rate_limit = 100000
plan = "plan.json"

[sources.controls]
allow_unplanned_track_events = false
allow_unplanned_track_event_properties = false

[[sources]]
name = "app"
write_key = "app-key"
rate_limit = 100000
"""


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[RelayHere]:
    (tmp_path / "plan.json").write_bytes(orjson.dumps(PLAN))
    async with relay_here(tmp_path, SOURCES) as here:
        yield here


async def send(relay: RelayHere, *events: dict[str, Any], key: str = KEY) -> None:
    answer = await relay.post("/v1/batch", {"batch": [{"type": "track", **one} for one in events]}, key=key)
    assert answer.status == 200

    async def is_admitted() -> bool:
        return relay.app.admission.cursor == relay.app.log.head

    await eventually(is_admitted, 30, lambda: "it is not admitted")


async def infer(relay: RelayHere, query: str = "source=web") -> dict[str, Any]:
    answer = await relay.ask("GET", f"/v1/plans/infer?{query}", token=READ_TOKEN)
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.json
    return found


def names(found: dict[str, Any]) -> list[str]:
    return [one["name"] for one in found["plan"]["rules"]["events"]]


async def test_what_arrived_counts_and_not_what_a_plan_made_of_it(relay: RelayHere) -> None:
    twice = event(properties={"a": "x", "omitted": 1})
    await send(relay, twice, twice, event(event="New"), {"event": "No one"})
    found = await infer(relay)
    assert (found["events"], names(found), found["notes"], found["cutAt"]) == (2, ["New", "Tested"], [], None)
    tested = found["plan"]["rules"]["events"][1]
    assert list(tested["rules"]["properties"]["properties"]["properties"]) == ["a", "omitted"]
    assert (tested["description"], found["plan"]["display_name"]) == ("Seen once.", "web")


async def test_only_the_sources_that_were_asked_for(relay: RelayHere) -> None:
    await send(relay, event())
    await send(relay, event(event="Of app"), key="app-key")
    assert names(await infer(relay, "source=app&name=App")) == ["Of app"]
    both = await infer(relay, "source=app&source=web")
    assert (names(both), both["plan"]["display_name"]) == (["Of app", "Tested"], "app, web")
    assert (await infer(relay, "source=nobody"))["events"] == 0


async def test_only_the_time_that_was_asked_for(relay: RelayHere) -> None:
    await send(relay, event())
    await asyncio.sleep(0.01)
    middle = time.time()
    await send(relay, event(event="Later"))
    iso = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(middle)) + f".{int(middle % 1 * 1000):03}Z"
    assert names(await infer(relay, f"source=web&since={iso}")) == ["Later"]
    assert names(await infer(relay, f"source=web&until={iso}")) == ["Tested"]
    assert names(await infer(relay, "source=web&since=1h")) == ["Later", "Tested"]


async def test_more_events_than_the_limit_are_cut_and_said(relay: RelayHere) -> None:
    await send(relay, *[event() for _ in range(5)])
    found = await infer(relay, "source=web&limit=3")
    assert (found["events"], found["cutAt"][-1]) == (3, "Z")
    assert (await infer(relay, "source=web&limit=5"))["cutAt"] is None


async def test_examples_are_there_when_asked_for(relay: RelayHere) -> None:
    await send(relay, event(properties={"sku": "G-1"}))
    assert "G-1" not in str(await infer(relay))
    assert "G-1" in str(await infer(relay, "source=web&examples=true"))


@pytest.mark.parametrize(
    ("query", "names_field"),
    [
        ("", "source"),
        ("source=", "source"),
        ("source=web&since=soon", "since"),
        ("source=web&since=1h&until=2h", "since"),
        ("source=web&until=7", "until"),
        ("source=web&limit=0", "limit"),
        ("source=web&limit=x", "limit"),
        ("source=web&examples=1", "examples"),
    ],
)
async def test_a_wrong_request_is_400_and_names_the_field(
    query: str, names_field: str, relay: RelayHere
) -> None:
    answer = await relay.ask("GET", f"/v1/plans/infer?{query}")
    assert answer.status == 400
    assert names_field in answer.json["error"]["message"]


async def test_one_at_a_time(relay: RelayHere, monkeypatch: pytest.MonkeyPatch) -> None:
    await send(relay, event())
    go, real = asyncio.Event(), Reading.run

    async def held(self: Any, response: Any) -> None:
        await go.wait()
        await real(self, response)

    monkeypatch.setattr(Reading, "run", held)
    url = f"{relay.admin}/v1/plans/infer?source=web"
    headers = {"Authorization": f"Bearer {READ_TOKEN}"}
    async with relay.session.get(url, headers=headers) as first:  # the answer has begun
        second = await relay.ask("GET", "/v1/plans/infer?source=web")
        assert (second.status, second.json["error"]["code"]) == (409, "busy")
        go.set()
        assert (await first.json())["events"] == 1
    assert (await infer(relay))["events"] == 1


async def test_the_loop_is_never_held_for_long(relay: RelayHere) -> None:
    events = list(shop_events(3000))
    for start in range(0, len(events), 100):
        await send(relay, *events[start : start + 100], key="app-key")
    longest, is_done = 0.0, False

    async def watch() -> None:
        nonlocal longest
        while not is_done:
            before = time.thread_time()  # of this thread alone: the machine may be loaded
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - before)

    watching = asyncio.create_task(watch())
    found = await infer(relay, "source=app")
    is_done = True
    await watching
    assert found["events"] == len(events)
    assert longest < 0.03
