"""kill -9 at any moment: what the overview says adds up to what the log has, exactly."""

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from relay.admission.normalise import events_of
from relay.log.sqlite import SqliteLog
from tests.acceptance.conftest import StartRelay
from tests.acceptance.ground import event
from tests.acceptance.relay_process import RelayProcess, eventually, source
from tests.acceptance.test_kill import receiver_is
from tests.receiver import Receiver

KEY = "count-key"
SEED = 20261124
ROUNDS = ("up", "flapping", "down", "flapping")
MOST = 25  # events of a batch
STAGES = ("failedOnIngest", "filteredAtSource", "filteredAtDestination", "failedDelivery")


def config(url: str) -> str:
    hooks = "".join(
        f'\n[[destinations]]\nname = "{name}"\ntype = "webhook"\nsettings = {{ url = "{url}" }}\n{more}\n'
        for name, more in (
            ("hook", 'batch_size = 20\nbatch_wait = "10ms"\nconcurrency = 4'),
            ("picky", 'batch_size = 20\nbatch_wait = "10ms"\nfilter = \'event = "Wanted"\''),
            ("web-only", 'sources = ["web"]\nbatch_size = 20\nbatch_wait = "10ms"'),
        )
    )
    return source("app", KEY) + source("web", f"{KEY}-web") + hooks


async def send(relay: RelayProcess, chance: random.Random, is_over: asyncio.Event) -> None:
    """Batches with good events, repeated ones and ones that can never be accepted; nobody looks at the answers."""
    before = [event(type="track")]
    while not is_over.is_set():
        events: list[Mapping[str, Any]] = [
            event(type="track", event=chance.choice(("Wanted", "Other")))
            for _ in range(chance.randint(1, MOST))
        ]
        events += [chance.choice(before), {"type": "track", "userId": "u"}]
        before = [*before[-50:], *[one for one in events if "messageId" in one]]  # type: ignore[list-item]
        with suppress(aiohttp.ClientError, ConnectionError, TimeoutError):
            await relay.post("/v1/batch", {"batch": events}, chance.choice((KEY, f"{KEY}-web")))
        await asyncio.sleep(0.01)


async def overview(relay: RelayProcess) -> dict[str, Any]:
    found: dict[str, Any] = (await relay.ask_admin("GET", "/v1/overview?range=24h")).json
    return found


def reasons_of(stage: Mapping[str, Any]) -> dict[str, int]:
    found = {reason["code"]: reason["events"] for reason in stage["reasons"]}
    assert sum(found.values()) == stage["events"]
    assert all(0 < len(reason["samples"]) <= 10 for reason in stage["reasons"])
    return found


def check_sums(funnel: Mapping[str, Any]) -> None:
    for one in funnel["sources"]:
        assert one["received"] == one["admitted"] + sum(one[name]["events"] for name in STAGES[:2])
    for one in funnel["destinations"]:
        ended = sum(one[name]["events"] for name in STAGES) + one["delivered"]
        came = one["carried"] + one["redriven"] + one["received"]
        assert came == ended + one["pendingRetry"] + one["inHand"], one["name"]
        assert one["inHand"] >= 0


async def in_the_log(folder: Path) -> dict[str, int]:
    """Events of each source that the log has."""
    log = await SqliteLog.open(folder / "log", durability="normal")
    counts: dict[str, int] = {}
    after = 0
    while records := await log.read(after, 500, 10_000_000):
        after = records[-1].sequence
        for record in records:
            counts[record.source] = counts.get(record.source, 0) + len(events_of(record, "00000000"))
    await log.close()
    return counts


@pytest.mark.timeout(600)
async def test_what_came_in_is_what_became_of_it_whatever_was_killed(
    receiver: Receiver, start_relay: StartRelay
) -> None:
    chance = random.Random(SEED)
    relay = await start_relay(config(receiver.url))
    is_over = asyncio.Event()
    senders = [asyncio.create_task(send(relay, chance, is_over)) for _ in range(3)]
    for state in ROUNDS:
        async with receiver_is(state, receiver, chance):
            await asyncio.sleep(chance.uniform(0.5, 2.0))  # the random moment
            check_sums((await overview(relay))["funnel"])
            await relay.kill()
            await relay.start()
            check_sums((await overview(relay))["funnel"])
    is_over.set()
    await asyncio.gather(*senders)

    async def is_done() -> bool:
        funnel = (await overview(relay))["funnel"]
        check_sums(funnel)
        return all(one["inHand"] + one["pendingRetry"] == one["lag"] == 0 for one in funnel["destinations"])

    await eventually(is_done, 300, lambda: "there is something left to do")
    last = await overview(relay)
    await relay.stop()
    came = await in_the_log(relay.file.parent / "data")
    sources = {one["name"]: one for one in last["funnel"]["sources"]}
    hook, picky, web_only = last["funnel"]["destinations"]
    assert {name: one["received"] for name, one in sources.items()} == came
    assert (hook["received"], picky["received"], web_only["received"]) == (
        came["app"] + came["web"],
        came["app"] + came["web"],
        came["web"],
    )
    assert hook["delivered"] == sum(one["admitted"] for one in sources.values())
    assert reasons_of(hook["failedOnIngest"]).keys() == {"missing_event"}
    assert reasons_of(hook["filteredAtSource"]).keys() == {"duplicate_message_id"}
    assert reasons_of(picky["filteredAtDestination"]).keys() == {"FILTERED_BY_RULES"}
    assert picky["delivered"] + picky["filteredAtDestination"]["events"] == hook["delivered"]
    assert web_only["delivered"] == sources["web"]["admitted"]
    assert hook["p50"] is not None
    assert hook["p50"] <= hook["p95"]
    series = {one["name"]: one for one in last["series"]["destinations"]}
    assert sum(n or 0 for n in series["hook"]["delivered"]) == hook["delivered"]
