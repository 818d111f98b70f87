"""The commands: `relay serve` and those that talk to a running relay. Each lives in a file of its own.

Exit codes: 0 it went well, 1 it found something or could not, 2 wrong usage. A mistake of the operator is one
sentence, never a stack trace.
"""

import sys

import click

from relay import __version__
from relay.cli.alerts import alerts
from relay.cli.backup import backup
from relay.cli.browser import browser
from relay.cli.check import check
from relay.cli.dead_letters import dead_letters
from relay.cli.destinations import destinations
from relay.cli.init import init
from relay.cli.pause import pause, resume
from relay.cli.plan import plan
from relay.cli.reload import reload
from relay.cli.replay import replay
from relay.cli.send import send
from relay.cli.serve import serve
from relay.cli.snippet import snippet
from relay.cli.status import status
from relay.cli.tail import tail
from relay.cli.try_ import try_
from relay.errors import RelayError


class Commands(click.Group):
    """Commands in the order in which somebody new needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Names, in the order in which they were added."""
        return list(self.commands)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="relay")
def relay() -> None:
    """A self-hosted customer data platform in one process.

    \b
    Begin with:
      relay init                       write a relay.toml
      relay serve                      run the server
      relay send track 'First Event'   send an event, see where it went

    Exit codes: 0 it went well, 1 it found something or could not, 2 wrong usage.
    """  # noqa: D301  click wants the character itself


for command in (
    init,
    destinations,
    check,
    serve,
    snippet,
    browser,
    send,
    tail,
    try_,
    plan,
    status,
    dead_letters,
    alerts,
    replay,
    reload,
    pause,
    resume,
    backup,
):
    relay.add_command(command)


def main() -> None:
    """Run a command; what relay can explain is said in one sentence."""
    try:
        relay(prog_name="relay")
    except RelayError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
