"""`relay plan diff`: what became of a tracking plan, and whether it breaks."""

import sys
from pathlib import Path

import click

from relay.cli.options import json_option
from relay.cli.printing import counted, plain, print_json
from relay.plans.diff import Change, plan_changes
from relay.plans.files import load_plan
from relay.plans.rules import Plan

WRONG = 2  # exit code: 1 is a plan that breaks


@click.command()
@click.argument("old", metavar="OLD", type=click.Path(path_type=Path))
@click.argument("new", metavar="NEW", type=click.Path(path_type=Path))
@json_option
def diff(old: Path, new: Path, *, as_json: bool) -> None:
    """Say what changed from the plan in OLD to the one in NEW.

    A change is breaking when an event that kept the old plan may break the new one. Exit code 1 when there is one, for
    CI; 2 when a file is no plan.
    """
    changes = plan_changes(*_plans(old, new))
    breaking = sum(change.is_breaking for change in changes)
    if as_json:
        print_json({"breaking": breaking > 0, "changes": [_shown(change) for change in changes]})
    else:
        for change in changes:
            click.echo(plain(f"{'BREAKING: ' if change.is_breaking else ''}{change}"))
        click.echo(
            f"{counted(len(changes), 'change')}, {breaking:,} breaking" if changes else "no differences"
        )
    sys.exit(breaking > 0)


def _plans(*files: Path) -> list[Plan]:
    loaded = [load_plan(file) for file in files]
    mistakes = [f"{file}: {m}" for file, (_, found) in zip(files, loaded, strict=True) for m in found]
    if mistakes:
        click.echo("\n".join(map(plain, mistakes)), err=True)
        sys.exit(WRONG)
    return [compiled.plan for compiled, _ in loaded]


def _shown(change: Change) -> dict[str, object]:
    return {
        "event": change.event,
        "version": change.version,
        "field": change.field,
        "breaking": change.is_breaking,
        "description": change.said,
    }
