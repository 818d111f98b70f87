"""`python -m bench NAME [--json]`. Exit code 0: done; 1: events were lost or a server failed; 2: wrong usage."""

import click

from bench.backlog import backlog
from bench.bridge import bridge
from bench.browser import browser
from bench.console import console
from bench.destinations import destinations
from bench.generator import generator
from bench.ingest import ingest
from bench.pipeline import pipeline
from bench.protocols import protocols
from bench.replay import replay
from bench.sandbox import sandbox
from bench.soak import soak


@click.group(context_settings={"show_default": True, "help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure relay on this machine. Every load is bounded and stops by itself."""


for command in (
    ingest,
    pipeline,
    soak,
    backlog,
    replay,
    protocols,
    destinations,
    sandbox,
    bridge,
    browser,
    console,
    generator,
):
    main.add_command(command)

main(prog_name="python -m bench")
