"""What a replay is asked for: which events it means, and what they say of where they go."""

from typing import Any

import orjson
import pytest

from relay.delivery.replay import Address, BadQuery, Query, Selection, read_query
from relay.event import Event

NOW = 1_780_000_000_000  # 2026-05-28T20:26:40Z


def event(source: str = "web", integrations: dict[str, Any] | None = None, **fields: Any) -> Event:
    """As admission makes it: `integrations` stands at the end."""
    data = {"type": "track", "event": "Tested", "userId": "u1", **fields, "integrations": integrations or {}}
    return Event(1, 0, source, "m", orjson.dumps(data), integrations=integrations)


def asked(**fields: Any) -> Query:
    return read_query({"destination": "hook"} | fields, NOW)


def test_a_query_needs_no_more_than_a_destination() -> None:
    assert asked() == Query("hook")


def test_moments_are_times_or_durations_back_from_now() -> None:
    query = asked(since="2h", until="2026-05-28T21:26:40.5+01:00")
    assert (query.since, query.until) == ("2026-05-28T18:26:40.000Z", "2026-05-28T20:26:40.000Z")
    assert asked(since="2026-05-28").since == "2026-05-28T00:00:00.000Z"
    assert asked(since="1000000d").since == "1970-01-01T00:00:00.000Z"
    assert asked(until="9999-01-01").until == "2026-05-28T20:26:40.000Z"


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"destination": None}, "destination"),
        ({"destination": 5}, "destination"),
        ({"since": "yesterday"}, "since"),
        ({"since": 5}, "since"),
        ({"since": "2026-06-28"}, "since"),
        ({"since": "1h", "until": "2h"}, "since"),
        ({"until": "3x"}, "until"),
        ({"sources": "web"}, "sources"),
        ({"events": [1]}, "events"),
        ({"users": {}}, "users"),
        ({"filter": "type ="}, "filter"),
        ({"filter": "a" * 6000}, "filter"),
        ({"filter": 1}, "filter"),
        ({"rate": 0}, "rate"),
        ({"rate": -1}, "rate"),
        ({"rate": float("inf")}, "rate"),
        ({"rate": "fast"}, "rate"),
        ({"dryRun": "yes"}, "dryRun"),
        ({"dry_run": True}, "dry_run"),
    ],
)
def test_a_mistake_names_its_field(fields: dict[str, Any], names: str) -> None:
    with pytest.raises(BadQuery, match=names):
        asked(**fields)


def test_without_a_destination_it_is_no_query() -> None:
    with pytest.raises(BadQuery, match="destination"):
        read_query({}, NOW)


@pytest.mark.parametrize(
    ("fields", "is_meant"),
    [
        ({}, True),
        ({"sources": ["web"]}, True),
        ({"sources": ["ios", "web"]}, True),
        ({"sources": ["ios"]}, False),
        ({"events": ["Tested"]}, True),
        ({"events": ["track"]}, True),
        ({"events": ["Home", "Tested"]}, True),
        ({"events": ["tested"]}, False),
        ({"users": ["u1"]}, True),
        ({"users": ["a1"]}, True),
        ({"users": ["u2"]}, False),
        ({"filter": 'event = "Tested"'}, True),
        ({"filter": 'event = "Other"'}, False),
        ({"filter": "all"}, True),
        ({"events": ["Tested"], "users": ["u2"]}, False),
        ({"sources": ["web"], "events": ["Tested"], "users": ["u1"], "filter": "length(event) = 6"}, True),
    ],
)
def test_everything_that_is_asked_for_must_hold(fields: dict[str, Any], is_meant: bool) -> None:
    assert Selection(asked(**fields))(event(anonymousId="a1")) is is_meant


def test_pages_are_chosen_by_their_name() -> None:
    page = event(type="page", name="Home", event=None)
    assert Selection(asked(events=["Home"]))(page)
    assert Selection(asked(events=["page"]))(page)
    assert not Selection(asked(events=["Tested"]))(page)


def test_ids_and_names_that_are_no_text_are_nobodys() -> None:
    odd = event(event=["Tested"], userId={"u1": 1})
    assert not Selection(asked(events=["Tested"]))(odd)
    assert not Selection(asked(users=["u1"]))(odd)


def test_an_event_that_the_filter_cannot_judge_is_not_meant() -> None:
    chooses = Selection(asked(filter="number(properties.n) > 1"))
    assert chooses(event(properties={"n": "2"}))
    assert not chooses(event(properties={"n": "two"}))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, {"All": False, "Webhook": True}),
        ({"All": False}, {"All": False, "Webhook": True}),
        ({"Webhook": False, "hook": False}, {"All": False, "Webhook": True}),
        ({"Webhook": {"a": 1}, "Other": {"b": 2}}, {"All": False, "Webhook": {"a": 1}}),
        ({"hook": {"a": 1}}, {"All": False, "Webhook": True, "hook": {"a": 1}}),
    ],
)
def test_an_event_is_addressed_to_one_destination(before: dict[str, Any] | None, after: Any) -> None:
    given = event(integrations=before)
    text = given.json
    addressed = Address(("hook", "Webhook"))(given)
    assert addressed.integrations == after
    assert orjson.loads(addressed.json) == addressed.data
    assert addressed.data == orjson.loads(text) | {"integrations": after}
    assert given.json == text
    assert given.data["integrations"] == (before or {})


def test_the_shape_of_an_event_does_not_matter() -> None:
    odd = Event(1, 0, "web", "m", b'{"integrations":{},"properties":{"text":",\\"integrations\\":{}}"}}')
    addressed = Address(("hook", "Webhook"))(odd)
    assert addressed.data["integrations"] == {"All": False, "Webhook": True}
    assert addressed.data["properties"] == {"text": ',"integrations":{}}'}
    inner = Event(1, 0, "web", "m", b'{"integrations":{},"z":{"a":1,"integrations":{}}}')
    assert Address(("hook", "Webhook"))(inner).data["z"] == {"a": 1, "integrations": {}}
