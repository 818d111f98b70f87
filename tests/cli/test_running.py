"""How commands find the running relay, and what they say when they do not."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.acceptance.conftest import StartRelay
from tests.acceptance.relay_process import RelayProcess, running, source, webhook
from tests.cli.command import Outcome, ask, run
from tests.ports import free_port
from tests.receiver import Receiver

SERVER = '[server]\nadmin = "{admin}"\nadmin_token = "t"\n'


async def status(folder: Path, config: str, **environ: str) -> Outcome:
    (folder / "relay.toml").write_text(config)
    return await run("status", folder=folder, environ=environ)


async def test_nobody_listens(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    outcome = await status(tmp_path, SERVER.format(admin=address))
    assert outcome.code == 1
    assert outcome.error == f"no relay answers on http://{address}: is `relay serve` running?\n"


async def test_a_port_that_is_not_named_cannot_be_found(tmp_path: Path) -> None:
    outcome = await status(tmp_path, SERVER.format(admin="127.0.0.1:0"))
    assert outcome.code == 1
    assert "name one" in outcome.error


@pytest.mark.parametrize("said", [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"SSH-2.0\r\n", b""])
async def test_something_else_listens(said: bytes, tmp_path: Path) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        outcome = await status(tmp_path, SERVER.format(admin=address))
    assert outcome.code == 1
    assert outcome.error == f"http://{address}: what listens there does not speak like relay\n"


async def test_a_wrong_token_is_said_to_be_wrong(start_relay: StartRelay) -> None:
    relay = await start_relay("")
    text = relay.file.read_text().replace('admin_token = "', 'admin_token = "not-')
    (relay.file.parent / "wrong.toml").write_text(text)
    outcome = await ask(relay, "status", "--config", "wrong.toml")
    assert outcome.code == 1
    assert "does not accept the admin token of the configuration" in outcome.error


async def test_generated_keys_are_found_in_the_data_directory(receiver: Receiver, tmp_path: Path) -> None:
    relay = RelayProcess(tmp_path, webhook(receiver.url))
    lines = relay.file.read_text().splitlines(keepends=True)
    relay.file.write_text("".join(line for line in lines if "admin_token" not in line))
    try:
        outcome = await ask(relay, "send", "track", "Tested")
        assert outcome.code == 1
        assert "there is no write key" in outcome.error
        await relay.start()
        outcome = await ask(relay, "send", "track", "Tested", "--json")
        assert (outcome.code, outcome.json["source"]) == (0, "default")
    finally:
        await relay.close()


async def test_an_address_that_is_everywhere_is_reached_here(receiver: Receiver, tmp_path: Path) -> None:
    relay = RelayProcess(tmp_path, source("web", "web-key") + webhook(receiver.url))
    text = relay.file.read_text()
    relay.file.write_text(
        text.replace('listen = "127.0.0.1', 'listen = "0.0.0.0').replace(
            'admin = "127.0.0.1', 'admin = "0.0.0.0'
        )
    )
    try:
        await relay.start()
        assert (await ask(relay, "send", "track", "Tested")).code == 0
    finally:
        await relay.close()


async def test_a_proxy_of_the_environment_is_not_asked(start_relay: StartRelay) -> None:
    relay = await start_relay("")
    environ = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    assert (await run("status", folder=relay.file.parent, environ=environ)).code == 0


async def test_variables_that_only_the_server_has_are_not_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = source("web", "${KEY_OF_SERVER}") + webhook("${URL_OF_SERVER}")
    with monkeypatch.context() as patch:
        patch.setenv("KEY_OF_SERVER", "secret")
        patch.setenv("URL_OF_SERVER", "http://127.0.0.1:9/")
        relay = RelayProcess(tmp_path, config)
        await relay.start()
    try:
        assert (await ask(relay, "status")).code == 0
        outcome = await ask(relay, "send", "track", "Tested")
        assert outcome.code == 1
        assert "the environment variable `KEY_OF_SERVER` is not set" in outcome.error
    finally:
        await relay.close()


async def test_a_variable_that_a_command_needs_is_named(tmp_path: Path) -> None:
    outcome = await status(tmp_path, '[server]\nadmin_token = "${NO_SUCH_TOKEN}"\n')
    assert outcome.code == 1
    assert outcome.error == "relay.toml:2: the environment variable `NO_SUCH_TOKEN` is not set\n"


async def test_a_broken_file_is_said_to_be_broken(tmp_path: Path) -> None:
    outcome = await status(tmp_path, "[server]\nlisen = 1\n")
    assert outcome.code == 1
    assert outcome.error == "relay.toml:2: unknown key `lisen`, did you mean `listen`?\n"


async def test_status_shows_sources_and_destinations(receiver: Receiver, tmp_path: Path) -> None:
    async with running(tmp_path, source("web", "web-key") + webhook(receiver.url)) as relay:
        assert (await ask(relay, "send", "track", "Tested")).code == 0
        outcome = await ask(relay, "status", "--config", str(relay.file))
        assert outcome.code == 0
        assert ["web", "yes", "1", "200:", "1", "-"] in outcome.rows
        assert [row[:3] for row in outcome.rows if row[:1] == ["hook"]] == [["hook", "webhook", "running"]]
        raw = (await ask(relay, "status", "--json")).json
        assert raw["log"]["head"] == 1
        assert json.dumps(raw).count("web-key") == 0
