"""What every test may ask for."""

from collections.abc import AsyncIterator

import pytest

from tests.receiver import Receiver


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A destination that answers 200 to everything until told otherwise."""
    async with Receiver() as server:
        yield server
