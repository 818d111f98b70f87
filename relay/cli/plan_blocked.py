"""`relay plan blocked` and `relay plan release`: what tracking plans have blocked, and its way back."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from relay.cli.client import CannotDo
from relay.cli.options import config_option, json_option, no_option
from relay.cli.printing import counted, plain, print_json, print_table
from relay.cli.running import Running

PATH = "/v1/blocked-events"
MOST = 500  # that relay gives at once
LARGEST = 10**18 - 1  # of ids

EVENT_COLUMNS = ("id", "time", "source", "event", "reason", "message id", "violations")
GROUP_COLUMNS = ("source", "event", "reason", "events", "first", "last")
GROUP_KEYS = ("source", "event", "reason", "count", "firstBlocked", "lastBlocked")

Command = TypeVar("Command", bound=Callable[..., None])


def _chosen(command: Command) -> Command:
    """The options that say which blocked events."""
    options = (
        click.option("--source", metavar="NAME", callback=no_option, help="Only of this source."),
        click.option("--event", metavar="NAME", callback=no_option, help="Only of this name."),
        click.option(
            "--reason", metavar="R", callback=no_option, help="Only for this reason, such as `unplanned`."
        ),
        click.option(
            "--since",
            metavar="T",
            callback=no_option,
            help="Received from then on: ISO 8601, or back from now: 2h, 3d.",
        ),
        click.option("--until", metavar="T", callback=no_option, help="Received before then."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@_chosen
@click.option("--events", "shows_events", is_flag=True, help="Each event, not how many of each.")
@click.option("--released", is_flag=True, help="Also those that were released.")
@click.option(
    "--limit", type=click.IntRange(1, MOST), default=50, show_default=True, help="At most so many lines."
)
@config_option
@json_option
def blocked(
    *, shows_events: bool, released: bool, limit: int, file: Path | None, as_json: bool, **choice: str | None
) -> None:
    """Show what tracking plans have blocked in the last 30 days.

    One line for each source, event and reason. With --events one for each event; with --json and --events each whole.
    """
    running = Running(file)
    if choice["source"] is not None and (unknown := running.unknown_source(choice["source"])):
        # of one that was removed there are blocked events all the same
        click.echo(f"note: {plain(unknown)}", err=True)
    query = {**choice, "released": str(released).lower(), "limit": limit}
    found = running.get(PATH if shows_events else f"{PATH}/groups", **query)
    rows = found["blockedEvents" if shows_events else "groups"]
    if as_json:
        print_json(found)
    elif not rows:
        click.echo("no blocked events")
    elif shows_events:
        print_table(EVENT_COLUMNS, [_row(one) for one in rows])
    else:
        print_table(GROUP_COLUMNS, [[group[key] for key in GROUP_KEYS] for group in rows])


def _row(one: dict[str, Any]) -> list[object]:
    said = "; ".join(f"{v['field']}: {v['description']}" for v in one["violations"])
    return [
        str(one["id"]),
        one["blockedAt"],
        one["source"],
        one["event"],
        "released" if one["releasedAt"] else one["reason"],
        one["messageId"],
        said,
    ]


@click.command()
@_chosen
@click.option(
    "--id",
    "ids",
    metavar="ID",
    multiple=True,
    type=click.IntRange(1, LARGEST),
    help="This one; may be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Count what would be released, release nothing.")
@config_option
@json_option
def release(
    *, ids: tuple[int, ...], dry_run: bool, file: Path | None, as_json: bool, **choice: str | None
) -> None:
    """Let blocked events go on, once their plan is mended.

    Each is held against the plan as it is now. What the plan lets through is admitted as any event is and goes to
    every destination, with its own messageId and time; what it would block again stays. Name a source, or ids.
    """
    if choice["source"] is None and not ids:
        raise click.UsageError("name a --source, or each --id")
    running = Running(file)
    if choice["source"] is not None and (unknown := running.unknown_source(choice["source"])):
        raise CannotDo(plain(unknown))
    total = {"released": 0, "stillBlocked": 0, "unknownSource": 0}
    after = 0
    while after is not None:
        asked = {**{k: v for k, v in choice.items() if v is not None}, "after": after, "dryRun": dry_run}
        done = running.post(f"{PATH}/release", asked | ({"ids": list(ids)} if ids else {}))
        for key in total:
            total[key] += done[key]
        after = done["next"]
    if as_json:
        print_json({"dryRun": dry_run, **total})
    else:
        _report(total, is_dry_run=dry_run)
    sys.exit(total["stillBlocked"] + total["unknownSource"] > 0)


def _report(total: dict[str, int], *, is_dry_run: bool) -> None:
    if not any(total.values()):
        click.echo("there is nothing to release")
        return
    would = " would be" if is_dry_run else ""
    click.echo(f"{counted(total['released'], 'event')}{would} released")
    if total["stillBlocked"]:
        click.echo(f"{counted(total['stillBlocked'], 'event')} blocked by the plan as it is now")
    if total["unknownSource"]:
        click.echo(f"{counted(total['unknownSource'], 'event')} of a source that is not there any more")
