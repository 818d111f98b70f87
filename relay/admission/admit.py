"""The one pass, in order, that gives every event its identity and its verdict.

Records are read after the cursor, made into events, checked against the ids seen before and held against the
tracking plan of their source; then one transaction writes the fresh ids, the exceptions among the verdicts, what the
plans decided, and the cursor. Only then do consumers get the events. A crash repeats a pass and never skips one: the same records lead to the same verdicts.
"""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from itertools import chain

import structlog

from relay import metrics
from relay.admission.counts import count_events
from relay.admission.normalise import events_of, place
from relay.admission.own import FORWARDED
from relay.admission.plans import Ruled, SourcePlans, settle
from relay.admission.seen import Seen, digest
from relay.admission.violations import HOUR, Counts, count_violations, forget_old, measure
from relay.event import Event
from relay.log.base import Log
from relay.log.feed import Feed
from relay.log.record import Record
from relay.log.state import SQL, State, rows_json
from relay.outcome import Outcome
from relay.plans.ruling import encode_ruling

PASS_EVENTS = 500  # of one pass: about 5 ms of the loop
PASS_BYTES = 1_000_000
GAP_SECONDS = 0.02  # between passes of a busy relay: a pass costs the same for one event as for a hundred
RETRY_SECONDS = 1.0  # while the state database cannot be written

log = structlog.get_logger()


class Admission:
    """Runs the pass and hands what it admits to `feed`. `cursor` is the newest admitted sequence."""

    def __init__(
        self,
        source: Log,
        state: State,
        seen: Seen,
        feed: Feed,
        observe: Callable[[list[list[Event]]], None],
        clock: Callable[[], float] = time.time,
        transform: Callable[[list[list[Event]]], None] = lambda _groups: None,
        foresee: Callable[[list[list[Event]]], Awaitable[None]] | None = None,
        plans: SourcePlans | None = None,
        violated: Callable[[Counts], None] = lambda _counts: None,
    ) -> None:
        """`transform` makes of admitted events what consumers see; `observe` gets them after that.

        `foresee` may take its time for what `transform` then finds done.
        `violated` is told how many violations of each group were written down, once they are.
        """
        self._log = source
        self._state = state
        self._seen = seen
        self._feed = feed
        self._observe = observe
        self._clock = clock
        self._transform = transform
        self._foresee = foresee
        self._plans = plans or SourcePlans()
        self._violated = violated
        self._tidied_hour = 0
        self.cursor = 0
        self._logged_before = 0
        self.admitted_bytes = 0  # of bodies that were logged in this process

    async def load(self) -> None:
        """Take up where the last process stopped."""

        def work(connection: sqlite3.Connection) -> int:
            self._seen.load(connection, int(self._clock() * 1000))
            cursor: int = connection.execute(SQL["admission_cursor"]).fetchone()[0]
            return cursor

        self._logged_before = self._log.head
        self.cursor = await self._state.read(work)
        self._feed.cursor = self.cursor

    async def run(self) -> None:
        """Admit for ever."""
        while True:
            records = await self._log.read(self.cursor, PASS_EVENTS, PASS_BYTES)
            if not records:
                await self._log.wait(self.cursor)
                continue
            try:
                await self.admit(records)
            except sqlite3.Error as error:
                log.error("the state database cannot be written, trying again", error=str(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if sum(record.events for record in records) < PASS_EVENTS // 2:
                await asyncio.sleep(GAP_SECONDS)

    async def admit(self, records: list[Record]) -> None:
        """One pass over `records`, which follow the cursor."""
        groups = [self._events_of(record) for record in records]
        events = list(chain.from_iterable(groups))
        self._seen.advance(records[-1].received_at)
        fresh, doubtful = self._sift(events)
        ruled = await self._plans.rule(
            [group for record, group in zip(records, groups, strict=True) if record.route != FORWARDED]
        )
        if self._foresee is not None:
            await self._foresee(groups)
        cursor = records[-1].sequence

        def work(connection: sqlite3.Connection) -> tuple[list[bytes], Counts]:
            known = self._seen.find(connection, list(doubtful)) if doubtful else set()
            for key in known:
                _mark_duplicate(doubtful[key])
            _write_rulings(connection, ruled)
            counts = count_violations(connection, ruled, records)
            added = fresh + [key for key in doubtful if key not in known]
            self._seen.record(connection, added)
            exceptions = [event for event in events if event.outcome is not None]
            if exceptions:
                verdicts = [(e.sequence, e.index, e.outcome, e.reason) for e in exceptions]
                connection.execute(SQL["add_verdicts"], (rows_json(verdicts),))
            count_events(connection, groups, exceptions)
            connection.execute(SQL["set_admission_cursor"], (cursor,))
            return added, counts

        added, counts = await self._state.write(work)
        self._seen.remember(added)
        self.cursor = cursor
        if cursor > self._logged_before:
            self.admitted_bytes += sum([len(r.body) for r in records if r.sequence > self._logged_before])
        for event, ruling in ruled:
            if event.outcome is not Outcome.DUPLICATE:
                settle(event, ruling)
        self._count(events)
        if ruled:
            measure(ruled)
        self._transform(groups)  # last: duplicates and verdicts are about what arrived
        self._feed.publish(cursor, groups)
        self._observe(groups)
        if counts:
            self._violated(counts)
        await self._keep_house(records[-1].received_at)

    def _events_of(self, record: Record) -> list[Event]:
        prepared, record.prepared = record.prepared, None
        if prepared is None:
            return events_of(record, self._state.log_id)
        return place(prepared, record, self._state.log_id)

    def _sift(self, events: list[Event]) -> tuple[list[bytes], dict[bytes, Event]]:
        """Mark what surely is a duplicate; return keys that surely are fresh, and those to be looked up."""
        fresh: dict[bytes, None] = {}
        doubtful: dict[bytes, Event] = {}
        is_recent, may_be_known = self._seen.is_recent, self._seen.may_be_known
        for event in events:
            if event.outcome is not None:
                continue
            key = digest(event.source, event.seen_as or event.message_id)
            if key in fresh or key in doubtful:
                _mark_duplicate(event)
            elif not may_be_known(key):
                fresh[key] = None
            elif is_recent(key):
                _mark_duplicate(event)
            else:
                doubtful[key] = event
        return list(fresh), doubtful

    async def _keep_house(self, now: int) -> None:
        if self._seen.is_full:
            after = await self._state.write(self._seen.sort)
            await asyncio.to_thread(after)
        if self._seen.has_old:
            await self._state.write(self._seen.forget_some)
        if now // HOUR > self._tidied_hour:
            await self._state.write(lambda connection: forget_old(connection, now))
            self._tidied_hour = now // HOUR

    def _count(self, events: list[Event]) -> None:
        exceptions = 0
        for event in events:
            if event.outcome is not None:
                exceptions += 1
                metrics.ADMITTED.labels(event.outcome).inc()
        metrics.ADMITTED.labels("admitted").inc(len(events) - exceptions)
        metrics.ADMISSION_LAG.set(self._log.head - self.cursor)


def _write_rulings(connection: sqlite3.Connection, ruled: list[Ruled]) -> None:
    """Write down what plans decided, and give those their verdict that are blocked."""
    rows = []
    for event, ruling in ruled:
        if event.outcome is None:
            rows.append((event.sequence, event.index, encode_ruling(ruling).decode()))
            if ruling.blocked is not None:
                event.outcome, event.reason = Outcome.BLOCKED, ruling.blocked
    if rows:
        connection.execute(SQL["add_rulings"], (rows_json(rows),))


def _mark_duplicate(event: Event) -> None:
    event.outcome = Outcome.DUPLICATE
    event.reason = "duplicate_message_id"
