"""A disk that takes nothing more: senders are asked to come back, and nothing acknowledged is lost.

The limit on file sizes makes every write of the running process fail, as a full disk does.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

from tests.acceptance.conftest import StartRelay
from tests.acceptance.ground import Event, check_refusal, event, is_success, whole_seconds
from tests.acceptance.relay_process import RelayProcess, eventually, source, webhook
from tests.receiver import Receiver

KEY = "disk-key"
WORDS_FOR_IT = ("disk", "file too large", "no space")


@contextmanager
def full_disk(relay: RelayProcess) -> Iterator[None]:
    """Within the block every write of relay to a file fails."""
    soft, hard = resource.prlimit(relay.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(relay.pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.prlimit(relay.pid, resource.RLIMIT_FSIZE, (soft, hard))


async def send(relay: RelayProcess, n: int) -> list[Event]:
    sent = [event() for _ in range(n)]
    for one in sent:
        assert is_success(await relay.post("/v1/track", one, KEY))
    return sent


async def wait_for_room(relay: RelayProcess) -> None:
    async def is_taken() -> bool:
        return is_success(await relay.post("/v1/track", event(), KEY))

    await eventually(is_taken, 60, lambda: f"still no 200:\n{relay.log}")


def ids(events: list[Event]) -> set[str]:
    return {one["messageId"] for one in events}


async def test_on_a_full_disk_senders_are_asked_to_come_back_and_then_served(
    receiver: Receiver, start_relay: StartRelay
) -> None:
    relay = await start_relay(source("app", KEY) + webhook(receiver.url))
    receiver.always(503)
    before = await send(relay, 20)
    refused = [event() for _ in range(5)]
    batch = [event(type="track") for _ in range(5)]
    with full_disk(relay):
        for one in refused:
            answer = await relay.post("/v1/track", one, KEY)
            check_refusal(answer, 503)
            assert whole_seconds(answer) <= 60
        check_refusal(await relay.post("/v1/batch", {"batch": batch}, KEY), 503)
        assert (await relay.request("GET", "/healthz")).status == 200
    await wait_for_room(relay)
    for one in refused:  # as its SDK would, after Retry-After
        assert is_success(await relay.post("/v1/track", one, KEY))
    receiver.always(200)
    after = await send(relay, 20)
    await receiver.wait_for_ids(ids(before) | ids(refused) | ids(after))


async def test_the_log_says_that_the_disk_is_what_is_wrong(
    receiver: Receiver, start_relay: StartRelay
) -> None:
    relay = await start_relay(source("app", KEY) + webhook(receiver.url))
    with full_disk(relay):
        check_refusal(await relay.post("/v1/track", event(), KEY), 503)
        await eventually(
            lambda: any(words in relay.log.lower() for words in WORDS_FOR_IT),
            60,
            lambda: f"nothing about the disk in the log:\n{relay.log}",
        )


async def test_what_was_acknowledged_before_and_after_a_full_disk_survives_a_kill(
    receiver: Receiver, start_relay: StartRelay
) -> None:
    relay = await start_relay(source("app", KEY) + webhook(receiver.url))
    await receiver.stop()
    before = await send(relay, 20)
    with full_disk(relay):
        check_refusal(await relay.post("/v1/track", event(), KEY), 503)
    await wait_for_room(relay)
    after = await send(relay, 20)
    await relay.kill()
    await relay.start()
    await receiver.start()
    await receiver.wait_for_ids(ids(before) | ids(after))


async def test_a_disk_that_is_full_while_events_are_delivered_loses_none(
    receiver: Receiver, start_relay: StartRelay
) -> None:
    relay = await start_relay(source("app", KEY) + webhook(receiver.url))
    receiver.hang()
    sent = await send(relay, 120)
    with full_disk(relay):
        receiver.release()  # from here on nothing that happens can be written down
        await receiver.wait_for_requests(1)
        check_refusal(await relay.post("/v1/track", event(), KEY), 503)
    await wait_for_room(relay)
    await receiver.wait_for_ids(ids(sent))
    last = await send(relay, 1)
    await receiver.wait_for_ids(ids(last))
