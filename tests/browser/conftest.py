"""A browser, a site, and a relay behind a front: one of each for all tests of a module."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser.visit import Ground, ground_in


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    async with ground_in(tmp_path_factory.mktemp("browser")) as ready:
        yield ready
