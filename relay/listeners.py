"""The two sockets that relay listens at; both close with the stack that they are opened on."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

from aiohttp import web

from relay.config_checks import parse_address
from relay.gateway.config import ServerConfig

SHUTDOWN_SECONDS = 10.0  # for answers that are being given
KEEP_ALIVE_SECONDS = 75.0  # a connection without requests; longer than the proxies' usual 60 s
BACKLOG = 2048  # connections that wait to be accepted
MAX_HEADER = (
    32 * 1024
)  # a line: on its own site's host relay is sent all cookies of the site, of up to 4 KB each

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class _Quiet:
    """aiohttp's own log of broken requests: they are the sender's affair, and may hold an event's values."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


_QUIET: Any = _Quiet()


async def listen_public(stack: AsyncExitStack, config: ServerConfig, handler: Handler) -> None:
    """Answer at `listen`, with TLS if there is a certificate. On closing, answers that are being given are finished."""
    server = web.Server(
        handler,
        access_log=None,
        logger=_QUIET,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        max_field_size=MAX_HEADER,
    )
    host, port = parse_address(config.listen)
    listener = await asyncio.get_running_loop().create_server(
        server, host, port, ssl=_tls(config), backlog=BACKLOG
    )

    async def close() -> None:
        listener.close()
        server.pre_shutdown()
        await server.shutdown(SHUTDOWN_SECONDS)

    stack.push_async_callback(close)


async def listen_admin(stack: AsyncExitStack, config: ServerConfig, application: web.Application) -> None:
    """Answer at `admin`."""
    runner = web.AppRunner(application, access_log=None, logger=_QUIET, shutdown_timeout=1.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, *parse_address(config.admin)).start()


def _tls(config: ServerConfig) -> ssl.SSLContext | None:
    if config.tls_cert is None or config.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(config.tls_cert, config.tls_key)
    return context
