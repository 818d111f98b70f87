"""A plan made with the calls of Segment's documentation, and what becomes of the very next events."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.ground import event, is_success
from tests.acceptance.relay_process import (
    ADMIN_TOKEN,
    Answer,
    RelayProcess,
    eventually,
    running,
    source,
    webhook,
)
from tests.receiver import Receiver

KEY = "web-key"
PLANS = "/v1beta/workspaces/mine/tracking-plans"

# in the shorthand, and without `tracking_plan` around it
PLAN = """{
  "display_name": "Kicks App",
  "rules": {
    "events": [
      {
        "name": "Order Completed",
        "description": "Somebody has paid",
        "rules": {
          "properties": {
            "type": "object",
            "required": ["order_id", "price"],
            "properties": {"order_id": {"type": "string"}, "price": {"type": "number"}}
          }
        }
      }
    ]
  }
}"""


async def ask(relay: RelayProcess, method: str, path: str, body: str | None = None) -> Answer:
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}", "Content-Type": "application/json"}
    data = None if body is None else body.encode()
    async with relay.session.request(method, relay.admin + path, data=data, headers=headers) as response:
        return await Answer.of(response)


async def curl(relay: RelayProcess, path: str, body: str) -> tuple[int, bytes]:
    """Status and body, as the program has them."""
    program = shutil.which("curl")
    if program is None:
        pytest.skip("there is no curl")
    process = await asyncio.create_subprocess_exec(
        *(program, "--silent", "--write-out", "%{stderr}%{http_code}", "-X", "POST", relay.admin + path),
        *("-H", f"Authorization: Bearer {ADMIN_TOKEN}", "-H", "Content-Type: application/json", "-d", body),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, status = await process.communicate()
    return int(status), out


def order(**fields: Any) -> dict[str, Any]:
    return event(event="Order Completed", properties={"order_id": "17", **fields})


async def delivered(relay: RelayProcess, receiver: Receiver, one: dict[str, Any]) -> dict[str, Any]:
    assert is_success(await relay.post("/v1/track", one, KEY))
    await receiver.wait_for_ids({one["messageId"]})
    return receiver.find(one["messageId"])


async def verdict(relay: RelayProcess, one: dict[str, Any]) -> dict[str, Any]:
    """What the debugger says of an event, once it is admitted."""
    found: list[dict[str, Any]] = []

    async def look() -> bool:
        answer = await relay.ask_admin("GET", f"/v1/debugger/events?messageId={one['messageId']}")
        found[:] = answer.json["events"]
        return bool(found)

    await eventually(look, 30, lambda: "it was not admitted")
    return found[0]


async def test_the_plan_counts_from_the_next_event_on(receiver: Receiver, tmp_path: Path) -> None:
    config = source("web", KEY) + webhook(receiver.url)
    async with running(tmp_path, config) as relay:
        made = await ask(relay, "POST", PLANS, PLAN)
        assert made.status == 200, made
        plan = made.json
        connected = await ask(
            relay,
            "POST",
            f"/v1beta/{plan['name']}/source-connections",
            '{"source_name": "workspaces/mine/sources/web"}',
        )
        assert connected.status == 200, connected
        good = await delivered(relay, receiver, order(price=10))
        assert "protocols" not in good["context"]
        bad = await delivered(relay, receiver, order(price="10"))
        assert bad["context"]["protocols"]["violations"] == [
            {
                "type": "Invalid Type",
                "field": "properties.price",
                "description": "Invalid type. Expected: number, given: string",
            }
        ]
        controls = await ask(
            relay,
            "PATCH",
            "/v1beta/workspaces/mine/sources/web/schema-config",
            '{"schema_config": {"allow_track_event_on_violations": false},'
            ' "update_mask": {"paths": ["schema_config.allow_track_event_on_violations"]}}',
        )
        assert controls.status == 200, controls
        blocked = order(price="10")
        assert is_success(await relay.post("/v1/track", blocked, KEY))
        found = await verdict(relay, blocked)
        assert (found["verdict"], found["reason"]) == ("blocked", "schema_violation")

        # a plan outlives the process, however that ends
        await relay.kill()
        await relay.start()
        assert (await ask(relay, "GET", f"/v1beta/{plan['name']}")).json == plan
        again = order(price="10")
        assert is_success(await relay.post("/v1/track", again, KEY))
        assert (await verdict(relay, again))["verdict"] == "blocked"
        assert {blocked["messageId"], again["messageId"]} & receiver.counts.keys() == set()


async def test_curl_makes_a_plan(tmp_path: Path) -> None:
    async with running(tmp_path, source("web", KEY)) as relay:
        status, out = await curl(relay, PLANS, PLAN)
        assert status == 200, out
        status, out = await curl(relay, PLANS + "/", f'{{"tracking_plan": {PLAN}}}')
        assert status == 200, out
        listed = await ask(relay, "GET", PLANS)
        assert [one["display_name"] for one in listed.json["tracking_plans"]] == ["Kicks App"] * 2
        files = sorted(path.name for path in (tmp_path / "plans").iterdir())
        assert files == sorted(
            one["name"].rpartition("/")[2] + ".json" for one in listed.json["tracking_plans"]
        )


async def test_a_relay_that_is_killed_amid_changes_has_whole_plans(tmp_path: Path) -> None:
    async with running(tmp_path, source("web", KEY)) as relay:
        plan = "/v1beta/" + (await ask(relay, "POST", PLANS, PLAN)).json["name"]
        await ask(relay, "POST", f"{plan}/source-connections", '{"source_name": "web"}')
        for round_ in range(3):
            answered: list[int] = []
            changing = asyncio.create_task(_rename(relay, plan, round_, answered))
            await eventually(lambda: len(answered) > 5, 30, lambda: "nothing is answered")  # noqa: B023
            await relay.kill()
            await asyncio.gather(changing, return_exceptions=True)
            await relay.start()
            name = (await ask(relay, "GET", plan)).json["display_name"]
            assert name.startswith(f"{round_}-")
            assert int(name.partition("-")[2]) >= answered[-1]
        assert len(list((tmp_path / "plans").glob("*.json"))) == 1


async def _rename(relay: RelayProcess, plan: str, round_: int, answered: list[int]) -> None:
    """Give the plan one name after another, until relay answers no more."""
    for number in range(10_000):
        answer = await ask(relay, "PATCH", plan, f'{{"display_name": "{round_}-{number}"}}')
        assert answer.status == 200
        answered.append(number)
