"""Events of bots, by the user agent in their `context`: dropped, or marked with `context.bot`.

What is a bot is for the package crawler-user-agents to say: 1,500 patterns that many keep up to date. A browser that none of them
fits takes 0.3 ms, a text that was made for it 3 ms. So answers are remembered, of one request 250 user agents are looked at, and
admission lets go of the loop between them. Loading takes 50 ms, which only who asks for it pays. Events without a user agent are
not a bot's: servers send those.

Like transformations this acts whenever events are made of a record, so that every reader gets the same; the log keeps
what arrived. What is dropped has the fate `filtered` at every destination, for the reason `bot`.
"""

import asyncio
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import msgspec

from relay.body import encode
from relay.event import Event
from relay.outcome import Outcome

DROPPED = "bot"

_LONGEST = 300  # characters that are looked at; a browser's user agent has 200, and bots say it early
_MOST = 250  # user agents of one request: the largest batch that Segment's SDKs send has as many events
LOOP_SECONDS = 0.005  # of the loop at a time, as for plans
_REMEMBERED = 20_000  # of user agents; a busy site sees a few thousand


class _Context(msgspec.Struct, frozen=True):
    userAgent: Any = None  # noqa: N815  the Segment spec's name


class _Head(msgspec.Struct, frozen=True):
    context: _Context = _Context()


_decode = msgspec.json.Decoder(_Head).decode


@lru_cache(_REMEMBERED)
def is_bot(user_agent: str) -> bool:
    """Whether this is the user agent of a bot."""
    from crawleruseragents import is_crawler  # noqa: PLC0415  only who filters bots needs it

    return bool(is_crawler(user_agent[:_LONGEST]))


class Bots:
    """What becomes of bots' events, by source."""

    def __init__(self) -> None:
        self._marked: dict[str, bool] = {}  # whether they are marked, else dropped

    def take_up(self, sources: Iterable[tuple[str, str]]) -> None:
        """From now on the `bots` of each source, by its name."""
        self._marked = {name: bots == "mark" for name, bots in sources if bots != "keep"}

    async def learn(self, groups: Iterable[list[Event]]) -> None:
        """Look at new user agents, a few at a time: `judge_all`, which cannot wait, then knows them."""
        since = time.perf_counter()
        for events in groups if self._marked else ():
            if not events or events[0].source not in self._marked:
                continue
            for agent in list({_agent(event): None for event in events})[:_MOST]:
                is_bot(agent)
                if time.perf_counter() - since > LOOP_SECONDS:
                    await asyncio.sleep(0)
                    since = time.perf_counter()

    def judge_all(self, groups: Iterable[list[Event]]) -> None:
        """`judge` the events of each record."""
        if self._marked:
            for events in groups:
                self.judge(events)

    def judge(self, events: list[Event]) -> list[Event]:
        """The events of one record; they are the caller's own still, and changed."""
        is_marked = self._marked.get(events[0].source) if events else None
        if is_marked is not None:
            agents: dict[str, bool] = {}
            for event in events:
                if event.outcome is None and _is_bots(event, agents):
                    _judge(event, is_marked=is_marked)
        return events


def _is_bots(event: Event, agents: dict[str, bool]) -> bool:
    """`agents`: what is known of those in the same request."""
    agent = _agent(event)
    if agent and agent not in agents:
        agents[agent] = len(agents) < _MOST and is_bot(agent)
    return agents.get(agent, False)


def _agent(event: Event) -> str:
    try:
        agent = _decode(event.json).context.userAgent
    except (msgspec.DecodeError, RecursionError):
        return ""
    return agent if isinstance(agent, str) else ""


def _judge(event: Event, *, is_marked: bool) -> None:
    if not is_marked:
        event.outcome, event.reason = Outcome.FILTERED, DROPPED
        return
    data = {**event.data, "context": {**event.data["context"], "bot": True}}
    json = encode(data)
    if json is not None:
        event.json, event.decoded = json, data
