"""Records to be kept, and telling them apart."""

import asyncio
import random
from collections.abc import Iterable
from copy import copy

from relay.log.base import Log
from relay.log.record import Record

NOON = 1_795_521_600_000  # 2026-11-24T12:00:00Z


def record(n: int, *, size: int = 40, events: int = 1, received_at: int | None = None) -> Record:
    """The n-th record: no two are alike in any field that may differ. Its body does not compress."""
    return Record(
        NOON + n if received_at is None else received_at,
        f"source-{n}",
        "batch" if n % 2 else "track",
        bool(n % 3),
        None if n % 5 == 0 else f"10.0.0.{n % 256}",
        None if n % 7 == 0 else f"sdk/{n}",
        None if n % 4 else f"2026-11-24T12:00:00.{n % 1000:03}Z",
        events,
        b"%d:" % n + random.Random(n).randbytes(size),
    )


async def append(log: Log, records: Iterable[Record]) -> list[int]:
    """Hand all in at once, and wait until they are durable."""
    return list(await asyncio.gather(*[log.append(r) for r in records]))


async def append_singly(log: Log, records: Iterable[Record]) -> list[int]:
    """Hand in one after another, so that each is a group of its own."""
    return [await log.append(r) for r in records]


def kept(records: Iterable[Record], first: int = 1) -> list[Record]:
    """What the log should answer for `records`, the first of which has the sequence `first`."""
    expected = []
    for sequence, one in enumerate(records, first):
        one = copy(one)  # noqa: PLW2901  the log keeps the other
        one.sequence = sequence
        expected.append(one)
    return expected


async def read_all(log: Log, *, after: int | None = None, max_events: int = 1000) -> list[Record]:
    """Everything the log holds, read until nothing more comes."""
    found: list[Record] = []
    place = log.first - 1 if after is None else after
    while more := await log.read(place, max_events, 10_000_000):
        found += more
        place = more[-1].sequence
    return found
