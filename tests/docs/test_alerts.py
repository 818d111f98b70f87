"""The page about alerts shows what is really sent."""

import hmac

import orjson

from relay.alerts.config import AT_LEAST, KINDS, AlertConfig
from relay.alerts.findings import Facts, Finding
from relay.alerts.message import LISTED, Group, Message, as_json
from relay.alerts.outbox import FIRST_SECONDS, GIVE_UP_SECONDS, MAX_SECONDS, MAX_WAITING
from relay.alerts.rules import GATHER_SECONDS
from relay.alerts.telling import message_of
from relay.alerts.watcher import WATCH_SECONDS
from relay.console.reasons import words
from relay.destinations.webhook import signature
from relay.times import parse_moment
from tests.docs.pages import blocks, read, section

SHOP = {"web": "Shop"}
GROUPS = (
    Group(
        "web",
        "Order Completed",
        "Invalid Type",
        "properties.price",
        "Invalid type. Expected: number, given: string",
        120,
    ),
    Group("web", "Cart Viewed", "Required", "properties.cart_id", "properties.cart_id is required", 7),
)


def _message() -> Message:
    at, since = (parse_moment(f"2026-11-24T14:02:{second}Z") for second in (41, 11))
    assert at is not None
    assert since is not None
    ms = int(at.timestamp() * 1000), int(since.timestamp() * 1000)
    return Message("broken-releases", "new_violation", *ms, ("web",), SHOP, GROUPS, 0, 127)


def _failing() -> Message:
    at = _message().at
    finding = Finding(
        "orders", since=at - 330_000, found_at=at, times=1, facts=Facts(waiting=1204, reason="503")
    )
    rule = AlertConfig("deliveries", "destination_failing")
    return message_of(rule, [finding], at, words, "http://127.0.0.1:8081", is_summary=False)


def test_the_json_of_a_webhook_is_what_is_sent() -> None:
    shown_blocks = [b for b in blocks("json") if b.page.name == "alerts.md"]
    messages = ((_message(), "1f0c33ab-12"), (_failing(), "1f0c33ab-13"))
    for (message, key), block in zip(messages, shown_blocks, strict=True):
        sent, shown = orjson.loads(as_json(message, key)), orjson.loads(block.text)
        assert sent.pop("text").startswith(shown.pop("text").rstrip("…"))
        assert sent == shown
        assert list(sent) == list(shown)


def test_the_text_is_what_is_sent() -> None:
    texts = [b.text for b in blocks("") if b.page.name == "alerts.md"]
    assert texts == [_message().text(), _failing().text()]


def test_every_kind_its_keys_and_its_times_are_explained() -> None:
    page = section(read("alerts.md"), "What it is on")
    for on, kind in KINDS.items():
        assert f"**`{on}`**" in page
        assert [key for key in (*kind.names, *kind.thresholds) if f"`{key}`" not in page] == []
    assert f"relay looks every {WATCH_SECONDS:.0f} seconds" in page
    assert f"`at_least` events, {AT_LEAST} if nothing is said" in " ".join(page.split())
    assert {on: kind.after or kind.within for on, kind in KINDS.items() if kind.after or kind.within} == {
        "destination_failing": 5 * 60,
        "destination_paused": 3600,
        "delivery_rate": 24 * 3600,
        "source_silent": 3600,
        "source_volume": 3600,
    }


def test_the_numbers_are_those_of_the_code() -> None:
    page = " ".join(read("alerts.md").split())
    assert f"waits {GATHER_SECONDS:.0f} seconds" in page
    assert f"At most {LISTED} groups" in page
    assert (FIRST_SECONDS, MAX_SECONDS, GIVE_UP_SECONDS) == (10, 3600, 86_400)
    assert "after 10 seconds, then 20, up to an hour, and given up after a day" in page
    assert f"more than {MAX_WAITING} messages wait" in page


def test_the_signature_is_the_one_that_is_explained() -> None:
    assert signature("s", b"{}") == hmac.new(b"s", b"{}", "sha1").hexdigest()
