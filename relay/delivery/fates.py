"""What becomes of each event of one destination, and where that is noted.

Delivered events only move the window's mark. Exceptions go to the ledger: parked ones with the time of the next
try, dead letters with the reply that refused them.
"""

import time
from collections.abc import Callable, Sequence

from relay import metrics
from relay.delivery.batch import Batch, Waiting, user_key
from relay.delivery.config import DestinationConfig
from relay.delivery.ledger import Ledger
from relay.delivery.observer import Observer
from relay.delivery.pace import parked_delay
from relay.delivery.tally import Why
from relay.delivery.window import Window
from relay.destinations.reply import Reply
from relay.event import Event
from relay.outcome import Outcome

REPLY_KEPT = 2000  # characters of a reply in a dead letter
BEHIND = "behind an earlier event of the same user"
RETENTION = "RETENTION"  # the log no longer holds what was to be tried again


class Fates:
    """Settles events. `counts` are the fates of events that came from the retry table."""

    def __init__(
        self,
        config: DestinationConfig,
        window: Window,
        ledger: Ledger,
        observer: Observer,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.counts: dict[Outcome, int] = dict.fromkeys(Outcome, 0)
        self.parked_users: dict[str, int] = {}  # only for `order = "user"`: who must wait
        self.on_parked: Callable[[int], None] = lambda _: None
        self._name = config.name
        self._retry_ms = int(config.retry_for * 1000)
        self.keeps_order = config.order == "user"
        self._window = window
        self._ledger = ledger
        self._observer = observer
        self._now = now
        self._bound = {o: metrics.DELIVERED.labels(config.name, o) for o in Outcome}

    @property
    def totals(self) -> dict[Outcome, int]:
        """Events per fate: those of finished records, and those of the retry table."""
        return {o: self.counts[o] + self._window.fates[o] for o in Outcome}

    def now_ms(self) -> int:
        return int(self._now() * 1000)

    def judged(self, event: Event, outcome: Outcome) -> None:
        """Admission has decided already."""
        self._window.settle(event.sequence, Why(outcome, event.reason or "", event.index, is_verdict=True))
        self._bound[outcome].inc()

    def filtered(self, event: Event, reason: str) -> None:
        """Not for this destination, by a rule of the sender or the operator."""
        is_verdict = event.outcome is not None  # by a rule of the source
        self._window.settle(event.sequence, Why(Outcome.FILTERED, reason, event.index, is_verdict))
        self._bound[Outcome.FILTERED].inc()
        self._observer.settled(self._name, event, Outcome.FILTERED, reason)

    def unwanted(self, batch: Batch, reason: str) -> None:
        """Not for this destination, or not any more."""
        for event in batch.events:
            if batch.parked is None:
                self.filtered(event, reason)
            else:
                self._leave_table(event, batch, Why(Outcome.FILTERED, reason, event.index))
                self._bound[Outcome.FILTERED].inc()
                self._observer.settled(self._name, event, Outcome.FILTERED, reason)

    def delivered(self, batch: Batch) -> None:
        self._bound[Outcome.DELIVERED].inc(len(batch.events))
        self._ledger.delivered(len(batch.events))
        if batch.parked is None:
            self._window.delivered(batch.events)
            return
        for event in batch.events:
            self._leave_table(event, batch)

    def tell(self, event: Event) -> None:
        """Say that an event was delivered where no single answer said so."""
        self._observer.settled(self._name, event, Outcome.DELIVERED, "")

    def bury(
        self,
        batch: Batch,
        reply: Reply,
        outcome: Outcome = Outcome.REJECTED,
        *,
        done: Sequence[str] = (),
    ) -> None:
        """Dead letters, with the reply. `done`: digests of the subscriptions that were served all the same."""
        for event in batch.events:
            before = batch.parked[event.sequence, event.index].attempts if batch.parked else 0
            self._ledger.bury(
                self._name,
                event.sequence,
                event.index,
                outcome,
                reply.reason,
                None if reply.is_ours else reply.status,
                reply.text[:REPLY_KEPT],
                before + batch.tries + 1,
                self.now_ms(),
                " ".join(done),
            )
            why = Why(outcome, reply.reason, event.index)
            if batch.parked is None:
                self._window.settle(event.sequence, why)
            else:
                self._leave_table(event, batch, why)
            self._bound[outcome].inc()
            detail = reply.text if reply.is_ours else ""
            self._observer.settled(self._name, event, outcome, reply.reason, detail)

    def park(self, batch: Batch, reply: Reply, last_success: int, *, done: Sequence[str] = ()) -> None:
        """Later: into the retry table, or back into it. `last_success` (ms): the destination's, of any event.

        An attempt counts when the destination has answered others since the one before.
        """
        now, served = self.now_ms(), " ".join(done)
        for event in batch.events:
            if batch.parked is None:
                next_at = now + int(parked_delay(1) * 1000)
                row = Waiting(1, now + self._retry_ms, now, self._wait_for_user(event), served)
                self._note(event, row, next_at, reply.reason)
                self._window.settle(event.sequence, None)
                continue
            row = batch.parked[event.sequence, event.index]
            counts = last_success > row.tried_at
            if counts and now >= row.expires_at:
                self.bury(batch.part([event]), reply, Outcome.EXPIRED, done=done)
                continue
            attempts = row.attempts + counts
            next_at = now + int(parked_delay(max(attempts, 1)) * 1000)
            if now < row.expires_at:
                next_at = min(next_at, row.expires_at)  # one last try when the time is up
            self._note(
                event, Waiting(attempts, row.expires_at, now, row.user_key, served), next_at, reply.reason
            )

    def is_behind(self, event: Event) -> bool:
        """Whether an earlier event of the same user waits in the retry table."""
        return bool(self.parked_users) and user_key(event) in self.parked_users

    def park_behind(self, event: Event) -> bool:
        """True, and parked, when an earlier event of the same user waits in the retry table."""
        if not self.is_behind(event):
            return False
        now = self.now_ms()
        row = Waiting(0, now + self._retry_ms, now, self._wait_for_user(event))
        self._note(event, row, now, BEHIND)
        self._window.settle(event.sequence, None)
        return True

    def redriven(self, sequence: int, place: int, outcome: Outcome, reason: str) -> None:
        """A dead letter was put into the retry table: its fate is open again."""
        if not self._window.reopen(sequence, place) and self.totals[outcome]:
            self.counts[outcome] -= 1
            self._window.tally.uncount(outcome, reason)
        self.on_parked(self.now_ms())

    def lost(self, sequence: int, index: int, row: Waiting) -> None:
        """A parked event whose record retention has dropped."""
        self._ledger.unpark(self._name, sequence, index)
        self._release(row.user_key)
        why = Why(Outcome.EXPIRED, RETENTION, index)
        if not self._window.unpark(sequence, index, why):
            self.counts[Outcome.EXPIRED] += 1
            self._window.tally.count(why, sequence)
        self._bound[Outcome.EXPIRED].inc()

    def _wait_for_user(self, event: Event) -> str | None:
        """With order kept: from now on the user's later events wait behind this one."""
        if not self.keeps_order:
            return None
        key = user_key(event)
        self.parked_users[key] = self.parked_users.get(key, 0) + 1
        return key

    def _release(self, key: str | None) -> None:
        if key is not None and key in self.parked_users:
            self.parked_users[key] -= 1
            if not self.parked_users[key]:
                del self.parked_users[key]

    def _note(self, event: Event, row: Waiting, next_at: int, reason: str) -> None:
        self._ledger.park(
            self._name,
            event.sequence,
            event.index,
            row.attempts,
            next_at,
            row.expires_at,
            row.tried_at,
            reason,
            row.user_key,
            row.done,
        )
        self._observer.settled(self._name, event, "parked", reason)
        self.on_parked(next_at)

    def _leave_table(self, event: Event, batch: Batch, why: Why | None = None) -> None:
        """An event is not parked any more: it was delivered, or not, and why."""
        assert batch.parked is not None
        self._ledger.unpark(self._name, event.sequence, event.index)
        if self._window.unpark(event.sequence, event.index, why):
            pass
        elif why is None:
            self.counts[Outcome.DELIVERED] += 1
            self._window.tally.delivered(1, event.received_at, self.now_ms())
        else:
            self.counts[why.outcome] += 1
            self._window.tally.count(why, event.sequence)
        self._release(batch.parked[event.sequence, event.index].user_key)
