"""`relay alerts`: the rules that tell somebody, how they are doing, and a message to try their channels."""

import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from relay.cli.options import config_option, json_option
from relay.cli.printing import counted, plain, print_json, print_table
from relay.cli.running import Running


@click.group(invoke_without_command=True)
@config_option
@json_option
@click.pass_context
def alerts(ctx: click.Context, *, file: Path | None, as_json: bool) -> None:
    """List the alerts of relay.toml, and how each of their channels is doing."""
    if ctx.invoked_subcommand is not None:
        return
    found = Running(file).get("/v1/alerts")
    if as_json:
        print_json(found)
    elif not found["alerts"]:
        click.echo("no alerts: relay.toml has no [[alerts]]")
    else:
        columns = ("alert", "on", "channel", "state", "last sent", "quiet until")
        print_table(columns, [_row(one, channel) for one in found["alerts"] for channel in one["channels"]])


@alerts.command()
@click.argument("name")
@config_option
@json_option
def test(name: str, *, file: Path | None, as_json: bool) -> None:
    """Send a test message by every channel of an alert.

    Says of each channel whether it took the message. Exit code 1 when one did not.
    """
    found = Running(file).post(f"/v1/alerts/{quote(name, safe='')}/test")
    if as_json:
        print_json(found)
    else:
        for one in found["channels"]:
            click.echo(plain(f"{one['channel']}: {'sent' if one['sent'] else one['problem']}"))
    sys.exit(not all(one["sent"] for one in found["channels"]))


def _row(alert: dict[str, Any], channel: dict[str, Any]) -> tuple[object, ...]:
    return (
        alert["alert"],
        alert["on"],
        channel["channel"],
        _state(alert, channel),
        alert["lastSentAt"] or "never",
        alert["quietUntil"],
    )


def _state(alert: dict[str, Any], channel: dict[str, Any]) -> str:
    if channel["problem"]:
        tries = counted(channel["attempts"], "try", "tries")
        return f"failing after {tries}: {channel['problem']}; next at {channel['nextTryAt']}"
    if channel["waiting"]:
        return "sending"
    if alert["dueAt"]:
        return f"something to tell at {alert['dueAt']}"
    found = ", ".join(one["name"] for one in alert["open"])
    return f"ok; so now: {found}" if found else "ok"
