"""Segment's own SDKs, unmodified: what they are told to send arrives, once, as it was said."""

from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import StartRelay
from tests.acceptance.relay_process import RelayProcess, source, webhook
from tests.acceptance.sdks import Message, send_with_node, send_with_python
from tests.receiver import Receiver

KEY = "sdk-write-key"
SENT_FIELDS = ("type", "userId", "anonymousId", "event", "name", "groupId", "previousId", "traits")


def one_of_each(prefix: str) -> list[Message]:
    """Each call of the Tracking API, with ids by which to know it again."""
    messages: list[Message] = [
        {"type": "identify", "userId": "u1", "traits": {"email": "jane@example.com", "plan": None}},
        {
            "type": "track",
            "userId": "u1",
            "event": "Order Completed",
            "properties": {"revenue": 9.5, "é": "✓"},
        },
        {
            "type": "track",
            "anonymousId": "a1",
            "event": "Signed Up",
            "properties": {"nested": {"list": [1, "2"]}},
        },
        {"type": "page", "userId": "u1", "category": "Docs", "name": "Home", "properties": {"path": "/"}},
        {"type": "screen", "userId": "u1", "name": "Dash", "properties": {"section": "top"}},
        {"type": "group", "userId": "u1", "groupId": "g1", "traits": {"name": "Acme"}},
        {"type": "alias", "userId": "u1", "previousId": "a1"},
    ]
    return [message | {"messageId": f"{prefix}-{n}"} for n, message in enumerate(messages)]


def many_tracks(prefix: str, n: int) -> list[Message]:
    return [
        {
            "type": "track",
            "userId": f"user-{i % 7}",
            "event": "Counted",
            "properties": {"i": i, "text": "x" * (i % 300)},
            "messageId": f"{prefix}-{i}",
        }
        for i in range(n)
    ]


def expected_properties(message: Message) -> dict[str, Any] | None:
    """As sent; a page and a screen also hold their name and category."""
    if message["type"] not in ("page", "screen"):
        return message.get("properties")
    also = {name: message[name] for name in ("name", "category") if name in message}
    properties: dict[str, Any] = message["properties"]
    return properties | also


async def check_arrival(receiver: Receiver, relay: RelayProcess, messages: list[Message]) -> None:
    await receiver.wait_for_ids({message["messageId"] for message in messages})
    await relay.stop()  # after this nothing more can come
    assert receiver.counts == {message["messageId"]: 1 for message in messages}
    for message in messages:
        event = receiver.find(message["messageId"])
        assert {name: event.get(name) for name in SENT_FIELDS} == {
            name: message.get(name) for name in SENT_FIELDS
        }
        assert event.get("properties") == expected_properties(message)


@pytest.mark.parametrize("encoding", ["plain", "gzip"])
async def test_what_the_python_sdk_sends_arrives_once_and_unchanged(
    encoding: str, receiver: Receiver, start_relay: StartRelay
) -> None:
    relay = await start_relay(source("app", KEY) + webhook(receiver.url))
    messages = one_of_each("each") + many_tracks("many", 350)
    await send_with_python(relay.public, KEY, messages, encoding)
    await check_arrival(receiver, relay, messages)
    assert {event["context"]["library"]["name"] for event in receiver.events()} == {"analytics-python"}


async def test_what_the_node_sdk_sends_arrives_once_and_unchanged(
    node_sdk: Path, receiver: Receiver, start_relay: StartRelay
) -> None:
    relay = await start_relay(source("app", KEY) + webhook(receiver.url))
    messages = one_of_each("each") + many_tracks("many", 350)
    await send_with_node(node_sdk, relay.public, KEY, messages, flush_at=15)
    await check_arrival(receiver, relay, messages)
    assert {event["context"]["library"]["name"] for event in receiver.events()} == {"@segment/analytics-node"}


async def test_the_node_sdk_waits_as_long_as_a_429_asks_and_loses_nothing(
    node_sdk: Path, receiver: Receiver, start_relay: StartRelay
) -> None:
    slow = source("app", KEY, "rate_limit = 5\nburst = 5")
    relay = await start_relay(slow + webhook(receiver.url))
    messages = many_tracks("limited", 12)
    await send_with_node(node_sdk, relay.public, KEY, messages, flush_at=1)
    await check_arrival(receiver, relay, messages)


async def test_a_wrong_write_key_is_told_to_the_python_sdk(
    receiver: Receiver, start_relay: StartRelay
) -> None:
    relay = await start_relay(source("app", KEY) + webhook(receiver.url))
    with pytest.raises(AssertionError, match="401"):
        await send_with_python(relay.public, "no-such-key", many_tracks("lost", 3), "plain")
    await relay.stop()
    assert receiver.events() == []
