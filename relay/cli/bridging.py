"""Segment's own destinations in commands: a child process for as long as the command runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from relay.cli.client import CannotDo
from relay.config import Config
from relay.delivery.config import DestinationConfig
from relay.destinations.base import Destination, Route, at_endpoint
from relay.destinations.bridge.catalogue import Bridged
from relay.destinations.bridge.flow import plain, reply_of, request_of
from relay.destinations.bridge.folder import NAME, current
from relay.destinations.bridge.route import BridgeRoute
from relay.destinations.bridge.runtime import FixedTokens, Runtime
from relay.destinations.oauth import OAuthDestination


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[Runtime | None]:
    """Children of the installed version; None: there is none. Raises SandboxError when none comes up."""
    from relay.sandbox.sandbox import Sandbox  # noqa: PLC0415  most commands run no children

    found = current(Path(config.server.data_dir) / NAME)
    if found is None:
        yield None
        return
    async with Sandbox() as sandbox:
        runtime = Runtime(sandbox, found.folder)
        runtime.give(config.integrations.secrets, config.integrations.features)
        await runtime.probe()
        yield runtime


@asynccontextmanager
async def bridged(config: Config, settings: Destination, route: Route) -> AsyncIterator[None]:
    """Within it `route` can be walked, whichever engine its destination has."""
    if not isinstance(route, BridgeRoute):
        yield
        return
    async with running(config) as runtime:
        route.run_in(runtime, tokens_of(settings))
        yield


def tokens_of(settings: Destination) -> FixedTokens | None:
    """The tokens of relay.toml, for a destination that has such."""
    return FixedTokens(settings.oauth) if isinstance(settings, OAuthDestination) else None


async def choices(
    config: Config, destination: DestinationConfig, declared: Bridged, asked: dict[str, Any]
) -> dict[str, Any]:
    """What the vendor offers for a field, by requests that really leave: {choices, nextPage, error}."""
    from relay.delivery.sender import Sender  # noqa: PLC0415  aiohttp: only whoever connects pays for it

    settings = config.settings[destination.name]
    message = {"op": "field", "type": declared.type, "settings": plain(settings), **asked}
    sender = Sender.open()

    async def http(raw: dict[str, Any]) -> dict[str, Any]:
        request = request_of(raw)
        request = msgspec.structs.replace(request, url=at_endpoint(request.url, destination.endpoint))
        reply = await sender.send(request, destination.timeout)
        if reply.status is None:
            raise CannotDo(f"no answer from {urlsplit(request.url).hostname}: {reply.reason}")
        return reply_of(reply)

    try:
        async with running(config) as runtime:
            assert runtime is not None  # the configuration was read with it
            return await runtime.call(message, declared, tokens_of(settings), http)
    finally:
        await sender.close()
