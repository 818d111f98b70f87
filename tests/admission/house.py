"""A log, a state, an index, a feed and the admission pass, put together in a folder."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path

from relay.admission.admit import Admission
from relay.admission.normalise import events_of
from relay.admission.plans import SourcePlans, settle_all
from relay.admission.seen import Seen
from relay.event import Event
from relay.log.base import Log
from relay.log.feed import Feed
from relay.log.record import Record
from relay.log.sqlite import SqliteLog
from relay.log.state import SQL, State
from tests.faults.disk import Disk
from tests.log.records import NOON

Verdict = tuple[int, int, str, str]


class House:
    """What app.py builds, as far as admission. `seen_by` are the events that the observer was shown."""

    def __init__(self, folder: Path, log: Log, state: State, slice_ids: int) -> None:
        self.folder, self.log, self.state = folder, log, state
        self.seen = Seen(folder, slice_ids=slice_ids, filter_bits=16)
        self.plans = SourcePlans()
        self.feed = Feed(log, state, lambda record, ruled: settle_all(events_of(record, state.log_id), ruled))
        self.observed: list[Event] = []
        self.admission = Admission(
            log, state, self.seen, self.feed, self._observe, lambda: NOON / 1000, plans=self.plans
        )

    def _observe(self, groups: list[list[Event]]) -> None:
        self.observed += chain.from_iterable(groups)

    async def take(self, *message_ids: str, source: str = "app") -> int:
        """Log a batch of track events with these ids."""
        return await self.log.append(batch(*message_ids, source=source))

    async def admit(self, limit: int = 500) -> None:
        """One pass over what is there."""
        await self.admission.admit(await self.log.read(self.admission.cursor, limit, 10_000_000))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Admit in the background, until the block ends."""
        task = asyncio.create_task(self.admission.run(), name="admission")
        inside = asyncio.current_task()
        assert inside is not None

        def task_ended(_: "asyncio.Task[None]") -> None:
            inside.cancel()

        task.add_done_callback(task_ended)
        try:
            async with asyncio.timeout(60):
                yield
        except asyncio.CancelledError:
            inside.uncancel()
            raise AssertionError("admission ended by itself") from task.exception()
        finally:
            task.remove_done_callback(task_ended)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def read_feed(self, max_events: int = 500) -> list[Event]:
        """All that consumers get, from the first record on."""
        found: list[Event] = []
        place = 0
        while True:
            groups, reached = await self.feed.read(place, max_events)
            if reached == place:
                return found
            found += chain.from_iterable(groups)
            place = reached

    async def verdicts(self) -> list[Verdict]:
        """The rows that were written."""
        rows: list[Verdict] = await self.state.read(
            lambda c: c.execute(SQL["verdicts_between"], (0, 1 << 60)).fetchall()
        )
        return sorted(rows)


@asynccontextmanager
async def house(
    folder: Path, *, log: Log | None = None, disk: Disk | None = None, slice_ids: int = 1000
) -> AsyncIterator[House]:
    """Open, load, and close again."""
    folder.mkdir(exist_ok=True)
    state = await State.open(folder / "state.db", connect=(disk or Disk()).connect)
    cursor = await state.read(lambda c: c.execute(SQL["admission_cursor"]).fetchone()[0])
    opened = log if log is not None else await SqliteLog.open(folder / "log", not_before=cursor)
    built = House(folder, opened, state, slice_ids)
    try:
        await built.admission.load()
        yield built
    finally:
        await opened.close()
        await state.close()


def batch(*message_ids: str, source: str = "app") -> Record:
    """A batch of track events; an empty id is left out, `!` is an event that is rejected."""
    events = [
        {
            "type": "track",
            "userId": "u",
            **({"event": "e"} if m != "!" else {}),
            **({"messageId": m} if m else {}),
        }
        for m in message_ids
    ]
    body = json.dumps({"batch": events}, separators=(",", ":")).encode()
    return Record(NOON, source, "batch", False, None, "sdk/1.0", None, len(events), body)


def fates(events: list[Event]) -> list[str]:
    """`id` of a good event, `id=verdict` of any other."""
    return [e.message_id if e.outcome is None else f"{e.message_id}={e.outcome}" for e in events]


def visible(event: Event) -> tuple[object, ...]:
    """All that a consumer sees of an event."""
    return (
        event.sequence,
        event.index,
        event.source,
        event.message_id,
        event.json,
        event.outcome,
        event.reason,
        event.notes,
        event.integrations,
        event.data,
    )
