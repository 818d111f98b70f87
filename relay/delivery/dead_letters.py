"""Events a destination refused for good: listed with the reply that said so, redriven, or dropped."""

import asyncio
import sqlite3
import time
from collections.abc import Collection
from typing import Any, NamedTuple

import msgspec

from relay.database import row_to_dict
from relay.delivery.config import DestinationConfig
from relay.delivery.delivery import Delivery
from relay.delivery.replay import PREFIX
from relay.delivery.replays import Replays
from relay.log.feed import Feed
from relay.log.state import SQL, State, rows_json
from relay.outcome import Outcome
from relay.times import format_iso

_NEWEST = 2**62
_AT_ONCE = 5000  # rows of one transaction


class Chosen(msgspec.Struct, frozen=True):
    """Which dead letters are meant: each field that is given must hold. `up_to`: the newest id."""

    destination: str | None = None
    reason: str | None = None
    ids: tuple[int, ...] | None = None
    up_to: int = _NEWEST

    @property
    def is_all(self) -> bool:
        """Whether every one is, however old."""
        return (self.destination, self.reason, self.ids) == (None, None, None)

    @property
    def sql(self) -> tuple[str | None, str | None, str | None, int]:
        """As the queries take it."""
        return self.destination, self.reason, None if self.ids is None else rows_json(self.ids), self.up_to


class Group(msgspec.Struct, frozen=True):
    """How many dead letters one destination has for one reason, and for how many of them another try is possible."""

    destination: str
    reason: str
    count: int
    redrivable: int


class _Letter(NamedTuple):
    """A dead letter that can be tried again."""

    id: int
    destination: str
    sequence: int
    place: int
    outcome: Outcome
    reason: str
    done: str
    replay: int | None


class DeadLetters:
    """The dead letters of all destinations."""

    def __init__(self, state: State, feed: Feed, delivery: Delivery, replays: Replays) -> None:
        self._state = state
        self._feed = feed
        self._delivery = delivery
        self._replays = replays
        self._changing = asyncio.Lock()  # what one has begun to move, another must not take

    async def page(
        self, destination: str | None, before: int | None, limit: int, reason: str | None = None
    ) -> list[dict[str, Any]]:
        """Newest first, with the event as it was (None when retention has dropped it)."""
        end = _NEWEST if before is None else before

        def work(connection: sqlite3.Connection) -> list[dict[str, Any]]:
            if destination is None and reason is None:
                found = connection.execute(SQL["dead_letters"], (end, limit))
            else:
                found = connection.execute(
                    SQL["dead_letters_chosen"], (destination, reason, None, end, limit)
                )
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

    async def groups(self, chosen: Chosen) -> list[Group]:
        """The chosen ones by destination and reason, the most first."""

        def work(connection: sqlite3.Connection) -> list[tuple[str, str, int, int]]:
            return connection.execute(SQL["dead_letter_groups"], chosen.sql).fetchall()

        await self._delivery.ledger.flush()
        running, known = self._delivery.consumers, self._replays.targets
        groups = [
            Group(
                destination,
                reason,
                count,
                (count - of_replays if destination in running else 0)
                + (of_replays if destination in known else 0),
            )
            for destination, reason, count, of_replays in await self._state.read(work)
        ]
        return sorted(groups, key=lambda group: (-group.count, group.destination, group.reason))

    async def newest(self) -> int:
        """The id of the newest, 0 without any."""
        await self._delivery.ledger.flush()
        return await self._state.read(_newest)

    async def retry(
        self,
        destination: str | None,
        ids: Collection[int] | None,
        reason: str | None = None,
        up_to: int = _NEWEST,
    ) -> int:
        """Put dead letters of running destinations into the retry table, due at once. Returns how many.

        What a replay met with is the replay's to try again: it counts it, and the destination need not be enabled.
        """
        async with self._changing:
            await self._delivery.ledger.flush()
            # what is refused again meanwhile has a higher id, and is not taken a second time
            last = min(up_to, await self._state.read(_newest))
            chosen = Chosen(destination, reason, None if ids is None else tuple(ids), last)
            total = 0
            while moved := await self._redrive(chosen):
                total += moved
            return total

    async def _redrive(self, chosen: Chosen) -> int:
        """Move some, and return how many. Fates change with what is written, so that a crash counts nobody twice."""
        rows = await self._state.read(lambda c: self._redrivable(c, chosen))
        consumers, known = self._delivery.consumers, self._replays.targets
        rows = [r for r in rows if r.destination in (consumers if r.replay is None else known)]
        for row in rows:
            if row.replay is None:
                consumer = consumers[row.destination]
                self._park(row, row.destination, consumer.config)
                consumer.fates.redriven(row.sequence, row.place, row.outcome, row.reason)
            else:
                self._park(row, f"{PREFIX}{row.replay}", known[row.destination].config)
        await self._delivery.ledger.flush()
        for row in rows:
            if row.replay is not None:
                await self._replays.redriven(row.replay, (row.sequence, row.place), row.outcome, row.reason)
        return len(rows)

    def _redrivable(self, connection: sqlite3.Connection, chosen: Chosen) -> list["_Letter"]:
        destination, reason, ids, last = chosen.sql
        running = self._delivery.consumers  # nobody would work on those of others
        known = self._replays.targets
        names, replayable = (
            rows_json([n for n in some if destination in (None, n)]) for some in (running, known)
        )
        found = connection.execute(SQL["redrivable"], (names, replayable, reason, ids, last, _AT_ONCE))
        return [_Letter(*row)._replace(outcome=Outcome(row[4])) for row in found]

    def _park(self, letter: "_Letter", consumer: str, config: DestinationConfig) -> None:
        now = int(time.time() * 1000)
        expires_at = now + int(config.retry_for * 1000)
        self._delivery.ledger.park(
            consumer, letter.sequence, letter.place, 0, now, expires_at, now, "redriven", None, letter.done
        )
        self._delivery.ledger.redrive(letter.id)

    async def drop(
        self,
        destination: str | None,
        ids: Collection[int] | None,
        reason: str | None = None,
        up_to: int = _NEWEST,
    ) -> int:
        """Forget dead letters. Their fate stays `rejected` or `expired`. Returns how many."""
        chosen = Chosen(destination, reason, None if ids is None else tuple(ids), up_to)
        total = 0

        def work(connection: sqlite3.Connection) -> int:
            found = [row[0] for row in connection.execute(SQL["dead_letter_ids"], (*chosen.sql, _AT_ONCE))]
            connection.execute(SQL["drop_dead_letters_by_id"], (rows_json(found),))
            return len(found)

        async with self._changing:
            await self._delivery.ledger.flush()
            while dropped := await self._state.write(work):
                total += dropped
        return total


def _newest(connection: sqlite3.Connection) -> int:
    newest: int = connection.execute(SQL["newest_dead_letter"]).fetchone()[0]
    return newest
