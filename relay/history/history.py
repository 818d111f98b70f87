"""The history of a relay: its totals, written down once a minute, and what lies between any of them and now.

Totals are counted where things happen, each in the transaction of what it counts; a row of the history is a copy of
them. So what happened in a span is the difference of two rows, or of a row and now, and adds up whatever crashed in between.
Only what the gateway counts is in memory, and goes into the state database with the row: a crash loses the last minute of it.

For a day there is a row for every minute, for a week one in ten minutes: some 2,700 rows for each source and
destination, of a few hundred bytes. Once a minute one transaction reads the totals, writes the rows and drops what is
too old. What is gone is dropped with its last row; a destination is kept, for one that comes back goes on counting.
"""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, Protocol

import msgspec
import structlog

from relay.history.funnel import Funnel, make_funnel
from relay.history.rows import MINUTE, Looked, add_rows, count_door, drop_gone, look, there
from relay.history.series import Series, make_series
from relay.history.totals import ANSWERED, REFUSED, DoorRow, correct_due, read_standing
from relay.log.state import SQL, State

TENTH = 10 * MINUTE
HOUR = 60 * MINUTE
KEPT_BY_MINUTE = 25 * HOUR  # a day, and what a chart of it begins with
KEPT = 8 * 24 * HOUR

log = structlog.get_logger()


class Span(NamedTuple):
    """How far a chart goes back, how far its points lie apart, and the rows of a table of it. In ms."""

    length: int
    step: int
    row: int


RANGES = {
    "1h": Span(HOUR, MINUTE, 5 * MINUTE),
    "24h": Span(24 * HOUR, 5 * MINUTE, 2 * HOUR),
    "7d": Span(7 * 24 * HOUR, HOUR, 12 * HOUR),
}


class Door(Protocol):
    """What the gateway counts of a source."""

    rejected: Counter[str]
    statuses: Counter[int]


class Overview(msgspec.Struct, frozen=True):
    """How everything is doing. `table` is `series` with fewer and longer steps."""

    range: str
    funnel: Funnel
    series: Series
    table: Series


class History:
    """`tick` writes down, the rest reads. `clock` gives seconds since 1970.

    `sources` are those there are, `states` those of the destinations that run; `flush` writes what delivery has noted;
    `words` says what a reason means.
    """

    def __init__(
        self,
        state: State,
        *,
        sources: Callable[[], Mapping[str, Door]],
        states: Callable[[], Mapping[str, str]],
        flush: Callable[[], Awaitable[None]],
        words: Callable[[str], str] = str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._state = state
        self._sources = sources
        self._states = states
        self._flush = flush
        self._words = words
        self._clock = clock
        self._thinned = 0  # up to here there is a row in ten minutes, and no more
        self._kept: dict[str, dict[tuple[str, str], int]] = {}  # of each source, what is written down

    def _now(self) -> int:
        return int(self._clock() * 1000)

    async def run(self) -> None:
        """Write down every minute, for ever."""
        while True:
            await asyncio.sleep((MINUTE - self._now() % MINUTE) / 1000)
            try:
                await self.tick()
            except sqlite3.Error as error:
                log.error("the state database cannot be written, a minute is missing", error=str(error))

    async def open(self) -> None:
        """Before anything happens: what was there before the first row is of no minute."""
        await self._write(is_first=True)

    async def tick(self) -> None:
        """Write down how things are at this minute, once."""
        await self._write(is_first=False)

    async def close(self) -> None:
        """Keep what the gateway has counted since the last minute."""
        door = self._door()
        self._remember(door)
        await self._state.write(lambda connection: count_door(connection, door))

    async def _write(self, *, is_first: bool) -> None:
        at = self._now() // MINUTE * MINUTE
        door, names, states = self._door(), list(self._sources()), self._states()

        def work(connection: sqlite3.Connection) -> None:
            count_door(connection, door)
            standing = read_standing(connection, (), names, states)
            correct_due(connection, standing)
            add_rows(connection, at, there(standing, names, states), is_first=is_first)
            connection.execute(SQL["drop_history"], (at - KEPT, at))
            connection.execute(SQL["thin_history"], (self._thinned, at - KEPT_BY_MINUTE))
            drop_gone(connection, names)

        # at once: who reads meanwhile comes after it, and if this is cancelled it is written all the same
        self._remember(door)
        try:
            await self._state.write(work)
        except Exception:
            self._remember(door, sign=-1)
            raise
        self._thinned = at - KEPT_BY_MINUTE - TENTH

    async def funnel(self, of: str, source: str | None = None, destination: str | None = None) -> Funnel:
        """Where events went in one of RANGES, up to this moment."""
        since, now, _ = self._moments(of)
        looked = await self._look(since, since, RANGES[of].step)
        return make_funnel(since, now, looked.base(), looked.standing, source, destination, self._words)

    async def overview(self, of: str) -> Overview:
        """The funnel of one of RANGES, and its charts."""
        since, now, at = self._moments(of)
        step = RANGES[of].step
        looked = await self._look(since, now // step * step, step)
        # thousands of rows, for a week of many destinations: the loop has other things to do
        return await asyncio.to_thread(self._overview, of, looked, since, [*at, now])

    def _overview(self, of: str, looked: Looked, since: int, at: list[int]) -> Overview:
        *_, now = at
        few = [moment for moment in at if moment % RANGES[of].row == 0 or moment == now]
        found = looked.found(since, now)
        funnel = make_funnel(since, now, looked.base(), looked.standing, words=self._words)
        series = make_series(since, at, found)
        return Overview(of, _with_error_rates(funnel, series), series, make_series(since, few, found))

    def _moments(self, of: str) -> tuple[int, int, list[int]]:
        """When a range begins, now, and the moments in between at which its steps end."""
        span, now = RANGES[of], self._now()
        since = (now - span.length) // span.step * span.step
        return since, now, list(range(since + span.step, now, span.step))

    async def _look(self, since: int, until: int, step: int) -> Looked:
        """How things are now, how they were at the beginning, and at the end of each step from there on."""
        await self._flush()
        door, names, states = self._door(), list(self._sources()), self._states()
        return await self._state.read(lambda c: look(c, door, names, states, (since, until, step)))

    def _door(self) -> list[DoorRow]:
        """What the gateway has counted and nobody has written down."""
        rows = []
        for name, source in self._sources().items():
            kept = self._kept.get(name, {})
            for key, n in _counted(source).items():
                if new := n - kept.get(key, 0):
                    rows.append((name, *key, new))
        return rows

    def _remember(self, door: list[DoorRow], sign: int = 1) -> None:
        """What was counted is written down; with `sign` -1, it is not."""
        names = self._sources().keys()
        self._kept = {name: kept for name, kept in self._kept.items() if name in names}
        for name, kind, code, n in door:
            if name in names:
                kept = self._kept.setdefault(name, {})
                kept[kind, code] = kept.get((kind, code), 0) + sign * n


def _with_error_rates(funnel: Funnel, series: Series) -> Funnel:
    """The error rates of the funnel are those of its charts: what failed counts, though it was tried again since."""
    rates = {one.name: one.error_rate_of_all() for one in series.destinations}
    each = tuple(msgspec.structs.replace(d, error_rate=rates[d.name]) for d in funnel.destinations)
    return msgspec.structs.replace(funnel, destinations=each)


def _counted(source: Door) -> dict[tuple[str, str], int]:
    return {
        **{(REFUSED, code): n for code, n in source.rejected.items()},
        **{(ANSWERED, str(status)): n for status, n in source.statuses.items()},
    }
