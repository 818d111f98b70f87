"""`relay replay`: begin, watch, list and cancel."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.acceptance.conftest import StartRelay
from tests.acceptance.ground import event, is_success
from tests.acceptance.relay_process import RelayProcess, eventually, source, webhook
from tests.cli.command import ask, begin, run
from tests.receiver import Receiver

EVENTS = 12


@pytest.fixture
async def relay(receiver: Receiver, start_relay: StartRelay) -> RelayProcess:
    """A dozen events came in; the destination `new` was added after that."""
    sources = source("web", "web-key")
    relay = await start_relay(sources)
    for n in range(EVENTS):
        one = event(event=f"Event {n % 3}")
        assert is_success(await relay.post("/v1/track", one, "web-key"))
    relay.configure(sources + webhook(receiver.url, "new"))
    assert (await ask(relay, "reload")).code == 0
    return relay


async def test_what_is_stored_goes_to_a_destination_that_was_added_later(
    relay: RelayProcess, receiver: Receiver
) -> None:
    outcome = await ask(relay, "replay", "--to", "new")
    assert outcome.code == 0
    assert outcome.out == "replay 1 to new: done, 12 requests of 12, 12 delivered\n"
    assert receiver.counts.total() == EVENTS


async def test_every_option_of_the_selection_counts(relay: RelayProcess, receiver: Receiver) -> None:
    chosen = ("--since", "1h", "--until", "2999-01-01", "--source", "web", "--user", "u1")
    named = ("--event", "Event 0", "--event", "Event 1", "--filter", 'event != "Event 1"', "--rate", "1000")
    outcome = await ask(relay, "replay", "--to", "new", *chosen, *named, "--json")
    assert (outcome.code, outcome.json["state"], outcome.json["events"]["delivered"]) == (0, "done", 4)
    assert {one["event"] for one in receiver.events()} == {"Event 0"}


async def test_a_dry_run_prints_what_it_found(relay: RelayProcess, receiver: Receiver) -> None:
    outcome = await ask(relay, "replay", "--to", "new", "--dry-run")
    assert outcome.code == 0
    first, header, *rows = outcome.out.splitlines()
    assert first == "dry run 1 to new: done, 12 requests of 12, 12 to be sent"
    assert header.split() == ["event", "to", "be", "sent"]
    assert sorted(row.split() for row in rows) == [["Event", str(n), "4"] for n in range(3)]
    assert receiver.requests == []


async def test_one_that_was_detached_is_listed_watched_and_cancelled(
    relay: RelayProcess, receiver: Receiver
) -> None:
    assert (await ask(relay, "replay", "--list")).out == "no replays\n"
    outcome = await ask(relay, "replay", "--to", "new", "--rate", "0.001", "--detach")
    assert outcome.code == 0
    assert outcome.out.startswith("replay 1 to new: running")
    listed = await ask(relay, "replay", "--list")
    assert (listed.code, listed.rows[1][:2], listed.rows[1][3]) == (0, ["1", "new"], "running")
    watching = await begin("replay", "--watch", "1", folder=relay.file.parent)
    cancelled = await ask(relay, "replay", "--cancel", "1", "--json")
    assert (cancelled.code, cancelled.json["state"]) == (0, "cancelled")
    out, _ = await watching.communicate()
    assert watching.returncode == 1
    assert out.decode().startswith("replay 1 to new: cancelled")
    assert (await ask(relay, "replay", "--list", "--json")).json == {"replays": [cancelled.json]}


@asynccontextmanager
async def overheard(relay: RelayProcess) -> AsyncIterator[tuple[Path, bytearray]]:
    """A configuration that leads to the admin listener, and what is asked there by it."""
    asked = bytearray()
    host, _, port = relay.admin.removeprefix("http://").partition(":")

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray) -> None:
        while data := await reader.read(65536):
            kept += data
            writer.write(data)
        writer.close()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):  # of a command that was interrupted
            there, back = await asyncio.open_connection(host, int(port))
            await asyncio.gather(pump(reader, back, asked), pump(there, writer, bytearray()))

    async with await asyncio.start_server(pass_on, host, 0) as server:
        own = server.sockets[0].getsockname()[1]
        file = relay.file.with_name("overheard.toml")
        file.write_text(relay.file.read_text().replace(f'admin = "{host}:{port}"', f'admin = "{host}:{own}"'))
        yield file, asked


async def test_ctrl_c_leaves_it_running_and_says_what_to_do(relay: RelayProcess, receiver: Receiver) -> None:
    async with overheard(relay) as (file, asked):
        words = ("replay", "--to", "new", "--rate", "0.001", "--config", str(file))
        process = await begin(*words, folder=file.parent)
        await eventually(lambda: b"GET /v1/replays/1 " in asked, 60, lambda: "it is not watched")
        process.send_signal(signal.SIGINT)
        _, error = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    assert "`relay replay --watch 1` shows it, `relay replay --cancel 1` ends it" in error.decode()
    (one,) = (await ask(relay, "replay", "--list", "--json")).json["replays"]
    assert one["state"] == "running"


async def test_a_mistake_is_one_sentence(relay: RelayProcess, receiver: Receiver) -> None:
    for words, names in (
        (("--to", "nobody"), "destination: not in relay.toml; there is: new"),
        (("--to", "new", "--since", "soon"), "since: must be an ISO 8601 time"),
        (("--to", "new", "--filter", "event ="), "filter: "),
        (("--to", "new", "--rate", "0"), "rate: must be more than 0"),
        (("--watch", "99"), "there is no such replay"),
        (("--cancel", "99"), "there is no such replay"),
    ):
        outcome = await ask(relay, "replay", *words)
        assert (outcome.code, outcome.out) == (1, "")
        assert names in outcome.error
    assert receiver.requests == []


async def test_a_source_nobody_knows_is_told_and_finding_nothing_is_1(
    relay: RelayProcess, receiver: Receiver
) -> None:
    outcome = await ask(relay, "replay", "--to", "new", "--source", "wbe")
    assert (outcome.code, outcome.error) == (1, "note: there is no source `wbe`, did you mean `web`?\n")
    assert outcome.out == "replay 1 to new: done, 12 requests of 12, no events\n"
    assert receiver.requests == []


async def test_events_of_a_source_that_is_gone_are_found(relay: RelayProcess, receiver: Receiver) -> None:
    relay.configure(source("other", "other-key") + webhook(receiver.url, "new"))
    assert (await ask(relay, "reload")).code == 0
    outcome = await ask(relay, "replay", "--to", "new", "--source", "web")
    assert (outcome.code, outcome.error) == (0, "note: there is no source `web`; known: other\n")
    assert receiver.counts.total() == EVENTS


async def test_an_option_is_not_taken_for_the_name_of_an_event(tmp_path: Path) -> None:
    outcome = await run("replay", "--to", "new", "--event", "--dry-run", folder=tmp_path)
    assert outcome.code == 2
    assert "--dry-run is an option: the name before it is missing" in outcome.error


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--since", "3d"],
        ["--to", "new", "--list"],
        ["--list", "--watch", "1"],
        ["--watch", "x"],
        ["--cancel", "0"],
        ["--to", "new", "--rate", "fast"],
        ["new"],
    ],
    ids=" ".join,
)
async def test_wrong_usage_is_2(arguments: list[str], tmp_path: Path) -> None:
    assert (await run("replay", *arguments, folder=tmp_path)).code == 2
