"""Destinations: how each stands and why, as it is set up, held up for a while, and how to add one."""

import re
import tomllib
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest
import pytest_asyncio

from relay.config import load
from relay.destinations import CATALOGUE
from relay.destinations.device import DEVICE_ONLY
from tests.acceptance.relay_process import eventually, webhook
from tests.console.visitor import Visitor, visitor_of
from tests.gateway.relay_here import READ_TOKEN, SOURCE, RelayHere, event, relay_here
from tests.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")

MORE = """
filter = 'type = "track"'
consent = ["C0002"]
rate_limit = 50
subscriptions = [{ action = "send", subscribe = 'event = "Refused"', mapping = { data = { "@path" = "$." } } }]
[[destinations.filters]]
if = 'event = "Unwanted"'
actions = [{ type = "DROP" }]
"""
OFF = """
[[destinations]]
name = "later"
type = "amplitude"
enabled = false
settings = { apiKey = "hidden-key-1", secretKey = "hidden-key-2" }
[[destinations]]
name = "crm"
type = "salesforce"
enabled = false
settings = { instanceUrl = "https://a.my.salesforce.com", oauth = { clientId = "id", clientSecret = "hidden-key-3" } }
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as ready:
        yield ready


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def relay(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> AsyncIterator[RelayHere]:
    tables = SOURCE + webhook(receiver.url) + webhook(receiver.url, "set-up", MORE) + OFF
    async with relay_here(tmp_path_factory.mktemp("destinations"), tables) as here:
        yield here


@pytest_asyncio.fixture(loop_scope="module")
async def admin(relay: RelayHere) -> AsyncIterator[Visitor]:
    async with visitor_of(relay) as visitor:
        yield visitor


async def refused(relay: RelayHere, receiver: Receiver, **fields: str) -> None:
    """One event that `hook` refuses for good."""
    before = (await status(relay))["deadLetters"]
    receiver.always(404)
    await relay.post("/v1/track", event(**fields))

    async def is_refused() -> bool:
        return bool((await status(relay))["deadLetters"] > before)

    await eventually(is_refused, 60, lambda: "it was not refused")
    receiver.always(200)


async def status(relay: RelayHere) -> dict[str, int]:
    found = {one["name"]: one for one in await relay.app.delivery.status()}
    return found["hook"]


async def test_the_list_has_every_destination_disabled_ones_too(
    relay: RelayHere, receiver: Receiver, admin: Visitor
) -> None:
    await refused(relay, receiver, event="Listed")
    words = (await admin.get("/console/destinations")).words
    assert "hook Webhook running 0 0 1 0" in words
    assert "later Actions Amplitude disabled" in words
    part = await admin.get("/console/destinations", {"HX-Request": "true"})
    assert "<html" not in part.text
    assert "set-up" in part.words


async def test_what_was_refused_last_is_the_last_error(
    relay: RelayHere, receiver: Receiver, admin: Visitor
) -> None:
    assert "Last error none" in (await admin.get("/console/destinations/set-up")).words
    await refused(relay, receiver, event="Refused last")
    for headers in ({}, {"HX-Request": "true"}):
        words = (await admin.get("/console/destinations/hook", headers)).words
        assert "Last error the destination answered 404 Not Found, " in words
        assert ": refused for good" in words


async def test_a_failure_is_told_in_words_with_its_reply(
    relay: RelayHere, receiver: Receiver, admin: Visitor
) -> None:
    await refused(relay, receiver, event="<b>Refused</b>\u202e", userId="jane")
    shown = await admin.get("/console/destinations/hook")
    assert "the destination answered 404 Not Found" in shown.words
    assert "{}" in shown.words
    assert "<b>Refused" not in shown.text
    assert "\u202e" not in shown.text
    assert 'href="/console/events?destination=hook&amp;outcome=rejected"' in shown.text
    assert 'href="/console/dead-letters?destination=hook"' in shown.text
    assert 'href="/console/replays/new?destination=hook"' in shown.text


async def test_what_waits_for_another_try_is_told(tmp_path: Path) -> None:
    tables = SOURCE + webhook("http://127.0.0.1:9/")
    async with relay_here(tmp_path, tables) as relay, visitor_of(relay) as admin:
        await relay.post("/v1/track", event(event="Waits", messageId="waits"))

        async def is_held() -> bool:
            words = (await admin.get("/console/destinations/hook")).words
            return "held" in words and "nothing listens where the destination should be" in words

        await eventually(is_held, 60, lambda: "it is not held")
        shown = await admin.get("/console/destinations/hook")
        assert "events wait in the log" in shown.words
        assert "Waits" in shown.words
        assert 'href="/console/events?destination=hook&amp;outcome=retrying"' in shown.text


async def test_the_set_up_in_force_is_shown(admin: Visitor) -> None:
    words = (await admin.get("/console/destinations/set-up")).words
    assert 'Filter type = "track"' in words
    assert "asks for C0002" in words
    assert 'send send event = "Refused" { "data": { "@path": "$." }' in words
    assert '"if": "event = \\"Unwanted\\""' in words
    assert "rate_limit 50.0" in words
    assert "native: relay's own code" in words
    assert "The presets of its type" in (await admin.get("/console/destinations/later")).words


async def test_a_disabled_one_has_a_page_without_secrets(admin: Visitor) -> None:
    shown = await admin.get("/console/destinations/later")
    assert "enabled = false in relay.toml" in shown.words
    assert "[secret]" in shown.words
    assert "hidden-key" not in shown.text
    assert "/later/pause" not in shown.text
    refused = await admin.post("/console/destinations/later/pause")
    assert refused.status == 400
    assert "later does not run: it is disabled" in refused.words


async def test_a_login_that_is_missing_is_told(admin: Visitor) -> None:
    shown = await admin.get("/console/destinations/crm")
    assert "not logged in" in shown.words
    assert "relay destinations login crm" in shown.words
    assert "hidden-key" not in shown.text


async def test_pausing_holds_events_and_resuming_sends_them(
    relay: RelayHere, receiver: Receiver, admin: Visitor
) -> None:
    shown = await admin.follow(await admin.post("/console/destinations/hook/pause"))
    assert "hook is paused. Its events wait in the log, and nothing is lost." in shown.words
    assert relay.app.delivery.states()["hook"] == "paused"
    await relay.post("/v1/track", event(messageId="while-paused"))
    shown = await admin.follow(await admin.post("/console/destinations/hook/resume"))
    assert "hook is running again." in shown.words
    await receiver.wait_for_ids({"while-paused"})


async def test_the_reader_sees_and_may_not_pause(relay: RelayHere) -> None:
    async with visitor_of(relay, READ_TOKEN) as reader:
        shown = await reader.get("/console/destinations/hook")
        assert shown.status == 200
        assert "/pause" not in shown.text
        assert "/console/replays/new" not in shown.text
        assert (await reader.post("/console/destinations/hook/pause")).status == 403
        assert relay.app.delivery.states()["hook"] == "running"


@pytest.mark.parametrize("kind", sorted([*CATALOGUE, *DEVICE_ONLY]))
async def test_the_block_for_each_type_is_one_that_relay_takes(
    kind: str, admin: Visitor, tmp_path: Path
) -> None:
    shown = await admin.get(f"/console/destinations/new?type={kind}")
    block = unescape(re.findall(r"<code>(\[\[destinations\]\].*?)</code>", shown.text, re.DOTALL)[0])
    (table,) = tomllib.loads(block)["destinations"]
    assert table["type"] == kind
    file = tmp_path / "relay.toml"
    file.write_text(SOURCE + block)
    place = "https://a.my.salesforce.com"  # a URL for every type, the strictest too
    environ = dict.fromkeys(re.findall(r"\$\{(\w+)\}", block), place)
    assert [d.type for d in load(file, environ).destinations] == [kind]


async def test_adding_one_offers_every_type_and_a_free_name(tmp_path: Path) -> None:
    tables = SOURCE + webhook("http://127.0.0.1:9/", "webhook") + webhook("http://127.0.0.1:9/", "new")
    async with relay_here(tmp_path, tables) as relay, visitor_of(relay, READ_TOKEN) as reader:
        before = relay.file.read_text()
        shown = await reader.get("/console/destinations/new?type=")
        assert all(f'value="{kind}"' in shown.text for kind in CATALOGUE)
        shown = await reader.get("/console/destinations/new?type=webhook")
        assert '[[destinations]] name = "webhook-2" type = "webhook"' in shown.words
        assert "${WEBHOOK_URL}" in shown.words
        assert relay.file.read_text() == before
        assert (await reader.get("/console/destinations/new?type=%3Cscript%3E")).status == 404
        assert (
            "Newest failures" in (await reader.get("/console/destinations/new")).words
        )  # that one is called so


async def test_without_destinations_the_list_says_what_to_do(tmp_path: Path) -> None:
    async with relay_here(tmp_path) as relay, visitor_of(relay) as admin:
        words = (await admin.get("/console/destinations")).words
        assert "Events go nowhere yet" in words
        assert (await admin.get("/console/destinations/new")).status == 200
        assert (await admin.get("/console/destinations/no%3Cne")).status == 404
        assert (await admin.post("/console/destinations/none/pause")).status == 404
