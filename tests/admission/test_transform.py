"""Transformations of sources: the same for every reader, and after everything that is about what arrived."""

from pathlib import Path
from typing import Any

import orjson

from relay.admission.normalise import events_of
from relay.admission.transform import SourceTransformations
from relay.destinations.transformations import Transformation
from relay.event import Event
from relay.log.feed import Feed
from relay.outcome import Outcome
from tests.admission.house import House, batch, fates, house, visible


def taken_up(*said: Transformation, source: str = "app") -> SourceTransformations:
    transformations = SourceTransformations()
    transformations.take_up([(source, said)])
    return transformations


def track(**fields: Any) -> Event:
    return Event(1, 0, "app", "m", orjson.dumps({"type": "track", "event": "e", "userId": "u", **fields}))


def transforming(built: House, transformations: SourceTransformations) -> None:
    """Put them where app.py puts them."""
    built.feed._events_of = lambda r, _: transformations.transform(events_of(r, built.state.log_id))
    built.admission._transform = transformations.transform_all


def test_an_event_is_changed_for_all_who_read_it() -> None:
    (event,) = taken_up(Transformation(new_event_name="E")).transform([track()])
    assert event.data == {"type": "track", "event": "E", "userId": "u"}
    assert orjson.loads(event.json) == event.data


def test_the_data_that_was_decoded_before_is_not_changed() -> None:
    event = track()
    before = event.data
    taken_up(Transformation(new_event_name="E")).transform([event])
    assert before["event"] == "e"


def test_other_sources_are_not_even_looked_at() -> None:
    event = track()
    taken_up(Transformation(drop=True), source="web").transform_all([[event], []])
    assert (event.outcome, event.decoded) == (None, None)


def test_what_is_dropped_or_cannot_be_judged_is_filtered_for_a_reason() -> None:
    for said in (Transformation(drop=True), Transformation(condition="event", new_event_name="E")):
        (event,) = taken_up(said).transform([track()])
        assert (event.outcome, event.reason) == (Outcome.FILTERED, "event_setting")
        assert event.data["event"] == "e"


def test_what_has_a_verdict_keeps_it() -> None:
    event = track()
    event.outcome, event.reason = Outcome.REJECTED, "bad_request"
    taken_up(Transformation(drop=True)).transform([event])
    assert (event.outcome, event.reason) == (Outcome.REJECTED, "bad_request")


async def test_who_lags_reads_what_the_others_read(tmp_path: Path) -> None:
    said = (
        Transformation(condition='messageId = "b"', drop=True),
        Transformation(new_event_name="E"),
    )
    async with house(tmp_path / "a") as built:
        transforming(built, taken_up(*said))
        await built.take("a", "b", "a", "", "!")
        await built.admit()
        near = await built.read_feed()
        late = Feed(built.log, built.state, built.feed._events_of)
        late.cursor = built.feed.cursor
        groups, _ = await late.read(0, 500)
        assert fates(near)[:3] == ["a", "b=filtered", "a=duplicate"]
        assert [e.data["event"] for e in near if e.outcome is None] == ["E", "E"]
        changed = [visible(e) for e in near if e.outcome in (None, Outcome.FILTERED)]
        assert [visible(e) for e in groups[0] if e.outcome in (None, Outcome.FILTERED)] == changed
        assert fates(groups[0]) == fates(near)
        assert [visible(e) for e in built.observed] == [visible(e) for e in near]


async def test_a_drop_is_no_verdict_that_stays(tmp_path: Path) -> None:
    async with house(tmp_path / "a") as built:
        transforming(built, taken_up(Transformation(drop=True)))
        await built.take("a")
        await built.admit()
        assert await built.verdicts() == []
        (event,) = events_of(batch("a"), built.state.log_id)
        assert event.outcome is None


async def test_a_repetition_of_what_was_dropped_is_a_duplicate(tmp_path: Path) -> None:
    async with house(tmp_path / "a") as built:
        transforming(built, taken_up(Transformation(drop=True)))
        await built.take("a")
        await built.admit()
        await built.take("a")
        await built.admit()
        assert fates(await built.read_feed()) == ["a=filtered", "a=duplicate"]
