"""`relay dead-letters list`, `retry` and `drop`."""

import asyncio
from pathlib import Path

import pytest

from tests.acceptance.conftest import StartRelay
from tests.acceptance.relay_process import RelayProcess, source, webhook
from tests.cli.command import Outcome, ask, begin, run
from tests.receiver import Receiver


@pytest.fixture
async def relay(receiver: Receiver, start_relay: StartRelay) -> RelayProcess:
    """Two destinations have refused two events each; from now on they take what comes."""
    hooks = webhook(receiver.url + "/one", "one") + webhook(receiver.url + "/two", "two")
    relay = await start_relay(source("web", "web-key") + hooks)
    receiver.always(403)
    for name in ("First", "Second"):
        assert (await ask(relay, "send", "track", name)).code == 1
    receiver.always(200)
    return relay


async def listed(relay: RelayProcess, *arguments: str) -> list[dict[str, object]]:
    outcome = await ask(relay, "dead-letters", "list", "--json", *arguments)
    assert outcome.code == 0
    found: list[dict[str, object]] = outcome.json["deadLetters"]
    return found


async def test_the_list_shows_what_was_refused_and_how(relay: RelayProcess) -> None:
    outcome = await ask(relay, "dead-letters", "list", "--config", str(relay.file))
    assert outcome.code == 0
    header, *rows = outcome.rows
    assert header[:3] == ["id", "time", "destination"]
    assert sorted((row[2], row[3], row[4], row[6]) for row in rows) == [
        (name, "rejected", "403", event) for name in ("one", "two") for event in ("First", "Second")
    ]


async def test_the_list_of_one_destination_and_no_longer_than_asked(relay: RelayProcess) -> None:
    assert [letter["destination"] for letter in await listed(relay, "--destination", "two")] == ["two", "two"]
    assert len(await listed(relay, "--limit", "3")) == 3
    assert (await ask(relay, "dead-letters", "drop", "--destination", "two", "--yes")).code == 0
    assert await listed(relay, "--destination", "two") == []
    empty = await ask(relay, "dead-letters", "list", "--destination", "two")
    assert (empty.code, empty.out) == (0, "no dead letters\n")


@pytest.mark.parametrize("words", [["list"], ["retry"], ["drop"], ["drop", "--yes"]], ids=" ".join)
async def test_a_destination_nobody_knows_is_told_with_the_nearest(
    words: list[str], relay: RelayProcess
) -> None:
    outcome = await ask(relay, "dead-letters", *words, "--destination", "oen")
    assert (outcome.code, outcome.out) == (2, "")
    assert "there is no destination `oen`, did you mean `one`?" in outcome.error
    assert len(await listed(relay)) == 4


async def test_dead_letters_of_a_destination_that_is_gone_can_be_listed_and_dropped(
    relay: RelayProcess, receiver: Receiver
) -> None:
    relay.configure(source("web", "web-key") + webhook(receiver.url + "/one", "one"))
    assert (await ask(relay, "reload")).code == 0
    assert [letter["destination"] for letter in await listed(relay, "--destination", "two")] == ["two", "two"]
    outcome = await ask(relay, "dead-letters", "drop", "--destination", "two", "--yes")
    assert (outcome.code, outcome.out) == (0, "dropped 2 dead letters\n")


async def test_those_of_a_destination_are_retried(relay: RelayProcess, receiver: Receiver) -> None:
    outcome = await ask(relay, "dead-letters", "retry", "--destination", "one")
    assert (outcome.code, outcome.out) == (0, "retried 2 dead letters\n")
    arrived = await receiver.wait_for(2)
    assert {event["event"] for event in arrived} == {"First", "Second"}
    assert [letter["destination"] for letter in await listed(relay)] == ["two", "two"]


async def test_one_is_retried_by_its_id(relay: RelayProcess, receiver: Receiver) -> None:
    chosen = (await listed(relay, "--destination", "two"))[0]
    outcome = await ask(relay, "dead-letters", "retry", str(chosen["id"]), "--json")
    assert (outcome.code, outcome.json) == (0, {"retried": 1})
    await receiver.wait_for_ids({str(chosen["messageId"])})
    assert chosen["id"] not in [letter["id"] for letter in await listed(relay)]


async def test_an_id_that_is_not_there_is_said(relay: RelayProcess, receiver: Receiver) -> None:
    chosen = (await listed(relay))[0]
    outcome = await ask(relay, "dead-letters", "retry", str(chosen["id"]), "999999")
    assert (outcome.code, outcome.out) == (1, "retried 1 dead letter; 1 not found\n")
    await receiver.wait_for_ids({str(chosen["messageId"])})


async def test_those_of_a_destination_are_dropped(relay: RelayProcess, receiver: Receiver) -> None:
    outcome = await ask(relay, "dead-letters", "drop", "--destination", "one", "--yes")
    assert (outcome.code, outcome.out) == (0, "dropped 2 dead letters\n")
    assert [letter["destination"] for letter in await listed(relay)] == ["two", "two"]
    one, two = await listed(relay)
    outcome = await ask(relay, "dead-letters", "drop", str(one["id"]), str(two["id"]), "--yes", "--json")
    assert (outcome.code, outcome.json) == (0, {"dropped": 2})
    assert await listed(relay) == []
    assert receiver.events() == []


async def test_drop_asks_first(relay: RelayProcess) -> None:
    for answer, code, left in (("", 1, 4), ("n\n", 1, 4), ("y\n", 0, 2)):
        outcome = await drop_and_answer(relay, answer)
        assert outcome.code == code
        assert outcome.error.startswith("Drop all dead letters of `one`? [y/N]: ")
        assert len(await listed(relay)) == left


async def drop_and_answer(relay: RelayProcess, answer: str) -> Outcome:
    arguments = ("dead-letters", "drop", "--destination", "one")
    process = await begin(*arguments, folder=relay.file.parent, stdin=asyncio.subprocess.PIPE)
    out, error = await process.communicate(answer.encode())
    assert process.returncode is not None
    return Outcome(process.returncode, out.decode(), error.decode())


@pytest.mark.parametrize(
    "arguments",
    [
        ["retry"],
        ["drop", "--yes"],
        ["retry", "one"],
        ["retry", "0"],
        ["retry", str(2**63)],
        ["list", "--limit", "0"],
        ["list", "--destination", "--json"],
        ["burn"],
    ],
    ids=" ".join,
)
async def test_wrong_usage_touches_nothing(arguments: list[str], tmp_path: Path) -> None:
    assert (await run("dead-letters", *arguments, folder=tmp_path)).code == 2
