"""The configuration as relay runs it: values, where they come from, and taking up a changed file."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest
import pytest_asyncio

from relay.config import default, load, with_generated
from relay.console.configuration import sections
from tests.console.visitor import Shown, Visitor, visitor_of
from tests.gateway.relay_here import ADMIN_TOKEN, READ_TOKEN, SOURCE, RelayHere, relay_here

pytestmark = pytest.mark.asyncio(loop_scope="module")

HERE = "/console/configuration"
SECRETS = ("s3cret", "web-key")
TABLES = (
    SOURCE
    + """
[[destinations]]
name = "hook"
type = "webhook"
settings = { url = "http://u:s3cret-1@127.0.0.1:9/in?k=s3cret-2", sharedSecret = "s3cret-3", headers = { X = "s3cret-4" } }
enabled = false
retry_for = "90m"
subscriptions = [{ action = "send", subscribe = 'type = "track"', mapping = { headers = { Key = "s3cret-5" } } }]
[[destinations.transformations]]
name = "no addresses"
hash_properties = { algorithm = "sha256", paths = ["context.traits.email"], key = "s3cret-6" }

[smtp]
host = "mail.example.com"
from = "relay@example.com"
username = "relay"
password = "s3cret-7"

[[alerts]]
name = "rate"
on = "new_violation"
slack = "https://hooks.slack.com/services/T0/B0/s3cret-8"
webhook = "https://a.example/s3cret-9"
secret = "s3cret-10"
"""
)


@pytest_asyncio.fixture(loop_scope="module")
async def relay(tmp_path: Path) -> AsyncIterator[RelayHere]:
    async with relay_here(tmp_path, TABLES) as here:
        yield here


@pytest_asyncio.fixture(loop_scope="module")
async def admin(relay: RelayHere) -> AsyncIterator[Visitor]:
    async with visitor_of(relay) as visitor:
        yield visitor


def rows(shown: Shown) -> dict[str, tuple[str, str]]:
    """By section and key: value and origin."""
    found = {}
    for part in shown.text.split("<h2>")[1:]:
        title = unescape(part.partition("</h2>")[0])
        for key, value, origin in re.findall(
            r'<th scope="row"><code>(.*?)</code></th><td>(.*?)</td><td>(.*?)</td>', part, re.DOTALL
        ):
            plain = unescape(re.sub(r"<[^>]+>", "", value)).strip()
            found[f"{title} {key}"] = (plain, unescape(origin))
    return found


async def test_every_key_has_its_value_and_its_line(admin: Visitor) -> None:
    found = rows(await admin.get(HERE))
    lines = admin.relay.file.read_text().splitlines()

    def line(start: str) -> str:
        return f"relay.toml:{1 + next(n for n, text in enumerate(lines) if text.startswith(start))}"

    assert found["[server] data_dir"][1] == line("data_dir")
    assert found["[log] durability"] == ("normal", line("durability"))
    assert found["[log] retention"] == ("30d", "default")
    assert found["[[sources]] web rate_limit"] == ("100000.0", line("rate_limit"))
    assert found["[[destinations]] hook retry_for"] == ("90m", line("retry_for"))
    assert found["[[destinations]] hook settings.method"] == ("POST", "default")
    assert found["[[destinations]] hook settings.sharedSecret"] == ("[secret]", line("settings"))
    assert found["[[sources]] web controls.allow_unplanned_track_events"] == ("true", "default")


async def test_no_secret_is_shown_to_anybody(relay: RelayHere) -> None:
    for token in (ADMIN_TOKEN, READ_TOKEN):
        async with visitor_of(relay, token) as visitor:
            for path in (HERE, "/console/destinations/hook"):
                text = (await visitor.get(path)).text
                for secret in (*SECRETS, ADMIN_TOKEN, READ_TOKEN):
                    assert secret not in text, (path, secret)


async def test_what_the_environment_says_is_named(tmp_path: Path) -> None:
    file = tmp_path / "relay.toml"
    file.write_text('[server]\nread_token = "${LOOK}"\n[[sources]]\nname = "${A}-${B}"\nwrite_key = "k"\n')
    config = load(file, {"LOOK": "s3cret", "A": "web", "B": "eu"})
    origins = {(section.title, row.key): row for section in sections(config) for row in section.rows}
    assert origins["[server]", "read_token"] == ("read_token", "[secret]", "relay.toml:2, $LOOK")
    assert origins["[[sources]] web-eu", "name"] == ("name", "web-eu", "relay.toml:4, $A, $B")


async def test_without_a_file_all_is_default_but_what_relay_made() -> None:
    config = with_generated(default(), lambda _: "s3cret")
    found = {(section.title, row.key): row for section in sections(config) for row in section.rows}
    assert {row.origin for row in found.values()} == {"default", "made by relay"}
    assert found["[[sources]] default", "write_key"][1:] == ("[secret]", "made by relay")
    assert found["[server]", "admin_token"][1:] == ("[secret]", "made by relay")


async def test_what_an_api_has_set_is_told(relay: RelayHere, admin: Visitor) -> None:
    body = b'{"allow_unplanned_track_events": false}'
    path = "/v1beta/workspaces/w/sources/web/schema-config"
    answer = await relay.ask("PATCH", path, b'{"schema_config": %s}' % body)
    assert answer.status == 200, answer.body
    found = rows(await admin.get(HERE))
    assert found["[[sources]] web controls.allow_unplanned_track_events"] == ("false", "api.json")


async def test_a_changed_file_is_told_and_taken_up(relay: RelayHere, admin: Visitor) -> None:
    relay.file.write_text(relay.file.read_text().replace('retry_for = "90m"', 'retry_for = "2h"'))
    assert "Reload takes it up" in (await admin.get(HERE)).words
    shown = await admin.follow(await admin.post(f"{HERE}/reload"))
    assert "The configuration was taken up." in shown.words
    assert "Reload takes it up" not in shown.words
    assert rows(shown)["[[destinations]] hook retry_for"][0] == "2h"


async def test_a_mistake_is_shown_with_its_line_and_nothing_changes(relay: RelayHere, admin: Visitor) -> None:
    relay.file.write_text(
        relay.file.read_text().replace('retry_for = "90m"', 'retry_fro = "2h"\nconcurrency = 0')
    )
    shown = await admin.post(f"{HERE}/reload")
    assert shown.status == 400
    line = 1 + relay.file.read_text().splitlines().index('retry_fro = "2h"')
    assert (
        f"{relay.file}:{line}: unknown key `retry_fro`, did you mean `retry_for`? {relay.file}:{line + 1}"
        in shown.words
    )
    assert "what was in force before stays in force" in shown.words
    assert rows(shown)["[[destinations]] hook retry_for"][0] == "90m"
    words = (await admin.get(HERE)).words
    assert "The file is not as relay has read it." in words


async def test_what_needs_a_restart_is_told_until_then(relay: RelayHere, admin: Visitor) -> None:
    text = relay.file.read_text()
    relay.file.write_text(text.replace('durability = "normal"', 'durability = "full"'))
    shown = await admin.follow(await admin.post(f"{HERE}/reload"))
    assert "Restart relay for log.durability." in shown.words
    shown = await admin.follow(await admin.post(f"{HERE}/reload"))
    assert "Restart relay for log.durability." in shown.words
    assert "in force only after a restart: log.durability" in (await admin.get(HERE)).words
    relay.file.write_text(text)
    shown = await admin.follow(await admin.post(f"{HERE}/reload"))
    assert "restart" not in shown.words.partition("What relay runs with")[0].lower()


async def test_notes_are_those_of_relay_check(relay: RelayHere, admin: Visitor) -> None:
    more = '\n[[destinations]]\nname = "sf"\ntype = "salesforce"\nenabled = false\nsettings = { instanceUrl = "https://a.my.salesforce.com" }\n'
    relay.file.write_text(relay.file.read_text().replace("\n[smtp]", more + "\n[smtp]"))
    shown = await admin.follow(await admin.post(f"{HERE}/reload"))
    assert load(relay.file, {}).notes
    for note in load(relay.file, {}).notes:
        assert " ".join(note.split()) in shown.words


async def test_the_reader_may_not_reload(relay: RelayHere) -> None:
    async with visitor_of(relay, READ_TOKEN) as reader:
        shown = await reader.get(HERE)
        assert "/configuration/reload" not in shown.text
        assert (await reader.post(f"{HERE}/reload")).status == 403


async def test_hostile_values_are_text(tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    tables = SOURCE + f'plan = "{hostile}.json"\n'
    (tmp_path / f"{hostile}.json").write_text('{"name": "</code><script>alert(2)</script>", "rules": []}')
    async with relay_here(tmp_path, tables) as relay, visitor_of(relay) as admin:
        for path in (HERE, "/console/sources", "/console/sources/web"):
            text = (await admin.get(path)).text
            assert "<img" not in text
            assert "<script>alert" not in text


async def test_the_address_of_a_page_with_mistakes_can_be_asked_for_again(admin: Visitor) -> None:
    shown = await admin.follow(await admin.get(f"{HERE}/reload"))
    assert shown.status == 200
    assert "<h1>Configuration</h1>" in shown.text
