"""`relay serve`: run the server."""

import logging
import os
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relay.cli.config_file import read
from relay.cli.options import config_option

if TYPE_CHECKING:
    from relay.app import App


@click.command()
@config_option
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="On stderr."
)
def serve(file: Path | None, log_format: str) -> None:
    """Run the server until it is told to stop.

    With no relay.toml it starts all the same: one source, its write key printed, data in ./data. SIGHUP, or
    `relay reload`, takes up a changed file; SIGTERM stops it in good order.
    """
    # imported here: half a second that no other command should pay
    import uvloop  # noqa: PLC0415

    from relay.serving import serve as run  # noqa: PLC0415

    _set_up_logging(log_format)
    uvloop.run(run(read(file), os.environ, _greet))


def _greet(app: "App") -> None:
    """Say where relay listens, and how to send it a first event."""
    server = app.config.server
    scheme = "https" if server.tls_cert else "http"
    lines = [
        f"relay listens on {scheme}://{server.listen}, console and admin listener are at http://{server.admin}"
    ]
    if server.admin_token is None:
        lines.append(f"admin token (in {server.data_dir}/admin_token): {app.admin_token}")
    if app.config.path is None or not app.has_own_sources:
        key = app.config.sources[0].keys[0]
        lines += [
            f"write key of the source `{app.config.sources[0].name}`: {key}",
            "send a first event:",
            f"  curl {scheme}://{server.listen}/v1/track -u {key}: -H 'Content-Type: application/json' \\",
            """    -d '{"event": "First Event", "userId": "me"}'""",
        ]
    click.echo("\n".join(lines))
    sys.stdout.flush()


def _set_up_logging(form: str) -> None:
    import structlog  # noqa: PLC0415

    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_values,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _without_values(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Where a fault of our own happened and of which kind; its message could quote an event."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        trace = "".join(traceback.format_tb(error.__traceback__))
        event["exception"] = f"{trace}{type(error).__name__}"
    return event
