"""`relay send`."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import StartRelay
from tests.acceptance.relay_process import eventually, running, source, webhook
from tests.cli.certificate import write_certificate
from tests.cli.command import ask, run
from tests.receiver import Receiver

WEB = source("web", "web-key")


async def test_an_event_is_shown_to_be_delivered(receiver: Receiver, start_relay: StartRelay) -> None:
    relay = await start_relay(WEB + webhook(receiver.url))
    outcome = await ask(relay, "send", "track", "Tested")
    assert outcome.code == 0
    (event,) = receiver.events()
    assert (event["event"], event["anonymousId"]) == ("Tested", "relay-send")
    assert outcome.rows[0] == ["messageId", event["messageId"] + ",", "source", "web:", "admitted"]
    name, state, status, _, attempts = outcome.rows[-3]
    assert (name, state, status, attempts) == ("hook", "delivered", "200", "1")
    asked, answered = outcome.out.splitlines()[-2:]
    assert asked.startswith(f"hook > POST {receiver.url} ")
    assert answered == "hook < 200 {}"


EVENTS: list[tuple[list[str], dict[str, Any]]] = [
    (
        [
            "track",
            "Ordered",
            "--user",
            "u1",
            "--properties",
            '{"revenue": 9.5}',
            "--context",
            '{"locale": "de"}',
        ],
        {"type": "track", "event": "Ordered", "userId": "u1", "properties": {"revenue": 9.5}},
    ),
    (
        ["identify", "--anonymous", "a1", "--traits", '{"plan": "pro"}'],
        {"type": "identify", "anonymousId": "a1", "traits": {"plan": "pro"}},
    ),
    (["page", "Home"], {"type": "page", "name": "Home"}),
    (["page"], {"type": "page"}),
    (["screen", "Start"], {"type": "screen", "name": "Start"}),
    (
        ["group", "--user", "u1", "--group", "g1", "--traits", '{"size": 3}'],
        {"type": "group", "groupId": "g1", "userId": "u1", "traits": {"size": 3}},
    ),
    (
        ["alias", "--user", "u1", "--previous", "u0", "--message-id", "m1"],
        {"type": "alias", "userId": "u1", "previousId": "u0", "messageId": "m1"},
    ),
]


async def test_every_type_arrives_as_it_was_said(receiver: Receiver, start_relay: StartRelay) -> None:
    relay = await start_relay(WEB + webhook(receiver.url))
    for arguments, expected in EVENTS:
        outcome = await ask(relay, "send", *arguments, "--json")
        assert (outcome.code, outcome.json["delivered"]) == (0, True), outcome
        event = receiver.find(outcome.json["messageId"])
        assert event | expected == event
    assert receiver.events()[0]["context"]["locale"] == "de"


async def test_without_destinations_the_log_is_enough(start_relay: StartRelay) -> None:
    relay = await start_relay(WEB)
    outcome = await ask(relay, "send", "track", "Tested")
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1].startswith("It is in the log")


async def test_only_destinations_of_the_source_are_waited_for(
    receiver: Receiver, start_relay: StartRelay
) -> None:
    relay = await start_relay(
        WEB
        + source("app", "app-key")
        + webhook(receiver.url, "for-web", 'sources = ["web"]')
        + webhook(receiver.url, "for-app", 'sources = ["app"]')
        + webhook(receiver.url, "for-all")
        + webhook(receiver.url, "off", "enabled = false")
    )
    outcome = await ask(relay, "send", "track", "Tested", "--source", "app", "--json")
    assert outcome.code == 0
    assert outcome.json["source"] == "app"
    assert {row["destination"]: row["state"] for row in outcome.json["destinations"]} == {
        "for-app": "delivered",
        "for-all": "delivered",
    }


async def test_a_refusal_is_shown_with_its_status(receiver: Receiver, start_relay: StartRelay) -> None:
    relay = await start_relay(WEB + webhook(receiver.url))
    receiver.always(403)
    outcome = await ask(relay, "send", "track", "Tested", "--json")
    assert outcome.code == 1
    (row,) = outcome.json["destinations"]
    assert row["seconds"] >= 0
    del row["seconds"]
    (exchange,) = row.pop("requests")
    assert exchange["request"]["url"] == receiver.url
    assert exchange["reply"]["status"] == 403
    expected = {"destination": "hook", "state": "rejected", "status": 403, "attempts": 1, "reason": "403"}
    assert row == expected | {"detail": None}


async def test_a_refusal_of_relays_own_names_the_field(receiver: Receiver, start_relay: StartRelay) -> None:
    said = """subscriptions = [{ action = "send", subscribe = 'type = "track"', mapping = { method = "GET" } }]"""
    relay = await start_relay(WEB + webhook(receiver.url, more=said))
    outcome = await ask(relay, "send", "track", "Tested")
    assert outcome.code == 1
    assert "PAYLOAD_VALIDATION_FAILED (method " in outcome.out
    shown = await ask(relay, "send", "track", "Tested", "--json")
    (row,) = shown.json["destinations"]
    assert (row["state"], row["reason"]) == ("rejected", "PAYLOAD_VALIDATION_FAILED")
    assert row["detail"].startswith("method ")


async def test_what_is_still_tried_is_shown_when_the_time_is_up(
    receiver: Receiver, start_relay: StartRelay
) -> None:
    relay = await start_relay(WEB + webhook(receiver.url, "down") + webhook(receiver.url, "stopped"))
    assert (await ask(relay, "pause", "stopped")).code == 0
    receiver.always(503)

    async def is_shown() -> bool:
        outcome = await ask(relay, "send", "track", "Tested", "--timeout", "3s", "--json")
        assert outcome.code == 1
        states = {row["destination"]: row["state"] for row in outcome.json["destinations"]}
        return states == {"down": "retrying", "stopped": "paused"}

    await eventually(is_shown, 60, lambda: "it is not tried within the time")


async def test_a_message_id_that_was_seen_before_is_a_duplicate(
    receiver: Receiver, start_relay: StartRelay
) -> None:
    relay = await start_relay(WEB + webhook(receiver.url))
    assert (await ask(relay, "send", "track", "Tested", "--message-id", "a b&c")).code == 0
    outcome = await ask(relay, "send", "track", "Tested", "--message-id", "a b&c")
    assert outcome.code == 1
    assert outcome.out == "messageId a b&c, source web: duplicate (duplicate_message_id)\n"


async def test_a_source_that_is_refused_is_a_sentence(start_relay: StartRelay) -> None:
    relay = await start_relay(WEB)
    text = relay.file.read_text().replace("web-key", "new-key")
    (relay.file.parent / "new.toml").write_text(text)
    outcome = await ask(relay, "send", "track", "Tested", "--config", "new.toml")
    assert outcome.code == 1
    assert outcome.error.startswith("relay did not take the event of source `web`: ")


async def test_what_a_strict_source_refuses_is_told_with_its_violations(
    start_relay: StartRelay, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"
    rules = {"properties": {"type": "object", "required": ["price"]}}
    plan.write_text(
        json.dumps({"display_name": "Shop", "rules": {"events": [{"name": "Paid", "rules": rules}]}})
    )
    relay = await start_relay(source("web", "web-key", f'plan = "{plan}"\nstrict = true'))
    outcome = await ask(relay, "send", "track", "Paid")
    assert outcome.code == 1
    assert outcome.error.endswith("\nproperties.price: properties.price is required\n")


async def test_the_first_enabled_source_sends(start_relay: StartRelay) -> None:
    relay = await start_relay(source("off", "off-key", "enabled = false") + WEB)
    assert (await ask(relay, "send", "track", "Tested", "--json")).json["source"] == "web"


async def test_a_certificate_that_signed_itself_is_trusted_if_it_is_ours(tmp_path: Path) -> None:
    write_certificate(tmp_path)
    tls = 'tls_cert = "cert.pem"\ntls_key = "key.pem"\n'
    async with running(tmp_path, tls + WEB) as relay:
        outcome = await ask(relay, "send", "track", "Tested")
        assert (outcome.code, outcome.error) == (0, "")
        write_certificate(tmp_path)
        outcome = await ask(relay, "send", "track", "Tested")
        assert outcome.code == 1
        assert "does not show the certificate of `tls_cert`" in outcome.error
        (tmp_path / "cert.pem").write_text("nothing")
        outcome = await ask(relay, "send", "track", "Tested")
        assert outcome.code == 1
        assert "not a certificate" in outcome.error


WRONG = {
    "no type": [],
    "unknown type": ["click"],
    "track without a name": ["track"],
    "identify with a name": ["identify", "Name"],
    "group without an id": ["group", "--user", "u1"],
    "alias without ids": ["alias"],
    "alias without the old id": ["alias", "--user", "u1"],
    "traits of a track": ["track", "E", "--traits", "{}"],
    "properties of an identify": ["identify", "--properties", "{}"],
    "group of a page": ["page", "--group", "g1"],
    "previous of a track": ["track", "E", "--previous", "u0"],
    "properties that are no JSON": ["track", "E", "--properties", "{revenue: 1}"],
    "properties that are no object": ["track", "E", "--properties", "[1]"],
    "properties that JSON does not know": ["track", "E", "--properties", '{"a": NaN}'],
    "a timeout without a unit": ["track", "E", "--timeout", "10"],
    "a message id that is too long": ["track", "E", "--message-id", "m" * 101],
    "an unknown source": ["track", "E", "--source", "wbe"],
    "too many arguments": ["track", "E", "F"],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG.keys())
async def test_wrong_usage_sends_nothing(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "relay.toml").write_text(WEB)
    outcome = await run("send", *arguments, folder=tmp_path)
    assert (outcome.code, outcome.out) == (2, "")
    assert "Error: " in outcome.error


async def test_mistakes_are_said_in_the_words_of_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "relay.toml").write_text(WEB)
    for arguments, sentence in (
        (["alias", "--user", "u1"], "Error: --previous is required\n"),
        (["group"], "Error: --group is required\n"),
        (["track", "E", "--source", "wbe"], "Error: there is no source `wbe`, did you mean `web`?\n"),
    ):
        assert (await run("send", *arguments, folder=tmp_path)).error.endswith(sentence)
