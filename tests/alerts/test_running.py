"""Alerts in a whole relay: a bad event, and somebody hears of it."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from relay.alerts import alerts as room
from relay.alerts import watcher
from tests.gateway.relay_here import READ_TOKEN, SOURCE, RelayHere, event, relay_here
from tests.plans.plans import about, plan
from tests.receiver import Receiver

PLANNED = SOURCE + 'plan = "plan.json"\n'
SLACK = '[[alerts]]\nname = "slack"\non = "new_violation"\nslack = "{}"\n'
RATE = '[[alerts]]\nname = "rate"\non = "violation_rate"\nover = 5\nwithin = "10m"\nwebhook = "{}"\n'
HOOK = '[[destinations]]\nname = "hook"\ntype = "webhook"\nsettings = {{ url = "{}/in?key=S3CRET-KEY" }}\n'
FAILING = '[[alerts]]\nname = "failing"\non = "destination_failing"\nafter = "200ms"\nwebhook = "{}/alerts"\n'
SHOP = plan(("Tested", about(price={"type": "number"}, sku={"type": "string"})))
SECONDS = 30  # a loaded machine may take that long


@pytest.fixture(autouse=True)
def _write_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(SHOP))
    monkeypatch.setattr(room, "GATHER_SECONDS", 0.0)
    monkeypatch.setattr(room, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(watcher, "WATCH_SECONDS", 0.05)


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


async def test_a_destination_that_fails_is_told_and_told_again_once_it_is_mended(
    receiver: Receiver, tmp_path: Path
) -> None:
    tables = SOURCE + FAILING.format(receiver.url)
    async with Receiver() as vendor:
        vendor.always(503)
        async with relay_here(tmp_path, tables + HOOK.format(vendor.url)) as relay:
            await relay.post("/v1/track", event(properties={"price": "S3CRET-VALUE"}))
            (call,) = await receiver.wait_for_requests(1, SECONDS)
            (one,) = call.json["findings"]
            assert (one["destination"], one["until"], one["reason"], one["waiting"]) == (
                "hook",
                None,
                "503",
                1,
            )
            assert one["url"] == f"{relay.admin}/console/destinations/hook"
            assert one["description"].endswith(": the destination answered 503 Service Unavailable")
            assert "S3CRET" not in str(call)
            shown = (await relay.ask("GET", "/v1/alerts", token=READ_TOKEN)).json["alerts"][0]
            assert [(found["name"], found["told"]) for found in shown["open"]] == [("hook", True)]
        async with relay_here(tmp_path, tables + HOOK.format(vendor.url)) as relay:
            for _ in range(5):
                await relay.app.alerts.step()
            assert len(receiver.requests) == 1
            vendor.always(200)
            _, call = await receiver.wait_for_requests(2, 2 * SECONDS)
            (one,) = call.json["findings"]
            assert (one["destination"], one["until"] is not None) == ("hook", True)
            assert "destination hook no longer failing" in call.json["text"]
            assert len(vendor.counts) == 1
    assert len(receiver.requests) == 2


async def test_dead_letters_and_a_pause_are_found_in_a_running_relay(
    receiver: Receiver, tmp_path: Path
) -> None:
    letters = '[[alerts]]\nname = "letters"\non = "dead_letters"\nover = 2\nwithin = "1m"\nwebhook = "{}/l"\n'
    paused = '[[alerts]]\nname = "paused"\non = "destination_paused"\nafter = "1ms"\nwebhook = "{}/p"\n'

    def of(path: str) -> list[dict[str, Any]]:
        return [one for call in receiver.requests if call.path == path for one in call.json["findings"]]

    # not quiet for long: on a slow machine the first events lag already
    lag = '[[alerts]]\nname = "lag"\non = "destination_lagging"\nafter = "1ms"\nquiet = "1ms"\nwebhook = "{}/g"\n'
    async with Receiver() as vendor:
        vendor.always(400)
        rules = "".join(one.format(receiver.url) for one in (letters, paused, lag))
        async with relay_here(tmp_path, SOURCE + rules + HOOK.format(vendor.url)) as relay:
            for _ in range(3):
                await relay.post("/v1/track", event())
            await vendor.wait_for_requests(3, SECONDS)
            await receiver.wait_until(lambda: bool(of("/l")), SECONDS)
            assert of("/l")[0]["failed"] == 3
            await relay.ask("POST", "/v1/destinations/hook/pause")
            await receiver.wait_until(lambda: bool(of("/p")), SECONDS)
            await relay.post("/v1/track", event())
            await receiver.wait_until(
                lambda: any(one["waiting"] and "it is paused" in one["description"] for one in of("/g")),
                SECONDS,
            )
