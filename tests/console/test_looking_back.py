"""The log backwards: every event once, none twice, in looks that end in time."""

from hypothesis import given
from hypothesis import strategies as st

from relay.console import looking_back
from relay.console.debugger import KEPT, Debugger
from relay.console.listening import Place
from relay.console.looking_back import Found, look_back
from relay.console.search import Search
from relay.event import Event
from tests.destinations.events import event as made


class Feed:
    """A log of records with so many events each; `reads` are how many events each read gave."""

    def __init__(self, sizes: list[int], first: int = 1) -> None:
        self.first, self.last = first, first + len(sizes) - 1
        self.groups = {first + n: group(first + n, size) for n, size in enumerate(sizes)}
        self.reads: list[int] = []

    async def read(self, after: int, max_events: int) -> tuple[list[list[Event]], int]:
        if after >= self.last:
            return [], after
        found, start = list[list[Event]](), max(after + 1, self.first)
        reached = start
        for reached in range(start, self.last + 1):
            found.append(self.groups[reached])
            if sum(map(len, found)) >= max_events:
                break
        self.reads.append(sum(map(len, found)))
        return found, reached


def group(sequence: int, size: int, source: str = "web") -> list[Event]:
    events = []
    for index in range(size):
        one = made({"messageId": f"m-{sequence}-{index}", "event": "E", "type": "track"}, sequence)
        one.index, one.source = index, source
        events.append(one)
    return events


def places(found: list[Event]) -> list[Place]:
    return [(e.sequence, e.index) for e in found]


async def look(feed: Feed, before: Place, most: int) -> Found:
    return await look_back(feed, feed.first, before, Search(), most, lambda: 0.0)


@given(sizes=st.lists(st.integers(0, 30), max_size=30), most=st.integers(1, 40), first=st.integers(1, 5))
async def test_looks_find_every_event_once(sizes: list[int], most: int, first: int) -> None:
    feed = Feed(sizes, first)
    found, before = list[Event](), (feed.last + 1, 0)
    while True:
        one = await look(feed, before, most)
        assert len(one.events) <= most
        found += one.events
        if one.before is None:
            break
        assert one.before < before
        before = one.before
    expected = [(e.sequence, e.index) for events in feed.groups.values() for e in events]
    assert places(found) == sorted(expected, reverse=True)


async def test_a_look_at_large_batches_reads_few_of_them() -> None:
    feed = Feed([2500] * 40)
    found = await look(feed, (41, 0), 100)
    assert places(found.events) == [(40, 2499 - n) for n in range(100)]
    assert found.before == (40, 2400)
    assert sum(feed.reads) <= looking_back.FEWEST * 2500


async def test_a_look_goes_on_below_what_retention_has_taken() -> None:
    feed = Feed([1] * 10, first=500)
    assert (await look(feed, (100, 0), 10)).before is None


def test_what_memory_has_lost_of_one_source_is_looked_for_in_the_log() -> None:
    debugger = Debugger()
    debugger.admitted([group(1, 1, "quiet")])
    debugger.admitted([group(2 + n, 1) for n in range(2 * KEPT)])
    assert debugger.reach(Search(source="quiet")) == 1
    assert debugger.reach(Search()) == debugger.reach(Search(source="web")) == KEPT + 2


def test_without_anything_in_memory_there_is_no_reach() -> None:
    assert Debugger().reach(Search()) is None
