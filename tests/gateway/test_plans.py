"""A source's tracking plan in a whole relay: a change of it while it runs, and what a payload would come to."""

import json
from pathlib import Path
from typing import Any

import pytest

from relay.console.search import Search
from relay.errors import ConfigError
from relay.log.state import SQL
from tests.gateway.relay_here import KEY, SOURCE, RelayHere, event, relay_here
from tests.plans.plans import about, plan
from tests.receiver import Receiver

HOOK = '[[destinations]]\nname = "hook"\ntype = "webhook"\nbatch_wait = "0s"\nsettings.url = "{}"\n'
PLANNED = SOURCE + 'plan = "plan.json"\n'
CONTROLS = (
    "[sources.controls]\nallow_unplanned_track_events = false\nallow_track_properties_on_violations = false\n"
)
NUMBER = {"type": "number"}
SHOP = plan(("Tested", about(price=NUMBER)))
WRONG = {"properties": {"price": "1", "new": 1}}
VIOLATION = {
    "type": "Invalid Type",
    "field": "properties.price",
    "description": "Invalid type. Expected: number, given: string",
}


@pytest.fixture(autouse=True)
def _write_plan(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(SHOP))


async def test_a_destination_gets_what_the_plan_leaves(receiver: Receiver, tmp_path: Path) -> None:
    async with relay_here(tmp_path, PLANNED + CONTROLS + HOOK.format(receiver.url)) as relay:
        blocked, good = event(event="Lost"), event(**WRONG)
        assert (await relay.post("/v1/track", blocked)).status == 200
        await relay.post("/v1/track", good)
        await receiver.wait_for(1)
        (received,) = receiver.events()
        assert received["properties"] == {"new": 1}
        protocols = received["context"]["protocols"]
        assert protocols == {"sourceId": "web", "violations": [VIOLATION], "omitted_on_violation": ["price"]}
        (shown,) = relay.app.debugger.newest(Search(event="Lost"), 9)
        assert (shown["verdict"], shown["reason"]) == ("blocked", "unplanned")


async def test_a_reload_takes_up_another_plan_and_other_controls(tmp_path: Path) -> None:
    async with relay_here(tmp_path, PLANNED + CONTROLS) as relay:
        assert await verdict(relay, event(event="Lost")) == ("blocked", "unplanned")
        (tmp_path / "plan.json").write_text(json.dumps(plan(("Lost", about(required=("id",))))))
        assert await verdict(relay, event(event="Lost")) == ("blocked", "unplanned")
        assert await relay.app.reload() == []
        assert await verdict(relay, event(event="Lost")) == ("admitted", None)
        text = relay.file.read_text("utf-8")
        relay.file.write_text(text + "allow_track_event_on_violations = false\n", "utf-8")
        await relay.app.reload()
        assert await verdict(relay, event(event="Lost")) == ("blocked", "schema_violation")


async def test_a_broken_plan_is_refused_and_the_old_one_stays_in_force(tmp_path: Path) -> None:
    async with relay_here(tmp_path, PLANNED + CONTROLS) as relay:
        (tmp_path / "plan.json").write_text('{"rules": {"events": [{"rules": {}}]}}')
        with pytest.raises(ConfigError) as raised:
            await relay.app.reload()
        (problem,) = raised.value.problems
        assert problem.endswith("`plan`: plan.json: rules.events[0].name: must be the name of an event")
        assert await verdict(relay, event(event="Lost")) == ("blocked", "unplanned")


async def verdict(relay: RelayHere, payload: Any) -> tuple[str, str | None]:
    answer = (await relay.post("/v1/validate", {"type": "track", **payload})).json
    return answer["verdict"], answer["reason"]


async def test_validate_says_what_would_become_of_an_event_and_stores_nothing(tmp_path: Path) -> None:
    async with relay_here(tmp_path, PLANNED + CONTROLS) as relay:
        answer = await relay.post("/v1/validate", {"type": "track", **event(**WRONG)})
        found = answer.json
        assert answer.status == 200
        delivered = found.pop("event")
        assert found.pop("notes") != []
        assert found == {
            "success": True,
            "plan": "Shop",
            "verdict": "admitted",
            "reason": None,
            "planned": True,
            "unplanned": ["properties.new"],
            "violations": [VIOLATION],
            "omitted": [],
            "omitted_on_violation": ["price"],
        }
        assert delivered["properties"] == {"new": 1}
        assert delivered["context"]["protocols"]["violations"] == [VIOLATION]
        assert relay.app.log.head == 0
        rows = await relay.app.state.read(lambda c: c.execute(SQL["rulings_between"], (0, 9)).fetchall())
        assert rows == []


async def test_validate_takes_a_batch(tmp_path: Path) -> None:
    async with relay_here(tmp_path, PLANNED + CONTROLS) as relay:
        batch = [{"type": "track", **event()}, {"type": "track", **event(event="Lost")}, {"type": "track"}, 3]
        found = (await relay.post("/v1/validate", {"batch": batch})).json["events"]
        assert [(one["verdict"], one["reason"]) for one in found] == [
            ("admitted", None),
            ("blocked", "unplanned"),
            ("rejected", "no_user_anon_id"),
            ("rejected", "bad_request"),
        ]


async def test_validate_without_a_plan(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay:
        found = (await relay.post("/v1/validate", {"type": "track", **event()})).json
        assert (found["plan"], found["verdict"], found["violations"]) == (None, "admitted", [])


async def test_validate_asks_for_a_write_key_which_the_body_may_hold(tmp_path: Path) -> None:
    async with relay_here(tmp_path, PLANNED) as relay:
        payload = {"type": "track", **event()}
        assert (await relay.post("/v1/validate", payload, key="none")).status == 401
        async with relay.session.post(
            relay.public + "/v1/validate", data=json.dumps(payload | {"writeKey": KEY}).encode()
        ) as response:
            assert response.status == 200
            assert "writeKey" not in (await response.json())["event"]


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (3, "the body must be a JSON object"),
        ({}, "type must be one of alias, group, identify, page, screen, track; or send a batch"),
        (
            {"type": ["track"]},
            "type must be one of alias, group, identify, page, screen, track; or send a batch",
        ),
        ({"batch": 3}, "batch must be an array"),
    ],
)
async def test_validate_refuses_what_is_no_payload(tmp_path: Path, payload: Any, message: str) -> None:
    async with relay_here(tmp_path, PLANNED) as relay:
        answer = await relay.post("/v1/validate", payload)
        assert (answer.status, answer.json["message"]) == (400, message)
