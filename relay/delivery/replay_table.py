"""Where replays are written down: what each is in `replays`, how far it has come in `consumers`."""

import sqlite3
import time
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from relay.database import row_to_dict
from relay.delivery.replay import DONE, PREFIX, Query, Replay
from relay.log.state import SQL, State


class ReplayTable:
    """The replays of a data directory."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def add(self, query: Query, first: int, last: int, now: int) -> Replay:
        """A new replay, which has yet to take its first sequence."""
        row = (query.destination, msgspec.json.encode(query).decode(), first, last, now)

        def work(connection: sqlite3.Connection) -> Replay:
            number = connection.execute(SQL["add_replay"], row).lastrowid
            connection.execute(SQL["add_consumer"], (f"{PREFIX}{number}", first - 1))
            return _replay(connection.execute(SQL["replay"], (number,)).fetchone())

        return await self._state.write(work)

    async def find(self, number: int) -> Replay | None:
        row = await self._state.read(lambda c: c.execute(SQL["replay"], (number,)).fetchone())
        return None if row is None else _replay(row)

    async def newest(self, limit: int) -> list[Replay]:
        """The newest first."""
        rows = await self._state.read(lambda c: c.execute(SQL["replays"], (limit,)).fetchall())
        return [_replay(row) for row in rows]

    async def with_work(self) -> list[Replay]:
        """Those that run, and those that have ended and try dead letters again."""
        rows = await self._state.read(lambda c: c.execute(SQL["replays_with_work"]).fetchall())
        return [_replay(row) for row in rows]

    async def place(self, replay: Replay) -> dict[str, Any]:
        """Where its consumer stood when that was last written down, and how many events are `parked`."""

        def work(connection: sqlite3.Connection) -> dict[str, Any]:
            found = connection.execute(SQL["consumer"], (replay.name,))
            return row_to_dict(found, found.fetchone()) | {"parked": _parked(connection, replay)}

        return await self._state.read(work)

    async def set_absent(self, replay: Replay, *, is_absent: bool) -> None:
        """Whether retention need not wait for what it has parked."""
        await self._state.write(lambda c: c.execute(SQL["set_absent"], (is_absent, replay.name)) and None)

    async def end(
        self, replay: Replay, state: str, reason: str | None, found: Mapping[str, Mapping[str, int]]
    ) -> int:
        """Write down an end, unless it had ended before. Returns how many events are parked all the same."""
        ended = (state, reason, int(time.time() * 1000), orjson.dumps(found).decode(), replay.id)

        def work(connection: sqlite3.Connection) -> int:
            connection.execute(SQL["end_replay"], ended)
            connection.execute(SQL["rest_consumer"], (replay.name,))
            if state != DONE:
                connection.execute(SQL["drop_parked_of"], (replay.name,))
            return _parked(connection, replay)

        return await self._state.write(work)


def _parked(connection: sqlite3.Connection, replay: Replay) -> int:
    count: int = connection.execute(SQL["count_parked"], (replay.name,)).fetchone()[0]
    return count


def _replay(row: tuple[Any, ...]) -> Replay:
    number, query, first, last, state, reason, started_at, ended_at, found = row
    decoded = msgspec.json.decode(query, type=Query)
    return Replay(number, decoded, first, last, state, reason, started_at, ended_at, orjson.loads(found))
