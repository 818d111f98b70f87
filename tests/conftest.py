"""What every test may ask for."""

import os
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, settings

from tests.receiver import Receiver

# how long an example takes, or takes to be found, is the machine's affair; and where nobody looks at what an example
# shows, they are the same in every run
settings.register_profile(
    "relay",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("relay")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A destination that answers 200 to everything until told otherwise."""
    async with Receiver() as server:
        yield server
