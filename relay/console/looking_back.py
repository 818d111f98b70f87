"""Looking through the log backwards, from what the debugger still has in memory to what retention has left.

A look takes as long as a page may take, then gives what it found and where to go on: a place, since a record may have
thousands of events.
"""

import time
from collections.abc import Callable
from typing import Any

import msgspec

from relay.console.listening import Place
from relay.console.search import Search
from relay.event import Event

FEWEST, RECORDS = 4, 200  # of one step: more while there are few events in them
STEP_EVENTS = 2000  # a step with more of them is followed by a shorter one
SECONDS = 0.4  # of one look


class Found(msgspec.Struct):
    """Newest first. `before`: go on with the events before this place; None: that was all."""

    events: list[Event]
    looked_at: int
    oldest_ms: int | None
    before: Place | None


async def look_back(
    feed: Any,
    first: int,
    before: Place,
    search: Search,
    most: int,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """At most `most` events that are meant, of those before a place, in records from `first` on."""
    found = Found([], 0, None, before)
    until = clock() + SECONDS
    records = FEWEST
    while found.before is not None and len(found.events) < most and clock() < until:
        sequence, index = found.before
        end = sequence + (index > 0)
        start = max(first, end - records)
        groups = [group async for group in _between(feed, start, end)]
        seen = found.looked_at
        found.before = (start, 0) if start > first else None
        _take(found, groups, (sequence, index), search, most)
        is_heavy = found.looked_at - seen > STEP_EVENTS
        records = max(1, records // 4) if is_heavy else min(RECORDS, records * 2)
    return found


def _take(found: Found, groups: list[list[Event]], before: Place, search: Search, most: int) -> None:
    """Those of a step that are meant; where there are `most`, `found` ends in the middle of it."""
    for group in reversed(groups):
        for event in reversed(group):
            place = event.sequence, event.index
            if place >= before:
                continue
            found.looked_at += 1
            found.oldest_ms = event.received_at
            if search.matches(event):
                found.events.append(event)
                if len(found.events) == most:
                    found.before = place
                    return


async def _between(feed: Any, start: int, end: int) -> Any:
    """The events of each record from `start` up to and without `end`."""
    after = start - 1
    while after < end - 1:
        groups, reached = await feed.read(after, end - 1 - after)
        for group in groups:
            if group and group[0].sequence < end:
                yield group
        if reached <= after:
            return
        after = reached
