"""The limits of size, number and rate, met exactly and passed by one."""

import asyncio
import gzip
import json
from typing import Any

import pytest

from tests.acceptance.ground import (
    BURST_KEY,
    KEY,
    PATIENT_KEY,
    SLOW_KEY,
    Event,
    Ground,
    check_refusal,
    event,
    is_success,
    whole_seconds,
)
from tests.acceptance.relay_process import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAX_EVENT = 32_768  # Segment: 32 KB
MAX_BATCH = 512_000  # Segment: 500 KB, which its SDKs take for 512,000 bytes
MAX_EVENTS = 2_500  # Segment: beyond these a batch's events are rejected


def compact(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def event_of(size: int, **fields: Any) -> Event:
    """An event of exactly so many bytes of compact JSON."""
    filled = event(**fields, properties={"pad": ""})
    filled["properties"]["pad"] = "x" * (size - len(compact(filled)))
    assert len(compact(filled)) == size
    return filled


def batch_of(size: int) -> dict[str, list[Event]]:
    """A batch of exactly so many bytes, of events that are small enough."""
    batch = {"batch": [event_of(25_000, type="track") for _ in range(20)]}
    batch["batch"].append(event_of(size - len(compact(batch)) - 1, type="track"))
    assert len(compact(batch)) == size
    return batch


async def test_an_event_of_32768_bytes_is_taken(ground: Ground) -> None:
    sent = event_of(MAX_EVENT)
    assert is_success(await ground.relay.post("/v1/track", sent, KEY))
    assert (await ground.arrived(sent["messageId"]))["properties"] == sent["properties"]


async def test_an_event_of_32769_bytes_is_too_large(ground: Ground) -> None:
    sent = event_of(MAX_EVENT + 1)
    refusal = check_refusal(await ground.relay.post("/v1/track", sent, KEY), 400)
    assert refusal["message"] == "Exceed payload limit"
    await ground.flush()
    assert sent["messageId"] not in ground.receiver.counts


async def test_an_event_is_measured_without_its_spaces_and_escapes(ground: Ground) -> None:
    sent = event(properties={"text": "é" * 10_000})
    body = json.dumps(sent, indent=8, ensure_ascii=True).encode()
    assert len(body) > MAX_EVENT > len(compact(sent))
    assert is_success(await ground.relay.post("/v1/track", body, KEY))
    await ground.arrived(sent["messageId"])


async def test_an_event_is_measured_in_bytes_not_in_characters(ground: Ground) -> None:
    sent = event(properties={"text": "é" * 20_000})
    check_refusal(await ground.relay.post("/v1/track", sent, KEY), 400)


async def test_an_event_too_large_for_a_batch_costs_the_others_nothing(ground: Ground) -> None:
    exact, over, small = (
        event_of(MAX_EVENT, type="track"),
        event_of(MAX_EVENT + 1, type="track"),
        event(type="track"),
    )
    assert is_success(await ground.relay.post("/v1/batch", {"batch": [over, exact, small]}, KEY))
    await ground.receiver.wait_for_ids({exact["messageId"], small["messageId"]})
    await ground.flush()
    assert over["messageId"] not in ground.receiver.counts


@pytest.mark.parametrize("encoding", ["plain", "gzip"])
async def test_a_batch_of_512000_bytes_is_taken_and_one_more_byte_is_not(
    encoding: str, ground: Ground
) -> None:
    fits, too_large = batch_of(MAX_BATCH), batch_of(MAX_BATCH + 1)
    headers = {"Content-Encoding": "gzip"} if encoding == "gzip" else {}
    pack = gzip.compress if encoding == "gzip" else bytes
    assert is_success(await ground.relay.post("/v1/batch", pack(compact(fits)), KEY, headers))
    check_refusal(await ground.relay.post("/v1/batch", pack(compact(too_large)), KEY, headers), 400)
    await ground.receiver.wait_for_ids({one["messageId"] for one in fits["batch"]})
    await ground.flush()
    assert not {one["messageId"] for one in too_large["batch"]} & ground.receiver.counts.keys()


async def test_the_2501st_event_of_a_batch_is_left_out(ground: Ground) -> None:
    batch = [event(type="track") for _ in range(MAX_EVENTS + 1)]
    assert is_success(await ground.relay.post("/v1/batch", {"batch": batch}, KEY))
    await ground.receiver.wait_for_ids({one["messageId"] for one in batch[:-1]})
    await ground.flush()
    assert batch[-1]["messageId"] not in ground.receiver.counts


async def test_an_empty_batch_is_taken(ground: Ground) -> None:
    assert is_success(await ground.relay.post("/v1/batch", {"batch": []}, KEY))


async def test_a_message_id_of_101_characters_is_replaced(ground: Ground) -> None:
    longest, too_long = event(messageId="m" * 100), event(messageId="n" * 101, event="Replaced")
    assert is_success(await ground.relay.post("/v1/track", longest, KEY))
    assert is_success(await ground.relay.post("/v1/track", too_long, KEY))
    await ground.arrived(longest["messageId"])
    await ground.flush()
    arrived = [one for one in ground.receiver.events() if one.get("event") == "Replaced"]
    assert len(arrived) == 1
    assert 0 < len(arrived[0]["messageId"]) <= 100


async def test_over_the_rate_the_sender_is_told_in_whole_seconds_when_to_come_back(ground: Ground) -> None:
    sent = [event() for _ in range(30)]
    answers = await asyncio.gather(*(ground.relay.post("/v1/track", one, BURST_KEY) for one in sent))
    taken = {one["messageId"] for one, answer in zip(sent, answers, strict=True) if is_success(answer)}
    refused = [answer for answer in answers if answer.status == 429]
    assert len(taken) + len(refused) == 30
    assert 5 <= len(taken) < 15  # the burst, and what a slow machine lets in meanwhile
    for answer in refused:
        check_refusal(answer, 429)
        assert whole_seconds(answer) <= 10
        assert float(answer.headers["X-RateLimit-Reset"]) >= 0
    await check_that_nothing_else_is_counted(ground)
    await ground.receiver.wait_for_ids(taken)
    await ground.flush()
    assert {one["messageId"] for one in sent} & ground.receiver.counts.keys() == taken


async def check_that_nothing_else_is_counted(ground: Ground) -> None:
    """While a source is over its rate, and without using it up: preflights, settings, telemetry, pixels."""
    preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    for _ in range(10):
        assert (await ground.relay.request("OPTIONS", "/v1/t", headers=preflight)).status in {200, 204}
        assert (await ground.relay.request("GET", f"/v1/projects/{BURST_KEY}/settings")).status == 200
        assert (await ground.relay.post("/v1/m", {"series": []}, BURST_KEY)).status == 200
        pixel = f"/v1/pixel/track?writeKey={BURST_KEY}&userId=u&event=E"
        assert (await ground.relay.request("GET", pixel)).headers["Content-Type"] == "image/gif"


async def test_one_source_over_its_rate_leaves_the_others_alone(ground: Ground) -> None:
    answers = await asyncio.gather(*(ground.relay.post("/v1/track", event(), SLOW_KEY) for _ in range(20)))
    assert 429 in {answer.status for answer in answers}
    assert is_success(await ground.relay.post("/v1/track", event(), KEY))


async def test_after_the_wait_a_source_is_welcome_again(ground: Ground) -> None:
    async def is_welcome() -> bool:
        return is_success(await ground.relay.post("/v1/track", event(), SLOW_KEY))

    await eventually(is_welcome, 60, lambda: "still 429")


async def test_a_batch_is_one_request_however_many_events_it_holds(ground: Ground) -> None:
    batches = [{"batch": [event(type="track") for _ in range(100)]} for _ in range(5)]
    for batch in batches:
        assert is_success(await ground.relay.post("/v1/batch", batch, PATIENT_KEY))
    await ground.receiver.wait_for_ids({one["messageId"] for batch in batches for one in batch["batch"]})
