"""What happened lately: the newest events of each source, with what each destination was sent and answered.

Two kinds of rings in memory, each bounded: the events of a source, a record at a time, and the requests that
carried a source's events to a destination. Both are filled at a cost per record and per request, not per event, and
put together only when somebody looks. Live views: see listening.py.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from typing import Any

from relay.console.exchanges import BODY_KEPT, DELIVERED, Attempt, exchange, merge
from relay.console.listening import Heard, Listener, Place
from relay.console.search import ADMITTED, Search
from relay.destinations.base import Request
from relay.destinations.reply import Reply
from relay.destinations.secrets import Mask
from relay.event import Event
from relay.plans.ruling import described

KEPT = 500  # events of a source
KEPT_BYTES = 2_000_000  # of a source
NOTE_BYTES = 200  # about, of the fate of one event
MOST_LISTENERS = 50


class TooManyListeners(Exception):
    """There are as many live views as relay gives."""


class Ring:
    """The newest of a source, or of a source and a destination: at least KEPT events if there were as many."""

    def __init__(self, max_bytes: int, kept: int = KEPT) -> None:
        self._kept = kept
        self._items: deque[tuple[int, int, Any]] = deque()
        self._events = 0
        self._bytes = 0
        self._max_bytes = max_bytes
        self.has_dropped = False  # something older

    def append(self, events: int, size: int, item: Any) -> None:
        items = self._items
        items.append((events, size, item))
        self._events += events
        self._bytes += size
        while len(items) > 1 and (self._events - items[0][0] >= self._kept or self._bytes > self._max_bytes):
            old_events, old_size, _ = items.popleft()
            self.has_dropped = True
            self._events -= old_events
            self._bytes -= old_size

    def __iter__(self) -> Iterator[Any]:
        return (item for _, _, item in self._items)


class Debugger:
    """Observes admission and delivery."""

    def __init__(self) -> None:
        self._rings: dict[str, Ring] = {}
        self._attempts: dict[tuple[str, str], Ring] = {}
        self._listeners: list[Listener] = []

    def admitted(self, groups: list[list[Event]]) -> None:
        """Take in what admission let through or gave a verdict, the events of each record."""
        rings, total = self._rings, 0
        for events in groups:
            if events:
                ring = rings.get(events[0].source)
                if ring is None:
                    ring = rings[events[0].source] = Ring(KEPT_BYTES)
                size = len(events[0].json) if len(events) == 1 else sum([len(e.json) for e in events])
                ring.append(len(events), size, events)
                total += len(events)
        for listener in self._listeners if total else ():
            listener.offer(groups, total)

    def attempted(
        self,
        destination: str,
        events: Sequence[Event],
        request: Request,
        reply: Reply,
        masked: Mask,
        *,
        is_last: bool = True,
    ) -> None:
        """Note a request and its answer, for each source that has events in it."""
        shown = exchange(len(events), request, reply, masked)
        if shown["state"] == DELIVERED and not is_last:
            shown["state"] = "sending"
        attempt = Attempt(events, shown)
        for source in (events[0].source,) if len(events) == 1 else {e.source for e in events}:
            self._ring(destination, source).append(len(events), BODY_KEPT, attempt)
        self._tell(destination, events, shown["state"])

    def _tell(self, destination: str, events: Sequence[Event], state: str) -> None:
        if self._listeners:
            places = {(event.sequence, event.index) for event in events}
            for listener in self._listeners:
                listener.settled(destination, events, places, state)

    def _ring(self, destination: str, source: str) -> Ring:
        ring = self._attempts.get((destination, source))
        if ring is None:
            ring = self._attempts[destination, source] = Ring(
                KEPT_BYTES, 2 * KEPT
            )  # attempts, and their notes
        return ring

    def settled(self, destination: str, event: Event, fate: str, reason: str, detail: str = "") -> None:
        """Note a fate other than delivered."""
        shown = {"state": str(fate), "reason": reason or None} | ({"detail": detail} if detail else {})
        self._ring(destination, event.source).append(1, NOTE_BYTES, Attempt((event,), shown))
        self._tell(destination, (event,), str(fate))

    def newest(self, search: Search, limit: int) -> list[dict[str, Any]]:
        """Newest first, as JSON has them."""
        return [shown(event, deliveries) for event, deliveries in self.found(search, limit)]

    def found(self, search: Search, limit: int) -> list[tuple[Event, dict[str, Any]]]:
        """The newest that are meant, newest first, each with what each destination did."""
        rings = [self._rings[search.source]] if search.source in self._rings else self._rings.values()
        found = [e for ring in rings for events in ring for e in events if search.matches(e)]
        found.sort(key=lambda e: (e.sequence, e.index), reverse=True)
        if not search.is_about_deliveries:
            del found[limit:]
        deliveries = self.deliveries({(e.sequence, e.index) for e in found}, {e.source for e in found})
        both = [(event, deliveries.get((event.sequence, event.index), {})) for event in found]
        return [one for one in both if search.matches_fates(*one)][:limit]

    def reach(self, search: Search) -> int | None:
        """From which record on everything that is meant is in memory; None when nothing is."""
        rings = [self._rings[search.source]] if search.source in self._rings else [*self._rings.values()]
        oldest = [(ring.has_dropped, next(iter(ring))[0].sequence) for ring in rings]
        dropped = [sequence for has_dropped, sequence in oldest if has_dropped]
        return max(dropped) if dropped else min((sequence for _, sequence in oldest), default=None)

    def told(self, search: Search, events: Sequence[Event]) -> list[dict[str, Any]]:
        """What a live view heard, as JSON has it; with what became of each, if that is what was looked for."""
        if not search.is_about_deliveries:
            return [shown(event, {}) for event in events]
        deliveries = self.deliveries({(e.sequence, e.index) for e in events}, {e.source for e in events})
        return [shown(event, deliveries.get((event.sequence, event.index), {})) for event in events]

    def at(self, place: Place) -> tuple[Event, dict[str, Any]] | None:
        """The event at a place, while it is among the newest."""
        for ring in self._rings.values():
            for events in ring:
                if events[0].sequence == place[0]:
                    for event in events:
                        if event.index == place[1]:
                            return event, self.deliveries({place}, {event.source}).get(place, {})
        return None

    def deliveries(self, places: Collection[Place], sources: Collection[str]) -> dict[Place, dict[str, Any]]:
        """For each place, by destination: its requests with their answers, the last one by itself too."""
        found: dict[Place, dict[str, Any]] = {}
        for (destination, source), attempts in self._attempts.items():
            if source not in sources:
                continue
            for attempt in attempts:
                for event in attempt.events:
                    place = (event.sequence, event.index)
                    if place in places and event.source == source:
                        merge(found.setdefault(place, {}), destination, attempt.shown)
        return found

    def close(self) -> None:
        """End all live views."""
        for listener in self._listeners:
            listener.close()

    async def listen(
        self,
        search: Search,
        is_wanted: Callable[[], bool] = lambda: True,
        per_second: float | None = None,
        *,
        is_following: bool = False,
    ) -> AsyncIterator[Heard]:
        """What comes from now on, while somebody wants it. Raises TooManyListeners.

        `per_second`: see Listener; `is_following`: tell what becomes of what was shown, too.
        """
        if len(self._listeners) >= MOST_LISTENERS:
            raise TooManyListeners
        listener = Listener(search, per_second)
        self._listeners.append(listener)
        try:
            while not listener.is_closed and is_wanted():
                heard = await listener.look()
                if is_following:
                    listener.follow(heard.events)
                yield heard
        finally:
            self._listeners.remove(listener)


def shown(event: Event, deliveries: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """An event of the debugger as JSON has it."""
    return {
        "sequence": event.sequence,
        "index": event.index,
        "source": event.source,
        "verdict": str(event.outcome) if event.outcome is not None else ADMITTED,
        "reason": event.reason,
        "notes": event.notes,
        "violations": described(event.violations),
        "event": event.data,
        "deliveries": deliveries,
    }
