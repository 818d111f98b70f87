"""A changed relay.toml is taken up while running; a broken one changes nothing and says where it is broken."""

import signal

import pytest

from tests.acceptance.conftest import StartRelay
from tests.acceptance.ground import event, is_success
from tests.acceptance.relay_process import RelayProcess, eventually, source, webhook
from tests.receiver import Receiver

KEY, SECOND_KEY = "first-key", "second-key"


async def wait_for_key(relay: RelayProcess, key: str, status: int) -> None:
    """Return once this write key is answered with `status`."""

    async def is_so() -> bool:
        return (await relay.post("/v1/track", event(), key)).status == status

    await eventually(is_so, 60, lambda: f"{key} is not answered with {status}:\n{relay.log}")


async def test_a_new_source_is_taken_up_without_a_restart(
    receiver: Receiver, start_relay: StartRelay
) -> None:
    relay = await start_relay(source("app", KEY) + webhook(receiver.url))
    pid = relay.pid
    assert (await relay.post("/v1/track", event(), SECOND_KEY)).status == 401
    relay.configure(source("app", KEY) + source("second", SECOND_KEY) + webhook(receiver.url))
    relay.signal(signal.SIGHUP)
    await wait_for_key(relay, SECOND_KEY, 200)
    one, other = event(), event()
    assert is_success(await relay.post("/v1/track", one, KEY))
    assert is_success(await relay.post("/v1/track", other, SECOND_KEY))
    await receiver.wait_for_ids({one["messageId"], other["messageId"]})
    assert relay.pid == pid


async def test_a_source_that_is_gone_from_the_file_is_refused(
    receiver: Receiver, start_relay: StartRelay
) -> None:
    hook = webhook(receiver.url)
    relay = await start_relay(source("app", KEY) + source("second", SECOND_KEY) + hook)
    assert is_success(await relay.post("/v1/track", event(), SECOND_KEY))
    relay.configure(source("app", KEY) + hook)
    relay.signal(signal.SIGHUP)
    await wait_for_key(relay, SECOND_KEY, 401)
    assert is_success(await relay.post("/v1/track", event(), KEY))


async def test_a_new_destination_is_taken_up_without_a_restart(
    receiver: Receiver, start_relay: StartRelay
) -> None:
    first = source("app", KEY) + webhook(receiver.url + "/first", "first")
    relay = await start_relay(first)
    relay.configure(first + source("second", SECOND_KEY) + webhook(receiver.url + "/second", "second"))
    relay.signal(signal.SIGHUP)
    await wait_for_key(relay, SECOND_KEY, 200)  # the file is in force
    one = event()
    assert is_success(await relay.post("/v1/track", one, KEY))

    def paths() -> set[str]:
        return {
            request.path
            for request in receiver.requests
            if one["messageId"] in [it["messageId"] for it in request.events()]
        }

    await receiver.wait_until(lambda: paths() == {"/first", "/second"}, 60)


async def test_the_admin_api_reloads_too(receiver: Receiver, start_relay: StartRelay) -> None:
    relay = await start_relay(source("app", KEY) + webhook(receiver.url))
    relay.configure(source("app", KEY) + source("second", SECOND_KEY) + webhook(receiver.url))
    assert (await relay.ask_admin("POST", "/v1/reload", token=None)).status == 401
    assert (await relay.ask_admin("POST", "/v1/reload")).status == 200
    await wait_for_key(relay, SECOND_KEY, 200)


BROKEN = {
    "unknown key": ('write_kye = "x"', "unknown key `write_kye`, did you mean `write_key`?"),
    "wrong type": ('rate_limit = "many"', ""),
    "not TOML": ("rate_limit = = 5", ""),
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_broken_file_is_refused_with_its_line_and_changes_nothing(
    kind: str, receiver: Receiver, start_relay: StartRelay
) -> None:
    bad_line, says = BROKEN[kind]
    good = source("app", KEY) + webhook(receiver.url)
    relay = await start_relay(good)
    text = relay.configure(good + source("second", SECOND_KEY, bad_line))
    number = text.splitlines().index(bad_line) + 1
    relay.signal(signal.SIGHUP)
    await relay.wait_for_log(f"relay.toml:{number}: {says}")
    assert (await relay.post("/v1/track", event(), SECOND_KEY)).status == 401
    one = event()
    assert is_success(await relay.post("/v1/track", one, KEY))
    await receiver.wait_for_ids({one["messageId"]})


async def test_after_a_broken_file_the_next_good_one_is_taken_up(
    receiver: Receiver, start_relay: StartRelay
) -> None:
    good = source("app", KEY) + webhook(receiver.url)
    relay = await start_relay(good)
    relay.configure(good + "nonsense")
    relay.signal(signal.SIGHUP)
    await relay.wait_for_log("relay.toml:")
    relay.configure(good + source("second", SECOND_KEY))
    relay.signal(signal.SIGHUP)
    await wait_for_key(relay, SECOND_KEY, 200)


async def test_events_sent_during_reloads_are_all_taken_and_delivered(
    receiver: Receiver, start_relay: StartRelay
) -> None:
    config = source("app", KEY) + webhook(receiver.url)
    relay = await start_relay(config)
    sent = set()
    for n in range(10):
        relay.configure(config + source("more", f"more-{n}"))
        relay.signal(signal.SIGHUP)
        for _ in range(10):
            one = event()
            assert is_success(await relay.post("/v1/track", one, KEY))
            sent.add(one["messageId"])
        await wait_for_key(relay, f"more-{n}", 200)
    await receiver.wait_for_ids(sent)
    assert all(receiver.counts[message_id] == 1 for message_id in sent)
