"""Looking through the log backwards, from what the debugger still has in memory to what retention has left.

A look takes as long as a page may take, then gives what it found and where to go on.
"""

import time
from collections.abc import Callable
from typing import Any

import msgspec

from relay.console.search import Search
from relay.event import Event

RECORDS = 200  # of one step
STEP_EVENTS = 2000  # of a read; what a step has more of is read in the next
SECONDS = 0.4  # of one look


class Found(msgspec.Struct):
    """Newest first. `before`: go on with the records before this sequence; None: that was all."""

    events: list[Event]
    looked_at: int
    oldest_ms: int | None
    before: int | None


async def look_back(
    feed: Any, first: int, before: int, search: Search, most: int, clock: Callable[[], float] = time.monotonic
) -> Found:
    """At most `most` events or so that are meant, of records before sequence `before`, not older than `first`."""
    found = Found([], 0, None, before)
    until = clock() + SECONDS
    while found.before is not None and len(found.events) < most and clock() < until:
        start = max(first, found.before - RECORDS)
        groups = [group async for group in _between(feed, start, found.before)]
        for group in reversed(groups):
            found.looked_at += len(group)
            found.events += [event for event in reversed(group) if search.matches(event)]
        oldest = next((group[0] for group in groups if group), None)
        found.oldest_ms = oldest.received_at if oldest is not None else found.oldest_ms
        found.before = start if start > first else None
    return found


async def _between(feed: Any, start: int, before: int) -> Any:
    """The events of each record from `start` up to and without `before`."""
    after = start - 1
    while after < before - 1:
        groups, reached = await feed.read(after, STEP_EVENTS)
        for group in groups:
            if group and group[0].sequence < before:
                yield group
        if reached <= after:
            return
        after = reached
