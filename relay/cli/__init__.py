"""The commands: `relay serve` and those that talk to a running relay. Each lives in a file of its own.

Exit codes: 0 it went well, 1 it found something or could not, 2 wrong usage. A mistake of the operator is one
sentence, never a stack trace.
"""

import sys

import click

from relay import __version__
from relay.cli.serve import serve
from relay.errors import RelayError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="relay")
def relay() -> None:
    """A self-hosted customer data platform in one process."""


for command in (serve,):
    relay.add_command(command)


def main() -> None:
    """Run a command; what relay can explain is said in one sentence."""
    try:
        relay()
    except RelayError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
