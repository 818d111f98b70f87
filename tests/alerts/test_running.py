"""Alerts in a whole relay: a bad event, and somebody hears of it."""

import json
import time
from pathlib import Path

import pytest

from relay.alerts import alerts as room
from tests.gateway.relay_here import READ_TOKEN, SOURCE, RelayHere, event, relay_here
from tests.plans.plans import about, plan
from tests.receiver import Receiver

PLANNED = SOURCE + 'plan = "plan.json"\n'
SLACK = '[[alerts]]\nname = "slack"\non = "new_violation"\nslack = "{}"\n'
RATE = '[[alerts]]\nname = "rate"\non = "violation_rate"\nover = 5\nwithin = "10m"\nwebhook = "{}"\n'
SHOP = plan(("Tested", about(price={"type": "number"}, sku={"type": "string"})))
SECONDS = 30  # a loaded machine may take that long


@pytest.fixture(autouse=True)
def _write_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(SHOP))
    monkeypatch.setattr(room, "GATHER_SECONDS", 0.0)
    monkeypatch.setattr(room, "LOOK_SECONDS", 0.01)


def bad() -> dict[str, object]:
    return event(properties={"price": "S3CRET-VALUE"})


async def test_a_bad_event_is_one_call_of_slack(receiver: Receiver, tmp_path: Path) -> None:
    async with relay_here(tmp_path, PLANNED + SLACK.format(f"{receiver.url}/services/S3CRET")) as relay:
        for _ in range(20):
            await relay.post("/v1/track", bad())
        (call,) = await receiver.wait_for_requests(1, SECONDS)
        assert call.path == "/services/S3CRET"
        text = "\n".join(block["text"]["text"] for block in call.json["blocks"])
        assert "source web: 1 new violation since" in text
        assert "`Tested` properties.price: Invalid type. Expected: number, given: string" in text
        assert "source web, plan Shop:" in text
        assert "S3CRET-VALUE" not in str(call)
        await sent(relay, "slack")
        answer = await relay.ask("GET", "/v1/alerts", token=READ_TOKEN)
        assert "S3CRET" not in str(answer.json)
        (alert,) = answer.json["alerts"]
        assert (alert["alert"], alert["on"], alert["sources"]) == ("slack", "new_violation", None)
        metrics = (await relay.ask("GET", "/metrics")).body
        assert b'relay_alerts_total{alert="slack",channel="slack",outcome="sent"}' in metrics
    assert len(receiver.requests) == 1


async def sent(relay: RelayHere, name: str) -> None:
    """An alert has gone out, and that is noted."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = (await relay.ask("GET", "/v1/alerts")).json["alerts"]
        if any(one["alert"] == name and one["lastSentAt"] for one in found):
            return
    pytest.fail(f"{name} was not sent: {found}")


async def test_a_rate_is_counted_as_events_come_in(receiver: Receiver, tmp_path: Path) -> None:
    async with relay_here(tmp_path, PLANNED + RATE.format(receiver.url)) as relay:
        batch = [{"type": "track", **bad()} for _ in range(6)]
        await relay.post("/v1/batch", {"batch": [*batch[:5], *[batch[0]] * 20]})  # repetitions do not count
        await relay.post("/v1/track", batch[5])
        (call,) = await receiver.wait_for_requests(1, SECONDS)
        assert (call.json["total"], call.json["over"], call.json["withinSeconds"]) == (6, 5, 600)


async def test_a_restart_tells_what_was_not_told_and_repeats_nothing(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = PLANNED + SLACK.format(receiver.url)
    monkeypatch.setattr(room, "GATHER_SECONDS", 3600.0)
    async with relay_here(tmp_path, tables) as relay:
        given = bad()
        await relay.post("/v1/track", given)
        await relay.admitted(str(given["messageId"]))
    assert receiver.requests == []
    monkeypatch.setattr(room, "GATHER_SECONDS", 0.0)
    async with relay_here(tmp_path, tables) as relay:
        await receiver.wait_for_requests(1, SECONDS)
        await sent(relay, "slack")
    async with relay_here(tmp_path, tables) as relay:
        given = bad()
        await relay.post("/v1/track", given)
        await relay.admitted(str(given["messageId"]))
        await relay.app.alerts.step()
    assert len(receiver.requests) == 1


async def test_a_reload_takes_up_an_alert(receiver: Receiver, tmp_path: Path) -> None:
    async with relay_here(tmp_path, PLANNED) as relay:
        old = bad()
        await relay.post("/v1/track", old)
        await relay.admitted(str(old["messageId"]))
        text = relay.file.read_text("utf-8")
        relay.file.write_text(text + SLACK.format(receiver.url), "utf-8")
        assert (await relay.ask("POST", "/v1/reload")).json["reloaded"]
        await relay.post("/v1/track", event(properties={"price": 1, "sku": 7}))
        (call,) = await receiver.wait_for_requests(1, SECONDS)
        assert "properties.sku" in str(call.json)
        assert "properties.price" not in str(call.json)  # that is the past
        relay.file.write_text(text, "utf-8")
        await relay.ask("POST", "/v1/reload")
        assert (await relay.ask("GET", "/v1/alerts")).json == {"alerts": []}


async def test_a_test_says_of_each_channel_whether_it_went(receiver: Receiver, tmp_path: Path) -> None:
    both = SLACK.format(f"{receiver.url}/slack") + f'webhook = "{receiver.url}/hook"\n'
    async with relay_here(tmp_path, PLANNED + both) as relay:
        receiver.answers((200, {}), (404, {}))
        answer = await relay.ask("POST", "/v1/alerts/slack/test")
        assert answer.status == 200
        by_channel = {one["channel"]: (one["sent"], one["problem"]) for one in answer.json["channels"]}
        assert sorted(by_channel.values()) == [(False, "HTTP 404"), (True, None)]
        assert set(by_channel) == {"slack", "webhook"}
        answer = await relay.ask("POST", "/v1/alerts/none/test")
        assert answer.status == 404
        assert answer.json["error"]["message"] == "there is no alert 'none' in relay.toml"
        assert (await relay.ask("POST", "/v1/alerts/slack/test", token=READ_TOKEN)).status == 403
