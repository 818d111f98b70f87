"""What happened lately: the newest events of each source, with what each destination was sent and answered.

A ring in memory, bounded in events and in bytes for each source. Live listeners get what comes as it comes; one
that is slow, or too much a second, loses events and is told how many.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec

from relay.delivery.sender import Answer, Reply
from relay.destinations.base import Request
from relay.event import Event
from relay.times import format_iso

KEPT = 500  # events of a source
KEPT_BYTES = 2_000_000  # of a source
BODY_KEPT = 4000  # characters of a request body and of a reply
LISTENER_EVENTS = 1000  # waiting for one listener

Place = tuple[int, int]


class Seen(msgspec.Struct, gc=False):
    """An event in the ring. `deliveries`: the latest of each destination."""

    event: Event
    deliveries: dict[str, dict[str, Any]]


class Debugger:
    """Observes admission and delivery."""

    def __init__(self) -> None:
        self._rings: dict[str, deque[Seen]] = {}
        self._bytes: dict[str, int] = {}
        self._by_place: dict[Place, Seen] = {}
        self._listeners: list[_Listener] = []

    def admitted(self, events: list[Event]) -> None:
        """Take in what admission let through or gave a verdict; of many, the newest suffice."""
        for event in events if len(events) <= KEPT else events[-KEPT:]:
            self._keep(event)
        for listener in self._listeners:
            listener.offer(events)

    def _keep(self, event: Event) -> None:
        source = event.source
        ring = self._rings.get(source)
        if ring is None:
            ring = self._rings[source] = deque()
            self._bytes[source] = 0
        seen = Seen(event, {})
        ring.append(seen)
        self._by_place[event.sequence, event.index] = seen
        self._bytes[source] += len(event.json)
        while len(ring) > KEPT or (self._bytes[source] > KEPT_BYTES and len(ring) > 1):
            old = ring.popleft().event
            self._bytes[source] -= len(old.json)
            self._by_place.pop((old.sequence, old.index), None)

    def attempted(self, destination: str, request: Request, reply: Reply) -> None:
        """Note a request and its answer with those of its events that are still in the ring."""
        by_place = self._by_place
        noted: dict[str, Any] | None = None
        for event in request.events:
            seen = by_place.get((event.sequence, event.index))
            if seen is not None:
                noted = noted or _attempt(request, reply)
                before = seen.deliveries.get(destination)
                attempts = before["attempts"] + 1 if before else 1
                seen.deliveries[destination] = {**noted, "attempts": attempts}

    def settled(self, destination: str, event: Event, fate: str, reason: str) -> None:
        """Note a fate other than delivered."""
        seen = self._by_place.get((event.sequence, event.index))
        if seen is not None:
            before = seen.deliveries.get(destination, {"attempts": 0})
            seen.deliveries[destination] = {**before, "state": str(fate), "reason": reason}

    def newest(
        self, *, source: str | None, event: str | None, message_id: str | None, limit: int
    ) -> list[dict[str, Any]]:
        """Newest first, of one source or all, by event name or type, or one message id."""
        rings = [self._rings[source]] if source in self._rings else [] if source else self._rings.values()
        found = [s for ring in rings for s in ring if matches(s.event, event, message_id)]
        found.sort(key=lambda s: (s.event.sequence, s.event.index), reverse=True)
        return [shown(s.event, s.deliveries) for s in found[:limit]]

    async def stream(self, *, source: str | None, event: str | None) -> AsyncIterator[dict[str, Any]]:
        """What comes from now on; `{"missed": n}` where n events were left out."""
        listener = _Listener(source, event)
        self._listeners.append(listener)
        try:
            while True:
                for item in await listener.take():
                    yield item
        finally:
            self._listeners.remove(listener)


class _Listener:
    """One live view."""

    def __init__(self, source: str | None, event: str | None) -> None:
        self._source = source
        self._event = event
        self._waiting: deque[Event] = deque()
        self._missed = 0
        self._more = asyncio.Event()

    def offer(self, events: list[Event]) -> None:
        for event in events:
            if self._source is not None and event.source != self._source:
                continue
            if len(self._waiting) >= LISTENER_EVENTS:
                self._missed += 1
            elif matches(event, self._event, None):
                self._waiting.append(event)
        if self._waiting:
            self._more.set()

    async def take(self) -> Iterator[dict[str, Any]]:
        await self._more.wait()
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


def shown(event: Event, deliveries: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """An event of the debugger as JSON has it."""
    return {
        "sequence": event.sequence,
        "index": event.index,
        "source": event.source,
        "verdict": str(event.outcome) if event.outcome is not None else "admitted",
        "reason": event.reason,
        "notes": event.notes,
        "event": event.data,
        "deliveries": deliveries,
    }


def _attempt(request: Request, reply: Reply) -> dict[str, Any]:
    state = "delivered" if reply.answer is Answer.DELIVERED else "retrying"
    return {
        "state": state,
        "reason": None if reply.answer is Answer.DELIVERED else reply.reason,
        "at": format_iso(int(time.time() * 1000)),
        "request": {
            "method": request.method,
            "url": request.url.partition("?")[0],
            "headers": {k: "[secret]" if k in request.secret else v for k, v in request.headers.items()},
            "body": request.body[:BODY_KEPT].decode("utf-8", "replace"),
            "events": len(request.events),
        },
        "reply": {"status": reply.status, "body": reply.text[:BODY_KEPT], "error": reply.error},
        "seconds": round(reply.seconds, 4),
    }
