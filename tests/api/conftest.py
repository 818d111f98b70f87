"""One relay for a test, with a destination behind it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acceptance.relay_process import webhook
from tests.gateway.relay_here import SOURCE, RelayHere, relay_here
from tests.receiver import Receiver


@pytest.fixture
async def relay(receiver: Receiver, tmp_path: Path) -> AsyncIterator[RelayHere]:
    async with relay_here(tmp_path, SOURCE + webhook(receiver.url)) as here:
        yield here
