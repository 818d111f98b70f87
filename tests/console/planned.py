"""A relay whose source `web` keeps a plan of a file, and whose source `app` keeps none yet."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.acceptance.relay_process import eventually, webhook
from tests.gateway.relay_here import KEY, RelayHere, event, relay_here
from tests.plans.plans import about, plan
from tests.receiver import Receiver

HOSTILE = "<img src=x onerror=alert(1)>\u202egnp.exe\x00'\"`{{7*7}}"
TEXT, NUMBER = {"type": "string"}, {"type": "number"}
SHOP = plan(
    (
        "Order Completed",
        about(
            required=("order_id",),
            order_id={**TEXT, "pattern": "^o-", "description": "Made by the shop"},
            total={"type": ["number", "null"], "minimum": 0},
            currency={"enum": ["EUR", "USD"]},
            products={"type": "array", "items": {"required": ["sku"], "properties": {"sku": TEXT}}},
        ),
    ),
    ("Product Viewed", about(sku=TEXT)),
    identify=about("traits", email={**TEXT, "format": "email"}),
    common={"properties": {"context": {"required": ["library"]}}},
)
MENDED = plan(("Order Completed", about(order_id=TEXT)), ("Lost", about()), ("Product Viewed", about()))
TABLES = f"""
[[sources]]
name = "web"
write_key = "{KEY}"
rate_limit = 100000
plan = "shop.json"
[sources.controls]
allow_unplanned_track_events = false
allow_track_event_on_violations = false

[[sources]]
name = "app"
write_key = "app-key"
rate_limit = 100000
"""
WRONG = {"event": "Order Completed", "properties": {"order_id": "17"}}


@asynccontextmanager
async def planned_relay(
    folder: Path, receiver: Receiver, raw: dict[str, Any] | None = None, more: str = ""
) -> AsyncIterator[RelayHere]:
    (folder / "shop.json").write_text(json.dumps(raw or SHOP))
    async with relay_here(folder, TABLES + webhook(receiver.url) + more) as relay:
        yield relay


async def mend(relay: RelayHere, raw: dict[str, Any] = MENDED) -> None:
    """Edit the file and reload, as somebody does who keeps plans in git."""
    (relay.file.parent / "shop.json").write_text(json.dumps(raw))
    assert (await relay.ask("POST", "/v1/reload")).status == 200


async def send(relay: RelayHere, *events: dict[str, Any], key: str = KEY) -> None:
    """Until they are admitted, and what a plan blocked is kept apart."""
    batch = [{"type": "track", **event(), **one} for one in events]
    for start in range(0, len(batch), 100):
        answer = await relay.post("/v1/batch", {"batch": batch[start : start + 100]}, key=key)
        assert answer.status == 200, answer
    await eventually(
        lambda: relay.app.feed.cursor == relay.app.log.head == relay.app.consequences.cursor,
        60,
        lambda: "they were not admitted",
    )


async def api_plan(relay: RelayHere, raw: dict[str, Any] = SHOP) -> str:
    """A plan that an API made; its id."""
    answer = await relay.ask(
        "POST", "/v1beta/workspaces/relay/tracking-plans", json.dumps({"tracking_plan": raw}).encode()
    )
    assert answer.status == 200, answer
    name: str = answer.json["name"]
    return name.rpartition("/")[2]
