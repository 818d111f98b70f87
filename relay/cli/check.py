"""`relay check`: whether relay.toml is right, and whether its destinations can be reached."""

import platform
import sqlite3
import sys
from pathlib import Path
from typing import Any

import click

from relay.cli.config_file import chosen, read
from relay.cli.connecting import NOT_TESTED, connections, is_good
from relay.cli.options import config_option, json_option
from relay.cli.printing import counted, plain, print_json, print_table
from relay.config import Config
from relay.config_browser import missing_scripts
from relay.errors import ConfigError


@click.command()
@config_option
@click.option(
    "--connect",
    is_flag=True,
    help="Also connect to every enabled destination and test credentials; no event is sent.",
)
@json_option
def check(file: Path | None, *, connect: bool, as_json: bool) -> None:
    """Check the configuration: every mistake, with its line.

    Exit code 1 when there is one, or with --connect when a destination cannot be reached or refuses its
    credentials. A note says what works and may not be what was meant.
    """
    try:
        config = read(file)
    except ConfigError as error:
        _print_problems(error.problems, as_json=as_json)
        sys.exit(1)
    found = connections(config) if connect else []
    if as_json:
        print_json(_summary(config) | ({"connections": found} if connect else {}))
    else:
        _print(config, file)
        if found:
            print_table(
                ("destination", "address", "reachable", "credentials"),
                [(c["destination"], c["address"], _reachable(c), c["credentials"]) for c in found],
            )
    sys.exit(not all(map(is_good, found)))


def _reachable(connection: dict[str, Any]) -> str:
    return NOT_TESTED if connection["reachable"] is None else connection["problem"] or "yes"


def _print_problems(problems: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        print_json({"valid": False, "problems": list(problems)})
    else:
        click.echo("\n".join(problems))


def _summary(config: Config) -> dict[str, Any]:
    return {
        "valid": True,
        "problems": [],
        "notes": list(config.notes),
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
    for note in (*config.notes, *missing_scripts(config, Path(config.server.data_dir))):
        click.echo(f"note: {plain(note)}")
