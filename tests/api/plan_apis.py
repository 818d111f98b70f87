"""What tests of the two plan APIs have in common."""

from typing import Any

import orjson

from tests.gateway.relay_here import RelayHere

PLANS = "/v1beta/workspaces/w/tracking-plans"


async def created(relay: RelayHere, rules: dict[str, Any], name: str = "Shop") -> str:
    """A new plan's path in the Config API."""
    body = orjson.dumps({"display_name": name, "rules": rules})
    answer = await relay.ask("POST", PLANS, body)
    assert answer.status == 200, answer
    return "/v1beta/" + str(answer.json["name"])


def schema(**properties: Any) -> dict[str, Any]:
    """A whole message's, with these properties."""
    return {"properties": {"properties": {"type": "object", "properties": properties}}}
