"""A relay as a process: it runs until a signal tells it to stop, and takes up its configuration when one tells it to."""

import asyncio
import resource
import signal
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

import structlog

from relay.app import App, running
from relay.config import Config
from relay.errors import ConfigError, DataDirectoryError, RelayError

log = structlog.get_logger()


async def serve(config: Config, environ: Mapping[str, str], ready: Callable[[App], None]) -> None:
    """Run until SIGTERM or SIGINT; SIGHUP takes up the configuration again. `ready(app)` is called once up.

    Raises RelayError when it cannot start, or when a part of it failed by a fault of its own.
    """
    _raise_file_limit()
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    hang_up = asyncio.Event()
    # before anybody can know that relay is up: whoever sees it ready may signal at once
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    loop.add_signal_handler(signal.SIGHUP, hang_up.set)
    async with AsyncExitStack() as stack:
        try:
            app = await stack.enter_async_context(running(config, environ, stopping))
        except OSError as error:
            raise DataDirectoryError(f"cannot start: {error.strerror or error}") from error
        reloads = asyncio.create_task(_reload_on(hang_up, app), name="reload")
        ready(app)
        await stopping.wait()
        log.info("stopping")
    reloads.cancel()  # only now: one that is on its way is let finish before rooms close
    log.info("stopped")
    if app.has_failed:
        raise RelayError("a part of relay failed: see the log above")


def _raise_file_limit() -> None:
    """As many files as the system allows: every browser that is connected takes one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _reload_on(hang_up: asyncio.Event, app: App) -> None:
    """Take up relay.toml again whenever `hang_up` is set."""
    while True:
        await hang_up.wait()
        hang_up.clear()
        try:
            await app.reload()
        except ConfigError as error:
            for problem in error.problems:
                log.error("configuration refused, the old one stays in force", problem=problem)
        except Exception:
            log.exception("configuration could not be taken up")
