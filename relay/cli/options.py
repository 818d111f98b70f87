"""What commands have in common: `--config`, `--json`, and the values that options take."""

import json
from pathlib import Path
from typing import Any

import click

from relay.times import Duration

config_option = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The configuration; default: ./relay.toml if there is one.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="JSON, for machines.")


def no_option(context: click.Context, _: click.Parameter, value: Any) -> Any:
    """Callback of an option that takes a name: `--event --dry-run` has forgotten it."""
    options = {name for parameter in context.command.params for name in parameter.opts}
    for one in value if isinstance(value, tuple) else (value,):
        if one in options:
            raise click.BadParameter(f"{one} is an option: the name before it is missing")
    return value


def json_object(_: click.Context, __: click.Parameter, value: str | None) -> dict[str, Any] | None:
    """Callback of an option that takes a JSON object; wrong usage when it is none."""
    if value is None:
        return None
    try:
        decoded = json.loads(value, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"not JSON: {error}") from None
    if not isinstance(decoded, dict):
        raise click.BadParameter('must be a JSON object, such as {"plan": "free"}')
    return decoded


def duration(_: click.Context, __: click.Parameter, value: str) -> Duration:
    """Callback of an option that takes a duration, as relay.toml writes it."""
    try:
        return Duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _refuse(name: str) -> None:
    raise ValueError(f"there is no {name} in JSON")
