"""The debugger over HTTP: newest events as JSON, and live as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from relay.console import listening
from tests.acceptance.relay_process import eventually, source, webhook
from tests.gateway.relay_here import ADMIN_TOKEN, SOURCE, RelayHere, event, relay_here
from tests.receiver import Receiver


@pytest.fixture
async def relay(receiver: Receiver, tmp_path: Path) -> AsyncIterator[RelayHere]:
    tables = SOURCE + source("app", "app-key") + webhook(receiver.url)
    async with relay_here(tmp_path, tables) as here:
        yield here


async def events_of(relay: RelayHere, query: str = "") -> list[dict[str, Any]]:
    answer = await relay.ask("GET", f"/v1/debugger/events{query}")
    assert answer.status == 200, answer
    events: list[dict[str, Any]] = answer.json["events"]
    return events


def names(events: list[dict[str, Any]]) -> list[str]:
    return [one["event"].get("event") for one in events]


async def sent(relay: RelayHere) -> None:
    """Five events of two sources, all delivered."""
    for n in range(3):
        await relay.post("/v1/track", event(event=f"Web {n}", messageId=f"web-{n}"))
    for n in range(2):
        await relay.post("/v1/track", event(event=f"App {n}", messageId=f"app-{n}"), key="app-key")

    async def are_there() -> bool:
        events = await events_of(relay)
        return len(events) == 5 and all(one["deliveries"] for one in events)

    await eventually(are_there, 60, lambda: "not all events are there")


async def test_the_newest_events_come_first_with_their_deliveries(relay: RelayHere) -> None:
    await sent(relay)
    events = await events_of(relay)
    assert names(events) == ["App 1", "App 0", "Web 2", "Web 1", "Web 0"]
    newest = events[0]
    assert (newest["source"], newest["verdict"], newest["reason"]) == ("app", "admitted", None)
    delivery = newest["deliveries"]["hook"]
    assert (delivery["state"], delivery["attempts"], delivery["reply"]["status"]) == ("delivered", 1, 200)
    assert delivery["request"]["method"] == "POST"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?source=web", ["Web 2", "Web 1", "Web 0"]),
        ("?source=web&limit=1", ["Web 2"]),
        ("?event=Web%201", ["Web 1"]),
        ("?event=track&limit=2", ["App 1", "App 0"]),
        ("?source=app&event=Web%201", []),
        ("?messageId=app-0", ["App 0"]),
        ("?messageId=app", []),
        ("?source=nobody", []),
        ("?limit=100000", ["App 1", "App 0", "Web 2", "Web 1", "Web 0"]),
    ],
)
async def test_filters(query: str, expected: list[str], relay: RelayHere) -> None:
    await sent(relay)
    assert names(await events_of(relay, query)) == expected


@pytest.mark.parametrize("limit", ["x", "-1", "1e3", "99999999999999999999"])
async def test_a_limit_that_is_no_number_is_400(limit: str, relay: RelayHere) -> None:
    answer = await relay.ask("GET", f"/v1/debugger/events?limit={limit}")
    assert answer.status == 400
    assert "limit" in answer.json["error"]["message"]


async def test_what_was_rejected_and_what_was_corrected_is_shown(relay: RelayHere) -> None:
    bad = {"type": "track", "userId": "u", "messageId": "no-name"}
    strange = event(type="track", timestamp="yesterday")
    await relay.post("/v1/batch", {"batch": [bad, strange]})
    shown = await relay.admitted(strange["messageId"])
    assert shown["timestamp"] == shown["receivedAt"]
    (refused,) = await events_of(relay, "?messageId=no-name")
    assert (refused["verdict"], refused["reason"]) == ("rejected", "missing_event")
    (noted,) = await events_of(relay, f"?messageId={strange['messageId']}")
    assert "timestamp" in noted["notes"][0]


async def test_an_event_nested_as_deep_as_the_door_lets_in_does_not_break_the_view(relay: RelayHere) -> None:
    nested = '{"a":' * 300 + "1" + "}" * 300
    body = f'{{"userId":"u","event":"Deep","messageId":"deep","properties":{nested}}}'
    async with relay.session.post(
        f"{relay.public}/v1/track?writeKey=web-key", data=body.encode()
    ) as response:
        assert response.status in (200, 400)
    last = event()
    await relay.post("/v1/track", last)
    await relay.admitted(last["messageId"])
    assert last["messageId"] in [one["event"].get("messageId") for one in await events_of(relay)]


@asynccontextmanager
async def live(relay: RelayHere, query: str = "") -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
    """A live view: kinds and data, once it is listening."""
    before = len(relay.app.debugger._listeners)
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with relay.session.get(f"{relay.admin}/v1/debugger/events{query}", headers=headers) as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")

        async def items() -> AsyncIterator[tuple[str, Any]]:
            kind = ""
            async for line in response.content:
                name, _, value = line.decode().strip().partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    yield kind, json.loads(value)

        await eventually(lambda: len(relay.app.debugger._listeners) > before, 60, lambda: "nobody listens")
        yield items()


async def take(items: AsyncIterator[tuple[str, Any]], n: int) -> list[tuple[str, Any]]:
    async with asyncio.timeout(60):
        return [await anext(items) for _ in range(n)]


async def test_events_are_streamed_as_they_come(relay: RelayHere) -> None:
    await relay.post("/v1/track", event(event="Before"))
    await eventually(lambda: relay.app.admission.cursor == 1, 60, lambda: "not admitted")
    async with live(relay) as items:
        for n in range(3):
            await relay.post("/v1/track", event(event=f"Live {n}"))
        found = await take(items, 3)
    assert [kind for kind, _ in found] == ["event"] * 3
    assert names([data for _, data in found]) == ["Live 0", "Live 1", "Live 2"]
    await eventually(lambda: not relay.app.debugger._listeners, 60, lambda: "the listener stays behind")


async def test_a_stream_shows_only_what_was_asked_for(relay: RelayHere) -> None:
    async with live(relay, "?source=app&event=Wanted") as items:
        await relay.post("/v1/track", event(event="Wanted"))
        await relay.post("/v1/track", event(event="Other"), key="app-key")
        await relay.post("/v1/track", event(event="Wanted", messageId="it"), key="app-key")
        ((kind, data),) = await take(items, 1)
    assert (kind, data["event"]["messageId"]) == ("event", "it")


async def test_a_viewer_too_slow_is_told_how_many_it_missed(
    relay: RelayHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "LISTENER_EVENTS", 10)
    async with live(relay) as items:
        await relay.post("/v1/batch", {"batch": [event(type="track") for _ in range(25)]})
        found = await take(items, 11)
    assert [kind for kind, _ in found] == ["event"] * 10 + ["missed"]
    assert found[-1][1] == {"missed": 15}


async def test_open_streams_do_not_keep_a_relay_from_stopping(receiver: Receiver, tmp_path: Path) -> None:
    async with asyncio.timeout(60):
        async with relay_here(tmp_path, SOURCE + webhook(receiver.url)) as here, live(here) as items:
            await here.post("/v1/track", event())
            assert len(await take(items, 1)) == 1
            here.app.debugger.close()
            assert [item async for item in items] == []
