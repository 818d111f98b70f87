"""One event: what arrived, what became of it, and what may be done with it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.acceptance.relay_process import eventually, webhook
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
