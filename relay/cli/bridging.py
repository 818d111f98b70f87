"""Segment's own destinations in commands: a child process for as long as the command runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from relay.config import Config
from relay.destinations.base import Destination, Route
from relay.destinations.bridge.folder import NAME, current
from relay.destinations.bridge.route import BridgeRoute
from relay.destinations.bridge.runtime import FixedTokens, Runtime
from relay.destinations.oauth import OAuthDestination


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[Runtime | None]:
    """Children of the installed version; None: there is none."""
    from relay.sandbox.sandbox import Sandbox  # noqa: PLC0415  most commands run no children

    found = current(Path(config.server.data_dir) / NAME)
    if found is None:
        yield None
        return
    async with Sandbox() as sandbox:
        runtime = Runtime(sandbox, found.folder)
        runtime.give(config.integrations.secrets, config.integrations.features)
        yield runtime


@asynccontextmanager
async def bridged(config: Config, settings: Destination, route: Route) -> AsyncIterator[None]:
    """Within it `route` can be walked, whichever engine its destination has."""
    if not isinstance(route, BridgeRoute):
        yield
        return
    async with running(config) as runtime:
        tokens = FixedTokens(settings.oauth) if isinstance(settings, OAuthDestination) else None
        route.run_in(runtime, tokens)
        yield
