"""The `integrations` object of an event: where its sender wants it to go."""

from pathlib import Path
from typing import Any

import pytest

from relay.console.search import Search
from tests.delivery.pipeline import pipeline, track, webhook
from tests.receiver import Receiver

pytestmark = pytest.mark.usefixtures("quick")

GOES: list[dict[str, Any]] = [
    {},
    {"All": True},
    {"All": False, "Webhook": True},
    {"All": False, "hook": True},
    {"All": False, "hook": {"option": 1}},
    {"All": False, "Webhook": {}},
    {"hook": True},
    {"Webhook": {"option": False}},
    {"Other": False},
    {"webhook": False},  # names are case-sensitive: this is nobody
    {"WEBHOOK": False, "Hook": False},
    {"all": False},
]
STAYS: list[dict[str, Any]] = [
    {"All": False},
    {"All": False, "Other": True},
    {"All": False, "webhook": True},
    {"All": False, "Hook": True},
    {"All": False, "all": True},
    {"Webhook": False},
    {"hook": False},
    {"All": True, "Webhook": False},
    {"All": True, "hook": False},
]


@pytest.mark.parametrize("integrations", GOES, ids=str)
async def test_an_event_goes_where_its_sender_wants_it(
    integrations: dict[str, Any], receiver: Receiver, tmp_path: Path
) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url))
        await line.send(track(integrations=integrations))
        events = (await line.done())["events"]
        assert (events["delivered"], events["filtered"]) == (1, 0)
        assert receiver.events()[0]["integrations"] == integrations


@pytest.mark.parametrize("integrations", STAYS, ids=str)
async def test_an_event_that_is_not_wanted_there_is_filtered(
    integrations: dict[str, Any], receiver: Receiver, tmp_path: Path
) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url))
        await line.send(track(integrations=integrations, messageId="m"))
        events = (await line.done())["events"]
        assert (events["delivered"], events["filtered"]) == (0, 1)
        assert receiver.requests == []
        (shown,) = line.debugger.newest(Search(message_id="m"), 1)
        assert shown["deliveries"]["hook"]["state"] == "filtered"
        assert shown["deliveries"]["hook"]["reason"] == "FILTERED_BY_INTEGRATIONS_OBJECT"


async def test_each_destination_decides_for_itself(tmp_path: Path) -> None:
    async with Receiver() as one, Receiver() as two, pipeline(tmp_path) as line:
        await line.apply(webhook(one.url, "one"), webhook(two.url, "two"))
        await line.send(
            track(messageId="a", integrations={"one": False}),
            track(messageId="b", integrations={"All": False, "one": True}),
            track(messageId="c", integrations={"Webhook": False}),
            track(messageId="d"),
        )
        for name in ("one", "two"):
            await line.done(name)
        assert set(one.counts) == {"b", "d"}
        assert set(two.counts) == {"a", "d"}


async def test_a_batch_is_made_of_those_that_are_wanted(receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, batch_size=10, batch_wait="20ms"))
        wanted = [track() for _ in range(4)]
        await line.send_batch([e for w in wanted for e in (w, track(integrations={"All": False}))])
        await receiver.wait_for(4)
        events = (await line.done())["events"]
        assert (events["delivered"], events["filtered"]) == (4, 4)
        assert len(receiver.requests) == 1


async def test_the_integrations_of_a_batchs_envelope_hold_for_its_events(
    receiver: Receiver, tmp_path: Path
) -> None:
    async with pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url))
        first = track(messageId="a")
        await line._append(
            b'{"batch":[{"type":"track","userId":"u","event":"E","messageId":"a"},'
            b'{"type":"track","userId":"u","event":"E","messageId":"b","integrations":{"hook":true}}],'
            b'"integrations":{"All":false}}',
            "batch",
            2,
            "web",
        )
        await line.admit()
        events = (await line.done())["events"]
        assert (events["delivered"], events["filtered"]) == (1, 1)
        assert first["messageId"] not in receiver.counts
        assert receiver.counts["b"] == 1
