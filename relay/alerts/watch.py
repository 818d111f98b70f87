"""What alerts see of destinations and sources: how they are now, and what they have done lately.

One look every WATCH_SECONDS reads what is there anyway: what the couriers know, and the totals that are written down with the
events, now and as the history had them. So watching costs an event nothing, whatever is watched.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple, Protocol

import msgspec

from relay.alerts.config import AlertConfig
from relay.alerts.outbox import SQL as ALERTS
from relay.history.history import KEPT_BY_MINUTE, TENTH
from relay.history.totals import (
    FAILED_DELIVERY,
    SOURCE,
    DestinationTotals,
    SourceTotals,
    Standing,
    Totals,
    read_standing,
)
from relay.log.state import SQL, State
from relay.outcome import Outcome

DAY = 86_400_000  # ms
BREAK = 150_000  # what is written down every minute was not written for so long
# of what the history has
RATES = ("dead_letters", "delivery_rate", "source_blocked", "source_silent", "source_volume")

_decode_source = msgspec.json.Decoder(SourceTotals).decode
_decode_destination = msgspec.json.Decoder(DestinationTotals).decode


class Gate(Protocol):
    """Of relay.delivery.pace."""

    @property
    def is_held(self) -> bool: ...


class Courier(Protocol):
    """Of relay.delivery.courier. Times in ms."""

    @property
    def gate(self) -> Gate: ...
    @property
    def is_paused(self) -> bool: ...
    @property
    def held_since(self) -> int: ...
    @property
    def last_success(self) -> int: ...
    @property
    def last_error(self) -> str | None: ...


class Window(Protocol):
    """Of relay.delivery.window."""

    @property
    def mark(self) -> int: ...


class Consumer(Protocol):
    """Of relay.delivery.consumer: one running destination."""

    @property
    def courier(self) -> Courier: ...
    @property
    def window(self) -> Window: ...


class Sight(NamedTuple):
    """Where alerts look. `received_at`: of the first record after a sequence, in ms; `head`: what admission has done with.

    `words` says what a reason means; `console` is where the console is.
    """

    consumers: Callable[[], Mapping[str, Consumer]]
    head: Callable[[], int]
    received_at: Callable[[int], Awaitable[int | None]]
    words: Callable[[str | None], str]
    console: Callable[[], str]


class Look(NamedTuple):
    """How everything was at one moment, and was before. `then`: totals at earlier moments; `ran`: whether relay ran in between."""

    now: int
    head: int
    consumers: Mapping[str, Consumer]
    oldest: Mapping[str, int]  # when what waits the longest was received
    totals: Standing
    then: Mapping[int, Mapping[tuple[str, str], Totals]]
    ran: Mapping[tuple[int, int], bool]

    def lag(self, name: str) -> int:
        """Requests that wait for a destination."""
        return max(0, self.head - self.consumers[name].window.mark)

    def came(self, name: str, since: int, until: int | None = None) -> int:
        """Events that a source has sent."""
        return received(self.source(name, until)) - received(self.source(name, since))

    def ever(self, name: str) -> int:
        """Events that a source has sent since there is a relay."""
        return received(self.source(name, None))

    def went(self, name: str, since: int) -> tuple[int, int, str]:
        """Events of a destination that were delivered and that failed, and why most of these."""
        before, now = self.then[since].get(("destination", name)), self.totals.destinations.get(name)
        if not isinstance(before, DestinationTotals) or now is None:
            return 0, 0, ""
        failed, reason = _grown(_failures(before), _failures(now))
        return now.delivered - before.delivered, failed, reason

    def blocked(self, name: str, since: int) -> tuple[int, str]:
        """Events of a source that its plan has blocked, and why most of these."""
        return _grown(_blocked(self.source(name, since)), _blocked(self.source(name, None)))

    def source(self, name: str, at: int | None) -> SourceTotals:
        """Its totals at a moment; None: now."""
        found = self.totals.sources.get(name) if at is None else self.then[at].get((SOURCE, name))
        return found if isinstance(found, SourceTotals) else SourceTotals()


def received(totals: SourceTotals) -> int:
    return sum(count.n for count in totals.counts)


def _blocked(totals: SourceTotals) -> dict[str, int]:
    return {count.reason: count.n for count in totals.counts if count.outcome == Outcome.BLOCKED}


def _grown(before: Mapping[str, int], now: Mapping[str, int]) -> tuple[int, str]:
    """How many more there are, by reason, and the reason of most."""
    grown = {reason: now.get(reason, 0) - before.get(reason, 0) for reason in (*now, *before)}
    return max(0, sum(grown.values())), max(grown, key=lambda one: grown[one], default="")


def _failures(totals: DestinationTotals) -> dict[str, int]:
    found: dict[str, int] = {}
    for count in totals.counts:
        if count.stage == FAILED_DELIVERY:
            found[count.reason] = found.get(count.reason, 0) + count.n
    return found


async def look(state: State, sight: Sight, rules: Iterable[AlertConfig], now: int) -> Look:
    """Look once, at what these rules are about."""
    rules = tuple(rules)
    consumers, head = dict(sight.consumers()), sight.head()
    oldest = {}
    if any(rule.on == "destination_lagging" for rule in rules):
        for name, consumer in consumers.items():
            mark = consumer.window.mark
            if mark < head and (at := await sight.received_at(mark)) is not None:
                oldest[name] = at
    moments = sorted({moment for rule in rules for moment in moments_of(rule, now)})
    if not moments:
        return Look(now, head, consumers, oldest, Standing({}, {}, {}), {}, {})
    spans = {span for rule in rules for span in spans_of(rule, now)}

    def work(connection: sqlite3.Connection) -> Look:
        totals = read_standing(connection, (), (), {})
        then = {moment: _then(connection, moment) for moment in moments}
        ran = {span: _ran(connection, *span, now) for span in spans}
        return Look(now, head, consumers, oldest, totals, then, ran)

    return await state.read(work)


def moments_of(rule: AlertConfig, now: int) -> tuple[int, ...]:
    """The moments whose totals a rule wants to know, in order."""
    if rule.on == "source_silent" and rule.after_ms is not None:
        return (now - rule.after_ms,)
    if rule.on not in RATES or rule.within_ms is None:
        return ()
    if rule.on == "source_volume":
        return now - DAY - rule.within_ms, now - DAY, now - rule.within_ms
    return (now - rule.within_ms,)


def spans_of(rule: AlertConfig, now: int) -> tuple[tuple[int, int], ...]:
    """The spans in which relay must have run for a rule to say anything: what did not come may have found it off."""
    if rule.on == "source_silent" and rule.after_ms is not None:
        return ((now - rule.after_ms, now),)
    if rule.on == "source_volume" and rule.within_ms is not None:
        since = now - rule.within_ms
        return (since - DAY, now - DAY), (since, now)
    return ()


def _then(connection: sqlite3.Connection, moment: int) -> Mapping[tuple[str, str], Totals]:
    """Totals at a moment; of what was not there yet, the first there are."""
    return {
        (kind, name): _decode_source(totals) if kind == SOURCE else _decode_destination(totals)
        for kind, name, _, _, totals in connection.execute(SQL["history_before"], (moment,))
    }


def _ran(connection: sqlite3.Connection, since: int, until: int, now: int) -> bool:
    """Whether relay ran from one moment to another, but for so short a break as a restart makes."""
    longest = BREAK if since >= now - KEPT_BY_MINUTE else TENTH + BREAK
    rows = connection.execute(ALERTS["moments_of_history"], (since, until))
    moments = (since, *(at for (at,) in rows), until)
    return all(later - earlier <= longest for earlier, later in pairwise(moments))
