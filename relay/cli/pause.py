"""`relay pause` and `relay resume`: stop and start sending to one destination."""

from pathlib import Path
from urllib.parse import quote

import click

from relay.cli.options import config_option, json_option
from relay.cli.printing import print_json
from relay.cli.running import Running


@click.command()
@click.argument("name")
@config_option
@json_option
def pause(name: str, *, file: Path | None, as_json: bool) -> None:
    """Stop sending to a destination, over restarts too.

    Its events wait in the log, and retention keeps them until it is resumed.
    """
    _ask(file, name, "pause", f"{name} is paused: its events wait in the log", as_json=as_json)


@click.command()
@click.argument("name")
@config_option
@json_option
def resume(name: str, *, file: Path | None, as_json: bool) -> None:
    """Send to a paused destination again, what waits first."""
    _ask(file, name, "resume", f"{name} is sent to again", as_json=as_json)


def _ask(file: Path | None, name: str, verb: str, done: str, *, as_json: bool) -> None:
    answer = Running(file).post(f"/v1/destinations/{quote(name, safe='')}/{verb}")
    if as_json:
        print_json(answer)
    else:
        click.echo(done)
