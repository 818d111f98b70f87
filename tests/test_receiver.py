"""What the tests' own receiver owes them."""

import gc
import socket
from asyncio import sleep

import pytest

from tests.receiver import Receiver


@pytest.mark.parametrize("turns", range(6))
async def test_a_stop_while_somebody_connects_leaves_nothing_open(turns: int) -> None:
    """What is left open is a warning, in whichever test comes next."""
    async with Receiver() as receiver:
        with socket.create_connection(("127.0.0.1", int(receiver.url.rpartition(":")[2]))):
            for _ in range(turns):
                await sleep(0)
            await receiver.stop()
            gc.collect()
