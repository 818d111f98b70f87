"""A relay with something of everything in it: what the pages show to somebody whose relay has been running for a while."""

import json
from pathlib import Path

from tests.acceptance.relay_process import eventually
from tests.console.browser.person import Desk
from tests.gateway.relay_here import KEY, event
from tests.plans.plans import about, plan

TABLES = f"""
[[sources]]
name = "web"
write_key = "{KEY}"
rate_limit = 100000
plan = "shop.json"
[sources.controls]
allow_unplanned_track_events = true
allow_track_event_on_violations = false

[[sources]]
name = "server"
write_key = "server-key"

[[destinations]]
name = "orders"
type = "webhook"
sources = ["web"]
settings = {{ url = "{{url}}/orders", sharedSecret = "a-shared-secret" }}
filter = 'event = "Order Completed"'

[[destinations]]
name = "crm"
type = "webhook"
settings = {{ url = "{{url}}/crm" }}
retry_for = "1h"

[[destinations]]
name = "paused"
type = "webhook"
settings = {{ url = "{{url}}/paused" }}

[[destinations]]
name = "later"
type = "webhook"
enabled = false
settings = {{ url = "{{url}}/later" }}
"""


def write_plan(folder: Path) -> None:
    text, amount = {"type": "string"}, {"type": "number"}
    shop = plan(
        ("Order Completed", about(required=("order_id",), order_id=text, total=amount)),
        ("Product Viewed", about(sku=text)),
    )
    (folder / "shop.json").write_text(json.dumps(shop))


async def play(desk: Desk) -> None:
    """Events of all fates: delivered, filtered, duplicate, blocked, refused; a replay; a paused destination."""
    relay = desk.relay
    await relay.app.delivery.pause("paused", is_paused=True)
    desk.receiver.at("/crm", 422)
    for n in range(12):
        properties = {"order_id": f"o-{n}", "total": 10.5 * n}
        await relay.post(
            "/v1/track", event(event="Order Completed", userId=f"user-{n}", properties=properties)
        )
    await relay.post(
        "/v1/track", event(event="Order Completed", messageId="wrong", properties={"total": "much"})
    )
    await relay.post("/v1/track", event(event="Product Viewed", properties={"sku": "s-1"}))
    for _ in range(2):
        await relay.post("/v1/track", event(event="Said Twice", messageId="twice"))
    await relay.post(
        "/v1/identify", {"userId": "user-1", "traits": {"email": "jane@example.com", "plan": "pro"}}
    )
    await relay.post("/v1/page", {"anonymousId": "a-1", "name": "Home", "properties": {"path": "/"}})

    async def is_over() -> bool:
        status = await relay.app.status()
        lags = {d["name"]: d["lag"] for d in status["destinations"]}
        return bool(lags["orders"] == 0 and lags["crm"] == 0)

    await eventually(is_over, 60, lambda: "not everything was sent")
    await relay.app.replays.start({"destination": "orders", "since": "1h", "dryRun": True})
