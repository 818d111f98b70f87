"""What every test may ask for."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, settings

from tests.receiver import Receiver

# how long an example takes, or takes to be found, is the machine's affair
settings.register_profile("relay", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("relay")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A destination that answers 200 to everything until told otherwise."""
    async with Receiver() as server:
        yield server
