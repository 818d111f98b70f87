"""`relay serve`: run the server."""

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from relay.app import App

DEFAULT_FILE = "relay.toml"


@click.command()
@click.option("--config", "file", type=click.Path(path_type=Path), help="relay.toml; default: ./relay.toml if there.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def serve(file: Path | None, log_format: str) -> None:
    """Run the server until it is told to stop."""
    # imported here: half a second that no other command should pay
    import uvloop  # noqa: PLC0415

    from relay.app import serve as run  # noqa: PLC0415
    from relay.config import default, load  # noqa: PLC0415

    _set_up_logging(log_format)
    file = file or (Path(DEFAULT_FILE) if Path(DEFAULT_FILE).exists() else None)
    config = load(file, os.environ) if file is not None else default()
    uvloop.run(run(config, os.environ, _greet))


def _greet(app: "App") -> None:
    """Say where relay listens, and how to send it a first event."""
    server = app.config.server
    scheme = "https" if server.tls_cert else "http"
    lines = [f"relay listens on {scheme}://{server.listen}, the admin listener on http://{server.admin}"]
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
            structlog.processors.format_exc_info if form == "json" else _keep,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _keep(_: object, __: str, event: "dict[str, object]") -> "dict[str, object]":
    return event
