"""Replays: the form and its mistakes, counting first, progress to the end, cancelling."""

import re
from collections.abc import AsyncIterator
from html import unescape

import pytest
import pytest_asyncio

from tests.acceptance.relay_process import eventually, webhook
from tests.console.visitor import Shown, Visitor, visitor_of
from tests.gateway.relay_here import READ_TOKEN, SOURCE, RelayHere, event, relay_here
from tests.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")

HERE = "/console/replays"
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as ready:
        yield ready


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def relay(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> AsyncIterator[RelayHere]:
    tables = SOURCE + webhook(f"{receiver.url}/later", "later", "enabled = false")
    async with relay_here(tmp_path_factory.mktemp("replays"), tables) as here:
        for name in ("Bought", "Bought", HOSTILE):
            await here.post("/v1/track", event(event=name))
        await here.post("/v1/track", event(event="Last", messageId="last"))
        await here.admitted("last")
        yield here


@pytest_asyncio.fixture(loop_scope="module")
async def admin(relay: RelayHere) -> AsyncIterator[Visitor]:
    async with visitor_of(relay) as visitor:
        yield visitor


async def started(visitor: Visitor, **fields: object) -> str:
    """The page of a replay that was begun."""
    shown = await visitor.post(HERE, {"destination": "later", **fields})
    assert shown.status == 303, shown.words
    return shown.headers["Location"]


async def ended(visitor: Visitor, path: str) -> Shown:
    async def is_over() -> bool:
        return "Ended" in (await visitor.get(path)).words

    await eventually(is_over, 60, lambda: "it has not ended")
    return await visitor.get(path)


async def test_counting_first_sends_nothing_and_offers_the_replay(receiver: Receiver, admin: Visitor) -> None:
    path = await started(admin, dryRun="true", events="Bought\r\n<none>\r\n", rate=" 1000 ")
    assert "The count has begun: nothing is sent." in (await admin.get(path)).words
    shown = await ended(admin, path)
    assert "Bought" in shown.words.partition("Found, by event")[2]
    assert receiver.requests == []
    form = shown.text.partition('action="/console/replays"')[2].partition("</form>")[0]
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form):
        fields.setdefault(name, []).append(unescape(value))
    assert fields["events"] == ["Bought", "<none>"]
    del fields["csrf"]
    real = await admin.post(HERE, fields)
    shown = await ended(admin, real.headers["Location"])
    assert "done" in shown.words
    assert [e["event"] for e in receiver.events("/later")] == ["Bought", "Bought"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("destination", HOSTILE, "destination: not in relay.toml; there is: later"),
        ("since", f"soon{HOSTILE}", "since: "),
        ("since", "2999-01-01", "since: lies in the future"),
        ("until", "yesterday", "until: "),
        ("filter", 'event = "', "filter: "),
        ("rate", "fast", "rate: must be a number"),
        ("rate", "-1", "rate: must be more than 0"),
        ("rate", "nan", "rate: must be more than 0"),
    ],
)
async def test_a_mistake_stands_beside_its_field_and_what_was_typed_stays(
    field: str, value: str, said: str, admin: Visitor
) -> None:
    typed = {
        "destination": "later",
        "since": "1h",
        "events": f'A "quoted" event\r\n{HOSTILE}',
        "users": "jane",
        "sources": ["web"],
        "rate": "5",
        field: value,
    }
    shown = await admin.post(HERE, {**typed, "dryRun": "false"})
    assert shown.status == 400
    (mistake,) = re.findall(rf'id="{field}-mistake" role="alert">(.*?)</p>', shown.text)
    assert unescape(mistake).startswith(said)
    assert HOSTILE not in shown.text
    assert f'A "quoted" event {HOSTILE}' in shown.words
    assert 'value="web" checked' in shown.text
    if field != "destination":  # a list has no room for one that is not in it
        (kept,) = re.findall(rf'name="{field}" value="([^"]*)"', shown.text)
        assert unescape(kept) == value


async def test_a_source_that_is_not_taken_is_a_mistake_of_sources(relay: RelayHere, admin: Visitor) -> None:
    relay.file.write_text(relay.file.read_text() + '\n[[sources]]\nname = "app"\nwrite_key = "app-key"\n')
    relay.file.write_text(
        relay.file.read_text().replace("enabled = false", 'enabled = false\nsources = ["web"]')
    )
    await relay.app.reload()
    shown = await admin.post(HERE, {"destination": "later", "sources": ["app", HOSTILE]})
    assert shown.status == 400
    assert "sources: later takes events of web only" in shown.words
    assert f"{HOSTILE} (not in the configuration)" in shown.words


async def test_the_form_is_filled_from_a_link(admin: Visitor) -> None:
    text = (
        await admin.get(f"{HERE}/new?destination=later&since=2h&events=A&events=B&filter=a%20%3D%201")
    ).text
    assert "<option selected>later</option>" in text
    assert 'name="since" value="2h"' in text
    assert 'name="filter" value="a = 1"' in text
    assert ">A\nB</textarea>" in text


async def test_one_that_runs_is_watched_and_cancelled_after_a_question(admin: Visitor) -> None:
    path = await started(admin, dryRun="false", rate="0.001")  # it takes an hour
    shown = await admin.get(path)
    assert 'hx-trigger="every 2s"' in shown.text
    part = await admin.get(path, {"HX-Request": "true"})
    assert "<html" not in part.text
    assert "HX-Refresh" not in part.headers
    question = await admin.get(f"{path}/cancel")
    assert "Cancel the replay" in question.words
    assert "Ended" not in (await admin.get(path)).words, "asking does nothing"
    shown = await admin.follow(await admin.post(f"{path}/cancel"))
    assert "It is cancelled." in shown.words
    shown = await admin.follow(await admin.post(f"{path}/cancel"))
    assert "It had ended before (cancelled), and is left as it is." in shown.words
    part = await admin.get(path, {"HX-Request": "true"})
    assert part.headers["HX-Refresh"] == "true"
    assert "It has ended already" in (await admin.get(f"{path}/cancel")).words


async def test_the_list_has_all_with_their_progress(admin: Visitor) -> None:
    path = await started(admin, dryRun="true", events=HOSTILE)
    shown = await ended(admin, path)
    assert "<img" not in shown.text
    assert HOSTILE in shown.words
    shown = await admin.get(HERE)
    assert f"Count {path.rpartition('/')[2]} later done" in shown.words
    assert "<progress" in shown.text
    assert "<html" not in (await admin.get(HERE, {"HX-Request": "true"})).text


async def test_the_reader_sees_and_may_not_start(relay: RelayHere, admin: Visitor) -> None:
    path = await started(admin, dryRun="true")
    async with visitor_of(relay, READ_TOKEN) as reader:
        assert "New replay" not in (await reader.get(HERE)).words
        shown = await reader.get(path)
        assert shown.status == 200
        assert "Start the replay" not in shown.words
        assert 'name="since"' not in (await reader.get(f"{HERE}/new")).text
        assert (await reader.post(HERE, {"destination": "later"})).status == 403
        assert (await reader.post(f"{path}/cancel")).status == 403
        assert "Cancel the replay" not in (await reader.get(f"{path}/cancel")).words


@pytest.mark.parametrize("number", ["999999", "9" * 18, "9" * 40, "x", "1%3Cscript%3E"])
async def test_one_that_is_not_there_is_told(number: str, admin: Visitor) -> None:
    for path in (f"{HERE}/{number}", f"{HERE}/{number}/cancel"):
        assert (await admin.get(path)).status == 404
        assert (await admin.post(f"{HERE}/{number}/cancel")).status == 404
