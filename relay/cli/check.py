"""`relay check`: whether relay.toml is right, and whether its destinations can be reached."""

import platform
import socket
import sqlite3
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from relay.cli.config_file import chosen, read
from relay.cli.options import config_option, json_option
from relay.cli.printing import counted, print_json, print_table
from relay.config import Config
from relay.delivery.config import DestinationConfig
from relay.destinations.base import Destination
from relay.errors import ConfigError

AT_ONCE = 16  # connections that are tried
_PORTS = {"http": 80, "https": 443}


@click.command()
@config_option
@click.option("--connect", is_flag=True, help="Also connect to every enabled destination; nothing is sent.")
@json_option
def check(file: Path | None, *, connect: bool, as_json: bool) -> None:
    """Check the configuration: every mistake, with its line.

    Exit code 1 when there is one, or with --connect when a destination cannot be reached.
    """
    try:
        config = read(file)
    except ConfigError as error:
        _print_problems(error.problems, as_json=as_json)
        sys.exit(1)
    found = _connections(config) if connect else []
    if as_json:
        print_json(_summary(config) | ({"connections": found} if connect else {}))
    else:
        _print(config, file)
        if found:
            print_table(
                ("destination", "address", "reachable"),
                [(c["destination"], c["address"], c["problem"] or "yes") for c in found],
            )
    sys.exit(any(not connection["reachable"] for connection in found))


def _print_problems(problems: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        print_json({"valid": False, "problems": list(problems)})
    else:
        click.echo("\n".join(problems))


def _summary(config: Config) -> dict[str, Any]:
    return {
        "valid": True,
        "problems": [],
        "file": None if config.path is None else str(config.path),
        "sources": [source.name for source in config.sources],
        "destinations": [destination.name for destination in config.destinations],
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def _print(config: Config, file: Path | None) -> None:
    at = chosen(file)
    what = "there is no relay.toml, the defaults hold" if at is None else f"{at} is right"
    sources = counted(len(config.sources) or 1, "source")  # without any, relay makes one
    destinations = counted(len(config.destinations), "destination")
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    click.echo(f"{what}: {sources}, {destinations} ({versions})")


def _connections(config: Config) -> list[dict[str, Any]]:
    """What became of one connection to each enabled destination, in the order of the file."""
    enabled = [(d, config.settings[d.name]) for d in config.destinations if d.enabled]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda pair: _connection(*pair), enabled))


def _connection(destination: DestinationConfig, settings: Destination) -> dict[str, Any]:
    scheme, host, port = _address(destination, settings)
    problem = _try(scheme, host, port, destination.timeout)
    return {
        "destination": destination.name,
        "address": f"{scheme}://{host}:{port}",
        "reachable": problem is None,
        "problem": problem,
    }


def _address(destination: DestinationConfig, settings: Destination) -> tuple[str, str, int]:
    url = destination.endpoint or getattr(settings, "url", None) or settings.default_endpoint or ""
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
