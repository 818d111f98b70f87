"""What of an event goes to a destination."""

from typing import Any

import orjson
import pytest

from relay.delivery.config import DestinationConfig
from relay.delivery.sieve import Sieve
from relay.destinations.fql.actions import Drop, DropProperties, Filter, Sample
from relay.event import Event

NAME = "Signed Up"


def event(**fields: Any) -> Event:
    data = {"type": "track", "event": NAME, "messageId": "m", "context": {"device": {"id": "d", "name": "n"}}}
    return Event(1, 0, "web", "m", orjson.dumps({**data, **fields}))


def sieve(**keys: Any) -> Sieve:
    return Sieve(DestinationConfig(name="hook", type="webhook", **keys))


def test_without_filters_the_event_itself_goes() -> None:
    one = event()
    assert sieve().sift(one) is one


@pytest.mark.parametrize(("text", "goes"), [('type = "track"', True), ('event != "Signed Up"', False)])
def test_only_what_the_filter_names_goes(text: str, goes: bool) -> None:
    assert (sieve(filter=text).sift(event()) is not None) is goes


def test_an_event_that_a_filter_cannot_judge_does_not_go() -> None:
    assert sieve(filter="properties.list and true").sift(event(properties={"list": "text"})) is None


def test_properties_that_are_dropped_are_gone_from_what_is_sent_and_the_event_is_as_it_was() -> None:
    drops = DropProperties(fields={"context.device": ("id",)})
    one = event()
    sent = sieve(filters=(Filter(f'event = "{NAME}"', (drops,)),)).sift(one)
    assert sent is not None
    assert orjson.loads(sent.json)["context"] == {"device": {"name": "n"}}
    assert sent.data == orjson.loads(sent.json)
    assert one.data["context"]["device"]["id"] == "d"
    assert (sent.sequence, sent.index, sent.message_id) == (one.sequence, one.index, one.message_id)


def test_a_filter_that_drops_drops_only_what_it_matches() -> None:
    drops = sieve(filters=(Filter(f'event = "{NAME}"', (Drop(),)),))
    assert drops.sift(event()) is None
    assert drops.sift(event(event="Other")) is not None


def test_an_event_that_was_drawn_is_not_drawn_again_when_it_is_retried() -> None:
    lots = sieve(filters=(Filter("all", (Sample(percent=0.01),)),))
    assert all(lots.sift(event(), again=True) is not None for _ in range(200))
    assert not all(lots.sift(event()) is not None for _ in range(200))
