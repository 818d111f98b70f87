"""What nobody should send: it is refused in JSON, costs no memory, and holds nobody else up."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.ground import KEY, Ground, check_refusal, event, is_success
from tests.acceptance.relay_process import Answer, basic

pytestmark = pytest.mark.asyncio(loop_scope="module")

MEGABYTE = 2**20
BOTH = pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
GZIP = {"Content-Encoding": "gzip"}


def zeros(megabytes: int) -> bytes:
    """Gzip that inflates to so many megabytes of zeros."""
    pack = zlib.compressobj(wbits=31)
    block = bytes(MEGABYTE)
    return b"".join(pack.compress(block) for _ in range(megabytes)) + pack.flush()


def brackets(depth: int) -> bytes:
    return b'{"userId":"u","event":"E","properties":{"a":' + b"[" * depth + b"]" * depth + b"}}"


BAD_BODIES: dict[str, tuple[bytes, Mapping[str, str]]] = {
    "nothing": (b"", {}),
    "spaces": (b"  \n", {}),
    "broken JSON": (b'{"userId": "u", "event"', {}),
    "JSON and more": (b'{"userId":"u","event":"E"} {}', {}),
    "NaN": (b'{"userId":"u","event":"E","properties":{"n":NaN}}', {}),
    "an array": (b"[]", {}),
    "an array of events": (b'[{"userId":"u","event":"E"}]', {}),
    "a string": (b'"text"', {}),
    "a number": (b"42", {}),
    "null": (b"null", {}),
    "true": (b"true", {}),
    "invalid UTF-8": (b'{"userId":"\xff\xfe","event":"E","batch":[]}', {}),
    "UTF-16": ('{"userId":"u","event":"E","batch":[]}'.encode("utf-16"), {}),
    "100,000 brackets": (brackets(100_000), {}),
    "100,000 open brackets": (b"[" * 100_000, {}),
    "10 MB": (json.dumps({"pad": "x" * 10 * MEGABYTE}).encode(), {}),
    "not gzip": (b'{"userId":"u","event":"E","batch":[]}', GZIP),
    "gzip cut off": (gzip.compress(b'{"userId":"u","event":"E","batch":[]}')[:-12], GZIP),
    "gzip with a wrong byte": (gzip.compress(b'{"batch":[]}')[:12] + b"\xff\xff\xff\xff", GZIP),
    "gzip of nothing": (gzip.compress(b""), GZIP),
    "a gzip bomb": (zeros(200), GZIP),
}


@BOTH
@pytest.mark.parametrize("name", BAD_BODIES)
async def test_a_body_that_makes_no_sense_is_400(name: str, path: str, ground: Ground) -> None:
    body, headers = BAD_BODIES[name]
    check_refusal(await ground.relay.post(path, body, KEY, headers), 400)


@pytest.mark.parametrize("batch", [{}, {"batch": None}, {"batch": {}}, {"batch": "x"}, {"batch": 1}])
async def test_a_batch_without_an_array_is_400(batch: dict[str, Any], ground: Ground) -> None:
    check_refusal(await ground.relay.post("/v1/batch", batch, KEY), 400)


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/track", {"event": "E"}, "no_user_anon_id"),
        ("/v1/track", {"event": "E", "userId": None, "anonymousId": ""}, "no_user_anon_id"),
        ("/v1/track", {"userId": "u"}, "missing_event"),
        ("/v1/track", {"userId": "u", "event": ""}, "missing_event"),
    ],
)
async def test_a_single_event_that_lacks_something_is_told_what(
    path: str, body: dict[str, Any], code: str, ground: Ground
) -> None:
    assert check_refusal(await ground.relay.post(path, body, KEY), 400)["code"] == code


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/track", {"userId": "u", "event": 5}),
        ("/v1/group", {"userId": "u"}),
        ("/v1/alias", {"userId": "u"}),
        ("/v1/identify", {}),
    ],
)
async def test_a_single_event_without_what_its_type_needs_is_400(
    path: str, body: dict[str, Any], ground: Ground
) -> None:
    check_refusal(await ground.relay.post(path, body, KEY), 400)


async def test_a_bad_event_in_a_batch_costs_the_good_ones_nothing(ground: Ground) -> None:
    good = [event(type="track") for _ in range(3)]
    bad: list[Any] = [
        {"type": "track", "event": "Nobody", "messageId": "bad-1"},
        {"type": "track", "userId": "u", "messageId": "bad-2"},
        {"type": "unheard of", "userId": "u", "messageId": "bad-3"},
        {"userId": "u", "messageId": "bad-4"},
        {"type": "group", "userId": "u", "messageId": "bad-5"},
        {"type": "alias", "userId": "u", "messageId": "bad-6"},
        {"type": {}, "userId": "u", "messageId": "bad-7"},
        event(type="track", messageId="bad-8", properties={"pad": "x" * 40_000}),
        *(None, 5, "text", [], [[]], {}),
    ]
    mixed = [bad[0], good[0], *bad[1:7], good[1], *bad[7:], good[2]]
    assert is_success(await ground.relay.post("/v1/batch", {"batch": mixed}, KEY))
    for one in good:
        await ground.arrived(one["messageId"])
    await ground.flush()
    assert not [name for name in ground.receiver.counts if name.startswith("bad-")]


WRONG_VALUES: tuple[Any, ...] = (None, True, 5, 1.5, -(10**30), "text", "", [], [None], {}, {"a": {}})
FIELDS = (
    *("userId", "anonymousId", "messageId", "timestamp", "sentAt", "originalTimestamp", "context"),
    *(
        "integrations",
        "properties",
        "traits",
        "name",
        "category",
        "groupId",
        "previousId",
        "type",
        "writeKey",
    ),
    *("version", "receivedAt", "_metadata", "channel"),
)


@pytest.mark.parametrize("field", FIELDS)
async def test_a_field_of_any_type_gets_an_answer_and_keeps_relay_alive(field: str, ground: Ground) -> None:
    for value in WRONG_VALUES:
        changed = event() | {field: value}
        for kind in ("track", "identify", "page"):
            check_either(await ground.relay.post(f"/v1/{kind}", changed, KEY))
        batch = {"batch": [changed | {"type": "track"}], field: value}
        check_either(await ground.relay.post("/v1/b", batch, KEY))
    await ground.flush()


def check_either(answer: Answer) -> None:
    """Taken or refused, but in the form that SDKs read."""
    if not is_success(answer):
        check_refusal(answer, 400)


async def test_a_lone_surrogate_gets_an_answer_and_keeps_the_rest_going(ground: Ground) -> None:
    # JavaScript writes this when a text was cut in the middle of an emoji.
    cut = rb'{"userId":"u","event":"E","type":"track","properties":{"text":"\ud83d"}}'
    check_either(await ground.relay.post("/v1/track", cut, KEY))
    check_either(await ground.relay.post("/v1/batch", b'{"batch":[' + cut + b"]}", KEY))
    await ground.flush()


async def test_numbers_too_big_for_anybody_get_an_answer(ground: Ground) -> None:
    for number in (b"1e999", b"-1e999", b"9" * 400, b"1e-999"):
        body = b'{"userId":"u","event":"E","properties":{"n":' + number + b"}}"
        check_either(await ground.relay.post("/v1/track", body, KEY))
    await ground.flush()


@pytest.mark.timeout(600)
async def test_bombs_leave_the_memory_as_it_was(ground: Ground) -> None:
    bomb = zeros(200)
    await ground.relay.post("/v1/batch", bomb, KEY, GZIP)
    before = resident_bytes(ground.relay.pid)
    answers = await asyncio.gather(
        *(ground.relay.post("/v1/batch", bomb, KEY, GZIP) for _ in range(8)),
        ground.relay.post("/v1/batch", b"[" * 10 * MEGABYTE, KEY),
    )
    assert {answer.status for answer in answers} == {400}
    assert resident_bytes(ground.relay.pid) - before < 100 * MEGABYTE


def resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096


async def test_a_client_that_stops_in_the_middle_holds_nobody_up(ground: Ground) -> None:
    sent = event()
    body = json.dumps(sent).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(ground.relay.public.rsplit(":", 1)[1]))
    authorization = basic(KEY)["Authorization"]
    head = f"POST /v1/track HTTP/1.1\r\nHost: relay\r\nAuthorization: {authorization}\r\n"
    writer.write(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:20])
    await writer.drain()
    async with asyncio.timeout(60):
        for _ in range(20):
            assert is_success(await ground.relay.post("/v1/track", event(), KEY))
    assert sent["messageId"] not in ground.receiver.counts
    writer.write(body[20:])
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    await ground.arrived(sent["messageId"])
    writer.close()
    await writer.wait_closed()


async def test_connections_that_break_off_leave_no_trace(ground: Ground) -> None:
    port = int(ground.relay.public.rsplit(":", 1)[1])
    for start in (
        b"",
        b"\x16\x03\x01\x02\x00",
        b"GET",
        b"POST /v1/track HTTP/1.1\r\nContent-Length: 9\r\n\r\nx",
    ):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(start)
        writer.transport.abort()
    await ground.flush()
    assert "Traceback" not in ground.relay.log
