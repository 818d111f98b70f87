"""The rings behind the debugger: bounded, fair among sources, and in the right order."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from relay.console.debugger import KEPT, KEPT_BYTES, Debugger, Ring
from relay.console.search import Search
from relay.destinations.base import Request
from relay.destinations.reply import Reply
from relay.destinations.secrets import mask
from relay.event import Event
from relay.outcome import Outcome
from tests.acceptance.relay_process import eventually
from tests.destinations.events import event as made


def event(sequence: int, source: str = "web", index: int = 0, size: int = 10) -> Event:
    data = {"messageId": f"{source}-{sequence}-{index}", "event": "E", "type": "track", "x": "y" * size}
    one = made(data, sequence)
    one.index, one.source = index, source
    return one


def newest(debugger: Debugger, source: str | None = None, limit: int = 10_000) -> list[dict[str, Any]]:
    return debugger.newest(Search(source=source), limit)


def request() -> Request:
    return Request("POST", "https://a.example/in", {}, b"[]")


def attempt(debugger: Debugger, status: int | None, *events: Event, name: str = "hook") -> None:
    error = None if status else "ECONNREFUSED"
    reply = Reply(status, f"said {status}", 0.1, error)
    debugger.attempted(name, events, request(), reply, mask(()))


def delivery(debugger: Debugger, name: str = "hook") -> dict[str, Any]:
    (shown,) = newest(debugger, limit=1)
    found: dict[str, Any] = shown["deliveries"][name]
    return found


@given(
    items=st.lists(st.tuples(st.integers(1, 300), st.integers(1, 3000)), max_size=60),
    max_bytes=st.integers(1, 20_000),
)
def test_a_ring_keeps_the_newest_within_its_bounds(items: list[tuple[int, int]], max_bytes: int) -> None:
    ring = Ring(max_bytes, 500)
    for number, (events, size) in enumerate(items):
        ring.append(events, size, number)
        kept = list(ring)
        assert kept == list(range(number + 1 - len(kept), number + 1))
        assert kept, "the newest is always there"
        some = items[number + 1 - len(kept) : number + 1]
        assert len(kept) == 1 or sum(size for _, size in some) <= max_bytes
        assert len(kept) == 1 or sum(events for events, _ in some[1:]) < 500
        if len(kept) <= number:  # something was dropped, and not for nothing
            more = items[number - len(kept) : number + 1]
            assert sum(e for e, _ in more[1:]) >= 500 or sum(s for _, s in more) > max_bytes


def test_some_five_hundred_events_of_a_source_are_kept() -> None:
    debugger = Debugger()
    for n in range(2000):
        debugger.admitted([[event(n)]])
    sequences = [one["sequence"] for one in newest(debugger)]
    assert sequences == list(range(1999, 1999 - KEPT, -1))


def test_a_batch_is_kept_whole_and_the_rest_is_bounded() -> None:
    debugger = Debugger()
    for n in range(20):
        debugger.admitted([[event(n, index=i) for i in range(100)]])
    assert KEPT <= len(newest(debugger)) < KEPT + 100


def test_large_events_are_bounded_by_their_bytes() -> None:
    debugger = Debugger()
    for n in range(300):
        debugger.admitted([[event(n, size=30_000)]])
    kept = newest(debugger)
    assert 60 < len(kept) <= KEPT_BYTES // 30_000


def test_a_loud_source_does_not_push_out_a_quiet_one() -> None:
    debugger = Debugger()
    quiet = event(0, "quiet")
    debugger.admitted([[quiet]])
    attempt(debugger, 200, quiet)
    for n in range(1, 3000):
        loud = event(n, "loud")
        debugger.admitted([[loud]])
        attempt(debugger, 500, loud)
        debugger.settled("hook", loud, "parked", "500")
    (shown,) = newest(debugger, "quiet")
    assert shown["deliveries"]["hook"]["state"] == "delivered"
    assert len(newest(debugger)) == KEPT + 1
    assert all(one["deliveries"]["hook"]["state"] == "parked" for one in newest(debugger, "loud", 100))


def test_a_busy_destination_does_not_push_out_what_another_was_told() -> None:
    debugger = Debugger()
    one = event(1)
    debugger.admitted([[one]])
    attempt(debugger, 200, one, name="calm")
    for _ in range(5000):
        attempt(debugger, 500, one, name="busy")
    assert delivery(debugger, "calm")["state"] == "delivered"
    assert delivery(debugger, "busy")["state"] == "retrying"


def test_the_states_of_an_event_follow_what_happens_to_it() -> None:
    debugger = Debugger()
    one = event(1)
    debugger.admitted([[one]])
    assert newest(debugger)[0]["deliveries"] == {}
    attempt(debugger, None, one)
    found = delivery(debugger)
    assert (found["state"], found["reason"], found["attempts"]) == ("retrying", "ECONNREFUSED", 1)
    attempt(debugger, 503, one)
    debugger.settled("hook", one, "parked", "503")
    found = delivery(debugger)
    assert (found["state"], found["reason"], found["attempts"]) == ("parked", "503", 2)
    assert found["reply"]["body"] == "said 503"
    attempt(debugger, 200, one)
    found = delivery(debugger)
    assert (found["state"], found["reason"], found["attempts"]) == ("delivered", None, 3)
    assert found["reply"]["status"] == 200


def test_an_event_that_is_refused_ends_as_rejected_with_the_reply() -> None:
    debugger = Debugger()
    one = event(1)
    debugger.admitted([[one]])
    attempt(debugger, 400, one, event(2))
    attempt(debugger, 400, one)
    debugger.settled("hook", one, Outcome.REJECTED, "400")
    found = delivery(debugger)
    assert (found["state"], found["reason"], found["attempts"]) == ("rejected", "400", 2)
    assert found["reply"] == {"status": 400, "body": "said 400", "error": None}


def test_a_request_with_events_of_two_sources_is_one_attempt_for_each() -> None:
    debugger = Debugger()
    one, other = event(1, "web"), event(2, "app")
    debugger.admitted([[one], [other]])
    attempt(debugger, 200, one, other)
    for shown in newest(debugger):
        assert shown["deliveries"]["hook"]["attempts"] == 1
        assert shown["deliveries"]["hook"]["request"]["events"] == 2


def test_what_is_shown_of_a_request_is_cut_and_has_no_query() -> None:
    debugger = Debugger()
    one = event(1)
    debugger.admitted([[one]])
    asked = Request(
        "PUT",
        "https://a.example/in?token=t",
        {"X-A": "b", "X-Key": "k"},
        b"x" * 9000,
        frozenset(("X-Key",)),
    )
    debugger.attempted("hook", (one,), asked, Reply(200, "y" * 9000, 0.25), mask(()))
    found = delivery(debugger)
    assert found["request"] == {
        "method": "PUT",
        "url": "https://a.example/in",
        "headers": {"X-A": "b", "X-Key": "[secret]"},
        "body": "x" * 4000,
        "events": 1,
    }
    assert found["reply"]["body"] == "y" * 4000
    assert found["seconds"] == 0.25


def test_a_hidden_part_of_a_url_is_not_shown_whoever_repeats_it() -> None:
    debugger = Debugger()
    one = event(1)
    debugger.admitted([[one]])
    asked = Request("POST", "https://a.example/in/k3y-in-the-path", {}, b"{}", hidden=("k3y-in-the-path",))
    debugger.attempted("hook", (one,), asked, Reply(404, "no k3y-in-the-path", 0.1), mask(()))
    found = delivery(debugger)
    assert found["request"]["url"] == "https://a.example/in/[secret]"
    assert found["reply"]["body"] == "no [secret]"


def test_events_are_found_by_name_type_and_id() -> None:
    debugger = Debugger()
    for n in range(4):
        debugger.admitted([[event(n)]])
    assert len(debugger.newest(Search(event="E"), 3)) == 3
    assert len(debugger.newest(Search(source="web", event="track"), 10)) == 4
    (found,) = debugger.newest(Search(message_id="web-2-0"), 10)
    assert found["sequence"] == 2
    assert debugger.newest(Search(source="nobody"), 10) == []


async def test_a_live_view_that_ends_leaves_nothing_behind() -> None:
    debugger = Debugger()
    stream = debugger.listen(Search())
    waiting = asyncio.ensure_future(anext(stream))
    await eventually(lambda: len(debugger._listeners) == 1, 60, lambda: "nobody listens")
    waiting.cancel()
    await asyncio.wait([waiting])
    assert debugger._listeners == []
