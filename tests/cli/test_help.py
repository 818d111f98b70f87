"""What every command has in common: help, wrong usage, and a start that waits for nothing."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from relay.cli import relay
from tests.acceptance.relay_process import REPOSITORY
from tests.cli.command import run

COMMANDS = [
    ("init",),
    ("destinations",),
    ("destinations", "login"),
    ("destinations", "logout"),
    ("check",),
    ("serve",),
    ("snippet",),
    ("browser",),
    ("browser", "install"),
    ("send",),
    ("tail",),
    ("try",),
    ("try", "filter"),
    ("try", "subscription"),
    ("try", "mapping"),
    ("try", "destination"),
    ("plan",),
    ("plan", "check"),
    ("plan", "codegen"),
    ("status",),
    ("dead-letters",),
    ("dead-letters", "list"),
    ("dead-letters", "retry"),
    ("dead-letters", "drop"),
    ("alerts",),
    ("alerts", "test"),
    ("replay",),
    ("reload",),
    ("pause",),
    ("resume",),
    ("backup",),
]


def test_help_names_every_command_in_the_order_one_needs_them() -> None:
    lines = CliRunner().invoke(relay, ["--help"]).output.splitlines()
    shown = [line.split()[0] for line in lines[lines.index("Commands:") + 1 :]]
    assert shown == list(dict.fromkeys(command[0] for command in COMMANDS))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_option_has_help(command: tuple[str, ...]) -> None:
    assert CliRunner().invoke(relay, [*command, "-h"]).exit_code == 0
    found: click.Command = relay
    for name in command:
        assert isinstance(found, click.Group)
        found = found.commands[name]
    assert found.help
    options = [parameter for parameter in found.params if isinstance(parameter, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize(
    "command",
    [c for c in COMMANDS if c not in {("dead-letters",), ("try",), ("plan",), ("browser",)}],
    ids=" ".join,
)
async def test_an_unknown_option_is_wrong_usage(command: tuple[str, ...], tmp_path: Path) -> None:
    outcome = await run(*command, "--violatoins", folder=tmp_path)
    assert (outcome.code, outcome.out) == (2, "")
    assert "No such option" in outcome.error


def test_help_waits_for_no_server_and_no_table() -> None:
    code = """
import sys
from relay.cli import relay
try:
    relay(["--help"])
except SystemExit:
    pass
print([name for name in ("aiohttp", "uvloop", "relay.app", "structlog", "rich") if name in sys.modules])
"""
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    assert printed.splitlines()[-1] == "[]"
