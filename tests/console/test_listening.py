"""Live views: bounded, at a cost that does not grow with the traffic, and truthful about what they leave out."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from relay.console import listening
from relay.console.debugger import MOST_LISTENERS, Debugger, TooManyListeners
from relay.console.listening import BURST, FOLLOWED, WAITING_EVENTS, Heard, Listener
from relay.console.search import Search
from relay.event import Event
from relay.outcome import Outcome
from tests.acceptance.relay_process import eventually
from tests.destinations.events import event as made


def event(sequence: int, name: str = "E") -> Event:
    one = made({"messageId": f"m-{sequence}", "event": name, "type": "track"}, sequence)
    one.source = "web"
    return one


def places(events: list[Event]) -> set[tuple[int, int]]:
    return {(e.sequence, e.index) for e in events}


async def heard(listener: Listener) -> Heard:
    async with asyncio.timeout(60):
        return await listener.look()


@given(counts=st.lists(st.integers(1, 400), max_size=20))
def test_whatever_comes_is_shown_or_counted(counts: list[int]) -> None:
    async def look() -> None:
        listener, number = Listener(Search(), 0), 0
        for count in counts:
            group = [event(number + n) for n in range(count)]
            listener.offer([group], count)
            number += count
        listener.close()
        found = await heard(listener)
        assert len(found.events) + found.missed == number
        assert len(found.events) == min(number, BURST)
        assert [e.sequence for e in found.events] == sorted({e.sequence for e in found.events})

    if counts:
        asyncio.run(look())


async def test_after_a_burst_no_more_is_shown_than_can_be_read() -> None:
    listener = Listener(Search(), 0)
    group = [event(n) for n in range(BURST)]
    for missed in (0, BURST):
        listener.offer([group], BURST)
        assert (await heard(listener)).missed == missed


async def test_what_waits_for_a_look_is_bounded() -> None:
    listener = Listener(Search(event="E"))
    group = [event(n) for n in range(100)]
    for _ in range(WAITING_EVENTS // 100 + 5):
        listener.offer([group], 100)
    found = await heard(listener)
    assert found.missed == WAITING_EVENTS + 500 - listening.LISTENER_EVENTS


async def test_a_search_finds_the_rare_among_the_many() -> None:
    listener = Listener(Search(text="needle"), 5)
    listener.offer([[event(n, "Needle" if n == 700 else "Hay") for n in range(1000)]], 1000)
    found = await heard(listener)
    assert ([e.sequence for e in found.events], found.missed) == ([700], 0)


async def test_outcomes_come_from_destinations_and_verdicts_from_admission() -> None:
    listener = Listener(Search(outcome="rejected"))
    good, refused, judged = event(1), event(2), event(3)
    judged.outcome = Outcome.REJECTED
    listener.offer([[good, judged]], 2)
    listener.settled("hook", [refused], places([refused]), "rejected")
    listener.settled("hook", [good], places([good]), "delivered")
    assert [e.sequence for e in (await heard(listener)).events] == [3, 2]


async def test_of_one_destination_only_its_own_outcomes_are_heard() -> None:
    listener = Listener(Search(destination="a"))
    one = event(1)
    listener.offer([[one]], 1)
    listener.settled("b", [one], places([one]), "delivered")
    listener.settled("a", [one], places([one]), "delivered")
    assert len((await heard(listener)).events) == 1


async def test_it_is_told_what_becomes_of_what_was_shown_of_the_newest() -> None:
    listener = Listener(Search())
    events = [event(n) for n in range(FOLLOWED + 50)]
    listener.follow(events)
    for one in (events[0], events[60]):
        listener.settled("hook", [one], places([one]), "delivered")
    assert (await heard(listener)).changed == [(60, 0)]


async def test_live_views_are_not_without_end() -> None:
    debugger = Debugger()
    streams = [debugger.listen(Search()) for _ in range(MOST_LISTENERS)]
    looks = [asyncio.ensure_future(anext(stream)) for stream in streams]
    await eventually(lambda: len(debugger._listeners) == MOST_LISTENERS, 60, lambda: "not all listen")
    refused = None
    try:
        await anext(debugger.listen(Search()))
    except TooManyListeners as error:
        refused = error
    assert refused is not None
    for look in looks:
        look.cancel()
    await asyncio.wait(looks)
    assert debugger._listeners == []
