"""Typed calls, made with Segment's own SDKs: the events arrive at relay and keep the plan they come from."""

import asyncio
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import StartRelay
from tests.acceptance.relay_process import source, webhook
from tests.acceptance.sdks import NODE
from tests.plans.codegen.compiler import compiled, packages
from tests.plans.codegen.written import HERE, SHOP, for_browser, for_node, in_python
from tests.receiver import Receiver

KEY = "typed-key"
SECONDS = 60
STRICT = """
[sources.controls]
allow_unplanned_track_events = false
allow_unplanned_track_event_properties = false
allow_track_event_on_violations = false
"""


def _python(folder: Path) -> Sequence[str]:
    (folder / "shop.py").write_text(in_python(SHOP), "utf-8")
    return sys.executable, str(HERE / "send_python.py"), str(folder)


def _node(folder: Path) -> Sequence[str]:
    return _script(folder, "node", for_node(SHOP))


def _browser(folder: Path) -> Sequence[str]:
    return _script(folder, "browser", for_browser(SHOP))


def _script(folder: Path, sdk: str, text: str) -> Sequence[str]:
    program = f"send_{sdk}.mjs"
    shutil.copy(HERE / "node" / program, folder)
    (folder / f"shop.{sdk}.ts").write_text(text, "utf-8")
    assert compiled(folder, packages()) == {}
    return str(NODE), str(folder / program)


async def _run(command: Sequence[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(SECONDS):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output.decode(errors="replace")


@pytest.mark.parametrize("write", [_python, _node, _browser])
async def test_what_is_called_arrives_and_keeps_the_plan(
    write: Any, tmp_path: Path, receiver: Receiver, start_relay: StartRelay
) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(SHOP))
    relay = await start_relay(source("shop", KEY, f'plan = "plan.json"\n{STRICT}') + webhook(receiver.url))
    folder = tmp_path / "program"
    folder.mkdir()
    command = await asyncio.to_thread(write, folder)
    await _run((*command, relay.public, KEY))
    await receiver.wait_for_ids({"order", "order-2", "cart", "page", "identify", "group"}, timeout=30)
    order, newer, cart, page, identify, group = map(
        receiver.find, ("order", "order-2", "cart", "page", "identify", "group")
    )
    assert (order["event"], order["context"]["ip"]) == ("Order Completed", "192.0.2.1")
    assert order["properties"]["products"] == [{"sku": "a", "quantity": 2, "unit price": 1.5}]
    assert _protocols(order) == {"event_version": 1}
    assert _protocols(newer) == {"event_version": 2, "by": "hand"}
    assert (cart["event"], page["name"], page["properties"]["section"]) == ("Cart Viewed", "Home", "top")
    assert (identify["traits"], group["groupId"]) == ({"email": "jane@example.com"}, "g")
    assert group["traits"] == {"name": "Acme"}
    assert [_protocols(event) for event in (cart, page, identify, group)] == [{}] * 4


def _protocols(event: dict[str, Any]) -> Any:
    """What the caller said, as long as relay has nothing to add: it would add violations and its own name for it."""
    return event["context"].get("protocols", {})
