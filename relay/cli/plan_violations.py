"""`relay plan violations`: what events did not keep of their tracking plans, counted."""

from pathlib import Path
from typing import Any

import click

from relay.cli.options import config_option, json_option, no_option
from relay.cli.printing import plain, print_json, print_table
from relay.cli.running import Running

PATH = "/v1/violations"
MOST = 500  # that relay gives at once
COLUMNS = ("source", "event", "field", "type", "count", "last seen", "description")


@click.command()
@click.option("--source", metavar="NAME", callback=no_option, help="Only of this source.")
@click.option("--event", metavar="NAME", callback=no_option, help="Only of events of this name.")
@click.option(
    "--since",
    metavar="T",
    callback=no_option,
    help="Seen from then on, and counted so: ISO 8601, or back from now: 2h, 3d.",
)
@click.option(
    "--limit", type=click.IntRange(1, MOST), default=50, show_default=True, help="At most so many lines."
)
@config_option
@json_option
def violations(
    source: str | None, event: str | None, *, since: str | None, limit: int, file: Path | None, as_json: bool
) -> None:
    """Show what events did not keep of their tracking plans, the newest first.

    One line for each source, event, field and type of violation. With --json also samples, without their values.
    """
    running = Running(file)
    if source is not None and (unknown := running.unknown_source(source)):
        # one that was removed has left violations all the same
        click.echo(f"note: {plain(unknown)}", err=True)
    found = running.get(PATH, source=source, event=event, since=since, limit=limit)
    if as_json:
        print_json(found)
    elif not found["violations"]:
        click.echo("no violations")
    else:
        print_table(COLUMNS, [_row(one) for one in found["violations"]])


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    keys = ("source", "event", "field", "type", "count", "lastSeen", "description")
    return tuple(one[key] for key in keys)
