"""Waits for what relay accepted to reach a sink, and says what was lost: by messageId, not by count."""

import asyncio
import time
from array import array
from dataclasses import dataclass

from bench.events import Requests
from bench.processes import Sink

_PATIENCE = 30.0  # seconds without anything new, after which what is missing counts as lost


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one sink got of what was accepted."""

    delivered: int
    lost: int
    duplicates: int
    requests: int
    last_at: float  # of time.time(): when the last event that was new to it came


async def lag(sink: Sink, accepted: int) -> int:
    """How many of the accepted events are not there yet."""
    return max(0, accepted - int((await sink.stats())["distinct"]))


async def arrived(sink: Sink, count: int) -> bool:
    """Wait for that many distinct events; `False` when nothing new comes any more before that."""
    best, since = -1, time.monotonic()
    while time.monotonic() - since < _PATIENCE:
        distinct = int((await sink.stats())["distinct"])
        if distinct >= count:
            return True
        if distinct > best:
            best, since = distinct, time.monotonic()
        await asyncio.sleep(0.05)
    return False


async def all_delivered(sink: Sink, requests: Requests, numbers: "array[int]") -> Delivery:
    """Wait until every event of the requests with these numbers is there, or nothing new comes any more.

    Events of requests that were not answered with 200 may arrive too; they make up for nothing.
    """
    expected = set(requests.ids(numbers))
    strangers = 0
    while True:
        is_complete = await arrived(sink, len(expected) + strangers)
        ids = await sink.ids()
        missing, strangers = len(expected - ids), len(ids - expected)
        if not missing or not is_complete:
            break
    stats = await sink.stats()
    return Delivery(
        len(expected) - missing, missing, stats["duplicates"], stats["requests"], stats["last_at"]
    )
