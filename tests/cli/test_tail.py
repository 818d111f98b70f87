"""`relay tail`."""

import asyncio
import json
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.acceptance.conftest import StartRelay
from tests.acceptance.ground import event, is_success
from tests.acceptance.relay_process import RelayProcess, eventually, source, webhook
from tests.cli.command import begin, run
from tests.plans.plans import about, plan
from tests.receiver import Receiver

SOURCES = source("web", "web-key") + source("app", "app-key")


async def send(relay: RelayProcess, key: str, name: str, **fields: object) -> None:
    """Return once it is admitted."""
    assert is_success(await relay.post("/v1/track", event(event=name, **fields), key))

    async def is_admitted() -> bool:
        return bool((await relay.ask_admin("GET", "/v1/status")).json["admission"]["lag"] == 0)

    await eventually(is_admitted, 60, lambda: f"{name} is not admitted")


@asynccontextmanager
async def tailing(relay: RelayProcess, *arguments: str) -> AsyncIterator[Process]:
    """A `relay tail` that is stopped by Ctrl-C, and takes that for the end it is."""
    process = await begin("tail", *arguments, folder=relay.file.parent)
    try:
        yield process
        process.send_signal(signal.SIGINT)
        _, error = await process.communicate()
        assert (process.returncode, error) == (0, b"")
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def line(process: Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        return (await process.stdout.readline()).decode()


async def first(relay: RelayProcess, process: Process, key: str = "web-key") -> str:
    """The first line. Events are sent until it is there: nothing says from outside that listening began."""
    reading = asyncio.create_task(line(process))
    while not reading.done():
        await send(relay, key, "Noise")
        await asyncio.wait([reading], timeout=0.1)
    return reading.result()


async def until(process: Process, name: str) -> list[str]:
    """The words of the first line with this event."""
    while True:
        words = (await line(process)).split()
        assert words
        if name in words:
            return words


async def test_the_newest_events_come_first_and_then_what_comes(start_relay: StartRelay) -> None:
    relay = await start_relay(SOURCES)
    for name in ("One", "Two", "Three"):
        await send(relay, "web-key", name)
    async with tailing(relay, "--lines", "2") as process:
        shown = [(await line(process)).split()[1:] for _ in range(2)]
        assert shown == [["web", "track", name, "u1", "admitted"] for name in ("Two", "Three")]
        await send(relay, "app-key", "Four", userId="u2")
        assert (await line(process)).split()[1:] == ["app", "track", "Four", "u2", "admitted"]


async def test_only_the_source_and_the_event_that_were_asked_for(start_relay: StartRelay) -> None:
    relay = await start_relay(SOURCES)
    await send(relay, "web-key", "Not & This")
    await send(relay, "app-key", "This & That")
    async with tailing(relay, "--source", "web", "--event", "This & That") as process:
        await send(relay, "web-key", "Other")
        await send(relay, "web-key", "This & That")
        assert (await line(process)).split()[1:6] == ["web", "track", "This", "&", "That"]


async def test_without_earlier_lines_it_begins_with_what_comes(start_relay: StartRelay) -> None:
    relay = await start_relay(SOURCES)
    await send(relay, "web-key", "Earlier")
    async with tailing(relay, "--lines", "0") as process:
        assert "Noise" in await first(relay, process)


async def test_json_has_the_whole_event_and_the_verdict(start_relay: StartRelay) -> None:
    relay = await start_relay(SOURCES)
    await send(relay, "web-key", "One", messageId="m1")
    await send(relay, "web-key", "One", messageId="m1")
    async with tailing(relay, "--json", "--config", str(relay.file)) as process:
        good, again = [json.loads(await line(process)) for _ in range(2)]
    assert (good["event"]["messageId"], good["verdict"], good["source"]) == ("m1", "admitted", "web")
    assert (again["verdict"], again["reason"]) == ("duplicate", "duplicate_message_id")


async def test_an_event_cannot_steer_the_terminal(start_relay: StartRelay) -> None:
    relay = await start_relay(SOURCES)
    await send(relay, "web-key", "\x1b[2JGone\n\u202e", userId="u\r1")
    async with tailing(relay) as process:
        shown = await line(process)
    assert shown.endswith("\n")
    assert shown[:-1].isprintable()
    assert "Gone" in shown


async def test_every_event_is_shown_once_while_it_begins(start_relay: StartRelay) -> None:
    relay = await start_relay(SOURCES)
    async with tailing(relay, "--lines", "500", "--json") as process:
        await first(relay, process)
        for number in range(50):
            await send(relay, "web-key", f"Numbered {number}")
        seen: list[str] = []
        while len(seen) < 50:
            name = json.loads(await line(process))["event"]["event"]
            seen += [name] if name.startswith("Numbered") else []
    assert seen == [f"Numbered {number}" for number in range(50)]


async def test_only_events_that_break_their_plan_each_with_what_it_breaks(start_relay: StartRelay) -> None:
    relay = await start_relay(SOURCES)
    shop = plan(("Paid", about(price={"type": "number"}, tax={"type": "number"})))
    (relay.file.parent / "plan.json").write_text(json.dumps(shop))
    controls = "[sources.controls]\nallow_unplanned_track_events = false\n"
    relay.configure(source("web", "web-key") + 'plan = "plan.json"\n' + controls)
    await relay.restart()
    await send(relay, "web-key", "Paid", properties={"price": 1})
    async with tailing(relay, "--violations") as process:
        await send(relay, "web-key", "Paid", properties={"price": 1})
        await send(relay, "web-key", "Paid", properties={"price": "1", "tax": True})
        await send(relay, "web-key", "Lost")
        shown = [(await line(process)).removesuffix("\n") for _ in range(4)]
    assert shown[0].split()[1:] == ["web", "track", "Paid", "u1", "admitted"]
    assert shown[1:3] == [
        "          properties.price: Invalid type. Expected: number, given: string",
        "          properties.tax: Invalid type. Expected: number, given: boolean",
    ]
    assert shown[3].split()[1:] == ["web", "track", "Lost", "u1", "blocked", "(unplanned)"]
    async with tailing(relay, "--violations", "--json", "--lines", "2") as process:
        found = [json.loads(await line(process)) for _ in range(2)]
    assert [one["event"]["event"] for one in found] == ["Paid", "Lost"]
    assert found[0]["violations"][0] == {
        "type": "Invalid Type",
        "field": "properties.price",
        "description": "Invalid type. Expected: number, given: string",
    }
    assert found[1]["violations"] == []


async def test_search_finds_words_anywhere_and_outcomes_as_they_come(
    start_relay: StartRelay, receiver: Receiver
) -> None:
    relay = await start_relay(SOURCES + webhook(receiver.url))
    for name, plan_name in (("Earlier", "Gold"), ("Other", "Iron"), ("Later", "golden")):
        await send(relay, "web-key", name, properties={"plan": plan_name})
    async with tailing(relay, "--search", "GOLD track") as process:
        assert [(await line(process)).split()[3] for _ in range(2)] == ["Earlier", "Later"]
    receiver.always(400)
    await send(relay, "web-key", "Refused")
    await receiver.wait_for_requests(4)
    async with tailing(relay, "--destination", "hook", "--outcome", "rejected") as process:
        words = await until(process, "Refused")
        assert words[-3:] == ["hook:", "rejected", "(400)"]


async def test_when_relay_ends_it_ends(start_relay: StartRelay) -> None:
    relay = await start_relay(SOURCES)
    process = await begin("tail", folder=relay.file.parent)
    await first(relay, process)
    await relay.stop()
    _, error = await process.communicate()
    assert (process.returncode, error) == (1, b"relay has closed the connection\n")
    await relay.start()


async def test_more_lines_than_there_are_kept_is_wrong_usage(start_relay: StartRelay) -> None:
    relay = await start_relay("")
    assert (await run("tail", "--lines", "501", folder=relay.file.parent)).code == 2
