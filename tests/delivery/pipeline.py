"""Everything between the door and a destination, in this process: log, admission, feed, state and delivery."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from relay.admission.admit import Admission
from relay.admission.normalise import events_of
from relay.admission.seen import Seen
from relay.console.debugger import Debugger
from relay.delivery import delivery as delivery_room
from relay.delivery.config import DestinationConfig
from relay.delivery.consumer import Consumer
from relay.delivery.dead_letters import DeadLetters
from relay.delivery.delivery import Delivery
from relay.delivery.replays import Replays
from relay.destinations.base import Destination
from relay.destinations.webhook import Webhook
from relay.log.base import Log
from relay.log.feed import Feed
from relay.log.record import Record
from relay.log.sqlite import SqliteLog
from relay.log.state import State
from relay.times import Duration
from tests.acceptance.relay_process import eventually

_numbers = count()


class Target(NamedTuple):
    """A destination as the configuration has it."""

    config: DestinationConfig
    settings: Destination


def webhook(url: str, name: str = "hook", settings: dict[str, Any] | None = None, **fields: Any) -> Target:
    """A webhook that sends at once; durations are given as text."""
    return target(name, "webhook", Webhook(url=url, **(settings or {})), **fields)


def target(name: str, kind: str, settings: Destination, **fields: Any) -> Target:
    fields = {"batch_wait": "0s"} | fields
    for key in ("batch_wait", "timeout", "retry_for"):
        if key in fields:
            fields[key] = Duration(fields[key])
    return Target(DestinationConfig(name=name, type=kind, **fields), settings)


def track(**fields: Any) -> dict[str, Any]:
    """An event that nobody sent before; `fields` change it."""
    return {"type": "track", "userId": "u1", "event": "Tested", "messageId": f"m-{next(_numbers)}"} | fields


def tracks(n: int, **fields: Any) -> list[dict[str, Any]]:
    return [track(**fields) for _ in range(n)]


def ids(events: list[dict[str, Any]]) -> set[str]:
    return {event["messageId"] for event in events}


class Pipeline:
    """Made by `pipeline`. `now` is in seconds since 1970."""

    def __init__(self, log: Log, state: State, folder: Path) -> None:
        self.log = log
        self.state = state
        self.debugger = Debugger()
        self.feed = Feed(log, state, lambda record, _: events_of(record, state.log_id))
        self.admission = Admission(log, state, Seen(folder), self.feed, self.debugger.admitted)
        self.delivery = Delivery(self.feed, state, self.debugger)
        self.replays = Replays(self.feed, state, self.delivery, self.debugger)
        self.dead_letters = DeadLetters(state, self.feed, self.delivery, self.replays)

    async def send(self, *events: dict[str, Any], source: str = "web") -> None:
        """Each event as a request of its own, accepted and admitted."""
        for event in events:
            await self._append(json.dumps(event).encode(), event["type"], 1, source)
        await self.admit()

    async def send_batch(self, events: list[dict[str, Any]], source: str = "web") -> None:
        """All events as one request."""
        await self._append(json.dumps({"batch": events}).encode(), "batch", len(events), source)
        await self.admit()

    async def _append(self, body: bytes, route: str, events: int, source: str) -> None:
        now = int(time.time() * 1000)
        await self.log.append(Record(now, source, route, False, None, None, None, events, body))

    async def admit(self) -> None:
        while records := await self.log.read(self.admission.cursor, 500, 1_000_000):
            await self.admission.admit(records)

    async def apply(self, *targets: Target) -> None:
        settings = {t.config.name: t.settings for t in targets}
        await self.delivery.apply([t.config for t in targets], settings)
        await self.replays.apply([t.config for t in targets], settings)

    def consumer(self, name: str = "hook") -> Consumer:
        return self.delivery.consumers[name]

    def wake(self) -> None:
        """A clock was moved by hand: let everybody look at it."""
        for consumer in self.delivery.consumers.values():
            consumer.courier.moved.wake()
            consumer.retries._sooner.set()

    async def status(self, name: str = "hook") -> dict[str, Any]:
        await self.delivery.ledger.flush()
        (status,) = [s for s in await self.delivery.status() if s["name"] == name]
        return status

    async def until(self, holds: Callable[[dict[str, Any]], bool], name: str = "hook") -> dict[str, Any]:
        """The status of a destination, once it is like this."""
        latest: dict[str, Any] = {}

        async def look() -> bool:
            if not holds(await self.status(name)):
                return False
            latest.update(await self.status(name))  # anew: the table is written after what is in memory
            return holds(latest)

        await eventually(look, 60, lambda: f"{name}: {latest}")
        return latest

    async def done(self, name: str = "hook") -> dict[str, Any]:
        """The status once everything has its fate or waits in the retry table."""
        return await self.until(lambda s: s["lag"] == 0, name)

    async def letters(self, name: str | None = None) -> list[dict[str, Any]]:
        return await self.dead_letters.page(name, None, 500)

    async def crash(self) -> None:
        """End every consumer where it stands, and write nothing more."""
        runs = list(self.delivery._runs.values())
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
        self.delivery.consumers.clear()
        self.delivery._runs.clear()
        for consumer in list(self.delivery.ledger._snapshots):
            self.delivery.ledger.unfollow(consumer)


@asynccontextmanager
async def pipeline(
    folder: Path,
    *,
    log: Log | None = None,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], float] = time.time,
) -> AsyncIterator[Pipeline]:
    """A running pipeline in `folder`, which may have run there before."""
    state = await State.open(folder / "state.db")
    kept = log or await SqliteLog.open(folder / "log", durability="normal")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery_room, "Consumer", partial(Consumer, clock=clock, now=now))
        line = Pipeline(kept, state, folder)
        await line.admission.load()
        await line.admit()
        flushing = asyncio.create_task(line.delivery.ledger.run())
        try:
            yield line
        finally:
            flushing.cancel()
            await asyncio.wait([flushing])
            await line.replays.close()
            await line.delivery.close()
            if log is None:
                await kept.close()
            await state.close()
