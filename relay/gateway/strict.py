"""Strict sources: a request with an event that breaks the tracking plan is refused whole, and the sender told why.

    {"index", "messageId", "event", "type", "field", "description"}

`index` is the event's place in a batch; `type` is the kind of violation. No value of an event is told but its name.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from relay.event import Event, name_of

Breaches = Callable[[Event], list[tuple[str, str, str]]]

CODE = "schema_violation"
MESSAGE = "events do not keep the tracking plan: nothing of this request was kept"

MAX_TOLD = 200  # violations of one request; whoever mends these sees the others
MAX_NAME = 200  # characters of an event's name
LOOP_SECONDS = 0.005  # of the loop at a time, as in admission


async def violations_of(events: list[Event], breaches: Breaches, *, is_batch: bool) -> list[dict[str, Any]]:
    """What is told of these events, in order; nothing when all keep the plan."""
    told: list[dict[str, Any]] = []
    since = time.perf_counter()
    for event in events:
        for kind, field, description in breaches(event):
            place = {"index": event.index} if is_batch else {}
            named = {"messageId": event.message_id or None, "event": name_of(event.data)[:MAX_NAME]}
            told.append(place | named | {"type": kind, "field": field, "description": description})
        if len(told) >= MAX_TOLD:
            break
        if time.perf_counter() - since > LOOP_SECONDS:
            await asyncio.sleep(0)
            since = time.perf_counter()
    return told[:MAX_TOLD]
