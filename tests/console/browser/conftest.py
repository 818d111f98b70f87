"""A relay and a browser: one of each for all tests of a module."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.console.browser.person import Desk, desk_in


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path_factory.mktemp("console")) as ready:
        yield ready
