"""Plans in the console: read by everybody, changed where an API made them, and left to their files otherwise."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from relay.plans.controls import Controls
from tests.console.planned import HOSTILE, SHOP, TEXT, WRONG, api_plan, planned_relay, send
from tests.console.visitor import Visitor, visitor_of
from tests.gateway.relay_here import READ_TOKEN, RelayHere
from tests.plans.plans import about, plan
from tests.plans.shop import shop_events
from tests.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def relay(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RelayHere]:
    async with Receiver() as receiver, planned_relay(tmp_path_factory.mktemp("plans"), receiver) as here:
        yield here


@pytest_asyncio.fixture(loop_scope="module")
async def admin(relay: RelayHere) -> AsyncIterator[Visitor]:
    async with visitor_of(relay) as visitor:
        yield visitor


@pytest_asyncio.fixture(loop_scope="module")
async def reader(relay: RelayHere) -> AsyncIterator[Visitor]:
    async with visitor_of(relay, READ_TOKEN) as visitor:
        yield visitor


async def of_file(visitor: Visitor) -> str:
    """The address of the plan that relay.toml names."""
    text = (await visitor.get("/console/plans")).text
    row = next(row for row in text.split("<tr>") if "relay.toml:" in row)
    return row.split('href="', 1)[1].split('"', 1)[0]


async def test_the_list_says_where_a_plan_is_from_and_what_broke_it(relay: RelayHere, admin: Visitor) -> None:
    await send(relay, WRONG, {"event": "Unknown"})
    made = await api_plan(relay, {**SHOP, "display_name": "Of the API"})
    shown = await admin.get("/console/plans")
    assert shown.status == 200
    assert "file, relay.toml:15 web 4 2 2" in shown.words
    assert f"Of the API {made} API none 4 0 0" in shown.words
    assert "app : infer one from what it sent" in shown.words


async def test_a_plan_is_read_in_words(admin: Visitor) -> None:
    place = await of_file(admin)
    shown = await admin.get(place)
    words = shown.words
    assert "edit shop.json , and reload; relay.toml:15 connects it" in words
    assert "order_id string yes matches ^o- Made by the shop" in words
    assert "total number or null no 0 or more" in words
    assert 'currency any no one of "EUR", "USD"' in words
    assert "products.$.sku string yes" in words
    assert "Traits of people (identify)" in words
    assert "email string no an email address" in words
    assert "Common rules, for every event" in words
    assert "context.library any yes" in words
    assert "Track events that the plan does not name are blocked." in words
    assert "To change the controls, edit relay.toml:16" in words
    assert 'href="/console/violations?event=Order+Completed"' in shown.text.replace("%20", "+")
    assert "<select" not in shown.text.split("<h2>Sources")[1].split("<h2>Events")[0]
    raw = await admin.get(f"{place}/raw")
    assert raw.headers["Content-Type"].startswith("application/json")
    assert json.loads(raw.text)["display_name"] == "Shop"


async def test_what_a_file_says_is_not_changed_here(admin: Visitor) -> None:
    place = await of_file(admin)
    assert "edit it" not in (await admin.get(place)).words
    for path, fields in (
        ("disconnect", {"source": "web"}),
        ("controls", {"source": "web", "allow_unplanned_track_events": "true"}),
        ("connect", {"source": "app"}),
    ):
        shown = await admin.post(f"{place}/{path}", fields)
        assert shown.status == 409, path
        assert "edit the file" in shown.words
    shown = await admin.post(f"{place}/edit", {"json": "{}", "seen": ""})
    assert shown.status == 400
    assert "edit the file" in shown.words


async def test_a_source_is_connected_controlled_and_disconnected(relay: RelayHere, admin: Visitor) -> None:
    plan_id = await api_plan(relay)
    place = f"/console/plans/{plan_id}"
    assert "None has it" in (await admin.get(place)).words
    shown = await admin.follow(await admin.post(f"{place}/connect", {"source": "app"}))
    assert "app has this plan now" in shown.words
    assert "Everything is let through; what breaks the plan is noted." in shown.words
    said = {
        "source": "app",
        "allow_unplanned_track_events": "false",
        "allow_track_event_on_violations": "true",
        "common_track_event_on_violations": "OMIT_PROPERTIES",
        "forwarding_violations_to": "web",
        "forwarding_blocked_events_to": "",
    }
    shown = await admin.follow(await admin.post(f"{place}/controls", said))
    assert "Track events that the plan does not name are blocked." in shown.words
    assert "lose the properties that break it." in shown.words
    assert "Violations become events of the source web." in shown.words
    (source,) = (one for one in relay.app.config.sources if one.name == "app")
    assert source.controls == Controls(
        allow_unplanned_track_events=False,
        common_track_event_on_violations="OMIT_PROPERTIES",
        forwarding_violations_to="web",
    )
    back = {name: "true" if name.startswith("allow") else "" for name in said if name != "source"}
    back["common_track_event_on_violations"] = "ALLOW"
    await admin.post(f"{place}/controls", {**back, "source": "app"})
    shown = await admin.follow(await admin.post(f"{place}/disconnect", {"source": "app"}))
    assert "app has no plan any more" in shown.words
    assert "app" not in relay.app.config.plans


async def test_a_wrong_control_or_source_is_told(relay: RelayHere, admin: Visitor) -> None:
    place = f"/console/plans/{await api_plan(relay)}"
    shown = await admin.post(f"{place}/controls", {"source": "app", "common_track_event_on_violations": "X"})
    assert shown.status == 400
    assert "common_track_event_on_violations" in shown.words
    shown = await admin.post(f"{place}/connect", {"source": "nobody"})
    assert (shown.status, "no such source" in shown.words) == (404, True)
    shown = await admin.post(f"{place}/connect", {"source": "web"})
    assert shown.status == 409


async def test_json_is_edited_and_every_mistake_is_named(relay: RelayHere, admin: Visitor) -> None:
    place = f"/console/plans/{await api_plan(relay)}"
    shown = await admin.get(f"{place}/edit")
    seen = shown.text.split('name="seen" value="', 1)[1].split('"', 1)[0]
    assert seen
    wrong = plan(
        ("A", {"properties": {"properties": {"properties": {"x": {"type": "text"}}}}}), ("", about())
    )
    text = json.dumps(wrong)
    shown = await admin.post(f"{place}/edit", {"json": text, "seen": seen})
    assert shown.status == 400
    assert "rules.events[1].name : must be the name of an event" in shown.words
    assert text in shown.words
    wrong["rules"]["events"].pop()
    shown = await admin.post(f"{place}/edit", {"json": json.dumps(wrong), "seen": seen})
    assert "rules.events[0].rules.properties.properties.properties.x.type" in shown.words.replace(" ", "")
    shown = await admin.post(f"{place}/edit", {"json": '{\n  "a": 1,\n  oops\n}', "seen": seen})
    assert "in line 3, column 3" in shown.words
    for raw in ("[]", "17", '{"rules": {}}'):
        shown = await admin.post(f"{place}/edit", {"json": raw, "seen": seen})
        assert (shown.status, "Nothing was changed" in shown.words) == (400, True), raw
    good = {**plan(("Anew", about(x=TEXT))), "display_name": "Renamed", "description": "For the app"}
    shown = await admin.follow(await admin.post(f"{place}/edit", {"json": json.dumps(good), "seen": seen}))
    assert "it has 1 rules, and is in force" in shown.words
    assert "Renamed For the app" in shown.words
    assert "Anew" in shown.words
    shown = await admin.post(f"{place}/edit", {"json": json.dumps(good), "seen": seen})
    assert "somebody has changed the plan meanwhile" in shown.words


async def test_the_reader_reads_and_changes_nothing(relay: RelayHere, reader: Visitor) -> None:
    place = f"/console/plans/{await api_plan(relay)}"
    for path in ("/console/plans", place, f"{place}/edit", "/console/plans/inferred?source=web"):
        shown = await reader.get(path)
        assert shown.status == 200, path
        assert "Keep it" not in shown.words
        assert "Connect" not in shown.words
        assert "Disconnect" not in shown.words
    for path in ("connect", "disconnect", "controls", "edit"):
        assert (await reader.post(f"{place}/{path}", {"source": "app"})).status == 403, path


async def test_hostile_names_are_text(relay: RelayHere, admin: Visitor) -> None:
    names: dict[str, Any] = {HOSTILE: {"type": "string", "description": HOSTILE, "enum": [HOSTILE]}}
    rule = about(**names)
    rule["labels"] = {HOSTILE: HOSTILE}
    raw = {**plan((HOSTILE, rule)), "display_name": HOSTILE}
    place = f"/console/plans/{await api_plan(relay, raw)}"
    for path in ("/console/plans", place, f"{place}/edit"):
        shown = await admin.get(path)
        assert shown.status == 200, path
        assert "<img" not in shown.text
        assert "{{7*7}}" in shown.words
    assert "\u27e8U+202E\u27e9" in (await admin.get(place)).words


async def test_a_thousand_properties_and_events_find_room(relay: RelayHere, admin: Visitor) -> None:
    many: dict[str, Any] = {f"p{n}": TEXT for n in range(1000)}
    wide = about(**many)
    events = [(f"Event {n:03}", about(a=TEXT)) for n in range(120)]
    place = f"/console/plans/{await api_plan(relay, plan(('A Wide One', wide), *events))}"
    words = (await admin.get(place)).words
    assert "1,000 properties" in words
    assert "p999" in words
    assert "1 to 2 of 121" in words
    found = await admin.get(f"{place}?q=event+119")
    assert "Event 119" in found.words
    assert "Event 118" not in found.words
    assert "Event 119" in (await admin.get(f"{place}?from=100")).words


async def test_a_schema_that_leads_to_itself_ends(relay: RelayHere, admin: Visitor) -> None:
    tree = {
        "type": "object",
        "properties": {"left": {"$ref": "#/definitions/t"}, "right": {"$ref": "#/definitions/t"}},
    }
    rule = about(tree={"$ref": "#/definitions/t"}) | {"definitions": {"t": tree}}
    shown = await admin.get(f"/console/plans/{await api_plan(relay, plan(('Tree', rule)))}")
    assert "tree.left" in shown.words
    assert "tree.left.left" not in shown.words


async def test_a_plan_is_inferred_to_be_read(relay: RelayHere, admin: Visitor) -> None:
    sent = [dict(one) for one in shop_events(60) if one["type"] == "track"]
    await send(relay, *sent, key="app-key")
    shown = await admin.get("/console/plans/inferred?source=app")
    assert f"Made from {len(sent)} events" in shown.words
    assert "relay plan infer --source app --since 24h -o plans/app.json" in shown.words
    assert "Order Completed" in shown.words
    assert (await admin.get("/console/plans/inferred?source=nobody")).status == 404
    assert (await admin.get("/console/plans/inferred?source=app&since=9d")).status == 400


@pytest.mark.parametrize("path", ["rs_none", "rs_none/raw", "rs_none/edit", "x"])
async def test_a_plan_that_is_not_there_is_told(path: str, admin: Visitor) -> None:
    assert (await admin.get(f"/console/plans/{path}")).status == 404
