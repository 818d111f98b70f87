"""A replay whose relay is killed in the middle: it goes on by itself, misses nothing, repeats hardly anything."""

import json
import sys
from typing import Any

import pytest
from aiohttp import web

from tests.acceptance.conftest import StartRelay
from tests.acceptance.ground import Event, event, is_success
from tests.acceptance.relay_process import ADMIN_TOKEN, RelayProcess, eventually, source
from tests.receiver import Receiver

KEY = "app-key"
BATCHES, EVENTS_A_BATCH = 100, 20
KILLS = 3
# For each kill: what is noted every 25 ms or 100 events, and four requests of 20 on their way, make some 200; a slow disk
# more. Without a saved place the kills would bring 2,400 events again.
UNSAVED = 400


def config(url: str) -> str:
    hook = f'\n[[destinations]]\nname = "hook"\ntype = "webhook"\nsettings = {{ url = "{url}" }}\n'
    return (
        source("app", KEY) + hook + 'enabled = false\nbatch_size = 20\nbatch_wait = "10ms"\nconcurrency = 8\n'
    )


async def ask(relay: RelayProcess, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    data = None if body is None else json.dumps(body).encode()
    async with relay.session.request(method, relay.admin + path, headers=headers, data=data) as response:
        assert response.ok, await response.text()
        return await response.json()


class Halting(Receiver):
    """It takes `most` events, and leaves what comes then without an answer."""

    most = 0

    async def _remember(self, request: web.Request, body: bytes, status: int) -> None:
        await super()._remember(request, body, status)
        if self.counts.total() >= self.most:
            self.hang()


@pytest.mark.timeout(600)
async def test_a_replay_survives_kill_9(start_relay: StartRelay) -> None:
    async with Halting() as receiver:
        await kill_again_and_again(receiver, await start_relay(config(receiver.url)))


async def kill_again_and_again(receiver: Halting, relay: RelayProcess) -> None:
    sent: list[Event] = []
    for _ in range(BATCHES):
        batch = [event(type="track") for _ in range(EVENTS_A_BATCH)]
        assert is_success(await relay.post("/v1/batch", {"batch": batch}, KEY))
        sent += batch

    async def is_admitted() -> bool:
        return bool((await ask(relay, "GET", "/v1/status"))["admission"]["sequence"] == BATCHES)

    await eventually(is_admitted, 60, lambda: "not all is admitted")
    receiver.most = step = len(sent) // (KILLS + 2)
    number = (await ask(relay, "POST", "/v1/replays", {"destination": "hook", "rate": 1500}))["id"]
    for kill in range(1, KILLS + 1):
        await receiver.wait_for(receiver.most)
        await relay.kill()
        await receiver.stop()  # what was left without an answer has not arrived
        assert len(receiver.counts) < len(sent)
        receiver.most = step * (kill + 1) if kill < KILLS else sys.maxsize
        await receiver.start()
        await relay.start()

    async def is_done() -> bool:
        return bool((await ask(relay, "GET", f"/v1/replays/{number}"))["state"] == "done")

    await eventually(is_done, 60, lambda: "the replay is not done")
    done = await ask(relay, "GET", f"/v1/replays/{number}")
    assert receiver.counts.keys() == {one["messageId"] for one in sent}
    assert receiver.counts.total() - len(sent) <= KILLS * UNSAVED
    assert done["events"]["delivered"] == len(sent)
    assert done["requests"] == {"total": BATCHES, "done": BATCHES}
