"""Sources: what came from each, and how to set one up; keys are for those who may change things."""

import base64
import json
import re
import shlex
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.relay_process import webhook
from tests.console.visitor import Visitor, visitor_of
from tests.gateway.relay_here import KEY, READ_TOKEN, SOURCE, RelayHere, event, relay_here

pytestmark = pytest.mark.asyncio(loop_scope="module")

TABLES = (
    SOURCE
    + """
allowed_origins = ["https://shop.example"]
[[sources]]
name = "old"
write_key = "old-secret-key"
enabled = false
"""
    + webhook("http://127.0.0.1:9/", more='enabled = false\nsources = ["web"]')
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def relay(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RelayHere]:
    async with relay_here(tmp_path_factory.mktemp("sources"), TABLES) as here:
        yield here


@pytest_asyncio.fixture(loop_scope="module")
async def admin(relay: RelayHere) -> AsyncIterator[Visitor]:
    async with visitor_of(relay) as visitor:
        yield visitor


async def test_the_list_shows_every_source_with_what_came(relay: RelayHere, admin: Visitor) -> None:
    await relay.post("/v1/track", event())
    await relay.post("/v1/track", {"event": "Nobody's"})
    words = (await admin.get("/console/sources")).words
    assert "web enabled" in words
    assert "old disabled 0 0 none nowhere" in words
    assert "hook" in words


async def test_a_source_says_why_events_were_refused(relay: RelayHere, admin: Visitor) -> None:
    await relay.post("/v1/track", {"event": "Nobody's", "properties": {}})
    words = (await admin.get("/console/sources/web")).words
    assert "no_user_anon_id it has neither a userId nor an anonymousId" in words
    assert "400 refused: not what the Segment spec says" in words
    assert "https://shop.example" in words


async def test_the_numbers_alone_are_asked_for_by_a_page_that_is_open(admin: Visitor) -> None:
    shown = await admin.get("/console/sources/web", {"HX-Request": "true"})
    assert "Events accepted" in shown.words
    assert "<html" not in shown.text
    assert KEY not in shown.text
    assert "<html" not in (await admin.get("/console/sources", {"HX-Request": "true"})).text


async def test_the_admin_gets_the_key_and_what_to_paste_with_it(relay: RelayHere, admin: Visitor) -> None:
    text = (await admin.get("/console/sources/web")).text
    before, _, inside = text.partition("Show the write key")
    assert KEY not in before
    codes = [unescape(found) for found in re.findall(r"<code>(.*?)</code>", inside, re.DOTALL)]
    assert KEY in codes
    command = next(code for code in codes if code.startswith("curl"))
    words = shlex.split(command.replace("\\\n", ""))
    assert words[:3] == ["curl", "-u", f"{KEY}:"]
    authorization = "Basic " + base64.b64encode(words[2].encode()).decode()
    async with relay.session.post(
        words[3], data=words[5].encode(), headers={"Authorization": authorization}
    ) as answer:
        assert answer.status == 200
    assert json.loads(words[5])["event"] == "Tried relay"
    assert f'analytics._writeKey = "{KEY}"' in next(code for code in codes if code.startswith("<script>"))


async def test_the_reader_never_gets_a_key(relay: RelayHere) -> None:
    async with visitor_of(relay, READ_TOKEN) as reader:
        for path in ("/console/sources", "/console/sources/web", "/console/sources/old"):
            text = (await reader.get(path)).text
            assert "old-secret-key" not in text
            assert KEY not in text
        shown = await reader.get("/console/sources/web")
        assert 'analytics._writeKey = "WRITE_KEY"' in shown.words
        assert "curl -u WRITE_KEY:" in shown.words


async def test_a_source_without_events_says_what_to_do(admin: Visitor) -> None:
    words = (await admin.get("/console/sources/old")).words
    assert "Nothing has come from it" in words
    assert "Its events are refused: enabled = false in relay.toml." in words
    assert "None takes its events. Add a destination" in words


@pytest.mark.parametrize("name", ["none", "%3Cscript%3E", "..%2F..", "a%00b"])
async def test_a_source_that_is_not_there_is_told(name: str, admin: Visitor) -> None:
    shown = await admin.get(f"/console/sources/{name}")
    assert shown.status == 404
    assert "<script>" not in shown.text


async def test_a_source_that_relay_made_is_called_so(tmp_path: Path) -> None:
    async with relay_here(tmp_path, "# [[sources]]\n") as relay, visitor_of(relay) as admin:
        words = (await admin.get("/console/sources")).words
        assert "The configuration names no source" in words
        assert "Nothing has been sent yet" in words
        assert (await admin.get("/console/sources/default")).status == 200


async def test_a_host_that_is_none_is_no_fault(admin: Visitor) -> None:
    shown = await admin.get("/console/sources/web", {"Host": "a:b:c"})
    assert shown.status == 200
