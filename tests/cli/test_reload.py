"""`relay reload`."""

from tests.acceptance.conftest import StartRelay
from tests.acceptance.relay_process import source
from tests.cli.command import ask

CONFIG = source("web", "web-key")


async def test_a_changed_file_is_taken_up(start_relay: StartRelay) -> None:
    relay = await start_relay(CONFIG)
    relay.configure(CONFIG + source("app", "app-key"))
    outcome = await ask(relay, "reload")
    assert (outcome.code, outcome.out) == (0, "configuration taken up\n")
    assert (await ask(relay, "send", "track", "Tested", "--source", "app")).code == 0


async def test_what_needs_a_restart_is_named(start_relay: StartRelay) -> None:
    relay = await start_relay(CONFIG)
    relay.configure(CONFIG + '[log]\ndurability = "normal"\n')
    outcome = await ask(relay, "reload", "--config", str(relay.file))
    assert outcome.out.splitlines() == ["configuration taken up", "not before a restart: log.durability"]
    outcome = await ask(relay, "reload", "--json")
    assert outcome.code == 0
    assert outcome.json["reloaded"] is True


async def test_a_broken_file_is_refused_line_by_line(start_relay: StartRelay) -> None:
    relay = await start_relay(CONFIG)
    text = relay.configure(CONFIG + "lisen = 1\n")
    outcome = await ask(relay, "reload")
    assert outcome.code == 1
    line = len(text.splitlines())
    assert outcome.error.startswith(f"relay.toml:{line}: unknown key `lisen`")
    assert outcome.error.endswith("the configuration from before stays in force\n")
    outcome = await ask(relay, "reload", "--json")
    assert (outcome.code, outcome.json["reloaded"], len(outcome.json["problems"])) == (1, False, 1)


async def test_what_only_the_server_finds_wrong_is_printed_too(start_relay: StartRelay) -> None:
    relay = await start_relay(CONFIG)
    text = relay.file.read_text()
    (relay.file.parent / "other.toml").write_text(text)  # to be found by, while its own file is broken
    relay.file.write_text(text + "lisen = 1\n")
    outcome = await ask(relay, "reload", "--config", "other.toml")
    assert outcome.code == 1
    assert "unknown key `lisen`" in outcome.error
