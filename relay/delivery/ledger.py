"""What delivery writes down, a few times a second and all consumers in one transaction.

A consumer notes exceptions (parked, buried, unparked) here and then settles the event in its window; both
are taken at the same instant, so a cursor is never saved past an event whose note is not.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any

import structlog

from relay.delivery.tally import Tally
from relay.log.base import Waiters
from relay.log.state import SQL, State, rows_json

FLUSH_SECONDS = 0.025
FLUSH_EVENTS = 100  # delivered since the last flush: what a crash would deliver again is kept this small
MIN_GAP_SECONDS = 0.005  # between flushes, each of which costs some 0.15 ms
MAX_NOTES = 20_000  # beyond this consumers wait: the state database cannot be written

log = structlog.get_logger()

Snapshot = Callable[[], tuple[object, ...]]


class Ledger:
    """Notes not yet written, and who has a cursor to save."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._park: list[tuple[object, ...]] = []
        self._unpark: list[tuple[object, ...]] = []
        self._bury: list[tuple[object, ...]] = []
        self._redriven: list[int] = []
        self._snapshots: dict[str, Snapshot] = {}
        self._saved: dict[str, tuple[object, ...]] = {}
        self._tallies: dict[str, Tally] = {}
        self._flushed = Waiters()
        self._lock = asyncio.Lock()
        self._unsaved = 0
        self._soon = asyncio.Event()

    def follow(self, name: str, snapshot: Snapshot, tally: Tally | None = None) -> None:
        """Save what `snapshot` returns, parameters of save_consumer, whenever it is something new.

        With it what is new in `tally`; replays have none.
        """
        self._snapshots[name] = snapshot
        if tally is not None:
            self._tallies[name] = tally

    def unfollow(self, name: str) -> None:
        self._snapshots.pop(name, None)
        self._saved.pop(name, None)
        self._tallies.pop(name, None)

    def delivered(self, events: int) -> None:
        """So many events were delivered: enough of them do not wait for the next regular flush."""
        self._unsaved += events
        if self._unsaved >= FLUSH_EVENTS:
            self._soon.set()

    def park(self, *row: object) -> None:
        self._park.append(row)

    def unpark(self, *row: object) -> None:
        self._unpark.append(row)

    def bury(self, *row: object) -> None:
        self._bury.append(row)

    def redrive(self, letter: int) -> None:
        """A dead letter, by id, is none any more: `park` it in the same breath."""
        self._redriven.append(letter)

    async def room(self) -> None:
        """Until there is room for more notes."""
        while len(self._park) + len(self._unpark) + len(self._bury) > MAX_NOTES:
            await self._flushed.wait()

    async def run(self) -> None:
        """Flush for ever."""
        while True:
            await self._wait()
            try:
                await self.flush()
            except sqlite3.Error as error:
                log.error("the state database cannot be written, trying again", error=str(error))

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._soon.wait()
                await asyncio.sleep(MIN_GAP_SECONDS)
        except TimeoutError:
            pass

    async def flush(self) -> None:
        """Write everything noted so far. On failure everything is kept for the next time."""
        async with self._lock:
            self._unsaved = 0
            self._soon.clear()
            park, self._park = self._park, []
            unpark, self._unpark = self._unpark, []
            bury, self._bury = self._bury, []
            redriven, self._redriven = self._redriven, []
            reasons = [(name, *row) for name, tally in self._tallies.items() for row in tally.take()]
            rows = {name: snapshot() for name, snapshot in self._snapshots.items()}
            cursors = {name: row for name, row in rows.items() if row != self._saved.get(name)}
            if not (park or unpark or bury or redriven or reasons or cursors):
                return

            def work(connection: sqlite3.Connection) -> None:
                # first what leaves, then what (again) waits: a failed retry does both
                for query, notes in (
                    ("unpark", unpark),
                    ("park", park),
                    ("bury", bury),
                    ("drop_dead_letters_by_id", redriven),
                    ("save_fate_reasons", reasons),
                ):
                    if notes:
                        connection.execute(SQL[query], (rows_json(notes),))
                for row in cursors.values():
                    connection.execute(SQL["save_consumer"], row)

            try:
                await self._state.write(work)
            except BaseException:
                self._park = park + self._park
                self._unpark = unpark + self._unpark
                self._bury = bury + self._bury
                self._redriven = redriven + self._redriven
                self._give_back(reasons)
                raise
            self._saved |= {name: row for name, row in cursors.items() if name in self._snapshots}
            self._flushed.wake()

    def _give_back(self, reasons: list[tuple[Any, ...]]) -> None:
        for name, *row in reasons:
            if name in self._tallies:
                self._tallies[name].give_back([row])
