"""`relay pause` and `relay resume`."""

from tests.acceptance.conftest import StartRelay
from tests.acceptance.relay_process import source, webhook
from tests.cli.command import ask
from tests.receiver import Receiver


async def test_a_paused_destination_gets_its_events_when_it_is_resumed(
    receiver: Receiver, start_relay: StartRelay
) -> None:
    relay = await start_relay(source("web", "web-key") + webhook(receiver.url))
    outcome = await ask(relay, "pause", "hook", "--config", str(relay.file))
    assert (outcome.code, outcome.out) == (0, "hook is paused: its events wait in the log\n")
    assert (await ask(relay, "send", "track", "Tested")).code == 1
    assert (await ask(relay, "status", "--json")).json["destinations"][0]["state"] == "paused"
    assert receiver.events() == []
    outcome = await ask(relay, "resume", "hook")
    assert (outcome.code, outcome.out) == (0, "hook is sent to again\n")
    await receiver.wait_for(1)


async def test_json_says_what_holds_now(receiver: Receiver, start_relay: StartRelay) -> None:
    relay = await start_relay(webhook(receiver.url))
    for command, is_paused in (("pause", True), ("resume", False)):
        outcome = await ask(relay, command, "hook", "--json")
        assert (outcome.code, outcome.json) == (0, {"destination": "hook", "paused": is_paused})


async def test_a_destination_that_does_not_run_is_a_sentence(start_relay: StartRelay) -> None:
    relay = await start_relay("")
    for command in ("pause", "resume"):
        outcome = await ask(relay, command, "no/such")
        assert (outcome.code, outcome.error) == (1, "there is no running destination 'no/such'\n")
        assert (await ask(relay, command)).code == 2
