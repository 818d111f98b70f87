"""`relay plan infer`: a tracking plan from events, those that a running relay keeps or those of a file."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import click

from relay.cli.client import CannotDo
from relay.cli.events_file import EventsFile, admitted
from relay.cli.options import config_option, json_option, no_option
from relay.cli.plan_files import read_raw_plan, write_plan
from relay.cli.printing import counted, plain, print_json
from relay.cli.running import Running
from relay.plans.infer import Inference
from relay.plans.into import added_to

PATH = "/v1/plans/infer"


class Found(NamedTuple):
    """A plan, what is to be said about it, and how many events it was made from."""

    plan: dict[str, Any]
    notes: list[dict[str, str]]
    events: int
    cut_at: str | None = None


@click.command()
@click.option(
    "--source",
    "sources",
    metavar="S",
    callback=no_option,
    multiple=True,
    help="The source whose events are looked at; may be repeated.",
)
@click.option(
    "--since",
    metavar="T",
    callback=no_option,
    help="Received from then on: ISO 8601, or back from now: 24h, 7d; default: all that the log keeps.",
)
@click.option("--until", metavar="T", callback=no_option, help="Received before then; default: now.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), metavar="N", help="At most so many events.")
@click.option(
    "--events",
    "events_file",
    metavar="FILE",
    callback=no_option,
    help="Events of a file instead, one JSON object a line; `-` is standard input.",
)
@click.option("--name", metavar="NAME", callback=no_option, help="The plan's name; default: the source's.")
@click.option("--examples", is_flag=True, help="Describe properties with one or two values of events.")
@click.option(
    "-o", "output", type=click.Path(path_type=Path), metavar="FILE", help="Where to; default: stdout."
)
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Add what is new to this plan, and change nothing that stands there.",
)
@click.option("--force", is_flag=True, help="Overwrite the file of -o.")
@config_option
@json_option
def infer(
    *,
    sources: tuple[str, ...],
    events_file: str | None,
    name: str | None,
    examples: bool,
    output: Path | None,
    into: Path | None,
    force: bool,
    file: Path | None,
    as_json: bool,
    **time_and_limit: Any,
) -> None:
    """Write a tracking plan that the events keep which arrived.

    Reads what a running relay has of a source, or events of a file. What somebody should look at is said on stderr:
    names that look mistyped, values of a type that others do not have.

    \b
    relay plan infer --source web --since 24h -o plans/web.json
    relay plan infer --source web --into plans/web.json      add what is new
    relay plan infer --events events.ndjson
    """  # noqa: D301  click wants the character itself
    if bool(sources) is (events_file is not None):
        raise click.UsageError("name --source S, or --events FILE")
    if into is not None and output is not None:
        raise click.UsageError("name one of -o FILE and --into FILE")
    if output is not None and output.exists() and not force:
        raise CannotDo(f"{output} is there already: --force overwrites it, --into adds to it")
    name = name or ", ".join(sources) or "Inferred"
    if events_file is not None:
        if any(value is not None for value in time_and_limit.values()):
            raise click.UsageError("--since, --until and --limit go with --source")
        found = _of_file(events_file, name, examples=examples)
    else:
        asked = {**time_and_limit, "name": name, "examples": str(examples).lower()}
        found = _of_relay(Running(file), sources, asked)
    _give(found, output, into, as_json=as_json)


def _of_file(events_file: str, name: str, *, examples: bool) -> Found:
    inference = Inference()
    events = EventsFile(events_file)
    for data in events:
        event = admitted(data, events.line)
        if event.outcome is None:
            inference.observe(event.data)
        else:
            events.say(f"passed over: {event.notes[0] if event.notes else event.reason}")
    if not inference.events:
        raise CannotDo(f"{events_file}: there is no event in it that could be planned")
    plan, notes, count = inference.plan(name, examples=examples)
    return Found(plan, [{"event": n.event, "field": n.field, "note": n.said} for n in notes], count)


def _of_relay(running: Running, sources: tuple[str, ...], asked: dict[str, Any]) -> Found:
    found = running.get(PATH, source=list(sources), **asked)
    if not found["events"]:
        unknown = next(filter(None, map(running.unknown_source, sources)), None)
        raise CannotDo(unknown or f"no events of {', '.join(sources)} in that time")
    return Found(found["plan"], found["notes"], found["events"], found["cutAt"])


def _give(found: Found, output: Path | None, into: Path | None, *, as_json: bool) -> None:
    plan, added = found.plan, None
    if into is not None:
        plan, added = added_to(read_raw_plan(into), plan)
    if as_json:
        extra = {} if added is None else {"added": added}
        print_json(
            {"plan": plan, "notes": found.notes, "events": found.events, "cutAt": found.cut_at, **extra}
        )
    else:
        _say(found, added)
    target = into or output
    if target is not None:
        write_plan(target, plan)
    elif not as_json:
        click.echo(json.dumps(plan, indent=2, ensure_ascii=False))


def _say(found: Found, added: list[str] | None) -> None:
    for note in found.notes:
        of = f"{note['event']}: {note['field']}" if note["field"] else note["event"]
        click.echo(plain(f"note: {of}: {note['note']}"), err=True)
    if found.cut_at is not None:
        click.echo(
            f"note: more events came than are looked at: none after {found.cut_at}; see --since", err=True
        )
    for one in added or ():
        click.echo(plain(f"added: {one}"), err=True)
    rules = counted(_rules(found.plan), "rule")
    click.echo(
        f"{counted(found.events, 'event')}, {rules}" if added is None else _sum(found, added), err=True
    )


def _sum(found: Found, added: list[str]) -> str:
    return f"{counted(found.events, 'event')}, {counted(len(added), 'addition') if added else 'nothing new'}"


def _rules(plan: dict[str, Any]) -> int:
    rules = plan["rules"]
    return len(rules["events"]) + len(rules) - 1
