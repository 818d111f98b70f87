"""Whether a destination can be reached, and whether it takes the credentials it is given. No event is sent."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec

from relay.cli.bridging import running, tokens_of
from relay.config import Config
from relay.delivery.config import DestinationConfig
from relay.destinations.base import Destination, Request, Steps, at_endpoint
from relay.destinations.bridge.flow import credentials_test
from relay.destinations.bridge.kinds import BridgedDestination
from relay.destinations.bridge.runtime import Runtime
from relay.destinations.errors import DeliveryError
from relay.destinations.flow import AsyncSteps, Ended, begin, go_on, leave
from relay.destinations.oauth import OAuthDestination
from relay.destinations.secrets import mask, secrets_of
from relay.destinations.tried import signed
from relay.sandbox.errors import SandboxError

Enabled = Sequence[tuple[DestinationConfig, Destination]]

AT_ONCE = 16  # connections that are tried
NOT_TESTED = "not tested"
GOOD = "good"
_REFUSED = frozenset((401, 403))
_PORTS = {"http": 80, "https": 443}


def connections(config: Config) -> list[dict[str, Any]]:
    """What became of one connection to each enabled destination, in the order of the file."""
    enabled = [(d, config.settings[d.name]) for d in config.destinations if d.enabled]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda pair: _connection(*pair), enabled))
    verdicts = asyncio.run(_verdicts(config, enabled, [not one["problem"] for one in found]))
    for one, verdict in zip(found, verdicts, strict=True):
        one["credentials"] = verdict
    return found


def is_good(connection: dict[str, Any]) -> bool:
    """Whether it can be reached, and does not refuse its credentials."""
    credentials = connection["credentials"]
    return connection["reachable"] is not False and (
        credentials == GOOD or credentials.startswith(NOT_TESTED)
    )


def _connection(destination: DestinationConfig, settings: Destination) -> dict[str, Any]:
    place = destination.endpoint or settings.place
    if place is None:  # each subscription says where
        return {"destination": destination.name, "address": None, "reachable": None, "problem": None}
    scheme, host, port = _address(place)
    problem = _try(scheme, host, port, destination.timeout)
    return {
        "destination": destination.name,
        "address": f"{scheme}://{host}:{port}",
        "reachable": problem is None,
        "problem": problem,
    }


def _address(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)


def _try(scheme: str, host: str, port: int, seconds: float) -> str | None:
    """Why no connection comes about; None when it does."""
    try:
        with socket.create_connection((host, port), seconds) as plain:
            if scheme == "https":
                with ssl.create_default_context().wrap_socket(plain, server_hostname=host):
                    pass
    except TimeoutError:
        return f"no answer within {seconds:g} s"
    except ssl.SSLCertVerificationError as error:
        return f"its certificate is not trusted: {error.verify_message}"
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that no host can have
        return str(getattr(error, "strerror", None) or error)
    return None


async def _verdicts(config: Config, enabled: Enabled, are_reachable: Sequence[bool]) -> list[str]:
    from relay.delivery.sender import Sender  # noqa: PLC0415  aiohttp: only whoever connects pays for it

    sender = Sender.open()
    try:
        async with _runtime(config, enabled) as runtime:
            tests = [
                _verdict(one, settings, sender, runtime) if is_reachable else _not_tested()
                for (one, settings), is_reachable in zip(enabled, are_reachable, strict=True)
            ]
            return await asyncio.gather(*tests)
    finally:
        await sender.close()


@asynccontextmanager
async def _runtime(config: Config, enabled: Enabled) -> AsyncIterator[Runtime | str | None]:
    """What runs Segment's own tests, or why nothing does. None: nobody needs it, or it was removed just now."""
    if not any(isinstance(settings, BridgedDestination) for _, settings in enabled):
        yield None
        return
    async with AsyncExitStack() as stack:
        runtime: Runtime | str | None
        try:
            runtime = await stack.enter_async_context(running(config))
        except SandboxError as error:
            runtime = str(error)
        yield runtime


async def _not_tested() -> str:
    return NOT_TESTED


async def _verdict(
    config: DestinationConfig, settings: Destination, sender: Any, runtime: Runtime | str | None
) -> str:
    if why := _hindrance(settings):
        return f"{NOT_TESTED}: {why}"
    steps: Steps | AsyncSteps | None = settings.check()
    if isinstance(settings, BridgedDestination):
        if not isinstance(runtime, Runtime):
            return f"{NOT_TESTED}: {runtime}"
        steps = credentials_test(settings.declared, settings, runtime, tokens_of(settings))
    if steps is None:
        return NOT_TESTED
    try:
        await _walk(steps, config, settings, sender)
    except DeliveryError as error:
        return mask(secrets_of(settings))(_complaint(error))
    return GOOD


def _hindrance(settings: Destination) -> str | None:
    """Why the credentials cannot be tested, where that lies in relay.toml."""
    if isinstance(settings, OAuthDestination):
        if settings.oauth.refresh_token:  # the token that counts is in the data directory, or may be
            return "its token is renewed, see `relay status`"
        if settings.token is None:
            return "no token in relay.toml, see `relay status`"
    return settings.untested


def _complaint(error: DeliveryError) -> str:
    """Only these two are about the credentials; what else was answered says nothing about them."""
    status = error.reply.status
    if status is None:
        return f"no answer: {error.reply.reason}"
    return f"refused: {error}" if status in _REFUSED else str(error)


async def _walk(
    steps: Steps | AsyncSteps, config: DestinationConfig, settings: Destination, sender: Any
) -> None:
    try:
        request = await begin(steps)
        while True:
            request = await go_on(
                steps, await sender.send(_leaving(request, config, settings), config.timeout)
            )
    except Ended:
        return
    finally:
        await leave(steps)


def _leaving(request: Request, config: DestinationConfig, settings: Destination) -> Request:
    request = request if isinstance(settings, BridgedDestination) else signed(settings, request)
    return msgspec.structs.replace(request, url=at_endpoint(request.url, config.endpoint))
