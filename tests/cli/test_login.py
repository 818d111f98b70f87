"""`relay destinations login` and `logout`, with a browser that does what it is told."""

import asyncio
import json
import sys
import webbrowser
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from relay.cli import login as login_room
from relay.cli.login import login, logout
from relay.delivery.logins import LOGIN_SECONDS
from relay.destinations import CATALOGUE
from relay.errors import RelayError
from tests.acceptance.conftest import StartRelay
from tests.acceptance.relay_process import source
from tests.api.test_logins import asked, come_back, toy_table
from tests.cli.command import ask
from tests.cli.command import run as shell
from tests.delivery.vendor import Toy, Vendor
from tests.gateway.relay_here import SOURCE, RelayHere, event, relay_here

Opened = Callable[[], "asyncio.Future[str]"]


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    async with Vendor() as server:
        yield server


@pytest.fixture
async def relay(vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RelayHere]:
    monkeypatch.setitem(CATALOGUE, "toy", Toy)
    monkeypatch.setattr(login_room, "POLL_SECONDS", 0.01)
    async with relay_here(tmp_path, SOURCE + toy_table(vendor.url)) as here:
        yield here


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> "asyncio.Queue[str]":
    """The pages that the browser was told to open."""
    pages: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_event_loop_policy().get_event_loop()

    def open_page(url: str) -> bool:
        loop.call_soon_threadsafe(pages.put_nowait, url)
        return True

    monkeypatch.setattr(webbrowser, "open", open_page)
    return pages


BROWSER = """\
#!{python}
import sys
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

query = parse_qs(urlsplit(sys.argv[1]).query)
back = urlencode({{"code": "c", "state": query["state"][0]}})
urlopen(query["redirect_uri"][0] + "?" + back).close()
"""


async def run(relay: RelayHere, command: click.Command, *arguments: str) -> Result:
    """The command, beside the relay that it talks to, whose log would get into what it prints."""
    words = [*arguments, "--config", str(relay.file)]
    with capture_logs():
        return await asyncio.to_thread(CliRunner().invoke, command, words)


async def test_from_a_shell_through_a_browser_to_the_first_event(
    vendor: Vendor, start_relay: StartRelay, tmp_path: Path
) -> None:
    browser = tmp_path / "browser"
    browser.write_text(BROWSER.format(python=sys.executable))
    browser.chmod(0o700)
    table = toy_table(vendor.url).replace('"toy"', '"intercom"')
    process = await start_relay(source("web", "k") + table)
    assert (await process.post("/v1/track", {"userId": "u", "event": "Tested"}, "k")).status == 200
    words = ("destinations", "login", "intercom")
    done = await shell(*words, folder=process.file.parent, environ={"BROWSER": f"{browser} %s"})
    assert (done.code, done.out) == (0, "logged in to intercom\n")
    await vendor.until(lambda: vendor.answers == [200])
    (status,) = (await ask(process, "status", "--json")).json["destinations"]
    assert status["login"]["loggedIn"]
    assert "access-1" not in process.log
    done = await ask(process, "destinations", "logout", "intercom")
    assert (done.code, done.out) == (0, "intercom: tokens forgotten; its events wait for a login\n")
    done = await ask(process, "destinations", "login", "no/such")
    assert (done.code, done.error) == (1, "there is no destination 'no/such' in relay.toml\n")


async def test_the_browser_opens_the_page_and_comes_back(
    relay: RelayHere, vendor: Vendor, opened: "asyncio.Queue[str]"
) -> None:
    await relay.post("/v1/track", event())
    command = asyncio.create_task(run(relay, login, "toy"))
    page = await opened.get()
    assert page.startswith("https://login.example.com/authorize?")
    query = asked(page)
    assert query["redirect_uri"] == relay.admin + "/oauth/callback"
    assert (await come_back(relay, code="c", state=query["state"])).status == 200
    done = await command
    assert (done.exit_code, done.stdout) == (0, "logged in to toy\n")
    assert page in done.stderr
    assert "this redirect address: " + query["redirect_uri"] in done.stderr
    await vendor.until(lambda: len(vendor.events) == 1)
    done = await run(relay, logout, "toy")
    assert (done.exit_code, done.stdout) == (0, "toy: tokens forgotten; its events wait for a login\n")


async def test_without_a_browser_the_page_is_printed(relay: RelayHere, opened: "asyncio.Queue[str]") -> None:
    address = "https://relay.example.com/oauth/callback"
    logins = relay.app.delivery.logins
    begun = _watch(logins, "begin")
    arguments = ("toy", "--no-browser", "--json", "--redirect-uri", address)
    command = asyncio.create_task(run(relay, login, *arguments))
    query = asked(await begun.get())
    assert query["redirect_uri"] == address
    assert (await come_back(relay, error="access_denied", state=query["state"])).status == 400
    done = await command
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert (found["state"], found["reason"]) == ("failed", "the vendor says: access_denied")
    assert query["state"] in done.stderr
    assert opened.empty()


async def test_nobody_is_waited_for_longer_than_the_login_lasts(
    relay: RelayHere, opened: "asyncio.Queue[str]"
) -> None:
    logins = relay.app.delivery.logins
    now = logins._now
    command = asyncio.create_task(run(relay, login, "toy"))
    await opened.get()
    logins._now = lambda: now() + LOGIN_SECONDS
    done = await command
    assert done.exit_code == 1
    assert done.stderr.endswith("not logged in: nobody came back in time\n")


async def test_a_token_that_cannot_be_renewed_is_told_of(
    relay: RelayHere, vendor: Vendor, opened: "asyncio.Queue[str]"
) -> None:
    vendor.script.append((200, {"access_token": "a", "expires_in": 3600}))
    command = asyncio.create_task(run(relay, login, "toy"))
    query = asked(await opened.get())
    await come_back(relay, code="c", state=query["state"])
    done = await command
    assert done.exit_code == 0
    assert done.stdout.endswith("the vendor gave nothing to renew the token with\n")


@pytest.mark.parametrize("command", [login, logout])
async def test_a_destination_that_is_not_there_is_a_sentence(
    relay: RelayHere, command: click.Command
) -> None:
    done = await run(relay, command, "no/such")
    assert isinstance(done.exception, RelayError)
    assert str(done.exception) == "there is no destination 'no/such' in relay.toml"


def _watch(thing: Any, name: str) -> "asyncio.Queue[Any]":
    """What the method gives from now on."""
    found: asyncio.Queue[Any] = asyncio.Queue()
    method = getattr(thing, name)

    def watched(*arguments: Any) -> Any:
        given = method(*arguments)
        found.put_nowait(given)
        return given

    setattr(thing, name, watched)
    return found
