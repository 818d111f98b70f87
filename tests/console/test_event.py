"""One event: what arrived, what became of it, and what may be done with it."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest
import pytest_asyncio

from relay.console.search import Search
from tests.acceptance.relay_process import basic, eventually, webhook
from tests.console.visitor import Visitor, visitor_of
from tests.gateway.relay_here import KEY, READ_TOKEN, SOURCE, RelayHere, event, relay_here
from tests.receiver import Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as one:
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def relay(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> AsyncIterator[RelayHere]:
    folder = tmp_path_factory.mktemp("event")
    tables = SOURCE + webhook(receiver.url + "/good", "good") + webhook(receiver.url + "/bad", "bad")
    receiver.at("/bad", 422)
    async with relay_here(folder, tables + "\nfilter = 'event != \"Left Out\"'\n") as here:
        yield here


@pytest_asyncio.fixture(loop_scope="module")
async def admin(relay: RelayHere) -> AsyncIterator[Visitor]:
    async with visitor_of(relay) as visitor:
        yield visitor


async def sent(relay: RelayHere, name: str, **fields: object) -> str:
    """The place of an event of that name in the console, once both destinations are done with it."""
    one = event(event=name, **fields)
    await relay.post("/v1/track", one)
    await relay.admitted(one["messageId"])
    sequence = relay.app.feed.cursor

    def is_done() -> bool:
        return all(c.window.mark >= sequence for c in relay.app.delivery.consumers.values())

    await eventually(is_done, 60, lambda: "it is still on its way")
    return f"/console/events/{sequence}/0"


async def test_it_is_followed_to_each_destination(relay: RelayHere, admin: Visitor) -> None:
    page = await admin.get(await sent(relay, "Followed"))
    assert "good delivered 1 request" in page.words
    assert "bad rejected the destination answered 422 Unprocessable Entity" in page.words
    assert "Dead letter" in page.words


async def test_why_it_was_left_out_is_said(relay: RelayHere, admin: Visitor) -> None:
    page = await admin.get(await sent(relay, "Left Out"))
    assert "bad filtered the destination's filter leaves it out FILTERED_BY_RULES" in page.words


async def test_of_an_older_one_the_fate_is_known_and_the_request_made_anew(
    relay: RelayHere, admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await sent(relay, "Older", properties={"n": 12345})
    await relay.app.delivery.ledger.flush()
    monkeypatch.setattr(relay.app.debugger, "_rings", {})
    monkeypatch.setattr(relay.app.debugger, "_attempts", {})
    page = await admin.get(place)
    assert "good delivered" in page.words
    assert "bad rejected the destination answered 422" in page.words
    assert "Not what was sent: what the configuration of now would send" in page.words
    assert "12345" in page.words


async def test_the_write_key_is_not_shown(relay: RelayHere) -> None:
    place = await sent(relay, "With Key", writeKey=KEY)
    async with visitor_of(relay, READ_TOKEN) as reader:
        page = await reader.get(place)
    assert page.status == 200
    assert KEY not in page.text


async def test_sent_again_it_is_another_event_of_now(relay: RelayHere, admin: Visitor) -> None:
    place = await sent(relay, "Again", timestamp="2020-01-01T00:00:00Z", properties={"a": 1})
    await admin.get(place)
    done = await admin.post(f"{place}/again")
    page = await admin.follow(done)
    assert "Sent again, as this event." in page.words
    assert "2020-01-01" not in page.words
    assert done.headers["Location"] != place


async def test_it_is_replayed_alone(relay: RelayHere, receiver: Receiver, admin: Visitor) -> None:
    quoted = 'quote " and \\ and\nline'
    one = event(event="Replayed", messageId=quoted)
    await relay.post("/v1/batch", {"batch": [one | {"type": "track"}, event(type="track", event="Beside")]})
    await relay.admitted(quoted)
    place = f"/console/events/{relay.app.feed.cursor}/0"
    await admin.get(place)
    shown = await admin.follow(await admin.post(f"{place}/replay", {"destination": "good"}))
    assert "The replay of this one event has begun." in shown.words

    def count(name: str) -> int:
        return [e["event"] for e in receiver.events("/good")].count(name)

    await receiver.wait_until(lambda: count("Replayed") == 2, 60)
    assert count("Beside") == 1


async def test_what_no_filter_can_name_is_not_replayed(relay: RelayHere, admin: Visitor) -> None:
    place = await sent(relay, "Both", messageId="both \" and '")
    await admin.get(place)
    shown = await admin.post(f"{place}/replay", {"destination": "good"})
    assert shown.status == 400
    assert "both kinds of quotes" in shown.words


async def test_what_cannot_be_replayed_is_told(relay: RelayHere, admin: Visitor) -> None:
    place = await sent(relay, "Nowhere")
    await admin.get(place)
    shown = await admin.post(f"{place}/replay", {"destination": "gone"})
    assert shown.status == 400
    assert "This cannot be replayed: destination: not in relay.toml" in shown.words


@pytest.mark.parametrize("place", ["999999/0", "1/999", "0/0", "999999999999999999/999999"])
async def test_what_is_not_there_is_told(place: str, admin: Visitor) -> None:
    shown = await admin.get(f"/console/events/{place}")
    assert shown.status == 404
    assert "not in the log" in shown.words


async def test_the_log_is_looked_through_backwards(relay: RelayHere, admin: Visitor) -> None:
    places = [await sent(relay, f"Deep {n}", properties={"mark": "look-back"}) for n in range(3)]
    last = int(places[-1].split("/")[3])
    page = await admin.get(f"/console/events/earlier?q=look-back&before={last}")
    assert "2 found among" in page.words
    assert "That is the beginning of the log." in page.words
    assert page.text.index("Deep 1") < page.text.index("Deep 0")
    for before in ("x", "", "-1", "9" * 19):
        assert (await admin.get(f"/console/events/earlier?before={before}")).status == 400


@pytest.mark.parametrize(
    "fields",
    [
        b'"userId":"u","properties":' + b'{"a":' * 900 + b"1" + b"}" * 900,
        b'"userId":' + b"[" * 940 + b"]" * 940,
        b'"userId":"u","type":["track"]',
        b'"userId":7,"receivedAt":1000000000000000000',
        b'"receivedAt":true,"messageId":{"a":"<b>"}',
        b'"userId":"u","properties":{"a":1e999,"b":123456789012345678901234567890}',
    ],
)
async def test_whatever_came_in_has_a_page(fields: bytes, relay: RelayHere, admin: Visitor) -> None:
    before = relay.app.feed.cursor
    body = b'{"batch":[{"type":"track","event":"Odd",' + fields + b"}]}"
    async with relay.session.post(relay.public + "/v1/batch", data=body, headers=basic(KEY)) as response:
        assert response.status == 200
    await eventually(lambda: relay.app.feed.cursor > before, 60, lambda: "it was not admitted")
    place = f"{relay.app.feed.cursor}/0"
    for page in (f"events/{place}", "events", "events/list", f"events/earlier?before={before + 2}"):
        assert (await admin.get(f"/console/{page}")).status == 200


async def test_behind_the_list_comes_what_it_had_no_room_for(relay: RelayHere, admin: Visitor) -> None:
    batch = [event(type="track", event=f"Many {n} of them") for n in range(250)]
    await relay.post("/v1/batch", {"batch": batch})
    await relay.admitted(batch[-1]["messageId"])
    page = await admin.get("/console/events?q=of+them")
    found = re.findall(r"Many (\d+) of them", page.text)
    while link := re.search(r'href="(/console/events/earlier\?[^"]+)"', page.text):
        page = await admin.get(unescape(link[1]))
        found += re.findall(r"Many (\d+) of them", page.text)
    assert found == [str(n) for n in reversed(range(250))]


async def test_what_its_source_makes_of_an_event_is_made_once_of_one_sent_again(tmp_path: Path) -> None:
    tables = (
        SOURCE
        + """
[[sources.transformations]]
hash_properties = { algorithm = "md5", paths = ["properties.email"] }
"""
    )
    async with relay_here(tmp_path, tables) as here, visitor_of(here) as visitor:
        await here.post("/v1/track", one := event(properties={"email": "jane@example.org"}))
        first = await here.admitted(one["messageId"])
        await visitor.get("/console/events/1/0")
        assert (await visitor.post("/console/events/1/0/again")).status == 303
        again = here.app.debugger.newest(Search(), 1)[0]["event"]
    assert again["messageId"] != first["messageId"]
    assert again["properties"] == first["properties"] != one["properties"]
