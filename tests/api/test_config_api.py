"""The Config API: plans, connections and controls, as its clients use it; and how it says no."""

import io
from typing import Any

import orjson
import pytest

from relay.console.search import Search
from tests.acceptance.relay_process import Answer, eventually
from tests.api.plan_apis import PLANS, created, schema
from tests.gateway.relay_here import READ_TOKEN, RelayHere, event

INNER = {"type": "object", "required": ["price"], "properties": {"price": {"type": "number"}}}


async def ask(relay: RelayHere, method: str, path: str, body: Any = None, **more: Any) -> Answer:
    return await relay.ask(method, path, None if body is None else orjson.dumps(body), **more)


def check_refusal(answer: Answer, status: int, code: int, says: str = "") -> None:
    assert answer.status == status, answer
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json.keys() == {"error", "code"}
    assert answer.json["code"] == code
    assert says in answer.json["error"]


async def test_a_plan_is_made_and_shown_in_the_canonical_form(relay: RelayHere) -> None:
    body = {"display_name": "Shop", "rules": {"events": [{"name": "Paid", "rules": {"properties": INNER}}]}}
    answer = await ask(relay, "POST", PLANS, body)
    assert answer.status == 200
    plan = answer.json
    assert plan["name"].startswith("workspaces/w/tracking-plans/rs_")
    assert plan["create_time"] == plan["update_time"]
    assert plan["rules"] == {
        "events": [
            {
                "name": "Paid",
                "description": "",
                "version": 1,
                "rules": {
                    "$schema": "http://json-schema.org/draft-07/schema#",
                    "type": "object",
                    "labels": {},
                    "properties": {"context": {}, "traits": {}, "properties": INNER},
                },
            }
        ],
        "global": {},
        "identify": {},
        "group": {},
        "identify_traits": [],
        "group_traits": [],
    }
    assert (await ask(relay, "GET", "/v1beta/" + plan["name"])).json == plan
    assert (await ask(relay, "GET", "/v1beta/" + plan["name"] + "/")).json == plan
    wrapped = (await ask(relay, "POST", PLANS + "/", {"tracking_plan": body})).json
    assert wrapped["rules"] == plan["rules"]
    listed = (await ask(relay, "GET", PLANS)).json
    assert listed == {"tracking_plans": [plan, wrapped], "next_page_token": ""}


async def test_what_is_not_about_events_is_kept(relay: RelayHere) -> None:
    rule = {
        "labels": {"team": "shop"},
        "eventMetadata": {"x": [1]},
        "description": "It was paid.",
        "properties": {
            "properties": {"properties": {"price": {"id": "/properties/price", "type": ["number"]}}}
        },
    }
    one = {
        "name": "Paid",
        "version": 3,
        "description": "d",
        "rules": rule,
        "deprecatedAt": "2026-01-01T00:00:00Z",
    }
    rules = {"events": [one], "global": rule, "identify": {"properties": {"traits": {}}}}
    path = await created(relay, rules)
    shown = (await ask(relay, "GET", path)).json["rules"]
    assert shown["events"] == [one]
    assert (shown["global"], shown["identify"]) == (rule, rules["identify"])


async def test_pages_go_through_all_plans(relay: RelayHere) -> None:
    made = {(await created(relay, {})).rpartition("/")[2] for _ in range(5)}
    seen: list[str] = []
    token = ""
    while True:
        page = (await ask(relay, "GET", f"{PLANS}?page_size=2&page_token={token}")).json
        seen += [plan["name"].rpartition("/")[2] for plan in page["tracking_plans"]]
        token = page["next_page_token"]
        if not token:
            break
    assert len(seen) == 5
    assert set(seen) == made
    huge = await ask(relay, "GET", f"{PLANS}?page_size={'9' * 5000}")
    assert len(huge.json["tracking_plans"]) == 5
    check_refusal(await ask(relay, "GET", f"{PLANS}?page_size=-1"), 400, 3, "page_size")


UPDATES: list[tuple[Any, str, list[str], bool]] = [
    ({"tracking_plan": {"display_name": "New", "rules": {}}, "update_mask": {"paths": ["tracking_plan.display_name"]}}, "New", ["A", "B"], True),
    ({"display_name": "New", "update_mask": {"paths": ["display_name"]}}, "New", ["A", "B"], True),
    ({"tracking_plan": {"display_name": "New"}}, "New", ["A", "B"], True),
    ({"tracking_plan": {"rules": {"events": [{"name": "C", "rules": {}}]}}, "update_mask": {"paths": ["tracking_plan.rules"]}}, "Shop", ["C"], False),
    ({"tracking_plan": {"rules": {"events": [{"name": "C", "rules": {}}]}}, "update_mask": {"paths": ["rules.events"]}}, "Shop", ["C"], True),
    ({"tracking_plan": {"display_name": "No"}, "update_mask": {"paths": ["tracking_plan.rules.global"]}}, "Shop", ["A", "B"], False),
    ({"update_mask": {"paths": ["rules"]}}, "Shop", [], False),
    ({"update_mask": {"paths": []}, "display_name": "No"}, "Shop", ["A", "B"], True),
    ({}, "Shop", ["A", "B"], True),
]  # fmt: skip


@pytest.mark.parametrize(("body", "name", "events", "has_global"), UPDATES)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_an_update_changes_what_its_mask_names(
    method: str, body: Any, name: str, events: list[str], has_global: bool, relay: RelayHere
) -> None:
    rules = {"events": [{"name": n, "rules": schema()} for n in "AB"], "global": schema()}
    path = await created(relay, rules)
    answer = await ask(relay, method, path, body)
    assert answer.status == 200, answer
    plan = answer.json
    assert plan["display_name"] == name
    assert [one["name"] for one in plan["rules"]["events"]] == events
    assert (plan["rules"]["global"] != {}) is has_global
    assert plan == (await ask(relay, "GET", path)).json


WRONG: list[tuple[str, str, Any, str]] = [
    ("POST", PLANS, b"", "JSON"),
    ("POST", PLANS, b"\xff", "JSON"),
    ("POST", PLANS, b"[]", "object"),
    ("POST", PLANS, b"[" * 100_000, "JSON"),
    ("POST", PLANS, {}, "display_name"),
    ("POST", PLANS, {"display_name": ""}, "display_name"),
    ("POST", PLANS, {"display_name": 3}, "display_name"),
    ("POST", PLANS, {"tracking_plan": 3}, "tracking_plan"),
    ("POST", PLANS, {"display_name": "S", "rulse": {}}, "rulse"),
    ("POST", PLANS, {"display_name": "S", "rules": {"events": [{"rules": {}}]}}, "rules.events[0]"),
    ("POST", PLANS, {"display_name": "S", "rules": {"evnets": []}}, "evnets"),
    ("POST", PLANS, {"display_name": "S", "rules": {"events": [{"name": "A", "rules": {"properties": {"properties": {"properties": {"x": {"pattern": "(?=a)"}}}}}}]}}, "rules.events[0].rules.properties.properties.properties.x.pattern: look-ahead"),
    ("POST", PLANS, {"display_name": "S", "rules": {"events": [{"name": "A", "rules": {}}, {"name": "A", "rules": {}}]}}, "has version 1 already"),
    ("POST", PLANS, {"display_name": "S", "rules": {"global": {"type": "txet"}}}, "rules.global.type: must be one of"),
    ("PUT", "", {"update_mask": {"paths": ["rules.event"]}}, "update_mask.paths"),
    ("PUT", "", {"update_mask": {"paths": ["display_name"]}}, "display_name"),
    ("PUT", "", {"update_mask": {"paths": "rules"}}, "update_mask.paths"),
    ("PUT", "", {"update_mask": {"paths": ["rules"]}, "rules": {"events": [{"name": "", "rules": {}}]}}, "rules.events[0].name"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "says"), WRONG)
async def test_a_mistake_is_told_with_its_place_and_nothing_changes(
    method: str, path: str, body: Any, says: str, relay: RelayHere
) -> None:
    plan = await created(relay, {"events": [{"name": "A", "rules": schema()}]})
    before = (await ask(relay, "GET", PLANS)).json
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    check_refusal(await relay.ask(method, path or plan, content), 400, 3, says)
    assert (await ask(relay, "GET", PLANS)).json == before


async def test_what_is_too_deep_or_too_large_is_refused(relay: RelayHere) -> None:
    deep = (
        b'{"display_name": "S", "rules": {"global": {"labels": ' + b'{"a":' * 400 + b"1" + b"}" * 400 + b"}}}"
    )
    check_refusal(await relay.ask("POST", PLANS, deep), 400, 3, "deep")
    beyond = b'{"display_name": "S", "rules": {"global": {"maximum": 1e999}}}'
    check_refusal(await relay.ask("POST", PLANS, beyond), 400, 3)
    large: Any = io.BytesIO(b'{"display_name": "' + b"a" * 15_000_001 + b'"}')
    check_refusal(await relay.ask("POST", PLANS, large), 413, 3)
    assert (await ask(relay, "GET", PLANS)).json["tracking_plans"] == []


@pytest.mark.parametrize("name", ["__proto__", "constructor", "toString", "Ünï €", "a\0b", "../../x", " "])
async def test_names_are_only_names(name: str, relay: RelayHere) -> None:
    rules = {"events": [{"name": name, "rules": {"properties": {"properties": {"required": [name]}}}}]}
    path = await created(relay, rules, name)
    plan = (await ask(relay, "GET", path)).json
    assert plan["display_name"] == plan["rules"]["events"][0]["name"] == name


@pytest.mark.parametrize(
    "plan",
    [
        "rs_1",
        "rs_",
        "tp_1",
        "x",
        "%2e%2e%2fapi",
        "..%2Frelay",
        "rs_%00",
        "__proto__",
        "rs_" + "a" * 5000,
        "%ff",
    ],
)
async def test_an_unknown_plan_is_not_found(plan: str, relay: RelayHere) -> None:
    for method, more, body in (
        ("GET", "", None),
        ("PUT", "", {}),
        ("PATCH", "", {"display_name": "x"}),
        ("DELETE", "", None),
        ("GET", "/source-connections", None),
        ("POST", "/source-connections", {"source_name": "workspaces/w/sources/web"}),
        ("POST", "/source-connections:batchCreateConnections", {"source_names": ["web"]}),
        ("DELETE", "/source-connections/web", None),
    ):
        check_refusal(await ask(relay, method, f"{PLANS}/{plan}{more}", body), 404, 5)


@pytest.mark.parametrize(
    "path", ["/v1beta", "/v1beta/", "/v1beta//workspaces//w", PLANS + "//", "/v1beta/workspaces/w/x"]
)
async def test_what_is_not_there_is_said_in_their_words(path: str, relay: RelayHere) -> None:
    check_refusal(await ask(relay, "GET", path), 404, 5)


async def test_a_double_slash_elsewhere_is_just_not_found(relay: RelayHere) -> None:
    for path in ("//v1beta/workspaces/w/tracking-plans", "//", "//tracking-plans"):
        assert (await ask(relay, "GET", path)).status == 404


async def test_tokens_and_methods_are_refused_in_their_words(relay: RelayHere) -> None:
    check_refusal(await ask(relay, "GET", PLANS, token="wrong"), 401, 16)
    check_refusal(await ask(relay, "POST", PLANS, {}, token=READ_TOKEN), 403, 7)
    assert (await ask(relay, "GET", PLANS, token=READ_TOKEN)).status == 200
    answer = await ask(relay, "PATCH", PLANS, {})
    check_refusal(answer, 405, 12)
    assert answer.headers["Allow"] == "GET,HEAD,POST"
    basic = {"Authorization": "Basic YWRtaW4tdG9rZW46"}  # admin-token as the user
    assert (await relay.ask("GET", PLANS, headers=basic, token=None)).status == 200


async def test_a_fault_is_told_in_their_words(relay: RelayHere, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("relay.plans.running.setup_of", fail)
    check_refusal(await ask(relay, "GET", PLANS), 500, 13, "internal error, see the log")


# --- connections


async def test_a_source_has_one_plan_at_most(relay: RelayHere) -> None:
    path, other = await created(relay, {}), await created(relay, {})
    plan_id = path.rpartition("/")[2]
    mine = {"source_name": "workspaces/w/sources/web", "tracking_plan_id": plan_id}
    for _ in range(2):
        answer = await ask(
            relay, "POST", f"{path}/source-connections/", {"source_name": "workspaces/any/sources/web"}
        )
        assert (answer.status, answer.json) == (200, mine)
    assert (await ask(relay, "GET", f"{path}/source-connections")).json == {"connections": [mine]}
    assert (await ask(relay, "GET", f"{other}/source-connections/")).json == {"connections": []}
    refused = await ask(relay, "POST", f"{other}/source-connections", {"source_name": "web"})
    check_refusal(refused, 409, 6, plan_id)
    check_refusal(await ask(relay, "DELETE", f"{other}/source-connections/web"), 404, 5)
    answer = await ask(relay, "DELETE", f"{path}/source-connections/web")
    assert (answer.status, answer.json) == (200, {})
    batch = await ask(
        relay, "POST", f"{other}/source-connections:batchCreateConnections", {"source_names": ["web"]}
    )
    assert len(batch.json["connections"]) == 1


async def test_of_many_connections_all_are_made_or_none(relay: RelayHere) -> None:
    path = await created(relay, {})
    names = {"source_names": ["workspaces/w/sources/web", "workspaces/w/sources/nobody"]}
    check_refusal(
        await ask(relay, "POST", f"{path}/source-connections:batchCreateConnections", names), 404, 5
    )
    assert (await ask(relay, "GET", f"{path}/source-connections")).json == {"connections": []}


async def test_a_plan_that_is_deleted_is_nobodys_any_more(relay: RelayHere) -> None:
    path = await created(relay, {"events": [{"name": "Tested", "rules": {"properties": INNER}}]})
    await ask(relay, "POST", f"{path}/source-connections", {"source_name": "web"})
    assert (await ask(relay, "DELETE", path)).json == {}
    check_refusal(await ask(relay, "GET", path), 404, 5)
    assert relay.app.config.plans == {}
    assert list(relay.file.parent.glob("plans/*")) == []
    one = event()
    await relay.post("/v1/track", one)
    assert "protocols" not in (await relay.admitted(one["messageId"]))["context"]


# --- sources and their controls

CONTROLS = "/v1beta/workspaces/w/sources/web/schema-config"


async def test_sources_are_shown_without_their_keys(relay: RelayHere) -> None:
    source = {"name": "workspaces/w/sources/web", "parent": "workspaces/w"}
    assert (await ask(relay, "GET", "/v1beta/workspaces/w/sources")).json == {
        "sources": [source],
        "next_page_token": "",
    }
    assert (await ask(relay, "GET", "/v1beta/workspaces/w/sources/web/")).json == source
    check_refusal(await ask(relay, "GET", "/v1beta/workspaces/w/sources/nobody"), 404, 5)


async def test_controls_are_set_one_by_one_and_set_back(relay: RelayHere) -> None:
    before = (await ask(relay, "GET", CONTROLS)).json
    assert before["allow_unplanned_track_events"] is True
    assert before["forwarding_violations_to"] == ""
    body = {
        "schema_config": {"allow_unplanned_track_events": False, "allow_unplanned_group_traits": False},
        "update_mask": {"paths": ["schema_config.allow_unplanned_track_events"]},
    }
    after = await ask(relay, "PATCH", CONTROLS, body)
    assert after.json == before | {"allow_unplanned_track_events": False}
    bare = await ask(relay, "PATCH", CONTROLS + "/", {"common_group_event_on_violations": "BLOCK"})
    assert bare.json == after.json | {"common_group_event_on_violations": "BLOCK"}
    cleared = {"update_mask": {"paths": ["allow_unplanned_track_events", "common_group_event_on_violations"]}}
    assert (await ask(relay, "PATCH", CONTROLS, cleared)).json == before
    assert (await ask(relay, "GET", CONTROLS)).json == before


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"schema_config": {"allow_unplanned_track_event": False}}, "allow_unplanned_track_event"),
        ({"schema_config": {"allow_unplanned_track_events": 0}}, "allow_unplanned_track_events"),
        ({"common_group_event_on_violations": "OMIT_PROPERTIES"}, "common_group_event_on_violations"),
        ({"update_mask": {"paths": ["nothing"]}}, "update_mask.paths"),
        ({"forwarding_violations_to": "nobody"}, "forwarding_violations_to"),
        ({"forwarding_blocked_events_to": "web"}, "forwarding_blocked_events_to"),
    ],
)
async def test_a_wrong_control_is_named(body: Any, says: str, relay: RelayHere) -> None:
    check_refusal(await ask(relay, "PATCH", CONTROLS, body), 400, 3, says)


async def test_the_very_next_event_is_judged_by_what_was_set(relay: RelayHere) -> None:
    path = await created(relay, {"events": [{"name": "Tested", "rules": {"properties": INNER}}]})
    await ask(relay, "POST", f"{path}/source-connections", {"source_name": "web"})
    one = event(properties={"price": "1"})
    await relay.post("/v1/track", one)
    protocols = (await relay.admitted(one["messageId"]))["context"]["protocols"]
    assert protocols["violations"][0]["field"] == "properties.price"
    await ask(relay, "PATCH", CONTROLS, {"schema_config": {"allow_track_event_on_violations": False}})
    two = event(properties={"price": "1"})
    await relay.post("/v1/track", two)

    def fate() -> Any:
        found = relay.app.debugger.newest(Search(message_id=two["messageId"]), 1)
        return found and (found[0]["verdict"], found[0]["reason"])

    await eventually(lambda: bool(fate()), 30, lambda: "it was not admitted")
    assert fate() == ("blocked", "schema_violation")
    update = {"rules": {"events": [{"name": "Tested", "rules": {}}]}}
    await ask(relay, "PUT", path, update)
    three = event(properties={"price": "1"})
    await relay.post("/v1/track", three)
    assert "protocols" not in (await relay.admitted(three["messageId"]))["context"]
