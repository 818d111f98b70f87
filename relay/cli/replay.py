"""`relay replay`: deliver stored events again, to one destination."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from relay.cli.options import config_option, json_option, no_option
from relay.cli.printing import counted, plain, print_json, print_table
from relay.cli.running import Running

PATH = "/v1/replays"
LOOK_SECONDS = 0.5
ACTIVE = frozenset(("running", "waiting"))
LARGEST = 10**18 - 1  # of ids
LISTED = 50


@click.command()
@click.option(
    "--to",
    "destination",
    metavar="DEST",
    callback=no_option,
    help="The destination; it may be disabled, or paused.",
)
@click.option(
    "--since",
    metavar="T",
    callback=no_option,
    help="Received from then on: ISO 8601, or back from now: 2h, 3d.",
)
@click.option("--until", metavar="T", callback=no_option, help="Received before then; default: now.")
@click.option(
    "--source",
    "sources",
    metavar="S",
    callback=no_option,
    multiple=True,
    help="Only of this source; may be repeated.",
)
@click.option(
    "--event",
    "events",
    metavar="NAME",
    callback=no_option,
    multiple=True,
    help="Only of this name or type; as often.",
)
@click.option(
    "--user",
    "users",
    metavar="ID",
    callback=no_option,
    multiple=True,
    help="Only of this userId or anonymousId; as often.",
)
@click.option("--filter", "fql", metavar="FQL", callback=no_option, help="Only what this filter matches.")
@click.option("--rate", type=float, metavar="N", help="At most so many events a second.")
@click.option("--dry-run", is_flag=True, help="Count what would be sent, send nothing.")
@click.option("--detach", is_flag=True, help="Start it and return.")
@click.option("--list", "lists", is_flag=True, help="List replays, newest first.")
@click.option("--watch", type=click.IntRange(1, LARGEST), metavar="ID", help="Show how far a replay is.")
@click.option("--cancel", type=click.IntRange(1, LARGEST), metavar="ID", help="End a replay.")
@config_option
@json_option
def replay(
    *,
    lists: bool,
    watch: int | None,
    cancel: int | None,
    detach: bool,
    file: Path | None,
    as_json: bool,
    **wanted: Any,
) -> None:
    """Deliver stored events again, to a destination of relay.toml.

    Shows how far it is until it is done. Ctrl-C leaves it running; a relay that is restarted goes on with it.

    \b
    relay replay --to DEST --since 3d --event 'Order Completed'
    relay replay --to DEST --dry-run       count what would be sent
    relay replay --list                    and --watch ID, --cancel ID
    """  # noqa: D301  click wants the character itself
    chosen = [lists, watch is not None, cancel is not None, wanted["destination"] is not None]
    if sum(chosen) != 1:
        raise click.UsageError("name --to DEST, or one of --list, --watch ID and --cancel ID")
    running = Running(file)
    if lists:
        _list(running, as_json=as_json)
    elif cancel is not None:
        _report(running.delete(f"{PATH}/{cancel}"), as_json=as_json)
    elif watch is not None:
        _follow(running, running.get(f"{PATH}/{watch}"), as_json=as_json)
    else:
        unknown = list(filter(None, map(running.unknown_source, wanted["sources"])))
        for sentence in unknown:  # one that was removed has left events in the log all the same
            click.echo(f"note: {sentence}", err=True)
        started = running.post(PATH, _asked(wanted))
        if detach:
            _report(started, as_json=as_json)
        else:
            _follow(running, started, as_json=as_json, may_be_none=not unknown)


def _asked(wanted: dict[str, Any]) -> dict[str, Any]:
    """The body of the request: what was given."""
    names = {"fql": "filter", "dry_run": "dryRun"}
    given = {names.get(name, name): value for name, value in wanted.items()}
    return {name: value for name, value in given.items() if value is not None and value != ()}


def _list(running: Running, *, as_json: bool) -> None:
    found = running.get(PATH, limit=LISTED)["replays"]
    if as_json:
        print_json({"replays": found})
    elif not found:
        click.echo("no replays")
    else:
        columns = ("id", "destination", "started", "state", "requests", "of", "retrying", "events")
        print_table(columns, [_row(one) for one in found])


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    requests = one["requests"]
    return (
        str(one["id"]),
        one["destination"],
        one["startedAt"],
        _state(one),
        requests["done"],
        requests["total"],
        one["retrying"],
        _fates(one) or "-",
    )


def _follow(running: Running, started: dict[str, Any], *, as_json: bool, may_be_none: bool = True) -> None:
    """Show progress to its end, and exit 1 when it was not done, or found none where there must be some."""
    number = started["id"]
    try:
        last = _watch(_looks(running, started), shows=not as_json and sys.stderr.isatty())
    except KeyboardInterrupt:
        click.echo(
            f"replay {number} goes on: `relay replay --watch {number}` shows it, "
            f"`relay replay --cancel {number}` ends it",
            err=True,
        )
        return
    _report(last, as_json=as_json)
    sys.exit(last["state"] != "done" or not (may_be_none or any(last["events"].values())))


def _looks(running: Running, now: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The replay, again and again until it has ended."""
    yield now
    while now["state"] in ACTIVE:
        time.sleep(LOOK_SECONDS)
        now = running.get(f"{PATH}/{now['id']}")
        yield now


def _watch(looks: Iterator[dict[str, Any]], *, shows: bool) -> dict[str, Any]:
    """The last look; on a terminal with a progress bar."""
    if not shows:
        *_, last = looks
        return last
    from rich.console import Console  # noqa: PLC0415  only a command that shows progress pays for it
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    shown = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[events]}", markup=False),
    )
    with Progress(*shown, console=Console(stderr=True)) as progress:
        task = progress.add_task("replay", total=1, events="")
        for now in looks:
            last, requests = now, now["requests"]
            progress.update(
                task,
                description=f"replay {now['id']} {now['state']}",
                total=max(1, requests["total"]),
                completed=requests["done"] if requests["total"] else 1,
                events=_events(now),
            )
    return last


def _report(one: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(one)
        return
    what = "dry run" if one["dryRun"] else "replay"
    click.echo(f"{what} {one['id']} to {one['destination']}: {_state(one)}, {_events(one)}")
    if one["found"]:
        _print_found(one["found"])


def _state(one: dict[str, Any]) -> str:
    return one["state"] if one["reason"] is None else f"{one['state']} ({one['reason']})"


def _events(one: dict[str, Any]) -> str:
    requests = counted(one["requests"]["done"], "request")
    parts = [f"{requests} of {one['requests']['total']:,}", _fates(one) or "no events"]
    if one["retrying"]:
        parts.append(f"{one['retrying']:,} waiting for another try")
    if one["state"] in ACTIVE and one["lastError"]:
        parts.append(f"last error {plain(one['lastError'])}")
    return ", ".join(parts)


def _fates(one: dict[str, Any]) -> str:
    """How many events have which fate; of a dry run, would have."""
    words = {"delivered": "to be sent"} if one["dryRun"] else {}
    return ", ".join(f"{n:,} {words.get(fate, fate)}" for fate, n in one["events"].items() if n)


def _print_found(found: dict[str, dict[str, int]]) -> None:
    fates = [fate for fate in _FATES if any(fate in counts for counts in found.values())]
    names = sorted(found, key=lambda name: -sum(found[name].values()))
    columns = ["event", *("to be sent" if fate == "delivered" else fate for fate in fates)]
    cell: Callable[[str, str], int] = lambda name, fate: found[name].get(fate, 0)  # noqa: E731
    print_table(columns, [(name, *(cell(name, fate) for fate in fates)) for name in names])


_FATES = ("delivered", "filtered", "duplicate", "blocked", "rejected")
