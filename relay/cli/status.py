"""`relay status`: how a running relay is doing."""

from pathlib import Path
from typing import Any

import click

from relay.cli.options import config_option, json_option
from relay.cli.printing import counted, print_json, print_table, size, span
from relay.cli.running import Running


@click.command()
@config_option
@json_option
def status(file: Path | None, *, as_json: bool) -> None:
    """Show how sources and destinations are doing.

    `lag` counts requests, `retrying` and `dead letters` count events.
    """
    found = Running(file).get("/v1/status")
    if as_json:
        print_json(found)
        return
    _print_log(found)
    click.echo()
    _print_sources(found["sources"])
    click.echo()
    _print_destinations(found["destinations"])


def _print_log(found: dict[str, Any]) -> None:
    log, admission = found["log"], found["admission"]
    kept = counted(log["head"] - log["first"] + 1, "request")
    click.echo(f"relay {found['version']}, running for {span(found['uptimeSeconds'])}")
    click.echo(f"log: {kept}, {size(log['bytes'])}; {admission['lag']:,} not admitted yet")
    if log["problem"]:
        click.echo(f"nothing is taken in: {log['problem']}")


def _print_sources(sources: list[dict[str, Any]]) -> None:
    print_table(
        ("source", "enabled", "events", "answers", "refused"),
        [
            (
                source["name"],
                "yes" if source["enabled"] else "no",
                source["events"],
                _listed(source["answers"]),
                _listed(source["rejected"]),
            )
            for source in sources
        ],
    )


def _print_destinations(destinations: list[dict[str, Any]]) -> None:
    if not destinations:
        click.echo("no destinations: events stay in the log")
        return
    fates = [fate for fate in destinations[0]["events"] if any(d["events"][fate] for d in destinations)]
    print_table(
        ("destination", "type", "state", "lag", "retrying", "dead letters", *fates, "last error"),
        [
            (
                *(d["name"], d["type"], d["state"], d["lag"], d["retrying"], d["deadLetters"]),
                *(d["events"][fate] for fate in fates),
                d["lastError"],
            )
            for d in destinations
        ],
    )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name}: {n:,}" for name, n in counts.items()) or "-"
