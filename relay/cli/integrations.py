"""`relay destinations install`, `upgrade` and `remove`: Segment's own destinations, on this machine."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from relay.cli.config_file import data_dir
from relay.cli.options import config_option, json_option
from relay.cli.printing import counted, plain, print_json, print_table
from relay.destinations.bridge import install as bridge
from relay.destinations.bridge.compare import Differences, compare
from relay.destinations.bridge.folder import NAME
from relay.destinations.bridge.install import Outcome, Progress

SHOWN = 12  # names of what changed in one destination

to_option = click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help=f"Another folder than `{NAME}` in the data directory.",
)


@click.command()
@to_option
@config_option
@json_option
def install(*, folder: Path | None, file: Path | None, as_json: bool) -> None:
    """Install Segment's own destinations: more than two hundred, for `engine = "bridge"`.

    Fetches the npm package @segment/action-destinations and all it needs, each by the version and the hash that come
    with relay, and makes one file of them. May be interrupted and run again. For a mirror of the registry set
    NPM_CONFIG_REGISTRY, or `registry` in .npmrc.
    """
    root = _root(folder, file)
    with _progress(quietly=as_json) as progress:
        outcome = bridge.install(root, bridge.ours(), progress)
    _report(outcome, as_json=as_json)


@click.command()
@click.argument("version", required=False)
@to_option
@config_option
@json_option
def upgrade(version: str | None, *, folder: Path | None, file: Path | None, as_json: bool) -> None:
    """Use another VERSION of Segment's destinations (a number, or `latest`) and show what changed.

    Without VERSION: the one that comes with this relay. Any other was not tested with it: its packages are verified
    by the hashes that the registry names today, which are kept. The version before stays; `relay destinations install`
    goes back to relay's.
    """
    root = _root(folder, file)
    with _progress(quietly=as_json) as progress:
        if version is not None:
            progress("looking for that version", 0, 1)
        lock = bridge.ours() if version is None else bridge.lock_for(version)
        outcome = bridge.install(root, lock, progress)
    _report(outcome, as_json=as_json)


@click.command()
@click.argument("version", required=False)
@to_option
@config_option
@json_option
def remove(version: str | None, *, folder: Path | None, file: Path | None, as_json: bool) -> None:
    """Remove a VERSION of Segment's destinations, or all, and what an interrupted installation left.

    A relay that runs with them can no longer start them; events for them wait.
    """
    root = _root(folder, file)
    gone = bridge.remove(root, version)
    if as_json:
        print_json({"removed": gone})
    else:
        click.echo(f"removed {', '.join(gone)} from {root}" if gone else f"there was nothing in {root}")


def _root(folder: Path | None, file: Path | None) -> Path:
    return folder or data_dir(file) / NAME


@contextmanager
def _progress(*, quietly: bool) -> Iterator[Progress]:
    """On a terminal a bar; else a line for each step. All on stderr."""
    if quietly or not sys.stderr.isatty():
        yield _lines(lambda line: click.echo(line, err=True))
        return
    from rich.console import Console  # noqa: PLC0415  only a command that shows progress pays for it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, of: bar.update(task, description=what, completed=done, total=of)


def _lines(say: Callable[[str], None]) -> Progress:
    """A line when a step begins, and one when it is done."""
    last: list[object] = []

    def progress(what: str, done: int, of: int) -> None:
        now = [what, done == of]
        if now != last:
            last[:] = now
            say(f"{what}: {done} of {of}" if of > 1 else what)

    return progress


def _report(outcome: Outcome, *, as_json: bool) -> None:
    differences = None if outcome.before is None else compare(outcome.before, outcome.catalogue)
    found = _found(outcome)
    if as_json:
        print_json({**found, "differences": msgspec.to_builtins(differences)})
        return
    _print(found)
    before = outcome.before
    if differences is not None and before is not None and before.version != outcome.catalogue.version:
        _print_differences(before.version, differences)


def _found(outcome: Outcome) -> dict[str, Any]:
    """What there is to say of what is now in use."""
    destinations = outcome.catalogue.destinations
    manifest = outcome.installed.manifest
    return {
        "version": outcome.installed.version,
        "folder": str(outcome.installed.folder),
        "wasThere": outcome.was_there,
        "tested": manifest.is_ours,
        "packages": manifest.packages,
        "destinations": len(destinations),
        "actions": sum(len(one.actions) for one in destinations),
        "unsupported": {one.type: one.unsupported for one in destinations if one.unsupported is not None},
        "failed": {one.type: one.message for one in outcome.catalogue.failed},
        "notice": outcome.notice,
        "notices": str(outcome.installed.folder / bridge.NOTICES),
    }


def _print(found: dict[str, Any]) -> None:
    done = "is installed" if found["wasThere"] else "was installed"
    what = f"{counted(found['destinations'], 'destination')}, {counted(found['actions'], 'action')}"
    click.echo(f"{found['version']} {done}: {what}, in {found['folder']}")
    if not found["tested"]:
        click.echo("this version was not tested with this relay")
    for type_, message in found["failed"].items():
        click.echo(f"{type_} cannot be loaded: {plain(message)}")
    for type_, reason in found["unsupported"].items():
        click.echo(f"{type_} cannot be used: {reason}")
    click.echo(f"\n{plain(found['notice'])}")
    click.echo(f"Licences of all {found['packages']} packages: {found['notices']}")


def _print_differences(before: str, differences: Differences) -> None:
    click.echo(f"\nSince {before}:")
    for what, names in (("new", differences.added), ("gone", differences.removed)):
        if names:
            click.echo(f"{what}: {', '.join(names)}")
    rows = [(one.type, _some(one.added), _some(one.removed)) for one in differences.changed]
    if rows:
        print_table(("destination", "new", "gone"), rows)
    if not (rows or differences.added or differences.removed):
        click.echo("no setting, action or field is new or gone")


def _some(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
