"""`relay dead-letters`: what a destination refused for good."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from relay.cli.options import config_option, json_option, no_option
from relay.cli.printing import counted, print_json, print_table
from relay.cli.running import Running

PAGE = 500  # the most that relay gives at once
REPLY_SHOWN = 60  # characters; --json has it all
LARGEST = 2**63 - 1  # of ids


@click.group("dead-letters")
def dead_letters() -> None:
    """List, retry or drop what a destination refused for good."""


def _chosen(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a command that does something with some dead letters."""
    ids = click.argument("ids", metavar="[ID]...", nargs=-1, type=click.IntRange(1, LARGEST))
    destination = click.option(
        "--destination", metavar="NAME", callback=no_option, help="All of this destination."
    )
    return ids(destination(config_option(json_option(command))))


@dead_letters.command("list")
@click.option("--destination", metavar="NAME", callback=no_option, help="Only those of this destination.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many.")
@config_option
@json_option
def list_(destination: str | None, *, limit: int, file: Path | None, as_json: bool) -> None:
    """List dead letters, newest first, with the reply that said so."""
    running = Running(file)
    _check_known(running, destination)
    found = _read(running, destination, limit)
    if as_json:
        print_json({"deadLetters": found})
    elif not found:
        click.echo("no dead letters")
    else:
        columns = (
            "id",
            "time",
            "destination",
            "outcome",
            "status",
            "attempts",
            "event",
            "message id",
            "reply",
        )
        print_table(columns, [_row(letter) for letter in found])


@dead_letters.command()
@_chosen
def retry(ids: tuple[int, ...], destination: str | None, *, file: Path | None, as_json: bool) -> None:
    """Try dead letters again: those with the given ids, or all of a destination.

    They leave the list; what is refused again comes back to it.
    """
    body = _choice(ids, destination)
    running = Running(file)
    _check_known(running, destination)
    count = running.post("/v1/dead-letters/retry", body)["retried"]
    _report("retried", count, ids, as_json=as_json)


@dead_letters.command()
@_chosen
@click.option("--yes", is_flag=True, help="Do not ask.")
def drop(
    ids: tuple[int, ...], destination: str | None, *, file: Path | None, as_json: bool, yes: bool
) -> None:
    """Forget dead letters: those with the given ids, or all of a destination.

    They cannot be retried any more. The events themselves stay in the log.
    """
    body = _choice(ids, destination)
    running = Running(file)
    _check_known(running, destination)
    if not yes:
        what = counted(len(ids), "dead letter") if ids else f"all dead letters of `{destination}`"
        click.confirm(f"Drop {what}?", abort=True, err=True)
    count = running.post("/v1/dead-letters/drop", body)["dropped"]
    _report("dropped", count, ids, as_json=as_json)


def _choice(ids: tuple[int, ...], destination: str | None) -> dict[str, Any]:
    """The body of a request; wrong usage when it would mean everything."""
    if not ids and destination is None:
        raise click.UsageError("name --destination, or the ids that `relay dead-letters list` shows")
    return {"destination": destination, "ids": list(ids) or None}


def _check_known(running: Running, destination: str | None) -> None:
    """Wrong usage when the destination neither is in relay.toml nor has left a dead letter."""
    unknown = running.unknown_destination(destination) if destination is not None else None
    if unknown and not running.get("/v1/dead-letters", destination=destination, limit=1)["deadLetters"]:
        raise click.UsageError(unknown)


def _report(done: str, count: int, ids: tuple[int, ...], *, as_json: bool) -> None:
    """Say how many. That some ids were not there is exit code 1."""
    missing = len(set(ids)) - count if ids else 0
    if as_json:
        print_json({done: count})
    else:
        click.echo(f"{done} {counted(count, 'dead letter')}" + (f"; {missing} not found" if missing else ""))
    sys.exit(missing > 0)


def _read(running: Running, destination: str | None, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) < limit:
        size = min(limit - len(found), PAGE)
        before = found[-1]["id"] if found else None
        page = running.get("/v1/dead-letters", destination=destination, before=before, limit=size)
        found += page["deadLetters"]
        if len(page["deadLetters"]) < size:
            break
    return found


def _row(letter: dict[str, Any]) -> tuple[object, ...]:
    event = letter["event"] or {}
    return (
        str(letter["id"]),  # to be copied: without the commas of a number
        letter["at"],
        letter["destination"],
        letter["outcome"],
        letter["status"] or letter["reason"],
        letter["attempts"],
        event.get("event") or event.get("name") or event.get("type") or "no longer in the log",
        letter["messageId"],
        (letter["reply"] or "")[:REPLY_SHOWN],
    )
