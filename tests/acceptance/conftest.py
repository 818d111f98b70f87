"""A relay for a test, and Segment's SDKs to drive it with."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.ground import Ground, ground_in
from tests.acceptance.relay_process import RelayProcess, running
from tests.acceptance.sdks import install_node_sdk

StartRelay = Callable[[str], Awaitable[RelayProcess]]


@pytest.fixture
async def start_relay(tmp_path: Path) -> AsyncIterator[StartRelay]:
    """Start relays with a given config; each is stopped and checked at the end of the test."""
    async with AsyncExitStack() as stack:

        async def start(config: str) -> RelayProcess:
            return await stack.enter_async_context(running(tmp_path, config))

        yield start


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    """One relay for all tests of a module, which tell their events apart by messageId."""
    async with ground_in(tmp_path_factory.mktemp("relay")) as ready:
        yield ready


@pytest.fixture(scope="session")
def node_sdk() -> Path:
    """The folder in which @segment/analytics-node is installed."""
    return install_node_sdk()
