"""Whether a destination can be reached, and whether it takes the credentials it is given. No event is sent."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import msgspec

from relay.config import Config
from relay.delivery.config import DestinationConfig
from relay.destinations.base import Destination, Request, Steps, at_endpoint
from relay.destinations.errors import DeliveryError, HttpError
from relay.destinations.oauth import OAuthDestination
from relay.destinations.reply import Answer
from relay.destinations.secrets import mask, secrets_of
from relay.destinations.tried import signed

AT_ONCE = 16  # connections that are tried
NOT_TESTED = "not tested"
GOOD = "good"
_PORTS = {"http": 80, "https": 443}


def connections(config: Config) -> list[dict[str, Any]]:
    """What became of one connection to each enabled destination, in the order of the file."""
    enabled = [(d, config.settings[d.name]) for d in config.destinations if d.enabled]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda pair: _connection(*pair), enabled))
    verdicts = asyncio.run(_verdicts(enabled, [not one["problem"] for one in found]))
    for one, verdict in zip(found, verdicts, strict=True):
        one["credentials"] = verdict
    return found


def is_good(connection: dict[str, Any]) -> bool:
    """Whether it can be reached, and does not refuse its credentials."""
    return connection["reachable"] is not False and connection["credentials"] in (GOOD, NOT_TESTED)


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


async def _verdicts(
    enabled: Sequence[tuple[DestinationConfig, Destination]], are_reachable: Sequence[bool]
) -> list[str]:
    from relay.delivery.sender import Sender  # noqa: PLC0415  aiohttp: only whoever connects pays for it

    sender = Sender.open()
    try:
        tests = [
            _verdict(config, settings, sender) if is_reachable else _not_tested()
            for (config, settings), is_reachable in zip(enabled, are_reachable, strict=True)
        ]
        return await asyncio.gather(*tests)
    finally:
        await sender.close()


async def _not_tested() -> str:
    return NOT_TESTED


async def _verdict(config: DestinationConfig, settings: Destination, sender: Any) -> str:
    steps = settings.check()
    if steps is None:
        return NOT_TESTED
    if isinstance(settings, OAuthDestination) and (settings.token is None or settings.oauth.refresh_token):
        return NOT_TESTED  # its token is in the data directory, or may be: `relay status` knows
    masked = mask(secrets_of(settings))
    try:
        await _walk(steps, config, settings, sender)
    except DeliveryError as error:
        return masked(f"refused: {error}")
    return GOOD


async def _walk(steps: Steps, config: DestinationConfig, settings: Destination, sender: Any) -> None:
    try:
        request = next(steps)
        while True:
            reply = await sender.send(_leaving(request, config, settings), config.timeout)
            request = steps.send(reply) if reply.answer is Answer.DELIVERED else steps.throw(HttpError(reply))
    except StopIteration:
        return


def _leaving(request: Request, config: DestinationConfig, settings: Destination) -> Request:
    request = signed(settings, request)
    return msgspec.structs.replace(request, url=at_endpoint(request.url, config.endpoint))
