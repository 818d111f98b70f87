"""`relay ...` in a process of its own, as a shell runs it."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.relay_process import REPOSITORY, RelayProcess

COMMAND_SECONDS = 60


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    error: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[list[str]]:
        """The words of each line."""
        return [line.split() for line in self.out.splitlines()]


async def begin(
    *arguments: str, folder: Path, environ: Mapping[str, str] | None = None, stdin: int = DEVNULL
) -> Process:
    """A command that runs."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "relay", *arguments),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)} | dict(environ or {}),
        stdin=stdin,
        stdout=PIPE,
        stderr=PIPE,
    )


async def run(*arguments: str, folder: Path, environ: Mapping[str, str] | None = None) -> Outcome:
    """A command from beginning to end. It never shows a stack trace."""
    process = await begin(*arguments, folder=folder, environ=environ)
    async with asyncio.timeout(COMMAND_SECONDS):
        out, error = await process.communicate()
    assert process.returncode is not None
    outcome = Outcome(process.returncode, out.decode(), error.decode())
    assert "Traceback" not in outcome.error, outcome.error
    return outcome


async def ask(relay: RelayProcess, *arguments: str) -> Outcome:
    """A command in the folder of this relay, which finds its relay.toml there."""
    return await run(*arguments, folder=relay.file.parent)
