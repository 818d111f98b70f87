"""What the benchmarks' own servers have in common: uvloop, no collector pauses, and they outlive nobody.

A child ends by signal when its benchmark is done, or by itself within a second when the benchmark
was killed.
"""

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable

import uvloop


def serve(start: Callable[[], Awaitable[object]]) -> None:
    """Run the server that `start` starts for as long as the parent process lives."""
    uvloop.run(_serve(start))


async def _serve(start: Callable[[], Awaitable[object]]) -> None:
    parent = os.getppid()
    server = await start()
    gc.freeze()
    while os.getppid() == parent:
        await asyncio.sleep(1)
    del server  # held until here
