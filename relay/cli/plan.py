"""`relay plan`: tracking plans in files, without a running relay."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import msgspec

from relay.cli.events_file import EventsFile, admitted
from relay.cli.options import json_option
from relay.cli.plan_blocked import blocked, release
from relay.cli.plan_codegen import codegen
from relay.cli.plan_diff import diff
from relay.cli.plan_import import import_
from relay.cli.plan_infer import infer
from relay.cli.plan_violations import violations
from relay.cli.printing import counted, plain, print_json
from relay.event import Event
from relay.plans.checking import Checked, checked
from relay.plans.controls import Controls
from relay.plans.enforce import Enforcer
from relay.plans.files import load_plan


@click.group()
def plan() -> None:
    """Write, check and compare tracking plans; see what they found and blocked."""


plan.add_command(blocked)
plan.add_command(release)
plan.add_command(diff)
plan.add_command(import_)
plan.add_command(infer)
plan.add_command(codegen)
plan.add_command(violations)


@plan.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--events",
    "events_file",
    metavar="FILE",
    help="Events to hold against the plan, one JSON object a line; `-` is standard input.",
)
@json_option
def check(file: Path, events_file: str | None, *, as_json: bool) -> None:
    """Check the plan in FILE, and events by it.

    Prints what is wrong with the plan, or what of each event it does not want: an event that is not planned, names
    that are not, violations. With --json, one line for each event, whether it is right or not. Exit code 1 when
    there is anything: for CI.
    """
    compiled, mistakes = load_plan(file)
    if mistakes or events_file is None:
        _print_plan(file, len(compiled.plan.rules), mistakes, as_json=as_json)
        sys.exit(bool(mistakes))
    enforcer = Enforcer(compiled, Controls())
    events = EventsFile(events_file)
    count = wrong = 0
    for data in events:
        event = admitted(data, events.line)
        found = _found(event, enforcer)
        count += 1
        wrong += not found.is_right
        if as_json:
            events.give({"line": events.line, "messageId": event.message_id, **msgspec.to_builtins(found)})
        else:
            _print_event(f"{events_file}:{events.line}", event, found)
    if not as_json:
        click.echo(f"{counted(count, 'event')}, {wrong:,} not as the plan wants them")
    sys.exit(events.has_mistakes or wrong > 0)


def _found(event: Event, enforcer: Enforcer) -> Checked:
    if event.outcome is not None:
        return Checked(str(event.outcome), event.reason)
    return checked(enforcer.compiled, event.data, enforcer(event.data))


def _print_plan(file: Path, rules: int, mistakes: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"valid": not mistakes, "problems": mistakes, "rules": rules})
    elif mistakes:
        click.echo("\n".join(plain(f"{file}: {mistake}") for mistake in mistakes))
    else:
        click.echo(plain(f"{file} is right: {counted(rules, 'rule')}"))


def _print_event(place: str, event: Event, found: Checked) -> None:
    for what in _said(event.data, event, found):
        click.echo(plain(f"{place}: {what}"))


def _said(data: dict[str, Any], event: Event, found: Checked) -> Iterable[str]:
    """What the plan does not want of an event, each in a sentence."""
    name = data.get("event") or data.get("type")
    if event.outcome is not None:
        yield f"never accepted: {event.notes[0] if event.notes else event.reason}"
    if not found.planned:
        yield f"{name}: this event is not planned"
    for path in found.unplanned:
        yield f"{name}: {path}: not planned"
    for violation in found.violations:
        yield f"{name}: {violation['field']}: {violation['description']}"
