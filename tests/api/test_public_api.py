"""The Public API: plans, rules, sources and controls, as its SDKs use it; and how it says no."""

from typing import Any

import orjson
import pytest

from tests.acceptance.relay_process import Answer
from tests.api.plan_apis import created, schema
from tests.gateway.relay_here import READ_TOKEN, RelayHere

V1 = "application/vnd.segment.v1+json"


async def ask(relay: RelayHere, method: str, path: str, body: Any = None, **more: Any) -> Answer:
    content = body if isinstance(body, bytes | None) else orjson.dumps(body)
    return await relay.ask(method, path, content, **more)


async def data(relay: RelayHere, method: str, path: str, body: Any = None) -> Any:
    answer = await ask(relay, method, path, body)
    assert answer.status == 200, answer
    assert answer.json.keys() == {"data"}
    return answer.json["data"]


def check_refusal(answer: Answer, status: int, kind: str, field: str | None = None, says: str = "") -> None:
    assert answer.status == status, answer
    assert answer.json.keys() == {"errors"}
    first = answer.json["errors"][0]
    assert first["type"] == kind
    assert first.get("field") == field
    assert says in first["message"]


async def new_plan(relay: RelayHere, *rules: dict[str, Any]) -> str:
    """The path of a plan with these rules."""
    made = await data(relay, "POST", "/tracking-plans", {"name": "Shop", "type": "LIVE"})
    path = f"/tracking-plans/{made['trackingPlan']['id']}"
    if rules:
        assert await data(relay, "PUT", f"{path}/rules", {"rules": list(rules)}) == {"status": "SUCCESS"}
    return path


def rule(key: str = "Paid", kind: str = "TRACK", version: int = 1, **properties: Any) -> dict[str, Any]:
    return {"type": kind, "key": key, "version": version, "jsonSchema": schema(**properties)}


async def keys(relay: RelayHere, path: str) -> list[tuple[str, str | None, int]]:
    found = (await data(relay, "GET", f"{path}/rules"))["rules"]
    return [(one["type"], one.get("key"), one["version"]) for one in found]


async def test_a_plan_is_made_changed_shown_and_deleted(relay: RelayHere) -> None:
    body = {"name": "Shop", "type": "LIVE", "description": "All of it"}
    plan = (await data(relay, "POST", "/tracking-plans", body))["trackingPlan"]
    assert plan.items() >= body.items()
    assert plan["id"].startswith("tp_")
    assert plan["resourceSchemaId"] == "rs_" + plan["id"][3:]
    path = f"/tracking-plans/{plan['id']}"
    assert (await data(relay, "GET", path))["trackingPlan"] == plan
    assert await data(relay, "PATCH", path, {"name": "New"}) == {"status": "SUCCESS"}
    changed = (await data(relay, "GET", path))["trackingPlan"]
    assert changed == plan | {"name": "New", "updatedAt": changed["updatedAt"]}
    listed = await data(relay, "GET", "/tracking-plans?type=LIVE")
    assert listed == {
        "trackingPlans": [changed],
        "pagination": {"current": plan["resourceSchemaId"], "totalEntries": 1},
    }
    assert (await data(relay, "GET", "/tracking-plans?type=ENGAGE"))["trackingPlans"] == []
    assert await data(relay, "DELETE", path) == {"status": "SUCCESS"}
    check_refusal(await ask(relay, "GET", path), 404, "not-found")


async def test_both_apis_show_the_same_plans(relay: RelayHere) -> None:
    one = await created(
        relay, {"events": [{"name": "Paid", "version": 2, "rules": schema()}], "global": schema()}
    )
    public = f"/tracking-plans/tp_{one.rpartition('rs_')[2]}"
    assert await keys(relay, public) == [("TRACK", "Paid", 2), ("COMMON", None, 1)]
    page = {"type": "PAGE", "key": "Home", "version": 1, "jsonSchema": schema()}
    common = {"type": "COMMON", "version": 2, "jsonSchema": schema()}
    await data(relay, "PATCH", f"{public}/rules", {"rules": [page, common]})
    shown = orjson.loads((await relay.ask("GET", one)).body)
    assert [event["name"] for event in shown["rules"]["events"]] == ["Paid"]
    # what the other API cannot say is still there after it has changed what it can
    update = orjson.dumps({"rules": {"events": [{"name": "New", "rules": schema()}]}})
    assert (await relay.ask("PUT", one, update)).status == 200
    assert set(await keys(relay, public)) == {("TRACK", "New", 1), ("PAGE", "Home", 1)}


async def test_rules_of_every_kind_come_back_as_they_were(relay: RelayHere) -> None:
    labels = schema(a={"id": "/properties/properties/a"}) | {"labels": {"team": "x"}, "eventMetadata": {}}
    rules = [
        {"type": "TRACK", "key": "Paid", "version": 3, "jsonSchema": labels, "deprecatedAt": "2026-01-01"},
        {"type": "PAGE", "key": "Home", "version": 1, "jsonSchema": schema()},
        {"type": "SCREEN", "key": "", "version": 2, "jsonSchema": schema()},
        {"type": "IDENTIFY", "version": 1, "jsonSchema": labels, "description": "Who"},
        {"type": "GROUP", "version": 4, "jsonSchema": labels},
        {"type": "COMMON", "version": 1, "jsonSchema": {}},
    ]
    path = await new_plan(relay, *rules)
    found = (await data(relay, "GET", f"{path}/rules"))["rules"]
    assert sorted(found, key=rules.index) == rules
    assert await data(relay, "PUT", f"{path}/rules", {"rules": found}) == {"status": "SUCCESS"}
    assert (await data(relay, "GET", f"{path}/rules"))["rules"] == found


async def test_rules_are_upserted_renamed_and_removed(relay: RelayHere) -> None:
    path = await new_plan(relay, rule("A"), rule("B"))
    upserts = [rule("A", x={"type": "string"}), rule("A", version=2), rule("B") | {"newKey": "C"}]
    await data(relay, "PATCH", f"{path}/rules", {"rules": upserts})
    found = (await data(relay, "GET", f"{path}/rules"))["rules"]
    assert [(one["key"], one["version"]) for one in found] == [("A", 1), ("C", 1), ("A", 2)]
    assert found[0]["jsonSchema"] == schema(x={"type": "string"})
    gone = {"rules": [{"type": "TRACK", "key": "A", "version": 2}]}
    assert await data(relay, "DELETE", f"{path}/rules", gone) == {"status": "SUCCESS"}
    query = "rules%5B0%5D%5Btype%5D=TRACK&rules%5B0%5D%5Bkey%5D=C&rules%5B0%5D%5Bversion%5D=1"
    await data(relay, "DELETE", f"{path}/rules?{query}")
    assert await keys(relay, path) == [("TRACK", "A", 1)]
    text = "%5B%7B%22type%22%3A%22TRACK%22%2C%22key%22%3A%22A%22%7D%5D"
    await data(relay, "DELETE", f"{path}/rules?rules={text}")
    assert await keys(relay, path) == []


async def test_pages_go_to_and_fro(relay: RelayHere) -> None:
    path = await new_plan(relay, *[rule(f"E{n}") for n in range(7)])
    first = await data(relay, "GET", f"{path}/rules?pagination%5Bcount%5D=3")
    assert [one["key"] for one in first["rules"]] == ["E0", "E1", "E2"]
    assert "previous" not in first["pagination"]
    next_ = first["pagination"]["next"]
    second = await data(relay, "GET", f"{path}/rules?pagination.count=3&pagination.cursor={next_}")
    assert [one["key"] for one in second["rules"]] == ["E3", "E4", "E5"]
    assert second["pagination"] == {
        "current": next_,
        "next": "0006",
        "previous": first["pagination"]["current"],
        "totalEntries": 7,
    }
    last = await data(
        relay, "GET", f"{path}/rules?pagination%5Bcursor%5D=0006&pagination%5Bcount%5D=99999999999"
    )
    assert [one["key"] for one in last["rules"]] == ["E6"]
    beyond = await data(relay, "GET", f"{path}/rules?pagination%5Bcursor%5D=%00z")
    assert len(beyond["rules"]) in (0, 7)
    check_refusal(
        await ask(relay, "GET", "/tracking-plans?pagination[count]=x"), 400, "bad-request", "pagination.count"
    )


async def test_sources_are_connected_and_disconnected(relay: RelayHere) -> None:
    path, other = await new_plan(relay), await new_plan(relay)
    web = {"id": "web", "slug": "web", "name": "web", "enabled": True}
    assert await data(relay, "POST", f"{path}/sources", {"sourceId": "web"}) == {"status": "SUCCESS"}
    found = await data(relay, "GET", f"{path}/sources")
    assert found == {"sources": [web], "pagination": {"current": "web", "totalEntries": 1}}
    assert await data(relay, "GET", "/sources") == found
    plan_id = path.rpartition("/")[2]
    assert await data(relay, "GET", "/sources/web") == {"source": web, "trackingPlanId": plan_id}
    check_refusal(await ask(relay, "POST", f"{other}/sources", {"sourceId": "web"}), 409, "conflict")
    assert await data(relay, "DELETE", f"{path}/sources?sourceId=web") == {"status": "SUCCESS"}
    check_refusal(await ask(relay, "DELETE", f"{path}/sources?sourceId=web"), 404, "not-found")
    await data(relay, "POST", f"{other}/sources", {"sourceId": "web"})
    assert await data(relay, "DELETE", f"{other}/sources", {"sourceId": "web"}) == {"status": "SUCCESS"}
    assert (await data(relay, "GET", "/sources/web"))["trackingPlanId"] is None
    check_refusal(await ask(relay, "DELETE", f"{path}/sources"), 400, "bad-request", "sourceId")


async def test_settings_are_those_of_the_other_api(relay: RelayHere) -> None:
    before = (await data(relay, "GET", "/sources/web/settings"))["settings"]
    assert before["track"]["allowUnplannedEvents"] is True
    assert (
        before["identify"]
        == before["group"]
        == {
            "allowUnplannedTraits": True,
            "allowTraitsOnViolations": True,
            "commonEventOnViolations": "ALLOW",
        }
    )
    change = {"track": {"allowUnplannedEvents": False}, "group": {"commonEventOnViolations": "OMIT_TRAITS"}}
    after = await data(relay, "PATCH", "/sources/web/settings", change)
    assert after == {
        "sourceId": "web",
        "settings": before
        | {
            "track": before["track"] | change["track"],
            "group": before["group"] | change["group"],
        },
    }
    shown = (await relay.ask("GET", "/v1beta/workspaces/w/sources/web/schema-config")).json
    assert shown["allow_unplanned_track_events"] is False
    assert shown["common_group_event_on_violations"] == "OMIT_TRAITS"
    wrong = await ask(relay, "PATCH", "/sources/web/settings", {"track": {"allowUnplannedEvents": 3}})
    check_refusal(wrong, 400, "bad-request", "track.allowUnplannedEvents")
    check_refusal(await ask(relay, "GET", "/sources/nobody/settings"), 404, "not-found")
    check_refusal(await ask(relay, "PATCH", "/sources/nobody/settings", {}), 404, "not-found")


WRONG: list[tuple[str, str, Any, str | None, str]] = [
    ("POST", "", b"{", None, "JSON"),
    ("POST", "", {"type": "LIVE"}, None, "name"),
    ("POST", "", {"name": "S", "type": "DEAD"}, "type", ""),
    ("POST", "", {"name": "S", "type": "LIVE", "naem": 1}, None, "naem"),
    ("PATCH", "/P", {"name": ""}, "name", ""),
    ("PUT", "/P/rules", {}, None, "rules"),
    ("PUT", "/P/rules", {"rules": [rule(str(n)) for n in range(201)]}, "rules", "200"),
    ("PUT", "/P/rules", {"rules": [rule(""), rule()]}, "rules[0].key", "event"),
    ("PUT", "/P/rules", {"rules": [{"type": "ALIAS", "jsonSchema": {}}]}, "rules[0].type", ""),
    ("PUT", "/P/rules", {"rules": [rule(x={"pattern": "(?=a)"})]}, "rules[0].jsonSchema.properties.properties.properties.x.pattern", "look-ahead"),
    ("PATCH", "/P/rules", {"rules": [rule(), rule()]}, "rules[1].jsonSchema", "already"),
    ("PATCH", "/P/rules", {"rules": [rule("A", "COMMON") | {"newKey": "B"}]}, "rules[0].newKey", "no key"),
    ("DELETE", "/P/rules", {"rules": [3]}, "rules[0]", ""),
    ("DELETE", "/P/rules?rules=%00", None, "rules", "JSON"),
    ("DELETE", "/P/rules", None, None, "rules"),
    ("POST", "/P/sources", {"sourceId": 3}, "sourceId", ""),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "field", "says"), WRONG)
async def test_a_mistake_is_told_with_its_field_and_nothing_changes(
    method: str, path: str, body: Any, field: str | None, says: str, relay: RelayHere
) -> None:
    plan = await new_plan(relay, rule("Old"))
    before = await data(relay, "GET", plan)
    where = "/tracking-plans" + path.replace("/P", "/" + plan.rpartition("/")[2])
    check_refusal(await ask(relay, method, where, body), 400, "bad-request", field, says)
    assert await data(relay, "GET", plan) == before
    assert await keys(relay, plan) == [("TRACK", "Old", 1)]


async def test_a_rename_onto_another_rule_and_a_rule_that_is_not_there(relay: RelayHere) -> None:
    path = await new_plan(relay, rule("A"), rule("B"))
    answer = await ask(relay, "PATCH", f"{path}/rules", {"rules": [rule("A") | {"newKey": "B"}]})
    check_refusal(answer, 409, "conflict", "rules[0].newKey")
    gone = {"rules": [{"type": "TRACK", "key": "A"}, {"type": "TRACK", "key": "C"}]}
    check_refusal(await ask(relay, "DELETE", f"{path}/rules", gone), 404, "not-found", "rules[1]")
    assert len(await keys(relay, path)) == 2


@pytest.mark.parametrize("media_type", [V1, "application/json", "application/vnd.segment.v1beta+json"])
async def test_the_answer_has_the_media_type_that_was_asked_for(media_type: str, relay: RelayHere) -> None:
    headers = {"Accept": f"{media_type}, application/json", "Content-Type": media_type}
    body = orjson.dumps({"name": "Shop", "type": "LIVE"})
    for answer in (
        await relay.ask("POST", "/tracking-plans", body, headers),
        await relay.ask("GET", "/tracking-plans/tp_0", None, headers),
        await relay.ask("GET", "/sources", None, headers, token="wrong"),
    ):
        assert answer.headers["Content-Type"].partition(";")[0] == media_type


async def test_tokens_paths_and_methods_are_refused_in_their_words(relay: RelayHere) -> None:
    check_refusal(await ask(relay, "GET", "/sources", token="wrong"), 401, "unauthorized")
    check_refusal(await ask(relay, "POST", "/tracking-plans", {}, token=READ_TOKEN), 403, "forbidden")
    check_refusal(await ask(relay, "GET", "/tracking-plans/x/y/z"), 404, "not-found")
    check_refusal(await ask(relay, "POST", "/sources", {}), 405, "method-not-allowed")
    check_refusal(await ask(relay, "GET", "/tracking-plans//"), 404, "not-found")
