"""A strict source: what breaks its plan is refused, the whole request, and the sender is told why."""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from segment.analytics.client import Client  # type: ignore[import-untyped]
from segment.analytics.request import APIError  # type: ignore[import-untyped]

from relay.event import Event
from relay.gateway import strict
from relay.log.state import SQL
from tests.gateway.relay_here import KEY, SOURCE, RelayHere, event, relay_here
from tests.plans.plans import about, plan

STRICT = SOURCE + 'plan = "plan.json"\nstrict = true\n'
SHOP = plan(
    ("Tested", about(required=("id",), id={"type": "string"})),
    common={"properties": {"context": {"properties": {"page": {"type": "object"}}}}},
)
GOOD, BAD = {"properties": {"id": "1"}}, {"properties": {"id": "s3cr3t", "price": 1}}
NO_ID = {"type": "Required", "field": "properties.id", "description": "properties.id is required"}


@pytest.fixture(autouse=True)
def _write_plan(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(SHOP))


async def is_empty(relay: RelayHere) -> bool:
    rows = await relay.app.state.read(lambda c: c.execute(SQL["rulings_between"], (0, 9)).fetchall())
    return relay.app.log.head == 0 and rows == []


@pytest.mark.parametrize("path", ["/v1/track", "/v1/t", "/api/s/track", "/api/s/s2s/track"])
async def test_a_single_event_that_breaks_the_plan_is_refused(tmp_path: Path, path: str) -> None:
    async with relay_here(tmp_path, STRICT) as relay:
        answer = await relay.post(path, event(messageId="m-1"))
        assert answer.status == 400
        said = "events do not keep the tracking plan: nothing of this request was kept"
        assert answer.json == {
            "success": False,
            "code": "schema_violation",
            "message": said,
            "error": said,
            "violations": [{"messageId": "m-1", "event": "Tested", **NO_ID}],
        }
        assert await is_empty(relay)
        assert relay.app.sources.by_name["web"].rejected == {"schema_violation": 1}
        assert (await relay.post(path, event(**GOOD))).status == 200
        assert relay.app.log.head == 1


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/import", "/v1/b", "/beacon/v1/batch"])
async def test_one_bad_event_costs_a_whole_batch(tmp_path: Path, path: str) -> None:
    async with relay_here(tmp_path, STRICT) as relay:
        good, bad = {"type": "track", **event(**GOOD)}, {"type": "track", **event(messageId="m-2")}
        page = {"type": "page", "userId": "u", "name": "Home", "context": {"page": 1}}
        answer = await relay.post(path, {"batch": [good, bad, page, {"type": "track"}]})
        assert answer.status == 400
        assert answer.json["violations"] == [
            {"index": 1, "messageId": "m-2", "event": "Tested", **NO_ID},
            {
                "index": 2,
                "messageId": None,
                "event": "Home",
                "type": "Invalid Type",
                "field": "context.page",
                "description": "Invalid type. Expected: object, given: integer",
            },
        ]
        assert await is_empty(relay)
        assert (await relay.post(path, {"batch": [good, good]})).status == 200


async def test_what_the_controls_would_take_away_is_refused(tmp_path: Path) -> None:
    controls = "[sources.controls]\nallow_unplanned_track_event{} = false\n"
    async with relay_here(tmp_path, STRICT + controls.format("s")) as relay:
        (told,) = (await relay.post("/v1/track", event(event="Lost"))).json["violations"]
        assert (told["type"], told["field"]) == ("Unplanned Event", "event")
        assert told["description"] == "The plan does not name this event"
        assert (await relay.post("/v1/track", event(**BAD))).status == 200
        relay.file.write_text(
            relay.file.read_text("utf-8").replace("track_events", "track_event_properties"), "utf-8"
        )
        await relay.app.reload()
        answer = await relay.post("/v1/track", event(**BAD))
        (told,) = answer.json["violations"]
        assert (told["type"], told["field"]) == ("Unplanned Property", "properties.price")
        assert "s3cr3t" not in answer.body.decode()
        assert (await relay.post("/v1/track", event(event="Lost"))).status == 200


async def test_what_is_no_event_keeps_its_own_code(tmp_path: Path) -> None:
    async with relay_here(tmp_path, STRICT) as relay:
        answer = await relay.post("/v1/track", {"event": "Tested"})
        assert (answer.status, answer.json["code"]) == (400, "no_user_anon_id")


async def test_a_pixel_stays_silent(tmp_path: Path) -> None:
    async with relay_here(tmp_path, STRICT) as relay:
        fields = {"writeKey": KEY, "userId": "u", "event": "Tested"}
        answer = await relay.get("/v1/pixel/track?" + urlencode(fields))
        assert (answer.status, answer.headers["Content-Type"]) == (200, "image/gif")
        assert await is_empty(relay)
        assert (
            await relay.get("/v1/pixel/track?" + urlencode({**fields, "properties.id": "1"}))
        ).status == 200
        assert relay.app.log.head == 1


async def test_a_browser_may_read_why(tmp_path: Path) -> None:
    async with relay_here(tmp_path, STRICT) as relay:
        answer = await relay.post("/v1/track", event(), {"Origin": "https://www.example.com"})
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (
            400,
            "https://www.example.com",
        )


async def test_segments_library_for_python_is_told(tmp_path: Path) -> None:
    async with relay_here(tmp_path, STRICT) as relay:
        client = Client(KEY, host=relay.public, sync_mode=True, max_retries=0)
        with pytest.raises(APIError, match="schema_violation"):
            await asyncio.to_thread(client.track, "u", "Tested", {})
        assert await is_empty(relay)
        await asyncio.to_thread(client.track, "u", "Tested", {"id": "1"})
        assert relay.app.log.head == 1


async def test_a_full_batch_lets_others_have_the_loop_and_tells_of_some(tmp_path: Path) -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def slow(_: Event) -> list[tuple[str, str, str]]:
        until = asyncio.get_running_loop().time() + strict.LOOP_SECONDS / 4
        while asyncio.get_running_loop().time() < until:
            pass
        return [("Required", "properties.id", "properties.id is required")]

    events = [
        Event(0, index, "web", f"m{index}", b'{"type":"track","event":"Tested"}') for index in range(2500)
    ]
    task = asyncio.create_task(others())
    told = await strict.violations_of(events, slow, is_batch=True)
    task.cancel()
    assert len(told) == strict.MAX_TOLD
    assert turns > 10


async def test_a_batch_of_2500_events_is_answered(tmp_path: Path) -> None:
    async with relay_here(tmp_path, STRICT) as relay:
        batch = [{"type": "track", "userId": "u", "event": "Tested", "properties": {"id": 1}}] * 2500
        answer = await relay.post("/v1/batch", {"batch": batch})
        assert (answer.status, len(answer.json["violations"])) == (400, strict.MAX_TOLD)


async def test_a_reload_makes_a_source_strict(tmp_path: Path) -> None:
    async with relay_here(tmp_path, STRICT.replace("true", "false")) as relay:
        assert (await relay.post("/v1/track", event())).status == 200
        relay.file.write_text(
            relay.file.read_text("utf-8").replace("strict = false", "strict = true"), "utf-8"
        )
        assert await relay.app.reload() == []
        assert (await relay.post("/v1/track", event())).status == 400


async def test_consent_is_part_of_every_plan_once_a_destination_asks_for_it(tmp_path: Path) -> None:
    controls = "[sources.controls]\nallow_unplanned_track_events = false\n"
    hook = '[[destinations]]\nname = "hook"\ntype = "webhook"\nenabled = false\nsettings.url = "http://127.0.0.1:9/"\n'
    changed: dict[str, Any] = event(event="Segment Consent Preference Updated", properties={"any": 1})
    async with relay_here(tmp_path, STRICT + controls + hook) as relay:
        assert (await relay.post("/v1/track", changed)).status == 400
        relay.file.write_text(relay.file.read_text("utf-8") + 'consent = ["C0002"]\n', "utf-8")
        await relay.app.reload()
        assert (await relay.post("/v1/track", changed)).status == 200
        found = (await relay.post("/v1/validate", {"type": "track", **changed})).json
        assert (found["verdict"], found["planned"], found["unplanned"]) == ("admitted", True, [])
