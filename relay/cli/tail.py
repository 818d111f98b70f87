"""`relay tail`: what comes in, as it comes in."""

import json
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

import click

from relay.cli.client import CannotDo
from relay.cli.options import config_option, json_option
from relay.cli.printing import clock, plain, print_json
from relay.cli.running import Running

PATH = "/v1/debugger/events"
OUTCOMES = ("delivered", "filtered", "retrying", "rejected", "expired", "duplicate", "blocked")
MOST_LINES = 500  # the debugger gives no more at once


@click.command()
@click.option("--search", metavar="WORDS", help="Only events with all of these words in them, anywhere.")
@click.option("--source", metavar="NAME", help="Only events of this source.")
@click.option("--event", metavar="NAME", help="Only events of this name or type.")
@click.option("--type", "kind", metavar="TYPE", help="Only events of this type.")
@click.option("--destination", metavar="NAME", help="Only events of which this destination has had its say.")
@click.option("--outcome", type=click.Choice(OUTCOMES), help="Only events with this fate, there or anywhere.")
@click.option(
    "--lines",
    type=click.IntRange(0, MOST_LINES),
    default=10,
    show_default=True,
    help="How many earlier events to begin with.",
)
@click.option("--violations", is_flag=True, help="Only events that do not keep their tracking plan.")
@config_option
@json_option
def tail(
    search: str | None,
    source: str | None,
    event: str | None,
    kind: str | None,
    destination: str | None,
    outcome: str | None,
    *,
    lines: int,
    violations: bool,
    file: Path | None,
    as_json: bool,
) -> None:
    """Show events as they come in, until Ctrl-C.

    One line each: time, source, type, name, user, and whether admission let it through. With --violations, under it
    what the tracking plan of the source found. With --destination or --outcome events are shown when something became of
    them, with what. With --json, one JSON object each, with the whole event.
    """
    show = print_json if as_json else _print_violations if violations else _print
    query: dict[str, object] = {
        "q": search,
        "source": source,
        "event": event,
        "type": kind,
        "destination": destination,
        "outcome": outcome,
        "violations": "true" if violations else None,
    }
    try:
        for item in _items(Running(file), query, lines):
            show(item)
    except KeyboardInterrupt:
        return
    raise CannotDo("relay has closed the connection")


def _items(running: Running, query: dict[str, object], lines: int) -> Iterator[dict[str, Any]]:
    """Earlier events, oldest first, then those that come. Listening begins first, so that none falls between."""
    with running.stream(PATH, query) as stream:
        earlier = running.get(PATH, **query, limit=lines)["events"] if lines else []
        yield from reversed(earlier)
        is_in_order = not (query["destination"] or query["outcome"])
        newest = _place(earlier[0]) if earlier and is_in_order else (0, 0)
        for item in _sent(stream):
            if "missed" in item or _place(item) > newest:
                yield item


def _place(item: dict[str, Any]) -> tuple[int, int]:
    return item["sequence"], item["index"]


def _sent(stream: HTTPResponse) -> Iterator[dict[str, Any]]:
    """The data of server-sent events; relay gives each in one line, and a comment as a sign of life."""
    try:
        for line in stream:
            if line.startswith(b"data:"):
                yield json.loads(line.removeprefix(b"data:"))
    except (OSError, HTTPException):
        return


def _print(item: dict[str, Any]) -> None:
    if "missed" in item:
        click.echo(f"          ... {item['missed']} events were too many to show")
        return
    event = item["event"]
    who = event.get("userId") or event.get("anonymousId") or "-"
    name = event.get("event") or event.get("name") or "-"
    verdict = item["verdict"] + (f" ({item['reason']})" if item["reason"] else "")
    parts = (item["source"], event.get("type") or "-", name, who, verdict)
    fates = [_fate(name, delivery) for name, delivery in item["deliveries"].items()]
    click.echo("  ".join([clock(event.get("receivedAt")), *(plain(str(part)) for part in (*parts, *fates))]))


def _fate(name: str, delivery: dict[str, Any]) -> str:
    reason = f" ({delivery['reason']})" if delivery.get("reason") else ""
    return f"{name}: {delivery['state']}{reason}"


def _print_violations(item: dict[str, Any]) -> None:
    _print(item)
    for violation in item.get("violations", ()):
        click.echo(f"          {plain(violation['field'])}: {plain(violation['description'])}")
