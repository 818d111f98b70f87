"""`POST /v1/validate` with a token: the public route's answers, and nothing is kept."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateway.relay_here import READ_TOKEN, SOURCE, RelayHere, event, relay_here
from tests.plans.plans import about, plan

EVENT = event(type="track", properties={"price": "1"}, timestamp="2026-11-24T08:00:00.000Z")


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[RelayHere]:
    (tmp_path / "plan.json").write_text(json.dumps(plan(("Tested", about(price={"type": "number"})))))
    async with relay_here(tmp_path, SOURCE + 'plan = "plan.json"\n') as here:
        yield here


async def test_it_says_what_the_public_route_says(relay: RelayHere) -> None:
    for body in (EVENT, {"batch": [EVENT, {"type": "track"}]}):
        public = (await relay.post("/v1/validate", body)).json
        answer = await relay.ask("POST", "/v1/validate?source=web", json.dumps(body).encode())
        assert answer.status == 200
        told = answer.json
        for answered in (public, told):
            for one in answered.get("events", [answered]):
                one["event"] = one["event"].get("properties")  # when it came, and from what library, differs
        assert told == public
    assert relay.app.log.head == 0


@pytest.mark.parametrize(
    ("query", "body", "status", "said"),
    [
        ("", EVENT, 400, "source is missing: name the source that would send this"),
        ("?source=wbe", EVENT, 404, "there is no source 'wbe'"),
        ("?source=web", [], 400, "the body must be a JSON object"),
        ("?source=web", {"batch": 1}, 400, "batch must be an array"),
    ],
)
async def test_a_mistake_is_named(relay: RelayHere, query: str, body: object, status: int, said: str) -> None:
    answer = await relay.ask("POST", "/v1/validate" + query, json.dumps(body).encode())
    assert (answer.status, answer.json["error"]["message"]) == (status, said)


async def test_the_read_token_is_not_enough(relay: RelayHere) -> None:
    answer = await relay.ask("POST", "/v1/validate?source=web", json.dumps(EVENT).encode(), token=READ_TOKEN)
    assert answer.status == 403
