"""Test an event: from the door to the requests of every destination, and nothing is kept."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from relay.console import testing
from tests.console.planned import HOSTILE, WRONG, planned_relay, send
from tests.console.visitor import Shown, Visitor, visitor_of
from tests.gateway.relay_here import READ_TOKEN, RelayHere
from tests.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")

MORE = """
[[destinations]]
name = "picky"
type = "webhook"
sources = ["app"]
settings = { url = "http://127.0.0.1:9/picky", sharedSecret = "a-shared-secret" }
filter = 'event = "Wanted"'

[[sources]]
name = "strict"
write_key = "strict-key"
plan = "shop.json"
strict = true

[[sources]]
name = "off"
write_key = "off-key"
enabled = false

[[sources]]
name = "crawled"
write_key = "crawled-key"
bots = "drop"
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def relay(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RelayHere]:
    async with planned_relay(tmp_path_factory.mktemp("testing"), receiver, more=MORE) as here:
        yield here


@pytest_asyncio.fixture(loop_scope="module", params=["admin", "reader"])
async def visitor(relay: RelayHere, request: pytest.FixtureRequest) -> AsyncIterator[Visitor]:
    if request.param == "admin":
        async with visitor_of(relay) as visitor:
            yield visitor
    else:
        async with visitor_of(relay, READ_TOKEN) as visitor:
            yield visitor


async def tried(visitor: Visitor, source: str, event: Any) -> Shown:
    text = event if isinstance(event, str) else json.dumps(event)
    return await visitor.post("/console/test", {"source": source, "event": text})


def track(**fields: Any) -> dict[str, Any]:
    return {"type": "track", "userId": "u", "event": "Wanted", "properties": {}} | fields


async def test_the_example_can_be_tried_as_it_is(visitor: Visitor) -> None:
    shown = await visitor.get("/console/test")
    assert "Nothing is sent and nothing is kept." in shown.words
    text = shown.words.split("a batch of them ")[1].split(" JSON as SDKs")[0]
    result = await tried(visitor, "app", text)
    assert result.status == 200
    assert "Tried. Nothing was sent." in result.words


async def test_what_admission_fills_in_and_every_destination_are_told(
    relay: RelayHere, receiver: Receiver, visitor: Visitor
) -> None:
    head = relay.app.log.head
    shown = await tried(visitor, "app", track(event="Other", properties={"a": 1}))
    words = shown.words
    assert "Other admitted" in words
    for name in ("messageId", "timestamp", "receivedAt"):
        assert name in words.split("fills in or corrects:")[1].split(".")[0]
    assert "The source has none: it is not checked." in words
    assert f"POST {receiver.url}" in words
    assert '"event":"Other"' in words
    assert (
        "picky would be filtered the destination's filter leaves it out FILTERED_BY_RULES 0 requests" in words
    )
    shown = await tried(visitor, "app", track())
    assert "picky would be delivered" in shown.words
    assert "a-shared-secret" not in shown.text
    assert relay.app.log.head == head
    assert receiver.events() == []


async def test_the_verdict_of_the_plan_is_told(visitor: Visitor) -> None:
    shown = await tried(visitor, "web", track(**WRONG))
    assert "Order Completed blocked" in shown.words
    assert "properties.order_id : Does not match pattern '^o-' Pattern" in shown.words
    assert (
        "It would go to no destination: it breaks the rule of its event in the tracking plan" in shown.words
    )
    shown = await tried(visitor, "web", track(event="Nobody's"))
    assert "does not name this event" in shown.words
    right = track(event="Product Viewed", properties={"sku": "s"}, context={"library": {"name": "x"}})
    assert "It keeps the plan Shop" in (await tried(visitor, "web", right)).words


async def test_what_is_refused_at_the_door_is_told(visitor: Visitor) -> None:
    shown = await tried(visitor, "app", {"type": "track", "userId": "u"})
    assert (
        "It would be refused with 400. a track call needs the name of an event missing_event" in shown.words
    )
    shown = await tried(visitor, "strict", track(**WRONG))
    assert "The source is strict" in shown.words
    shown = await tried(visitor, "off", track())
    assert "The source is switched off" in shown.words
    shown = await tried(visitor, "app", track(properties={"long": "x" * 40_000}))
    assert "payload_too_large" in shown.words


async def test_what_a_source_does_not_keep_is_told(visitor: Visitor) -> None:
    agent = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    words = (await tried(visitor, "crawled", track(context={"userAgent": agent}))).words
    assert "Wanted filtered It would go to no destination: a crawler sent it" in words
    assert "hook would be filtered" in words
    words = (await tried(visitor, "crawled", track(context={"userAgent": "Mozilla/5.0"}))).words
    assert "hook would be delivered" in words


async def test_a_batch_is_tried_event_by_event(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = {"batch": [track(event="First"), {"type": "track", "userId": "u"}, track(event="Third"), track()]}
    monkeypatch.setattr(testing, "SHOWN", 3)
    words = (await tried(visitor, "app", batch)).words
    assert "1. First admitted" in words
    assert "It would not be kept; the others of the batch would." in words
    assert "3. Third admitted" in words
    assert "Of the others 1 would be admitted." in words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n  "type": "track",\n  "event": oops\n}', "in line 3, column 12"),
        ("", "in line 1, column 1"),
        ("[1]", "the body must be a JSON object"),
        ('{"type": "trakc"}', "type must be one of alias, group"),
        ('{"batch": 1}', "batch must be an array"),
        ("[" * 100_000, "This is not JSON"),
        ('{"a": NaN}', "NaN is not JSON"),
    ],
)
async def test_a_mistake_is_named_and_the_text_kept(text: str, said: str, visitor: Visitor) -> None:
    shown = await tried(visitor, "app", text)
    assert shown.status == 400
    assert said in shown.words
    if 0 < len(text) < 1000:
        assert " ".join(text.split()) in shown.words


async def test_an_event_of_the_log_is_taken_up(relay: RelayHere, visitor: Visitor) -> None:
    sent = {"userId": "u", "event": "From The Log", "properties": {"a": [1]}, "writeKey": "app-key"}
    assert (await relay.post("/v1/track", sent, key="app-key")).status == 200
    await send(relay, {"event": "And After"}, key="app-key")
    sequence = relay.app.log.head - 1
    event = await visitor.get(f"/console/events/{sequence}/0")
    assert f'href="/console/test?sequence={sequence}&amp;index=0"' in event.text
    shown = await visitor.get(f"/console/test?sequence={sequence}&index=0")
    assert '"type": "track"' in shown.words
    assert '"event": "From The Log"' in shown.words
    assert "app-key" not in shown.text
    assert "<option selected>app" in shown.text
    for query, status in (("sequence=99999", 404), ("sequence=x", 400)):
        assert (await visitor.get(f"/console/test?{query}")).status == status


async def test_hostile_names_are_text_and_a_thousand_properties_have_room(visitor: Visitor) -> None:
    wide = {f"p{n}": n for n in range(1000)}
    shown = await tried(visitor, "app", track(event=HOSTILE, properties={**wide, HOSTILE: HOSTILE}))
    assert shown.status == 200
    assert "<img" not in shown.text
    assert '"p999": 999' in shown.words
    shown = await tried(visitor, "web", track(event="Product Viewed", properties={HOSTILE: 1, "sku": 1}))
    assert "<img" not in shown.text


async def test_a_source_that_is_not_there_is_told(visitor: Visitor) -> None:
    assert (await tried(visitor, "nobody", track())).status == 400


async def test_it_needs_the_token_of_the_form(visitor: Visitor) -> None:
    shown = await visitor.post("/console/test", {"source": "app", "event": "{}", "csrf": "x"})
    assert shown.status == 403
