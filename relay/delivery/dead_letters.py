"""Events a destination refused for good: listed with the reply that said so, redriven, or dropped."""

import sqlite3
import time
from collections.abc import Collection
from typing import Any

from relay.database import row_to_dict
from relay.delivery.delivery import Delivery
from relay.delivery.replay import PREFIX
from relay.delivery.replays import Replays
from relay.log.feed import Feed
from relay.log.state import SQL, State, rows_json
from relay.outcome import Outcome
from relay.times import format_iso

_NEWEST = 2**62
_AT_ONCE = 5000  # rows of one transaction


class DeadLetters:
    """The dead letters of all destinations."""

    def __init__(self, state: State, feed: Feed, delivery: Delivery, replays: Replays) -> None:
        self._state = state
        self._feed = feed
        self._delivery = delivery
        self._replays = replays

    async def page(self, destination: str | None, before: int | None, limit: int) -> list[dict[str, Any]]:
        """Newest first, with the event as it was (None when retention has dropped it)."""
        query = (destination, _NEWEST if before is None else before, limit)

        def work(connection: sqlite3.Connection) -> list[dict[str, Any]]:
            found = connection.execute(SQL["dead_letters"], query)
            return [row_to_dict(found, row) for row in found]

        await self._delivery.ledger.flush()
        rows = await self._state.read(work)
        events = await self._feed.find([(row["sequence"], row["place"]) for row in rows])
        for row in rows:
            event = events.get((row["sequence"], row["place"]))
            row["at"] = format_iso(row["at"])
            row["index"] = row.pop("place")
            row["messageId"] = event.data.get("messageId") if event else None
            row["event"] = event.data if event else None
        return rows

    async def retry(self, destination: str | None, ids: Collection[int] | None) -> int:
        """Put dead letters of running destinations into the retry table, due at once. Returns how many.

        What a replay met with is the replay's to try again: it counts it, and the destination need not be enabled.
        """
        await self._delivery.ledger.flush()
        # what is refused again meanwhile has a higher id, and is not taken a second time
        last = await self._state.read(lambda c: c.execute(SQL["newest_dead_letter"]).fetchone()[0])
        total = 0
        while moved := await self._state.write(lambda c: self._redrive(c, destination, ids, last)):
            total += len(moved)
            for name, outcome, replay in moved:
                consumer = self._delivery.consumers.get(name)
                if replay is not None:
                    await self._replays.redriven(replay, outcome)
                elif consumer is not None:
                    consumer.fates.redriven(outcome)
        return total

    def _redrive(
        self, connection: sqlite3.Connection, destination: str | None, ids: Collection[int] | None, last: int
    ) -> list[tuple[str, Outcome, int | None]]:
        now = int(time.time() * 1000)
        running = self._delivery.consumers  # nobody would work on those of others
        known = self._replays.targets
        names, replayable = (
            rows_json([n for n in some if destination in (None, n)]) for some in (running, known)
        )
        query = (names, None if ids is None else rows_json(ids), _AT_ONCE, replayable, last)
        rows = connection.execute(SQL["redrivable"], query).fetchall()
        parked = []
        for _, name, sequence, place, _, done, replay in rows:
            config = running[name].config if replay is None else known[name].config
            consumer = name if replay is None else f"{PREFIX}{replay}"
            expires_at = now + int(config.retry_for * 1000)
            parked.append((consumer, sequence, place, 0, now, expires_at, now, "redriven", None, done))
        connection.execute(SQL["park"], (rows_json(parked),))
        connection.execute(SQL["drop_dead_letters_by_id"], (rows_json([row[0] for row in rows]),))
        return [(row[1], Outcome(row[4]), row[6]) for row in rows]

    async def drop(self, destination: str | None, ids: Collection[int] | None) -> int:
        """Forget dead letters. Their fate stays `rejected` or `expired`. Returns how many."""
        await self._delivery.ledger.flush()
        total = 0

        def work(connection: sqlite3.Connection) -> int:
            query = (destination, None if ids is None else rows_json(ids), _AT_ONCE)
            found = [row[0] for row in connection.execute(SQL["dead_letters_by_id"], query)]
            connection.execute(SQL["drop_dead_letters_by_id"], (rows_json(found),))
            return len(found)

        while dropped := await self._state.write(work):
            total += dropped
        return total
