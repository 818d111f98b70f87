"""What happened lately: the newest events of each source, with what each destination was sent and answered.

Two kinds of rings in memory, each bounded: the events of a source, a record at a time, and the requests that
carried a source's events to a destination. Both are filled at a cost per record and per request, not per event, and
put together only when somebody looks. Live listeners get what comes as it comes; one that is slow, or
too much a second, loses events and is told how many.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from relay.destinations.base import Request
from relay.destinations.reply import Answer, Reply
from relay.destinations.secrets import Mask, hiding, shown_headers, shown_url
from relay.event import Event
from relay.outcome import Outcome
from relay.plans.ruling import described
from relay.times import format_iso

KEPT = 500  # events of a source
KEPT_BYTES = 2_000_000  # of a source
NOTE_BYTES = 200  # about, of the fate of one event
REQUESTS_SHOWN = 20  # of an event to a destination, the newest
BODY_KEPT = 4000  # characters of a request body and of a reply
BODY_READ = 2 * BODY_KEPT  # and so far it is looked for secrets: one that the cut goes through is hidden too
LOOK_SECONDS = 2.0  # after which a listener without events is asked whether it is still there
LISTENER_EVENTS = 1000  # waiting for one listener

DELIVERED = "delivered"

Place = tuple[int, int]


class Attempt(msgspec.Struct, gc=False):
    """A request that was sent, and its answer; or, without either, the fate of one event."""

    events: Sequence[Event]
    shown: dict[str, Any]


class Ring:
    """The newest of a source, or of a source and a destination: at least KEPT events if there were as many."""

    def __init__(self, max_bytes: int, kept: int = KEPT) -> None:
        self._kept = kept
        self._items: deque[tuple[int, int, Any]] = deque()
        self._events = 0
        self._bytes = 0
        self._max_bytes = max_bytes

    def append(self, events: int, size: int, item: Any) -> None:
        items = self._items
        items.append((events, size, item))
        self._events += events
        self._bytes += size
        while len(items) > 1 and (self._events - items[0][0] >= self._kept or self._bytes > self._max_bytes):
            old_events, old_size, _ = items.popleft()
            self._events -= old_events
            self._bytes -= old_size

    def __iter__(self) -> Iterator[Any]:
        return (item for _, _, item in self._items)


class Debugger:
    """Observes admission and delivery."""

    def __init__(self) -> None:
        self._rings: dict[str, Ring] = {}
        self._attempts: dict[tuple[str, str], Ring] = {}
        self._listeners: list[_Listener] = []

    def admitted(self, groups: list[list[Event]]) -> None:
        """Take in what admission let through or gave a verdict, the events of each record."""
        rings = self._rings
        for events in groups:
            if events:
                ring = rings.get(events[0].source)
                if ring is None:
                    ring = rings[events[0].source] = Ring(KEPT_BYTES)
                size = len(events[0].json) if len(events) == 1 else sum([len(e.json) for e in events])
                ring.append(len(events), size, events)
        for listener in self._listeners:
            listener.offer(groups)

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
        shown = _attempt(len(events), request, reply, masked)
        if shown["state"] == DELIVERED and not is_last:
            shown["state"] = "sending"
        attempt = Attempt(events, shown)
        for source in (events[0].source,) if len(events) == 1 else {e.source for e in events}:
            self._ring(destination, source).append(len(events), BODY_KEPT, attempt)

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
        note = Attempt((event,), shown)
        self._ring(destination, event.source).append(1, NOTE_BYTES, note)

    def newest(
        self,
        *,
        source: str | None,
        event: str | None,
        message_id: str | None,
        limit: int,
        only_violations: bool = False,
    ) -> list[dict[str, Any]]:
        """Newest first, of one source or all, by event name or type, or one message id."""
        rings = [self._rings[source]] if source in self._rings else [] if source else self._rings.values()
        found = [e for ring in rings for events in ring for e in events if matches(e, event, message_id)]
        if only_violations:
            found = [e for e in found if breaks_plan(e)]
        found.sort(key=lambda e: (e.sequence, e.index), reverse=True)
        del found[limit:]
        deliveries = self._deliveries({e.source for e in found}, {(e.sequence, e.index) for e in found})
        return [shown(e, deliveries.get((e.sequence, e.index), {})) for e in found]

    def _deliveries(self, sources: set[str], places: set[Place]) -> dict[Place, dict[str, Any]]:
        """For each place, by destination: its requests with their answers, the last one by itself too."""
        found: dict[Place, dict[str, Any]] = {}
        for (destination, source), attempts in self._attempts.items():
            if source not in sources:
                continue
            for attempt in attempts:
                for event in attempt.events:
                    place = (event.sequence, event.index)
                    if place in places and event.source == source:
                        _merge(found.setdefault(place, {}), destination, attempt.shown)
        return found

    def close(self) -> None:
        """End all live views."""
        for listener in self._listeners:
            listener.close()

    async def stream(
        self,
        *,
        source: str | None,
        event: str | None,
        only_violations: bool = False,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> AsyncIterator[dict[str, Any]]:
        """What comes from now on, while somebody wants it; `{"missed": n}` where n events were left out."""
        listener = _Listener(source, event, only_violations=only_violations)
        self._listeners.append(listener)
        try:
            while not listener.is_closed and is_wanted():
                for item in await listener.take():
                    yield item
        finally:
            self._listeners.remove(listener)


class _Listener:
    """One live view."""

    def __init__(self, source: str | None, event: str | None, *, only_violations: bool) -> None:
        self._source = source
        self._event = event
        self._only_violations = only_violations
        self._waiting: deque[Event] = deque()
        self._missed = 0
        self._more = asyncio.Event()
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True
        self._more.set()

    def offer(self, groups: list[list[Event]]) -> None:
        for events in groups:
            if not events or (self._source is not None and events[0].source != self._source):
                continue
            for event in events:
                if self._only_violations and not breaks_plan(event):
                    continue
                if not matches(event, self._event, None):
                    continue
                if len(self._waiting) < LISTENER_EVENTS:
                    self._waiting.append(event)
                else:
                    self._missed += 1
        if self._waiting:
            self._more.set()

    async def take(self) -> Iterator[dict[str, Any]]:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._more.wait()
        except TimeoutError:
            pass
        self._more.clear()
        events, missed = list(self._waiting), self._missed
        self._waiting.clear()
        self._missed = 0
        items = [shown(event, {}) for event in events]
        return iter([*items, {"missed": missed}] if missed else items)


def matches(event: Event, name: str | None, message_id: str | None) -> bool:
    """Whether an event has this name or type, and this message id; None: any."""
    data = event.data
    if message_id is not None and data.get("messageId") != message_id:
        return False
    return name is None or name in (data.get("event"), data.get("type"), data.get("name"))


def breaks_plan(event: Event) -> bool:
    """Whether an event does not keep its tracking plan: it has violations, or is blocked."""
    return bool(event.violations) or event.outcome is Outcome.BLOCKED


def shown(event: Event, deliveries: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """An event of the debugger as JSON has it."""
    return {
        "sequence": event.sequence,
        "index": event.index,
        "source": event.source,
        "verdict": str(event.outcome) if event.outcome is not None else "admitted",
        "reason": event.reason,
        "notes": event.notes,
        "violations": described(event.violations),
        "event": event.data,
        "deliveries": deliveries,
    }


def _merge(by_destination: dict[str, Any], destination: str, new: dict[str, Any]) -> None:
    before = by_destination.get(destination, {"attempts": 0})
    if "request" not in new:
        by_destination[destination] = before | new
        return
    exchanges = [
        *before.get("requests", ()),
        {key: new[key] for key in ("at", "request", "reply", "seconds")},
    ]
    by_destination[destination] = {
        **before,
        **new,
        "attempts": before["attempts"] + 1,
        "requests": exchanges[-REQUESTS_SHOWN:],
    }


def _without_secrets(request: Request) -> Request:
    """A request to a URL without user, password and query, which may all hold keys."""
    parts = urlsplit(request.url)
    url = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    return msgspec.structs.replace(request, url=url)


def _kept(text: str, masked: Mask) -> str:
    return masked(text)[:BODY_KEPT]


def _attempt(events: int, request: Request, reply: Reply, masked: Mask) -> dict[str, Any]:
    state = DELIVERED if reply.answer is Answer.DELIVERED else "retrying"
    masked = hiding(request, masked)
    return {
        "state": state,
        "reason": None if reply.answer is Answer.DELIVERED else reply.reason,
        "at": format_iso(int(time.time() * 1000)),
        "request": {
            "method": request.method,
            "url": shown_url(_without_secrets(request), masked),
            "headers": shown_headers(request, masked),
            "body": _kept(request.body[:BODY_READ].decode("utf-8", "replace"), masked),
            "events": events,
        },
        "reply": {
            "status": reply.status,
            "body": _kept(reply.text[:BODY_READ], masked),
            "error": reply.error,
        },
        "seconds": round(reply.seconds, 4),
    }
