"""Every request that Segment's own integrations were seen to send, for the same events and mappings."""

from typing import Any

import pytest

from relay.destinations.tried import run
from tests.destinations import referee

MORE: dict[str, dict[str, Any]] = {  # settings that Segment's package takes from its environment
    "facebook-conversions-api": {"accessToken": "FB_SYSTEM_USER_TOKEN"},
    "google-enhanced-conversions": {"developerToken": "ADS_DEV_TOKEN"},
}


def _rows() -> list[Any]:
    return [
        pytest.param(kind, number, id=f"{kind}-{row['event']}-{row['subscription']}")
        for kind in referee.kinds()
        for number, row in enumerate(referee.recorded(kind)["results"])
    ]


def _batches() -> list[Any]:
    return [
        pytest.param(kind, number, id=f"{kind}-batch-{number}")
        for kind in referee.kinds()
        for number in range(len(referee.recorded(kind)["batches"]))
    ]


@pytest.mark.parametrize(("kind", "number"), _rows())
def test_the_requests_are_those_that_segment_sends(kind: str, number: int) -> None:
    fixture = referee.recorded(kind)
    row = fixture["results"][number]
    more = MORE.get(kind, {})
    route = referee.route_of(kind, fixture["subscriptions"][row["subscription"]], **more)
    event = referee.event_of(referee.events()[row["event"]])
    assert route.wants(event)
    (parcel,) = route.parcels([event], is_batch=False)
    sent: list[Any] = []
    error = referee.failure(run(parcel, referee.replies_of(row), sent))
    settings = referee.settings_of(kind, **more)
    assert [referee.plain(referee.seen(settings, request)) for request in sent] == [
        referee.plain(referee.wanted(request)) for request in row["requests"]
    ]
    assert (error is not None) == ("error" in row), error
    if error is not None:
        assert error.reply.status == row["error"]["status"]


@pytest.mark.parametrize("kind", referee.kinds())
def test_what_segment_does_not_send_is_not_asked_for(kind: str) -> None:
    fixture = referee.recorded(kind)
    seen = {(row["event"], row["subscription"]) for row in fixture["results"]}
    for place, subscription in enumerate(fixture["subscriptions"]):
        route = referee.route_of(kind, subscription, **MORE.get(kind, {}))
        asked = {n for n, data in enumerate(referee.events()) if route.wants(referee.event_of(data))}
        assert asked == {event for event, number in seen if number == place}


@pytest.mark.parametrize(("kind", "number"), _batches())
def test_batches_are_those_that_segment_sends(kind: str, number: int) -> None:
    fixture = referee.recorded(kind)
    batch = fixture["batches"][number]
    more = MORE.get(kind, {})
    subscription = fixture["subscriptions"][batch["subscription"]]
    asked = {**subscription, "mapping": {**subscription["mapping"], "enable_batching": True}}
    route = referee.route_of(kind, asked, is_any=True, **more)
    events = [referee.event_of(referee.events()[n], place) for place, n in enumerate(batch["events"])]
    replies = referee.replies_of(batch)
    sent: list[Any] = []
    statuses: dict[int, int | None] = {}
    for parcel in route.parcels(events, is_batch=True):
        results = run(parcel, replies, sent)
        for place, event in enumerate(parcel.events):
            error = results[place] if isinstance(results, list) else referee.failure(results)
            statuses[event.index] = 200 if error is None else error.reply.status
    settings = referee.settings_of(kind, **more)
    assert [referee.plain(referee.seen(settings, request)) for request in sent] == [
        referee.plain(referee.wanted(request)) for request in batch["requests"]
    ]
    if "error" in batch:
        assert set(statuses.values()) == {batch["error"]["status"]}
    else:
        assert [statuses[n] for n in range(len(events))] == [one["status"] for one in batch["multistatus"]]
