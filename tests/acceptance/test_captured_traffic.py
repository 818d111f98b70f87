"""What real SDKs put on the wire, sent again: the answers they need, and the events that come of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.acceptance.captured import SOURCES, Captured, load
from tests.acceptance.ground import is_success
from tests.acceptance.relay_process import Answer, RelayProcess, running, source, webhook
from tests.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")

Event = dict[str, Any]
MILLISECOND = timedelta(milliseconds=1)
CORS_ASKED = "Access-Control-Request-Headers"


@dataclass(frozen=True)
class Replay:
    """All captured requests with their answers, what they said first, and what arrived."""

    answers: list[tuple[Captured, Answer]]
    sent: dict[tuple[str, str], tuple[Captured, Event]]  # by source and messageId; the first one wins
    arrived: dict[tuple[str, str], list[Event]]

    def pairs(self) -> list[tuple[Captured, Event, Event]]:
        """Each arrived event beside the request that brought it first and what it said."""
        return [(*self.sent[key], events[0]) for key, events in self.arrived.items()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def replay(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Replay]:
    async with Receiver() as receiver:
        answers = await replay_all(tmp_path_factory.mktemp("captured"), receiver)
        yield Replay(answers, first_copies(answers), arrivals(receiver))


async def replay_all(folder: Path, receiver: Receiver) -> list[tuple[Captured, Answer]]:
    """Send every request in the order of its capture; return when all that may arrive has."""
    async with running(folder, config(receiver.url)) as relay:
        answers = [(captured, await resend(relay, captured)) for captured in load()]
        wanted = {message_id for _, message_id in deliverable(first_copies(answers))}
        await receiver.wait_for_ids(wanted)
    return answers  # relay has stopped: nothing more can arrive


def config(url: str) -> str:
    """One destination for each source, so that the path tells where an event came from."""
    tables = [source(name, key) for key, name in SOURCES.items()]
    tables += [webhook(f"{url}/{name}", name, f'sources = ["{name}"]') for name in SOURCES.values()]
    return "".join(tables)


async def resend(relay: RelayProcess, captured: Captured) -> Answer:
    return await relay.request(captured.method, captured.path, captured.body, captured.headers)


def first_copies(answers: list[tuple[Captured, Answer]]) -> dict[tuple[str, str], tuple[Captured, Event]]:
    copies: dict[tuple[str, str], tuple[Captured, Event]] = {}
    for captured, _ in answers:
        for event in captured.events():
            copies.setdefault((captured.source, event["messageId"]), (captured, event))
    return copies


def deliverable(sent: dict[tuple[str, str], tuple[Captured, Event]]) -> set[tuple[str, str]]:
    """All but those whose `integrations` object keeps them from a webhook."""
    return {key for key, (_, event) in sent.items() if (event["integrations"] or {}).get("All", True)}


def arrivals(receiver: Receiver) -> dict[tuple[str, str], list[Event]]:
    arrived: dict[tuple[str, str], list[Event]] = {}
    for name in SOURCES.values():
        for event in receiver.events(f"/{name}"):
            arrived.setdefault((name, event["messageId"]), []).append(event)
    return arrived


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_the_captures_hold_what_these_tests_are_about() -> None:
    requests = load()
    assert {captured.client for captured in requests if captured.carries_events} == {
        "@segment/analytics-next",
        "@segment/analytics-node",
        "segment-analytics-python",
    }
    assert any("X-Retry-Count" in captured.headers for captured in requests)
    assert {"POST", "OPTIONS", "GET"} == {captured.method for captured in requests}


async def test_every_request_with_events_is_answered_as_its_sdk_needs_it(replay: Replay) -> None:
    wrong = [
        (captured.name, answer)
        for captured, answer in replay.answers
        if captured.carries_events and not is_success(answer)
    ]
    assert not wrong


async def test_telemetry_of_the_browser_library_is_answered_200(replay: Replay) -> None:
    telemetry = [answer.status for captured, answer in replay.answers if captured.path == "/v1/m"]
    assert telemetry
    assert set(telemetry) == {200}


async def test_every_preflight_lets_the_browser_send_what_it_asked_for(replay: Replay) -> None:
    preflights = [(asked, answer) for asked, answer in replay.answers if asked.method == "OPTIONS"]
    assert preflights
    for asked, answer in preflights:
        assert answer.status in {200, 204}
        assert answer.headers["Access-Control-Allow-Origin"] == asked.headers["Origin"]
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert names(asked.headers[CORS_ASKED]) <= names(answer.headers["Access-Control-Allow-Headers"])
        assert answer.headers["Access-Control-Max-Age"] == "86400"
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert "origin" in names(answer.headers["Vary"])


def names(header: str) -> set[str]:
    return {name.strip().lower() for name in header.split(",")}


async def test_browsers_may_read_every_answer(replay: Replay) -> None:
    from_pages = [(asked, answer) for asked, answer in replay.answers if "Origin" in asked.headers]
    assert from_pages
    for asked, answer in from_pages:
        assert answer.headers["Access-Control-Allow-Origin"] == asked.headers["Origin"]
        if asked.method != "OPTIONS":
            assert "retry-after" in names(answer.headers["Access-Control-Expose-Headers"])


async def test_the_settings_send_the_browser_library_back_to_relay(replay: Replay) -> None:
    settings = [answer for asked, answer in replay.answers if asked.method == "GET"]
    assert settings
    for answer in settings:
        assert answer.status == 200
        segment_io = answer.json["integrations"]["Segment.io"]
        assert segment_io["apiKey"] == "WKSEED"
        assert segment_io["apiHost"].endswith("/v1")
        assert "://" not in segment_io["apiHost"]


async def test_each_message_arrives_once_however_often_it_was_sent(replay: Replay) -> None:
    sent = deliverable(replay.sent)
    assert len(sent) > 40
    assert {key: len(events) for key, events in replay.arrived.items()} == dict.fromkeys(sent, 1)


async def test_each_event_keeps_what_its_sdk_said(replay: Replay) -> None:
    for captured, sent, arrived in replay.pairs():
        for name in ("type", "messageId", "event", "groupId", "previousId", "_metadata"):
            assert arrived.get(name) == sent.get(name), captured.name
        assert arrived["context"]["library"] == sent["context"]["library"]
        assert arrived.get("integrations", {}) == sent["integrations"]


async def test_ids_that_were_null_are_absent(replay: Replay) -> None:
    for captured, sent, arrived in replay.pairs():
        for name in ("userId", "anonymousId"):
            if sent.get(name):
                assert arrived[name] == sent[name], captured.name
            else:
                assert name not in arrived, captured.name


async def test_the_clock_of_the_sender_is_taken_out_of_the_timestamp(replay: Replay) -> None:
    for captured, sent, arrived in replay.pairs():
        original, sent_at = moment(sent["timestamp"]), moment(sent["sentAt"])
        assert abs(moment(arrived["originalTimestamp"]) - original) <= MILLISECOND, captured.name
        assert abs(moment(arrived["sentAt"]) - sent_at) <= MILLISECOND, captured.name
        corrected = moment(arrived["receivedAt"]) - (sent_at - original)
        assert abs(moment(arrived["timestamp"]) - corrected) <= MILLISECOND, captured.name


async def test_address_and_user_agent_are_filled_in_for_browsers_only(replay: Replay) -> None:
    for captured, sent, arrived in replay.pairs():
        filled = {"ip": "127.0.0.1", "userAgent": captured.headers["User-Agent"]}
        expected = (filled if captured.is_from_browser else {}) | sent["context"]
        for name in ("ip", "userAgent"):
            assert arrived["context"].get(name) == expected.get(name), captured.name


async def test_a_page_or_screen_has_its_name_and_category_in_its_properties(replay: Replay) -> None:
    pages = [pair for pair in replay.pairs() if pair[1]["type"] in {"page", "screen"}]
    assert {captured.client for captured, _, _ in pages} == {
        "@segment/analytics-next",
        "@segment/analytics-node",
        "segment-analytics-python",
    }
    for captured, sent, arrived in pages:
        also = {name: sent[name] for name in ("name", "category") if sent.get(name)}
        assert arrived["properties"] == sent["properties"] | also, captured.name


async def test_traits_and_properties_arrive_unchanged(replay: Replay) -> None:
    for captured, sent, arrived in replay.pairs():
        if sent["type"] in {"identify", "group"}:
            assert arrived["traits"] == sent["traits"], captured.name
        if sent["type"] == "track":
            assert arrived["properties"] == sent["properties"], captured.name
