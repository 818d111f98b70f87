"""All replays: started, resumed after a restart, cancelled, watched.

A replay is a row of the table `replays`, which says what it is, and one of `consumers`, by the name `replay:ID`, which
says how far it has come. Replays to one destination run one after the other, so that together they never take more
of it than one may; dry runs wait for nobody. One that has ended comes back to work, without changing its state, when its
dead letters are tried again.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import orjson
import structlog

from relay import metrics
from relay.delivery.config import DestinationConfig
from relay.delivery.delivery import RESTART_SECONDS, STOP_SECONDS, Delivery
from relay.delivery.dry_run import DryRun
from relay.delivery.observer import Observer
from relay.delivery.pace import Gate
from relay.delivery.replay import CANCELLED, DONE, FAILED, RUNNING, BadQuery, Query, Replay, read_query
from relay.delivery.replay_table import ReplayTable
from relay.delivery.replaying import Replaying
from relay.delivery.window import Window
from relay.destinations.base import Destination
from relay.log.feed import Feed
from relay.log.state import State
from relay.outcome import Outcome
from relay.times import format_iso, parse_moment

log = structlog.get_logger()


class Target(NamedTuple):
    """A destination as relay.toml has it, enabled or not."""

    config: DestinationConfig
    settings: Destination


class Active:
    """A replay that is at work, or waits for its turn."""

    def __init__(self, replay: Replay, target: Target, consumer: Replaying) -> None:
        self.replay = replay
        self.target = target
        self.consumer = consumer
        self.is_waiting = True
        self.has_failed = False  # by a fault of our own: its consumer is not to be run again
        self.task: asyncio.Task[None]


class Replays:
    """Replays by id."""

    def __init__(self, feed: Feed, state: State, delivery: Delivery, observer: Observer) -> None:
        self.targets: dict[str, Target] = {}
        self._feed = feed
        self._state = state
        self._table = ReplayTable(state)
        self._delivery = delivery
        self._observer = observer
        self._active: dict[int, Active] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._changing = asyncio.Lock()

    async def apply(
        self, destinations: Sequence[DestinationConfig], settings: Mapping[str, Destination]
    ) -> None:
        """Take up the destinations: replays go on with the new ones, those whose destination is gone fail."""
        async with self._changing:
            before = self.targets
            self.targets = {d.name: Target(d, settings[d.name]) for d in destinations}
            for active in list(self._active.values()):
                name = active.replay.query.destination
                if before.get(name) != self.targets.get(name):
                    await self._stop(active)
            for replay in await self._table.with_work():
                if replay.id not in self._active:
                    await self._launch(replay)

    async def close(self) -> None:
        """Stop all, let what is on its way arrive, and save every cursor; they are resumed at the next start."""
        async with self._changing:
            await asyncio.gather(*(self._stop(active) for active in list(self._active.values())))

    async def start(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Begin the replay that `body` asks for. Raises BadQuery."""
        now = int(time.time() * 1000)
        query = read_query(body, now)
        async with self._changing:
            self._check(query)
            replay = await self._table.add(query, *await self._span(query), now)
            log.info("replay started", replay=replay.id, destination=query.destination, dry_run=query.dry_run)
            await self._launch(replay)
        return await self._shown(replay)

    async def cancel(self, number: int) -> dict[str, Any] | None:
        """End a replay: what is on its way arrives, what is parked does not. One that has ended stays as it is."""
        async with self._changing:
            active = self._active.get(number)
            if active is not None and active.replay.state == RUNNING:
                await self._stop(active)
                now = await self._table.find(number)
                if now is not None and now.state == RUNNING:  # else it came to its end meanwhile
                    await self._end(now, CANCELLED, consumer=active.consumer)
        return await self.show(number)

    async def show(self, number: int) -> dict[str, Any] | None:
        """One replay as JSON has it, None when there is no such."""
        replay = await self._table.find(number)
        return None if replay is None else await self._shown(replay)

    async def newest(self, limit: int) -> list[dict[str, Any]]:
        """The newest first."""
        return [await self._shown(replay) for replay in await self._table.newest(limit)]

    async def redriven(self, number: int, place: tuple[int, int], outcome: Outcome, reason: str) -> None:
        """A dead letter of this replay was put into its retry table."""
        async with self._changing:
            if number not in self._active:
                replay = await self._table.find(number)
                assert replay is not None
                await self._launch(replay)
            active = self._active.get(number)
            if active is not None:
                active.consumer.fates.redriven(*place, outcome, reason)

    @property
    def mark(self) -> int | None:
        """The slowest replay's low-water mark, None without replays."""
        return min((a.consumer.window.mark for a in self._active.values()), default=None)

    def measure(self) -> None:
        """Set the metrics that are not counted."""
        for name in self._turns.keys() | self.targets.keys():
            mine = [a for a in self._active.values() if a.replay.query.destination == name]
            metrics.REPLAYS.labels(name).set(len(mine))
            left = sum(max(0, a.replay.last - a.consumer.window.mark) for a in mine)
            metrics.REPLAY_LAG.labels(name).set(left)

    def _check(self, query: Query) -> None:
        target = self.targets.get(query.destination)
        if target is None:
            known = ", ".join(self.targets) or "none"
            raise BadQuery(f"destination: not in relay.toml; there is: {known}")
        takes = target.config.sources
        if takes is not None and not set(query.sources) <= set(takes):
            raise BadQuery(f"sources: {query.destination} takes events of {', '.join(takes)} only")

    async def _span(self, query: Query) -> tuple[int, int]:
        """The first and the last sequence to go through; nothing when the last is before the first."""
        last = self._feed.cursor
        if query.until is not None:
            last = min(last, await self._feed.first_since(_ms(query.until)) - 1)
        first = await self._feed.first_since(0 if query.since is None else _ms(query.since))
        return first, max(last, first - 1)

    async def _launch(self, replay: Replay) -> None:
        """Set a replay to work; one without a destination fails."""
        target = self.targets.get(replay.query.destination)
        if target is None:
            if replay.state == RUNNING:
                await self._end(replay, FAILED, "the destination is not in relay.toml any more")
            return
        active = Active(replay, target, await self._consumer(replay, target))
        self._active[replay.id] = active
        active.task = asyncio.create_task(self._run(active), name=replay.name)

    async def _consumer(self, replay: Replay, target: Target) -> Replaying:
        name = replay.query.destination
        await self._table.set_absent(replay, is_absent=False)
        row = await self._table.place(replay)
        if replay.query.dry_run:  # begins anew: it costs little, and there is nothing to lose
            window = Window(replay.first - 1)
        else:
            window = Window(row["cursor"], row["taken"], orjson.loads(row["open_ranges"]))
        if replay.state != RUNNING:  # only what is parked is left to do
            replay = msgspec.structs.replace(replay, last=window.mark)
        consumer = (DryRun if replay.query.dry_run else Replaying)(
            replay,
            *target,
            feed=self._feed,
            state=self._state,
            ledger=self._delivery.ledger,
            sender=self._delivery.sender,
            observer=self._observer,
            window=window,
            live=lambda: self._live_gate(name),
            credentials=self._delivery.accounts.credentials(*target),
            bridge=self._delivery.bridge,
        )
        if not replay.query.dry_run:
            consumer.fates.counts.update({o: row[o] for o in Outcome})
            self._delivery.ledger.follow(replay.name, consumer.snapshot)
        return consumer

    def _live_gate(self, destination: str) -> Gate | None:
        live = self._delivery.consumers.get(destination)
        return None if live is None or live.courier.is_paused else live.courier.gate

    async def _run(self, active: Active) -> None:
        """From its turn to its end. A fault of our own costs a pause, and what was not noted is repeated."""
        query = active.replay.query
        turn = contextlib.nullcontext() if query.dry_run else self._turns[query.destination]
        async with turn:
            active.is_waiting = False
            while not await self._has_run(active):
                active.has_failed = True
                await asyncio.sleep(RESTART_SECONDS)

    async def _renew(self, active: Active) -> None:
        """Another consumer, which goes on where the state database says. Raises sqlite3.Error."""
        with contextlib.suppress(sqlite3.Error):
            await self._delivery.ledger.flush()
        self._delivery.ledger.unfollow(active.replay.name)
        active.consumer = await self._consumer(active.replay, active.target)
        active.has_failed = False

    async def _has_run(self, active: Active) -> bool:
        try:
            if active.has_failed and not active.consumer.courier.is_stopping:
                await self._renew(active)
            await active.consumer.run()
            if active.consumer.is_done:
                await self._end(active.replay, DONE, consumer=active.consumer)
        except Exception:
            log.exception("a replay failed by a fault of relay's own, going on", replay=active.replay.id)
            return False
        return True

    async def _stop(self, active: Active) -> None:
        """Let what is on its way arrive, and save the cursor."""
        active.consumer.stop()
        if active.is_waiting:
            active.task.cancel()
        done, _ = await asyncio.wait([active.task], timeout=STOP_SECONDS)
        if not done:
            active.task.cancel()
            await asyncio.wait([active.task])
        await self._delivery.ledger.flush()
        self._delivery.ledger.unfollow(active.replay.name)
        if active.replay.state != RUNNING and active.replay.query.destination not in self.targets:
            # as with a destination that left: what it has parked waits for its return, and retention for nobody
            await self._table.set_absent(active.replay, is_absent=True)
        if self._active.get(active.replay.id) is active:
            del self._active[active.replay.id]

    async def _end(
        self, replay: Replay, state: str, reason: str | None = None, consumer: Replaying | None = None
    ) -> None:
        """Write down how a replay ended; of one that had ended before, only that it rests again."""
        await self._delivery.ledger.flush()
        self._delivery.ledger.unfollow(replay.name)
        found = consumer.counting.found if isinstance(consumer, DryRun) else {}
        parked = await self._table.end(replay, state, reason, found)
        self._active.pop(replay.id, None)
        log.info("replay ended", replay=replay.id, destination=replay.query.destination, state=state)
        again = await self._table.find(replay.id) if parked else None
        if again is not None:  # a dead letter was redriven at the last moment
            await self._launch(again)

    async def _shown(self, replay: Replay) -> dict[str, Any]:
        row, active = await self._table.place(replay), self._active.get(replay.id)
        consumer = None if active is None else active.consumer
        fates = {o: row[o] for o in Outcome} if consumer is None else consumer.fates.totals
        found = consumer.counting.found if isinstance(consumer, DryRun) else replay.found
        if replay.query.dry_run:
            fates = {o: sum(counts.get(o, 0) for counts in found.values()) for o in Outcome}
        mark = row["cursor"] if consumer is None else consumer.window.mark
        if replay.query.dry_run and consumer is None:
            mark = replay.last if replay.state == DONE else replay.first - 1
        is_waiting = active is not None and active.is_waiting and replay.state == RUNNING
        query = msgspec.to_builtins(replay.query)
        return {
            "id": replay.id,
            "destination": query.pop("destination"),
            "dryRun": query.pop("dryRun"),
            "state": "waiting" if is_waiting else replay.state,
            "reason": replay.reason,
            "startedAt": format_iso(replay.started_at),
            "endedAt": None if replay.ended_at is None else format_iso(replay.ended_at),
            "requests": {
                "total": replay.last - replay.first + 1,
                "done": min(mark, replay.last) - replay.first + 1,
            },
            "events": {str(o): n for o, n in fates.items()},
            "retrying": row["parked"],
            "lastError": None if consumer is None else consumer.courier.last_error,
            "query": query,
            "found": found if replay.query.dry_run else None,
        }


def _ms(iso: str) -> int:
    moment = parse_moment(iso)
    assert moment is not None
    return round(moment.timestamp() * 1000)
