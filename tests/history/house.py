"""A history over a real state database, with a clock that a test moves and a door that it opens."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from relay.delivery.tally import CLASSES
from relay.history.history import History
from relay.history.series import DestinationSeries
from relay.log.state import SQL, State, rows_json
from tests.delivery.clock import Clock

START = 1_790_000_040.0  # 2026-09-21 14:14:00 UTC: a minute begins
MINUTE = 60_000


class Door:
    """What the gateway counts of one source."""

    def __init__(self) -> None:
        self.rejected: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()


class House:
    """`history` is what is tested. `came` and `went` are what admission and delivery would have written."""

    def __init__(self, state: State, clock: Clock) -> None:
        self.state = state
        self.clock = clock
        self.doors = {"web": Door()}
        self.states = {"hook": "running"}
        self.admitted = 0
        self.begin()

    def begin(self) -> None:
        """Another process; the one before ended as a crash ends it."""
        self.history = History(
            self.state,
            sources=lambda: self.doors,
            states=lambda: self.states,
            flush=_nothing,
            words="in words: {}".format,
            clock=self.clock,
        )

    async def came(self, n: int, source: str = "web", outcome: str = "admitted", reason: str = "") -> None:
        """So many events were admitted, or had a verdict, in one request."""
        rows = rows_json([(source, outcome, reason, n, "[]")])
        await self.execute("count_admitted", rows)
        await self.execute("count_due", f'{{"{source}":{n}}}')
        self.admitted += 1
        await self.execute("set_admission_cursor", self.admitted)

    async def enrol(self, name: str = "hook") -> None:
        await self.execute("add_consumer", name, 0)

    async def went(self, n: int, name: str = "hook", seconds: float = 0.1, failed: int = 0) -> None:
        """So many were delivered, each after so long; and some were refused."""
        delays = [0] * CLASSES
        delays[int(seconds * 1000).bit_length()] = n

        def work(connection: Any) -> None:
            (before,) = connection.execute("SELECT delays FROM consumers WHERE name = ?", (name,)).fetchone()
            old = [int(one) for one in before.strip("[]").split(",") if one] or [0] * CLASSES
            new = rows_json([a + b for a, b in zip(old, delays, strict=True)])
            query = "UPDATE consumers SET delivered = delivered + ?, rejected = rejected + ?, delays = ? WHERE name = ?"
            connection.execute(query, (n, failed, new, name))
            if failed:
                query = (
                    "INSERT INTO fate_reasons VALUES (?, 'rejected', '400', 0, ?, '[]') "
                    "ON CONFLICT DO UPDATE SET count = count + excluded.count"
                )
                connection.execute(query, (name, failed))

        await self.state.write(work)

    async def execute(self, query: str, *values: object) -> None:
        await self.state.write(lambda connection: connection.execute(SQL[query], values) and None)

    async def minutes(self, n: int = 1) -> None:
        """So many pass, each with its tick."""
        for _ in range(n):
            self.clock.move(60)
            await self.history.tick()

    async def rows(self, query: str = "SELECT kind, name, at FROM history") -> list[tuple[Any, ...]]:
        return await self.state.read(lambda connection: connection.execute(query).fetchall())

    async def series(self, of: str, name: str = "hook") -> DestinationSeries:
        overview = await self.history.overview(of)
        (found,) = [one for one in overview.series.destinations if one.name == name]
        return found


async def _nothing() -> None:
    return None


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    """One source, one destination, and nothing has happened."""
    state = await State.open(folder / "state.db")
    try:
        made = House(state, Clock(START))
        await made.enrol()
        await made.history.open()
        yield made
    finally:
        await state.close()
