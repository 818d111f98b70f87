"""What every destination must do, whatever it is: one test over the whole catalogue."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from relay.destinations import CATALOGUE
from tests.delivery.choosy import Choosy
from tests.delivery.clock import Clock
from tests.delivery.pipeline import Target, ids, pipeline, target, track, tracks
from tests.receiver import Receiver

pytestmark = pytest.mark.usefixtures("quick")

SECRET = "very-5ecret"
SETTINGS: dict[str, dict[str, Any]] = {
    "webhook": {
        "url": "https://vendor.invalid/in",
        "headers": {"Authorization": SECRET},
        "sharedSecret": SECRET,
    },
    "segment": {"writeKey": SECRET},
    "relay": {"writeKey": SECRET},
}


def made(kind: str, url: str, **fields: Any) -> Target:
    settings = msgspec.convert(SETTINGS[kind], CATALOGUE[kind])
    return target("it", kind, settings, endpoint=url, **fields)


def test_every_type_of_the_catalogue_is_tested_here() -> None:
    assert SETTINGS.keys() == CATALOGUE.keys()


@pytest.mark.parametrize("kind", CATALOGUE)
def test_a_type_describes_itself(kind: str) -> None:
    it = CATALOGUE[kind]
    assert it.title
    assert it.summary.endswith(".")
    assert 1 <= it.batch <= it.max_batch
    assert it.needs_endpoint is (it.default_endpoint is None and kind != "webhook")


@pytest.mark.parametrize("kind", CATALOGUE)
async def test_its_limits_are_kept(kind: str, receiver: Receiver, tmp_path: Path) -> None:
    it = CATALOGUE[kind]
    async with pipeline(tmp_path) as line:
        size = min(it.max_batch, 2500)
        await line.apply(made(kind, receiver.url, batch_size=size, batch_wait="100ms", concurrency=2))
        small, large = tracks(3000), tracks(60, properties={"text": "x" * 30_000})
        for start in range(0, 3000, 500):
            await line.send_batch(small[start : start + 500])
        for start in range(0, 60, 15):
            await line.send_batch(large[start : start + 15])
        await receiver.wait_for_ids(ids(small + large))
        assert max(len(list(r.events())) for r in receiver.requests) <= size
        assert max(len(r.body) for r in receiver.requests) <= it.max_bytes + 36_000
        assert (await line.done("it"))["events"]["delivered"] == 3060
        assert receiver.counts.total() == 3060


@pytest.mark.parametrize("kind", CATALOGUE)
async def test_a_429_is_obeyed(kind: str, receiver: Receiver, tmp_path: Path) -> None:
    clock = Clock()
    async with pipeline(tmp_path, clock=clock) as line:
        receiver.answers((429, {"Retry-After": "30"}))
        await line.apply(made(kind, receiver.url))
        await line.send(track(messageId="m"))
        await line.until(lambda s: s["state"] == "held", "it")
        clock.move(29.9)
        line.wake()
        await line.send(track(integrations={"All": False}))
        await line.until(lambda s: line.consumer("it").window.taken == 2, "it")
        assert len(receiver.requests) == 1
        clock.move(0.1)
        line.wake()
        await receiver.wait_for_ids({"m"})


@pytest.mark.parametrize("kind", CATALOGUE)
@pytest.mark.parametrize("trouble", [500, 503, "away"])
async def test_a_passing_trouble_costs_nothing(
    kind: str, trouble: int | str, receiver: Receiver, tmp_path: Path
) -> None:
    async with pipeline(tmp_path) as line:
        if trouble == "away":
            await receiver.stop()
        else:
            receiver.answers(*[(int(trouble), {})] * 3)
        await line.apply(made(kind, receiver.url))
        events = tracks(5)
        await line.send_batch(events)
        await line.until(lambda s: s["state"] == "held" or s["lag"] == 0, "it")
        if trouble == "away":
            await receiver.start()
        await receiver.wait_for_ids(ids(events))
        status = await line.done("it")
        assert (status["events"]["delivered"], status["deadLetters"]) == (5, 0)
        assert receiver.counts == dict.fromkeys(ids(events), 1)


@pytest.mark.parametrize("kind", CATALOGUE)
@pytest.mark.parametrize("status", [400, 401, 404])
async def test_a_refusal_is_kept_with_its_reply_and_no_secret(kind: str, status: int, tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with Choosy(lambda _: (status, {})) as receiver, pipeline(tmp_path) as line:
            receiver.text = "not like this"
            await line.apply(made(kind, receiver.url))
            events = tracks(3, properties={"key": "a-value"})
            await line.send_batch(events)
            assert (await line.done("it"))["events"]["rejected"] == 3
            letters = await line.letters("it")
            shown = line.debugger.newest(source=None, event=None, message_id=None, limit=10)
    assert {letter["messageId"] for letter in letters} == ids(events)
    assert {(letter["status"], letter["reply"]) for letter in letters} == {(status, "not like this")}
    assert {one["deliveries"]["it"]["state"] for one in shown} == {"rejected"}
    assert all(one["deliveries"]["it"]["reply"]["body"] == "not like this" for one in shown)
    for text in (str(logs), json.dumps(letters), json.dumps(shown)):
        assert SECRET not in text
    assert "a-value" not in str(logs)
