"""A sandbox with real Deno children, and what is asked of them."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from relay.sandbox import deno
from relay.sandbox.child import Child
from relay.sandbox.limits import Limits
from relay.sandbox.pool import Pool
from relay.sandbox.sandbox import Sandbox

WORKER = Path(__file__).with_name("worker.mjs")
MB = 1024 * 1024
LIMITS = Limits(seconds=60, memory_bytes=256 * MB, rss_bytes=512 * MB, heap_mb=64, in_flight=3)


async def spawn(limits: Limits = LIMITS, readable: Sequence[Path] = ()) -> Child:
    return await deno.start("a test", WORKER, limits, readable=readable)


@asynccontextmanager
async def child(limits: Limits = LIMITS, readable: Sequence[Path] = ()) -> AsyncIterator[Child]:
    one = await spawn(limits, readable)
    try:
        yield one
    finally:
        await one.stop()


@asynccontextmanager
async def pool(
    limits: Limits = LIMITS, cap: int = 1, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[Pool]:
    async with Sandbox(clock=clock) as sandbox:
        yield sandbox.pool("test", lambda: spawn(limits), limits, cap)


def code(text: str, /, **more: Any) -> dict[str, Any]:
    return {"op": "code", "code": text, **more}


async def run(pool: Pool, text: str, /, on_http: Any = None, **more: Any) -> Any:
    async with pool.slot() as slot:
        return await slot.call(code(text, **more), on_http=on_http)


class Neighbour:
    """A call that is in flight from `begun` until its child dies or `release` is called."""

    def __init__(self, pool: Pool, number: int) -> None:
        self.begun = asyncio.Event()
        self.runs = 0
        self.ended_at = 0.0
        self._released = asyncio.Event()
        self.number = number
        self.answer = asyncio.create_task(self._run(pool))

    async def _run(self, pool: Pool) -> Any:
        text = "return [message.number, await http({number: message.number})]"
        answer = await run(pool, text, self._http, number=self.number)
        self.ended_at = time.perf_counter()
        return answer

    async def _http(self, request: dict[str, Any]) -> dict[str, Any]:
        assert request == {"number": self.number}
        self.runs += 1
        self.begun.set()
        if self.runs == 1:
            await self._released.wait()
        return {"status": 200 + self.number}

    def release(self) -> None:
        self._released.set()

    @property
    def right(self) -> list[Any]:
        return [self.number, {"status": 200 + self.number}]


@asynccontextmanager
async def longest_gap() -> AsyncIterator[list[float]]:
    """How long the loop was not free, at most, in milliseconds: its one item, once it is over."""
    gaps = [0.0]

    async def measure() -> None:
        before = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            gaps[0] = max(gaps[0], (now - before - 0.001) * 1000)
            before = now

    task = asyncio.create_task(measure())
    try:
        yield gaps
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
