"""`relay reload`: take up a changed relay.toml."""

import sys
from pathlib import Path
from typing import Any

import click

from relay.cli.client import Refused
from relay.cli.options import config_option, json_option
from relay.cli.printing import print_json
from relay.cli.running import Running
from relay.errors import ConfigError

REFUSED = "refused: the configuration from before stays in force"


@click.command()
@config_option
@json_option
def reload(file: Path | None, *, as_json: bool) -> None:
    """Take up a changed relay.toml without a restart.

    A file with a mistake is refused, and the old configuration stays in force. What needs a restart is named.
    """
    try:
        answer = Running(file).post("/v1/reload")
    except ConfigError as error:
        _refuse(list(error.problems), as_json=as_json)
    except Refused as error:
        problems = error.answer.get("error", {}).get("problems")
        if problems is None:
            raise
        _refuse(problems, as_json=as_json)
    else:
        _print(answer, as_json=as_json)


def _print(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    click.echo("configuration taken up")
    if answer["restartNeededFor"]:
        click.echo(f"not before a restart: {', '.join(answer['restartNeededFor'])}")


def _refuse(problems: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"reloaded": False, "problems": problems})
    else:
        click.echo("\n".join([*problems, REFUSED]), err=True)
    sys.exit(1)
