"""`relay check`."""

import asyncio
import json
import platform
import socket
import sqlite3
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from relay.cli import relay
from relay.config import load
from tests.acceptance.relay_process import source, webhook
from tests.cli.certificate import write_certificate
from tests.ports import free_port
from tests.receiver import Receiver


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        yield opened


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def check(*arguments: str) -> Result:
    return CliRunner().invoke(relay, ["check", *arguments])


def connections(config: str) -> tuple[int, Any]:
    """Exit code, and by destination what hinders a connection."""
    Path("relay.toml").write_text(config)
    result = check("--connect", "--json")
    found = json.loads(result.output)["connections"]
    assert all(c["reachable"] == (c["problem"] is None) for c in found)
    return result.exit_code, {c["destination"]: c["problem"] for c in found}


def test_a_right_file_is_one_line_with_what_is_in_it() -> None:
    Path("relay.toml").write_text(source("web", "k1") + source("app", "k2") + webhook("http://h.test/"))
    result = check()
    assert result.exit_code == 0
    versions = f"(Python {platform.python_version()}, SQLite {sqlite3.sqlite_version})"
    assert result.output == f"relay.toml is right: 2 sources, 1 destination {versions}\n"


def test_without_a_file_the_defaults_are_right() -> None:
    result = check()
    assert result.exit_code == 0
    assert result.output.startswith("there is no relay.toml, the defaults hold: 1 source, 0 destinations")


def test_every_mistake_has_its_line() -> None:
    Path("other.toml").write_text(
        "[server]\nlisen = 1\n[[sources]]\nname = 'web'\nwrite_key = '${NO_SUCH}'\n"
    )
    result = check("--config", "other.toml")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "other.toml:2: unknown key `lisen`, did you mean `listen`?",
        "other.toml:5: the environment variable `NO_SUCH` is not set",
    ]


def test_a_file_that_is_not_there_is_a_mistake() -> None:
    result = check("--config", "nowhere.toml")
    assert (result.exit_code, result.output) == (
        1,
        "nowhere.toml: cannot be read: No such file or directory\n",
    )


def test_json_of_a_right_and_of_a_wrong_file() -> None:
    Path("relay.toml").write_text(source("web", "k1") + webhook("http://h.test/"))
    assert json.loads(check("--json").output) == {
        "valid": True,
        "problems": [],
        "notes": [],
        "file": "relay.toml",
        "sources": ["web"],
        "destinations": ["hook"],
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    Path("relay.toml").write_text("[sever]")
    result = check("--json")
    assert result.exit_code == 1
    assert json.loads(result.output) == {
        "valid": False,
        "problems": ["relay.toml:1: unknown key `sever`, did you mean `server`?"],
    }


def test_tokens_that_would_be_kept_as_they_are_are_told_of() -> None:
    table = '[[destinations]]\nname = "crm"\ntype = "intercom"\nsettings = { oauth = { clientId = "c" } }\n'
    Path("relay.toml").write_text(table)
    said = "relay.toml: OAuth tokens of `crm` are stored as they are: `[server]` has no `encryption_key`"
    result = check()
    assert (result.exit_code, result.output.splitlines()[1:]) == (0, [f"note: {said}"])
    assert json.loads(check("--json").output)["notes"] == [said]
    Path("relay.toml").write_text('[server]\nencryption_key = "sixteen or longer"\n' + table)
    assert json.loads(check("--json").output)["notes"] == []


@pytest.mark.parametrize(
    ("oauth", "is_noted"),
    [
        ("{}", True),
        ('{ clientSecret = "s" }', True),
        ('{ clientId = "c" }', False),
        ('{ access_token = "t" }', False),
        ('{ refresh_token = "t" }', False),
    ],
)
def test_a_destination_that_can_neither_log_in_nor_send_is_noted(oauth: str, is_noted: bool) -> None:
    key = '[server]\nencryption_key = "sixteen or longer"\n'
    table = '[[destinations]]\nname = "crm"\ntype = "hubspot"\n'
    Path("relay.toml").write_text(f"{key}{table}settings = {{ oauth = {oauth} }}\n")
    said = (
        "relay.toml: `crm` can neither log in nor send, unless it has been logged in to:"
        " `settings.oauth` has no `clientId` and no token"
    )
    assert json.loads(check("--json").output)["notes"] == ([said] if is_noted else [])


def test_connect_tells_who_listens_from_who_does_not(listener: socket.socket) -> None:
    here, nobody = f"http://127.0.0.1:{port_of(listener)}/", f"http://127.0.0.1:{free_port()}/"
    code, found = connections(webhook(here, "here"))
    assert (code, found) == (0, {"here": None})
    code, found = connections(webhook(here, "here") + webhook(nobody, "gone"))
    assert (code, found) == (1, {"here": None, "gone": "Connection refused"})


def test_connect_goes_to_the_endpoint_and_leaves_disabled_ones_alone(listener: socket.socket) -> None:
    endpoint = f'endpoint = "http://127.0.0.1:{port_of(listener)}"'
    code, found = connections(
        webhook("http://127.0.0.1:9/", "moved", endpoint)
        + webhook("http://127.0.0.1:9/", "off", "enabled = false")
    )
    assert (code, found) == (0, {"moved": None})


def test_connect_says_that_a_name_is_not_known() -> None:
    code, found = connections(webhook("http://nobody.invalid/"))
    assert code == 1
    assert found["hook"]


def test_connect_prints_a_table(listener: socket.socket) -> None:
    Path("relay.toml").write_text(webhook(f"http://127.0.0.1:{port_of(listener)}/x"))
    result = check("--connect")
    assert result.output.splitlines()[-1].split() == [
        "hook",
        f"http://127.0.0.1:{port_of(listener)}",
        "yes",
        "not",
        "tested",
    ]


def test_what_may_not_be_meant_is_noted_and_is_no_mistake() -> None:
    said = """subscriptions = [{ action = "send", subscribe = 'type = "page" and event = "a" or event = "b"' }]"""
    Path("relay.toml").write_text(webhook("http://h.test/", "hook", said))
    result = check()
    assert result.exit_code == 0
    assert "note: relay.toml:" in result.output
    assert "Segment reads this as" in result.output


@pytest.mark.parametrize(
    ("kind", "settings", "place"),
    [
        (
            "salesforce",
            '{ instanceUrl = "https://acme.my.salesforce.com" }',
            "https://acme.my.salesforce.com",
        ),
        (
            "customerio",
            '{ siteId = "s", apiKey = "k", accountRegion = "EU" }',
            "https://track-eu.customer.io",
        ),
        (
            "braze",
            '{ api_key = "k", endpoint = "https://rest.fra-01.braze.eu" }',
            "https://rest.fra-01.braze.eu",
        ),
        ("slack", "{}", "https://hooks.slack.com"),
        ("amplitude", '{ apiKey = "k" }', "https://api2.amplitude.com/2/httpapi"),
        ("amplitude", '{ apiKey = "k", endpoint = "europe" }', "https://api.eu.amplitude.com/2/httpapi"),
        ("mixpanel", '{ projectToken = "t", apiSecret = "s" }', "https://api.mixpanel.com/import"),
        (
            "mixpanel",
            '{ projectToken = "t", apiSecret = "s", apiRegion = "EU 🇪🇺" }',
            "https://api-eu.mixpanel.com/import",
        ),
    ],
)
def test_connect_goes_to_the_place_that_the_settings_name(kind: str, settings: str, place: str) -> None:
    file = Path("relay.toml")
    file.write_text(f'[[destinations]]\nname = "d"\ntype = "{kind}"\nsettings = {settings}\n')
    assert load(file, {}).settings["d"].place == place


def test_connect_leaves_out_what_only_subscriptions_place() -> None:
    said = """subscriptions = [{ action = "send", subscribe = 'type = "page"' }]"""
    Path("relay.toml").write_text(f'[[destinations]]\nname = "hook"\ntype = "webhook"\n{said}\n')
    result = check("--connect")
    assert result.output.splitlines()[-1].split() == ["hook", "not", "tested", "not", "tested"]
    assert result.exit_code == 0


KLAVIYO = """[[destinations]]
name = "k"
type = "klaviyo"
endpoint = "{url}"
settings = {{ api_key = "very-5ecret" }}
"""


@pytest.mark.parametrize(
    ("status", "verdict", "code"),
    [
        (200, "good", 0),
        (401, "refused: answered 401", 1),
        (403, "refused: answered 403", 1),
        (500, "answered 500", 1),
        (429, "answered 429", 1),
        (400, "answered 400", 1),
    ],
)
async def test_connect_tests_the_credentials_where_there_is_a_way(
    status: int, verdict: str, code: int
) -> None:
    async with Receiver({("GET", "/api/accounts/")}) as receiver:
        receiver.always(status)
        Path("relay.toml").write_text(KLAVIYO.format(url=receiver.url))
        result = await asyncio.to_thread(check, "--connect", "--json")
        assert "very-5ecret" not in result.output
        (connection,) = json.loads(result.output)["connections"]
        assert (connection["credentials"], result.exit_code) == (verdict, code)


@pytest.mark.parametrize(
    ("kind", "settings", "why"),
    [
        ("amplitude", '{ apiKey = "k" }', ": no `secretKey`"),
        ("intercom", '{ oauth = { clientId = "c" } }', ": no token in relay.toml, see `relay status`"),
        (
            "intercom",
            '{ oauth = { access_token = "t", refresh_token = "r" } }',
            ": its token is renewed, see `relay status`",
        ),
        ("webhook", '{ url = "http://a.example/" }', ""),
    ],
)
def test_connect_says_why_credentials_are_not_tested(
    kind: str, settings: str, why: str, listener: socket.socket
) -> None:
    Path("relay.toml").write_text(
        f'[[destinations]]\nname = "d"\ntype = "{kind}"\nsettings = {settings}\n'
        f'endpoint = "http://127.0.0.1:{port_of(listener)}"\n'
    )
    result = check("--connect", "--json")
    (connection,) = json.loads(result.output)["connections"]
    assert (connection["credentials"], result.exit_code) == (f"not tested{why}", 0)


def test_connect_looks_at_the_certificate(listener: socket.socket, tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*write_certificate(tmp_path))

    def shake_hands() -> None:
        accepted, _ = listener.accept()
        with closing(accepted), pytest.raises(ssl.SSLError):
            context.wrap_socket(accepted, server_side=True)

    server = threading.Thread(target=shake_hands)
    server.start()
    code, found = connections(webhook(f"https://127.0.0.1:{port_of(listener)}/"))
    server.join()
    assert code == 1
    assert found["hook"].startswith("its certificate is not trusted: self")


def test_connect_gives_up_in_time(listener: socket.socket) -> None:
    url = f"https://127.0.0.1:{port_of(listener)}/"  # accepts, and never says hello
    code, found = connections(webhook(url, more='timeout = "50ms"'))
    assert (code, found) == (1, {"hook": "no answer within 0.05 s"})
