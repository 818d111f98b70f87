"""`relay plan violations`."""

import json

from tests.acceptance.conftest import StartRelay
from tests.acceptance.ground import event, is_success
from tests.acceptance.relay_process import RelayProcess, eventually, source
from tests.cli.command import ask
from tests.plans.plans import about, plan

SHOP = plan(("Paid", about(price={"type": "number"}, tax={"type": "number"})))
MARKER = "s3cr3t"


async def sold(start_relay: StartRelay) -> RelayProcess:
    """A relay that has counted three violations of two groups."""
    relay = await start_relay("")
    (relay.file.parent / "plan.json").write_text(json.dumps(SHOP))
    relay.configure(source("web", "web-key") + 'plan = "plan.json"\n')
    await relay.restart()
    for properties in ({"price": MARKER, "tax": MARKER}, {"price": MARKER}):
        assert is_success(
            await relay.post("/v1/track", event(event="Paid", properties=properties), "web-key")
        )

    async def are_counted() -> bool:
        found = (await ask(relay, "plan", "violations", "--json")).json["violations"]
        return bool(sum(one["count"] for one in found) == 3)

    await eventually(are_counted, 30, lambda: "they are not counted")
    return relay


async def test_a_line_for_each_group(start_relay: StartRelay) -> None:
    relay = await sold(start_relay)
    outcome = await ask(relay, "plan", "violations", "--source", "web", "--since", "1h")
    assert (outcome.code, outcome.error) == (0, "")
    heading, price, tax = outcome.rows
    assert heading == ["source", "event", "field", "type", "count", "last", "seen", "description"]
    assert price[:6] == ["web", "Paid", "properties.price", "Invalid", "Type", "2"]
    assert price[7:] == ["Invalid", "type.", "Expected:", "number,", "given:", "string"]
    assert tax[:6] == ["web", "Paid", "properties.tax", "Invalid", "Type", "1"]

    only = await ask(relay, "plan", "violations", "--event", "Paid", "--limit", "1")
    assert len(only.rows) == 2
    none = await ask(relay, "plan", "violations", "--event", "Lost")
    assert (none.code, none.out) == (0, "no violations\n")
    unknown = await ask(relay, "plan", "violations", "--source", "wep")
    assert (unknown.code, unknown.out) == (0, "no violations\n")
    assert unknown.error == "note: there is no source `wep`, did you mean `web`?\n"
    wrong = await ask(relay, "plan", "violations", "--since", "yesterday")
    assert (wrong.code, wrong.out) == (1, "")
    assert "since" in wrong.error


async def test_json_has_samples_without_values(start_relay: StartRelay) -> None:
    relay = await sold(start_relay)
    outcome = await ask(relay, "plan", "violations", "--json")
    assert MARKER not in outcome.out
    samples = outcome.json["violations"][0]["samples"]
    assert [sample["event"]["properties"] for sample in samples] == [
        {"price": "<string>"},
        {"price": "<string>", "tax": "<string>"},
    ]
