"""Batches that a vendor takes in part, through all of delivery: what is good arrives once, what is not is a dead letter."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from relay.destinations import CATALOGUE
from tests.delivery.pipeline import Target, ids, pipeline, target, tracks
from tests.receiver import close_door

pytestmark = pytest.mark.usefixtures("quick")

BAD, NOISY = "Bad", "Noisy"
MOST = 7  # events of a request that these vendors take

Answer = tuple[int, dict[str, Any]]


@asynccontextmanager
async def vendor(answer: Callable[[Any], Answer]) -> AsyncIterator[str]:
    """The URL of a server that answers the JSON it is sent."""

    async def handle(request: web.Request) -> web.Response:
        status, body = answer(json.loads(await request.read()))
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    assert runner.server is not None
    listener = await asyncio.get_running_loop().create_server(runner.server, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        await close_door(listener)
        await runner.cleanup()


class Amplitude:
    """Refuses bad events by their place, lets noisy ones wait once, and takes no long request."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.throttled: set[str] = set()

    def __call__(self, body: Any) -> Answer:
        events = body["events"]
        if len(events) > MOST:
            return 413, {"code": 413, "error": "Payload too large"}
        bad = [place for place, one in enumerate(events) if one["event_type"] == BAD]
        if bad:
            return 400, {"code": 400, "events_with_invalid_fields": {"event_type": bad}}
        noisy = {p: one["insert_id"] for p, one in enumerate(events) if one["event_type"] == NOISY}
        fresh = [place for place, name in noisy.items() if name not in self.throttled]
        if fresh:
            self.throttled |= {noisy[place] for place in fresh}
            return 429, {"code": 429, "throttled_events": fresh}
        self.taken.update(one["insert_id"] for one in events)
        return 200, {"code": 200, "events_ingested": len(events)}


class Mixpanel:
    """Takes the good events of a request and names the bad ones; takes no long request."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()

    def __call__(self, events: Any) -> Answer:
        if len(events) > MOST:
            return 413, {"code": 413, "error": "request exceeds max limit"}
        bad = [place for place, one in enumerate(events) if one["event"] == BAD]
        self.taken.update(one["properties"]["$insert_id"] for one in events if one["event"] != BAD)
        records = [{"index": place, "field": "event", "message": "'event' is invalid"} for place in bad]
        return (400 if bad else 200), {"code": 400 if bad else 200, "failed_records": records}


SETTINGS = {
    "amplitude": {"apiKey": "key", "secretKey": "secret"},
    "mixpanel": {"projectToken": "token", "apiSecret": "secret"},
}


def made(kind: str, url: str) -> Target:
    settings = msgspec.convert(SETTINGS[kind], CATALOGUE[kind])
    return target("hook", kind, settings, endpoint=url, batch_size=50, batch_wait="20ms", order="none")


@pytest.mark.parametrize(("kind", "it"), [("amplitude", Amplitude()), ("mixpanel", Mixpanel())])
async def test_good_events_arrive_once_and_bad_ones_are_dead_letters(
    kind: str, it: Amplitude | Mixpanel, tmp_path: Path
) -> None:
    good, bad, noisy = tracks(40), tracks(3, event=BAD), tracks(2, event=NOISY)
    events = [*good[:10], bad[0], *good[10:20], noisy[0], bad[1], *good[20:], noisy[1], bad[2]]
    async with vendor(it) as url, pipeline(tmp_path) as line:
        await line.apply(made(kind, url))
        await line.send_batch(events)
        await line.until(lambda s: s["lag"] == 0 and s["retrying"] == 0)
        assert it.taken == Counter(ids(good + noisy))
        assert {letter["messageId"] for letter in await line.letters("hook")} == ids(bad)
