"""What each answer of a destination leads to, and how a Retry-After is obeyed."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.delivery.choosy import Choosy
from tests.delivery.clock import Clock
from tests.delivery.pipeline import ids, pipeline, track, tracks, webhook
from tests.receiver import Receiver

pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_2xx_is_delivered(status: int, receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        receiver.always(status)
        await line.apply(webhook(receiver.url))
        await line.send(track())
        assert (await line.done())["events"]["delivered"] == 1
        assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [408, 423, 425, 429, 500, 502, 503, 504, 520, 599])
async def test_a_passing_trouble_is_tried_again(status: int, receiver: Receiver, tmp_path: Path) -> None:
    async with pipeline(tmp_path) as line:
        receiver.answers(*[(status, {})] * 3)
        await line.apply(webhook(receiver.url))
        one = track()
        await line.send(one)
        await receiver.wait_for_ids(ids([one]))
        done = await line.done()
        assert (done["events"]["delivered"], done["deadLetters"]) == (1, 0)
        assert [r.status for r in receiver.requests] == [status] * 3 + [200]


@pytest.mark.parametrize("status", [301, 302, 303, 304, 400, 401, 403, 404, 405, 410, 418, 451, 501])
async def test_a_refusal_is_a_dead_letter_with_its_reply(status: int, tmp_path: Path) -> None:
    async with Choosy(lambda _: (status, {"Location": "/elsewhere"})) as receiver, pipeline(tmp_path) as line:
        receiver.text = "" if status == 304 else f"the reason for {status}"
        await line.apply(webhook(receiver.url))
        one = track()
        await line.send(one)
        done = await line.done()
        assert (done["events"]["rejected"], done["deadLetters"]) == (1, 1)
        (letter,) = await line.letters()
        assert (letter["status"], letter["reason"]) == (status, str(status))
        assert letter["reply"] == receiver.text
        assert letter["event"]["messageId"] == one["messageId"]
        assert letter["attempts"] == 1
        assert [r.path for r in receiver.requests] == ["/"], "it was asked again, or elsewhere"


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_refused_batch_that_no_event_caused_is_not_split(status: int, tmp_path: Path) -> None:
    async with Choosy(lambda _: (status, {})) as receiver, pipeline(tmp_path) as line:
        await line.apply(webhook(receiver.url, batch_size=10))
        await line.send_batch(tracks(10))
        assert (await line.done())["events"]["rejected"] == 10
        assert len(receiver.requests) == 1


async def test_a_long_reply_is_cut_in_a_dead_letter(tmp_path: Path) -> None:
    async with Choosy(lambda _: (400, {})) as receiver, pipeline(tmp_path) as line:
        receiver.text = "é" * 500_000
        await line.apply(webhook(receiver.url))
        await line.send(track())
        await line.done()
        (letter,) = await line.letters()
        assert letter["reply"] == "é" * 2000


@pytest.mark.parametrize("status", [307, 308])
async def test_a_redirect_that_keeps_the_method_is_followed_with_method_and_body(
    status: int, tmp_path: Path
) -> None:
    async with Receiver({("PUT", "/there")}) as there, Receiver() as here, pipeline(tmp_path) as line:
        here.answers((status, {"Location": f"{there.url}/there?x=1"}))
        await line.apply(webhook(here.url, settings={"method": "PUT", "shared_secret": "s"}))
        one = track()
        await line.send(one)
        await there.wait_for_ids(ids([one]))
        assert there.requests[0].body == here.requests[0].body
        assert there.requests[0].headers["X-Signature"] == here.requests[0].headers["X-Signature"]
        assert (await line.done())["events"]["delivered"] == 1


async def test_a_relative_redirect_is_followed_on_the_same_host(tmp_path: Path) -> None:
    async with Receiver({("POST", "/a/in"), ("POST", "/b")}) as receiver, pipeline(tmp_path) as line:
        receiver.answers((307, {"Location": "/b"}))
        await line.apply(webhook(receiver.url + "/a/in"))
        await line.send(track())
        await receiver.wait_for(1)
        assert [r.path for r in receiver.requests] == ["/a/in", "/b"]


async def test_redirects_in_a_circle_end(tmp_path: Path) -> None:
    async with Receiver() as receiver, pipeline(tmp_path) as line:
        receiver.always(307, {"Location": "/again"})
        await line.apply(webhook(receiver.url))
        await line.send(track())
        status = await line.until(lambda s: s["state"] == "held")
        assert status["lastError"] == "too many redirects"
        assert status["events"]["delivered"] == 0
        receiver.always(200)
        await receiver.wait_for(1)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_retry_after_is_obeyed_to_the_second(status: int, tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver() as receiver, Receiver() as other, pipeline(tmp_path, clock=clock) as line:
        receiver.answers((status, {"Retry-After": "120"}))
        await line.apply(webhook(receiver.url), webhook(other.url, "other"))
        await line.send(track())
        await line.until(lambda s: s["state"] == "held")
        assert line.consumer().courier.gate.opens_in == 120
        for sent, seconds in enumerate((1, 60, 58.9), 2):
            clock.move(seconds)
            line.wake()
            await line.send(track())
            await other.wait_for(sent)
        await line.done("other")
        assert len(receiver.requests) == 1
        clock.move(0.1)
        line.wake()
        await receiver.wait_for(4)
        assert (await line.done())["events"]["delivered"] == 4


async def test_a_retry_after_may_be_an_http_date(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver() as receiver, pipeline(tmp_path, clock=clock) as line:
        at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
        receiver.answers((429, {"Retry-After": format_datetime(at, usegmt=True)}))
        await line.apply(webhook(receiver.url))
        await line.send(track())
        await line.until(lambda s: s["state"] == "held")
        wait = line.consumer().courier.gate.opens_in
        assert 3000 < wait <= 3600
        clock.move(wait)
        line.wake()
        await receiver.wait_for(1)


@pytest.mark.parametrize(
    "value", ["soon", "-5", "", "Wed, 32 Foo 2026", "nan", "Wed, 21 Oct 2015 07:28:00 GMT"]
)
async def test_a_retry_after_that_says_nothing_leaves_it_to_the_back_off(value: str, tmp_path: Path) -> None:
    async with Receiver() as receiver, pipeline(tmp_path) as line:
        receiver.answers((429, {"Retry-After": value}))
        await line.apply(webhook(receiver.url))
        await line.send(track())
        await receiver.wait_for(1)
        assert len(receiver.requests) == 2


async def test_an_endless_retry_after_does_not_close_a_destination_for_ever(tmp_path: Path) -> None:
    clock = Clock()
    async with Receiver() as receiver, pipeline(tmp_path, clock=clock) as line:
        receiver.answers((429, {"Retry-After": "inf"}))
        await line.apply(webhook(receiver.url))
        await line.send(track())
        await line.until(lambda s: s["state"] == "held")
        clock.move(10 * 365 * 86_400)
        line.wake()
        await receiver.wait_for(1)
        assert (await line.done())["events"]["delivered"] == 1
