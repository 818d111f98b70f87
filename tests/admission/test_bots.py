"""Events of bots: who is one, and that every reader gets the same."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from relay.admission import bots
from relay.admission.bots import Bots, is_bot
from relay.console.search import Search
from relay.event import Event
from relay.outcome import Outcome
from tests.acceptance.relay_process import eventually, webhook
from tests.gateway.relay_here import SOURCE, event, relay_here
from tests.receiver import Receiver

PERSON = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"

PEOPLE = [
    PERSON,
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
        "Mobile/15E148 Safari/604.1"
    ),
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Linux; Android 14; Cubot KingKong) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile Safari/537.36",
    (
        "Mozilla/5.0 (Linux; Android 13; SM-A515F) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/119.0.0.0 "
        "Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/441.0.0.0;]"
    ),
    "Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ3A)",
]
BOTS = [
    BOT,
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36",
    "facebookexternalhit/1.1",
    "curl/8.5.0",
]


def track(agent: Any, **fields: Any) -> Event:
    context = {"userAgent": agent, "ip": "192.0.2.1"}
    data = {"type": "track", "event": "e", "userId": "u", "context": context, **fields}
    return Event(1, 0, "web", "m", orjson.dumps(data))


def taken_up(said: str, source: str = "web") -> Bots:
    made = Bots()
    made.take_up([(source, said), ("other", "keep")])
    return made


@pytest.mark.parametrize("agent", PEOPLE)
def test_a_person_is_none(agent: str) -> None:
    assert not is_bot(agent)


@pytest.mark.parametrize("agent", BOTS)
def test_a_bot_is_one(agent: str) -> None:
    assert is_bot(agent)


def test_a_bots_event_is_dropped_for_a_reason() -> None:
    (event,) = taken_up("drop").judge([track(BOT)])
    assert (event.outcome, event.reason) == (Outcome.FILTERED, "bot")


def test_a_bots_event_is_marked() -> None:
    event = track(BOT)
    before = event.data
    taken_up("mark").judge([event])
    assert event.outcome is None
    assert event.data["context"] == {"userAgent": BOT, "ip": "192.0.2.1", "bot": True}
    assert orjson.loads(event.json) == event.data
    assert "bot" not in before["context"]


@pytest.mark.parametrize("said", ["drop", "mark"])
def test_a_persons_event_is_not_touched(said: str) -> None:
    event = track(PERSON)
    text = event.json
    taken_up(said).judge_all([[event], []])
    assert (event.outcome, event.json, event.decoded) == (None, text, None)


@pytest.mark.parametrize(
    "context", [{}, {"userAgent": None}, {"userAgent": 7}, {"userAgent": ""}, None, [], "x"]
)
def test_without_a_user_agent_it_is_nobodys_bot(context: Any) -> None:
    event = track(None, context=context)
    taken_up("drop").judge([event])
    assert event.outcome is None


def test_only_the_events_own_context_counts() -> None:
    event = track(PERSON, properties={"context": {"userAgent": BOT}, "userAgent": BOT})
    taken_up("drop").judge([event])
    assert event.outcome is None


def test_other_sources_are_not_even_looked_at() -> None:
    event = track(BOT)
    taken_up("drop", "app").judge_all([[event]])
    assert event.outcome is None


def test_what_has_a_verdict_keeps_it() -> None:
    event = track(BOT)
    event.outcome, event.reason = Outcome.REJECTED, "bad_request"
    taken_up("drop").judge([event])
    assert (event.outcome, event.reason) == (Outcome.REJECTED, "bad_request")


def test_one_request_cannot_take_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(bots, "is_bot", asked.append)
    events = [track(f"{PERSON} {n % 2000}") for n in range(2500)]
    taken_up("drop").judge(events)
    assert len(asked) == len(set(asked)) == 250


async def test_new_user_agents_are_looked_at_before_events_are_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bots, "LOOP_SECONDS", 0.0)
    is_bot.cache_clear()
    events = [track(f"{BOT} {n}") for n in range(20)] + [track(PERSON), track(None)]
    made = taken_up("drop")
    others = asyncio.create_task(asyncio.sleep(0))
    await made.learn([events, []])
    assert others.done()
    looked_at = is_bot.cache_info().misses
    made.judge_all([events, []])
    assert is_bot.cache_info().misses == looked_at == 22
    assert [event.outcome for event in events] == [Outcome.FILTERED] * 20 + [None] * 2


async def test_where_bots_are_kept_nobody_is_looked_at() -> None:
    is_bot.cache_clear()
    await taken_up("keep").learn([[track(BOT)]])
    await taken_up("drop", "app").learn([[track(BOT)]])
    assert is_bot.cache_info().misses == 0


def test_a_long_user_agent_is_read_to_a_point() -> None:
    assert is_bot("curl/8 " + "x" * 30_000)
    assert not is_bot("x" * 30_000 + " Googlebot/2.1")


async def test_dropped_ones_are_seen_in_the_debugger_and_go_nowhere(
    receiver: Receiver, tmp_path: Path
) -> None:
    tables = SOURCE + 'bots = "drop"\n' + webhook(receiver.url)
    async with relay_here(tmp_path, tables) as relay:
        bots_own, persons = event(), event()
        assert (await relay.post("/v1/t", bots_own, {"User-Agent": BOT})).status == 200
        assert (await relay.post("/v1/t", persons, {"User-Agent": PERSON})).status == 200
        await receiver.wait_for(1)
        assert [e["messageId"] for e in receiver.events()] == [persons["messageId"]]
        shown: list[Any] = []

        def look() -> bool:
            shown[:] = relay.app.debugger.newest(Search(source="web", message_id=bots_own["messageId"]), 1)
            return bool(shown and shown[0]["deliveries"])

        await eventually(look, 30, lambda: f"{shown}")
        assert (shown[0]["verdict"], shown[0]["reason"]) == ("filtered", "bot")
        fate = shown[0]["deliveries"]["hook"]
        assert (fate["state"], fate["reason"]) == ("filtered", "bot")


async def test_marked_ones_can_be_filtered_and_a_reload_changes_it(
    receiver: Receiver, tmp_path: Path
) -> None:
    tables = SOURCE + 'bots = "mark"\n' + webhook(receiver.url)
    async with relay_here(tmp_path, tables) as relay:
        await relay.post("/v1/t", event(), {"User-Agent": BOT})
        await receiver.wait_for(1)
        relay.file.write_text(relay.file.read_text().replace('bots = "mark"\n', ""))
        assert await relay.app.reload() == []
        await relay.post("/v1/t", event(), {"User-Agent": BOT})
        await receiver.wait_for(2)
        assert [e["context"].get("bot") for e in receiver.events()] == [True, None]
