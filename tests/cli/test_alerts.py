"""`relay alerts` and `relay alerts test`."""

from relay.cli.alerts import _state
from tests.acceptance.conftest import StartRelay
from tests.acceptance.relay_process import source
from tests.cli.command import ask
from tests.receiver import Receiver

ALERTS = """
[[alerts]]
name = "releases"
on = "new_violation"
slack = "{url}/slack"
webhook = "{url}/hook"
"""


async def test_alerts_are_listed_with_the_state_of_each_channel(
    receiver: Receiver, start_relay: StartRelay
) -> None:
    relay = await start_relay(source("web", "web-key") + ALERTS.format(url=receiver.url))
    outcome = await ask(relay, "alerts")
    assert outcome.code == 0
    assert outcome.rows[1:] == [
        ["releases", "new_violation", "webhook", "ok", "never"],
        ["releases", "new_violation", "slack", "ok", "never"],
    ]
    (found,) = (await ask(relay, "alerts", "--json")).json["alerts"]
    assert (found["alert"], found["lastSentAt"], len(found["channels"])) == ("releases", None, 2)
    assert receiver.url not in outcome.out


def test_what_is_so_is_the_state_of_a_channel_that_works() -> None:
    channel = {"problem": None, "waiting": 0}
    assert (
        _state({"dueAt": None, "open": [{"name": "hook"}, {"name": "orders"}]}, channel)
        == "ok; so now: hook, orders"
    )


async def test_without_alerts_that_is_a_sentence(start_relay: StartRelay) -> None:
    outcome = await ask(await start_relay(""), "alerts")
    assert (outcome.code, outcome.out) == (0, "no alerts: relay.toml has no [[alerts]]\n")


async def test_a_test_goes_out_by_every_channel(receiver: Receiver, start_relay: StartRelay) -> None:
    relay = await start_relay(source("web", "web-key") + ALERTS.format(url=receiver.url))
    outcome = await ask(relay, "alerts", "test", "releases", "--config", str(relay.file))
    assert (outcome.code, outcome.out) == (0, "webhook: sent\nslack: sent\n")
    assert {request.path for request in receiver.requests} == {"/slack", "/hook"}


async def test_a_channel_that_does_not_take_it_is_exit_code_1(
    receiver: Receiver, start_relay: StartRelay
) -> None:
    receiver.always(410)
    relay = await start_relay(source("web", "web-key") + ALERTS.format(url=receiver.url))
    outcome = await ask(relay, "alerts", "test", "releases")
    assert (outcome.code, outcome.out) == (1, "webhook: HTTP 410\nslack: HTTP 410\n")
    outcome = await ask(relay, "alerts", "test", "releases", "--json")
    assert outcome.code == 1
    assert outcome.json["channels"][1] == {"channel": "slack", "sent": False, "problem": "HTTP 410"}


async def test_an_alert_that_is_not_there_is_a_sentence(start_relay: StartRelay) -> None:
    outcome = await ask(await start_relay(""), "alerts", "test", "no/such")
    assert (outcome.code, outcome.error) == (1, "there is no alert 'no/such' in relay.toml\n")
