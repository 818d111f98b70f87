"""Senders that do not rest."""

import asyncio

from tests.acceptance.ground import event, is_success
from tests.acceptance.relay_process import RelayProcess, eventually


class Writers:
    """Send as fast as they are answered, and note what was acknowledged."""

    def __init__(self, relay: RelayProcess, n: int) -> None:
        self.acknowledged: set[str] = set()
        self._relay = relay
        self._tasks = [asyncio.create_task(self._write()) for _ in range(n)]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def have(self, n: int) -> None:
        await eventually(
            lambda: len(self.acknowledged) >= n, 60, lambda: f"{len(self.acknowledged)} of {n} events"
        )

    async def _write(self) -> None:
        while True:
            one = event()
            assert is_success(await self._relay.post("/v1/track", one, "web-key"))
            self.acknowledged.add(one["messageId"])
