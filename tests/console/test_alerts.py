"""Alerts in the console: what each tells of, how its channels do, and a message to try them."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.alerts.config import AlertConfig
from relay.console.pages.alerts import sentence
from relay.times import Duration, format_iso
from tests.console.visitor import visitor_of
from tests.gateway.relay_here import READ_TOKEN, SOURCE, RelayHere, relay_here
from tests.receiver import Receiver

ALERTS = """
[[alerts]]
name = "releases"
on = "new_violation"
sources = ["web"]
webhook = "{url}"

[[alerts]]
name = "nobody-there"
on = "source_silent"
after = "30m"
webhook = "http://127.0.0.1:9/"
"""


@pytest.fixture
async def relay(receiver: Receiver, tmp_path: Path) -> AsyncIterator[RelayHere]:
    async with relay_here(tmp_path, SOURCE + ALERTS.replace("{url}", receiver.url)) as here:
        yield here


async def test_each_says_of_what_it_tells_and_how_its_channel_does(relay: RelayHere) -> None:
    async with visitor_of(relay) as visitor:
        shown = await visitor.get("/console/alerts")
    assert "A violation that was not there before, in any event of the source web." in shown.words
    assert "Any source has sent nothing for 30 min." in shown.words
    assert "Told last never webhook in order" in shown.words
    assert relay.app.config.alerts[0].webhook not in (None, "")
    assert str(relay.app.config.alerts[0].webhook) not in shown.text


async def test_a_test_message_arrives_or_it_is_told_why_not(relay: RelayHere, receiver: Receiver) -> None:
    async with visitor_of(relay) as visitor:
        await visitor.get("/console/alerts")
        shown = await visitor.follow(await visitor.post("/console/alerts/test", {"name": "releases"}))
        assert "A test message of releases. webhook: it arrived." in shown.words
        shown = await visitor.follow(await visitor.post("/console/alerts/test", {"name": "nobody-there"}))
        assert "webhook: it did not arrive, nobody listens there." in shown.words
        assert (await visitor.post("/console/alerts/test", {"name": "no such"})).status == 404


async def test_the_reader_sees_them_and_sends_nothing(relay: RelayHere) -> None:
    async with visitor_of(relay, READ_TOKEN) as reader:
        shown = await reader.get("/console/alerts")
        assert "releases" in shown.words
        assert "Send a test message" not in shown.words
        assert (await reader.post("/console/alerts/test", {"name": "releases"})).status == 403


async def test_without_an_alert_it_says_how_to_make_one(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay, visitor_of(relay) as visitor:
        words = (await visitor.get("/console/alerts")).words
        assert "There is no alert" in words
        assert 'on = "new_violation"' in words


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            AlertConfig("a", "violation_rate", events=("X", "Y"), over=1000, within=Duration("10m")),
            "More than 1,000 violations within 10 min, in the events X, Y of any source.",
        ),
        (
            AlertConfig("a", "destination_lagging", destinations=("crm",), over=5, after=Duration("1h")),
            "The destination crm has more than 5 requests to send or is 1 h behind.",
        ),
        (
            AlertConfig("a", "delivery_rate", below=99.5),
            "Less than 99.5 % was delivered within 1 d, to any destination.",
        ),
        (
            AlertConfig("a", "source_volume", change=50),
            "Any source sends 50 % more or fewer events within 1 h than a day before.",
        ),
        (
            AlertConfig("a", "source_blocked", sources=("web",), over=0, within=Duration("10m")),
            "Its plan blocks more than 0 events of the source web within 10 min.",
        ),
        (AlertConfig("a", "destination_failing"), "Any destination has answered nobody for 5 min."),
    ],
)
def test_an_alert_as_a_sentence(config: AlertConfig, said: str) -> None:
    assert sentence(config) == said


async def test_how_long_it_is_quiet_is_said(relay: RelayHere, monkeypatch: pytest.MonkeyPatch) -> None:
    status = relay.app.alerts.status

    async def quiet() -> list[dict[str, object]]:
        until = format_iso(int((time.time() + 52 * 60 + 10) * 1000))
        return [one | {"quietUntil": until} for one in await status()]

    monkeypatch.setattr(relay.app.alerts, "status", quiet)
    async with visitor_of(relay) as visitor:
        assert "Quiet for another 52 min : then" in (await visitor.get("/console/alerts")).words
