"""Signals that come at any moment, also while relay is only starting."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from tests.acceptance.relay_process import REPOSITORY, STOP_SECONDS, eventually
from tests.ports import free_ports


async def test_a_relay_that_is_told_to_stop_while_it_starts_leaves_in_good_order(tmp_path: Path) -> None:
    public, admin = free_ports(2)
    (tmp_path / "relay.toml").write_text(
        f'[server]\nlisten = "127.0.0.1:{public}"\nadmin = "127.0.0.1:{admin}"\ndata_dir = "data"\n'
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "relay", "serve"),
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    is_locked = (tmp_path / "data/relay.lock").exists
    await eventually(is_locked, 60, lambda: "it does not start")
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(STOP_SECONDS):
        _, error = await process.communicate()
    assert (process.returncode, b"Traceback" in error) == (0, False), error.decode()
    assert b"stopped" in error
