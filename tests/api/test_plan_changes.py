"""What becomes of changes by API: where they are kept, what relay.toml forbids, and two at once."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.acceptance.relay_process import Answer
from tests.api.plan_apis import PLANS, created, schema
from tests.gateway.relay_here import SOURCE, RelayHere, event, relay_here
from tests.plans.plans import about, plan

APP = '\n[[sources]]\nname = "app"\nwrite_key = "app-key"\n'
BY_HAND = APP + 'plan = "plans/mine.json"\n[sources.controls]\nallow_unplanned_track_events = false\n'
CONTROLS = "/v1beta/workspaces/w/sources/{}/schema-config"


async def ask(relay: RelayHere, method: str, path: str, body: Any = None) -> Answer:
    return await relay.ask(method, path, None if body is None else orjson.dumps(body))


def write_mine(folder: Path, *events: str) -> None:
    (folder / "plans").mkdir(exist_ok=True)
    (folder / "plans/mine.json").write_text(json.dumps(plan(*[(name, about()) for name in events])))


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[RelayHere]:
    """With a source whose plan and controls stand in relay.toml, and one without."""
    write_mine(tmp_path, "A")
    async with relay_here(tmp_path, SOURCE + BY_HAND) as here:
        yield here


async def mine(relay: RelayHere) -> str:
    """The path of the plan that was written by hand."""
    (found,) = (await ask(relay, "GET", PLANS)).json["tracking_plans"]
    assert found["display_name"] == "Shop"
    return "/v1beta/" + str(found["name"])


def check_conflict(answer: Answer, *says: str) -> None:
    assert (answer.status, answer.json["code"]) == (409, 6), answer
    assert [one for one in says if one not in answer.json["error"]] == []


async def test_a_plan_that_was_written_by_hand_is_shown_under_an_id_that_stays(relay: RelayHere) -> None:
    path = await mine(relay)
    assert path == await mine(relay)
    found = (await ask(relay, "GET", path)).json
    assert [one["name"] for one in found["rules"]["events"]] == ["A"]
    public = await ask(relay, "GET", f"/tracking-plans/tp_{path.rpartition('rs_')[2]}/rules")
    assert [one["key"] for one in public.json["data"]["rules"]] == ["A"]
    connections = (await ask(relay, "GET", f"{path}/source-connections")).json["connections"]
    assert [one["source_name"] for one in connections] == ["workspaces/w/sources/app"]


async def test_what_stands_in_relay_toml_is_changed_there(relay: RelayHere) -> None:
    path = await mine(relay)
    lines = relay.file.read_text().splitlines()
    plan_line = f"{relay.file}:{1 + next(n for n, line in enumerate(lines) if line.startswith('plan ='))}"
    controls_line = f"{relay.file}:{1 + lines.index('[sources.controls]')}"
    for method in ("PUT", "PATCH"):
        check_conflict(await ask(relay, method, path, {"display_name": "New"}), plan_line, "edit the file")
    check_conflict(await ask(relay, "DELETE", path), plan_line)
    check_conflict(await ask(relay, "DELETE", f"{path}/source-connections/app"), plan_line)
    other = await created(relay, {})
    check_conflict(await ask(relay, "POST", f"{other}/source-connections", {"source_name": "app"}), plan_line)
    check_conflict(await ask(relay, "POST", f"{path}/source-connections", {"source_name": "web"}), plan_line)
    same = await ask(relay, "POST", f"{path}/source-connections", {"source_name": "app"})
    assert same.status == 200
    body = {"schema_config": {"allow_unplanned_track_events": True}}
    check_conflict(await ask(relay, "PATCH", CONTROLS.format("app"), body), controls_line)
    answer = await ask(relay, "PATCH", "/sources/app/settings", {"track": {"allowUnplannedEvents": True}})
    assert (answer.status, answer.json["errors"][0]["type"]) == (409, "conflict")
    shown = (await ask(relay, "GET", CONTROLS.format("app"))).json
    assert shown["allow_unplanned_track_events"] is False


async def test_a_plan_that_relay_toml_names_cannot_be_deleted(relay: RelayHere) -> None:
    path = await created(relay, {"events": [{"name": "B", "rules": schema()}]})
    name = path.rpartition("/")[2]
    text = relay.file.read_text().replace("plans/mine.json", f"plans/{name}.json")
    relay.file.write_text(text)
    assert (await ask(relay, "POST", "/v1/reload")).status == 200
    check_conflict(await ask(relay, "DELETE", path), "plan")
    # what is in it is the API's all the same, and counts at once
    changed = await ask(relay, "PUT", path, {"rules": {"events": [{"name": "C", "rules": schema()}]}})
    assert changed.status == 200
    assert [rule.key for rule in relay.app.config.plans["app"].plan.rules] == ["C"]


@pytest.mark.parametrize("said", ["controls.allow_unplanned_track_events = false", "strict = true"])
async def test_what_needs_a_plan_in_relay_toml_holds_on_to_it(said: str, relay: RelayHere) -> None:
    path = await created(relay, {})
    await ask(relay, "POST", f"{path}/source-connections", {"source_name": "web"})
    text = relay.file.read_text()
    relay.file.write_text(text.replace(APP, f"{said}\n{APP}"))
    assert (await ask(relay, "POST", "/v1/reload")).status == 200
    check_conflict(await ask(relay, "DELETE", f"{path}/source-connections/web"), said[:6])
    check_conflict(await ask(relay, "DELETE", path), said[:6])
    assert (await ask(relay, "POST", "/v1/reload")).status == 200


async def test_what_was_set_is_there_after_a_restart_and_a_reload(tmp_path: Path) -> None:
    rules = {"events": [{"name": "Tested", "rules": schema(price={"type": "number"})}]}
    async with relay_here(tmp_path) as relay:
        path = await created(relay, rules)
        await ask(relay, "POST", f"{path}/source-connections", {"source_name": "web"})
        await ask(relay, "PATCH", CONTROLS.format("web"), {"allow_unplanned_track_events": False})
        assert (await ask(relay, "POST", "/v1/reload")).status == 200
        before = (await ask(relay, "GET", path)).json
    async with relay_here(tmp_path) as relay:
        assert (await ask(relay, "GET", path)).json == before
        assert (await ask(relay, "GET", CONTROLS.format("web"))).json["allow_unplanned_track_events"] is False
        one = event(properties={"price": "1"})
        await relay.post("/v1/track", one)
        assert "violations" in (await relay.admitted(one["messageId"]))["context"]["protocols"]


async def test_changes_at_once_lose_nothing(relay: RelayHere) -> None:
    path = await created(relay, {})
    public = f"/tracking-plans/tp_{path.rpartition('rs_')[2]}/rules"

    async def add(number: int) -> Answer:
        rule = {"type": "TRACK", "key": f"E{number}", "version": 1, "jsonSchema": schema()}
        return await ask(relay, "PATCH", public, {"rules": [rule]})

    names = [
        name for name in relay.app.config.sources[0].controls.__struct_fields__ if name.startswith("allow")
    ]
    answers = await asyncio.gather(
        *map(add, range(20)),
        *(ask(relay, "PATCH", CONTROLS.format("web"), {name: False}) for name in names),
        ask(relay, "POST", f"{path}/source-connections", {"source_name": "web"}),
        *(ask(relay, "POST", "/v1/reload") for _ in range(3)),
        *(created(relay, {}) for _ in range(5)),
    )
    assert {answer.status for answer in answers if isinstance(answer, Answer)} == {200}
    found = (await ask(relay, "GET", f"{public}?pagination.count=100")).json["data"]
    assert {one["key"] for one in found["rules"]} == {f"E{n}" for n in range(20)}
    shown = (await ask(relay, "GET", CONTROLS.format("web"))).json
    assert [name for name in names if shown[name]] == []
    assert len((await ask(relay, "GET", PLANS)).json["tracking_plans"]) == 7
    assert len(relay.app.config.plans["web"].plan.rules) == 20


async def test_a_half_edited_relay_toml_is_in_nobodys_way(relay: RelayHere) -> None:
    path = await created(relay, {})
    relay.file.write_text(relay.file.read_text() + "\nhalf =")
    answer = await ask(relay, "POST", f"{path}/source-connections", {"source_name": "web"})
    assert answer.status == 200
    assert relay.app.config.plans.keys() == {"web", "app"}


async def test_a_broken_file_of_connections_is_told_and_changes_nothing(relay: RelayHere) -> None:
    path = await created(relay, {"events": [{"name": "A", "rules": schema()}]})
    await ask(relay, "POST", f"{path}/source-connections", {"source_name": "web"})
    (relay.file.parent / "data/api.json").write_text("{")
    answer = await ask(relay, "DELETE", f"{path}/source-connections/web")
    assert (answer.status, answer.json["code"]) == (503, 14)
    assert "api.json" in answer.json["error"]
    answer = await ask(relay, "POST", "/v1/reload")
    assert (answer.status, answer.json["error"]["code"]) == (400, "bad_config")
    assert relay.app.config.plans.keys() == {"web", "app"}
    assert (await relay.post("/v1/track", event())).status == 200


async def test_a_plan_that_was_broken_by_hand_is_not_shown_and_can_be_deleted(relay: RelayHere) -> None:
    path = await created(relay, {})
    file = relay.file.parent / f"plans/{path.rpartition('/')[2]}.json"
    file.write_text("{")
    answer = await ask(relay, "GET", path)
    assert (answer.status, answer.json["code"]) == (404, 5)
    assert file.name in answer.json["error"]
    assert len((await ask(relay, "GET", PLANS)).json["tracking_plans"]) == 1
    assert (await ask(relay, "PATCH", path, {"display_name": "x"})).status == 404
    assert (await ask(relay, "DELETE", path)).status == 200
    assert not file.exists()


async def test_a_folder_that_cannot_be_written_is_told(
    relay: RelayHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(30, "Read-only file system", "plans")

    with monkeypatch.context() as patched:
        patched.setattr("relay.plans.store.write_whole", refuse)
        answer = await ask(relay, "POST", PLANS, {"display_name": "Shop"})
    assert (answer.status, answer.json) == (
        503,
        {"error": "plans cannot be used: Read-only file system", "code": 14},
    )


async def test_a_data_directory_that_is_to_change_keeps_what_was_set_until_then(
    relay: RelayHere, tmp_path: Path
) -> None:
    path = await created(relay, {})
    await ask(relay, "POST", f"{path}/source-connections", {"source_name": "web"})
    relay.file.write_text(relay.file.read_text().replace(f"{tmp_path / 'data'}", f"{tmp_path / 'other'}"))
    answer = await ask(relay, "POST", "/v1/reload")
    assert answer.json["restartNeededFor"] == ["server.data_dir"]
    assert relay.app.config.plans.keys() == {"web", "app"}
    assert (await ask(relay, "DELETE", f"{path}/source-connections/web")).status == 200
    assert relay.app.config.plans.keys() == {"app"}
