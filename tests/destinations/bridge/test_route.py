"""What leaves relay for the recorded events is what Segment's own integrations were seen to send: the whole way."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from relay.destinations.actions import Subscription
from relay.destinations.base import Request
from relay.destinations.bridge.catalogue import Bridged, Catalogue
from relay.destinations.bridge.route import BridgeRoute
from relay.destinations.bridge.runtime import Runtime, Tokens
from relay.destinations.reply import Reply
from relay.destinations.tried import walk
from relay.sandbox.child import Http
from tests.destinations import referee
from tests.destinations.bridge.conftest import Installation
from tests.destinations.bridge.running import runtime, settings_of
from tests.destinations.bridge.test_expected import APP

JSON = {"content-type": "application/json"}


class Recorded:
    """A runtime at the hour of the recordings, which remembers what an earlier action said of the same event."""

    def __init__(self, made: Runtime) -> None:
        self.kind = ""
        self.transaction: dict[str, Any] = {}
        self._made = made

    async def call(
        self, message: dict[str, Any], declared: Bridged, tokens: Tokens | None, on_http: Http
    ) -> dict[str, Any]:
        more = {"now": referee.recorded(self.kind)["clock"], "transaction": self.transaction}
        return await self._made.call(message | more, declared, tokens, on_http)


@pytest.fixture
async def recorded(installation: Installation) -> AsyncIterator[Recorded]:
    async with runtime(installation.installed.folder) as made:
        made.give(APP, ())
        yield Recorded(made)


@pytest.mark.parametrize("kind", referee.kinds())
async def test_every_event_is_sent_as_recorded(recorded: Recorded, catalogue: Catalogue, kind: str) -> None:
    fixture = referee.recorded(kind)
    for row in fixture["results"]:
        subscription = fixture["subscriptions"][row["subscription"]]
        route = route_of(recorded, catalogue, kind, subscription)
        event = referee.event_of(referee.events()[row["event"]])
        assert route.wants(event)
        (parcel,) = route.parcels([event], is_batch=False)
        sent: list[Request] = []
        error = referee.failure(await walk(parcel, replies_of(row), sent))
        assert [seen(request) for request in sent] == [wanted(one) for one in row["requests"]], row["event"]
        assert (error is not None) == ("error" in row), row["event"]


@pytest.mark.parametrize("kind", [kind for kind in referee.kinds() if referee.recorded(kind)["batches"]])
async def test_every_batch_is_sent_as_recorded(recorded: Recorded, catalogue: Catalogue, kind: str) -> None:
    for row in referee.recorded(kind)["batches"]:
        subscription = referee.recorded(kind)["subscriptions"][row["subscription"]]
        asked = {**subscription, "mapping": {**subscription["mapping"], "enable_batching": True}}
        route = route_of(recorded, catalogue, kind, {**asked, "subscribe": 'type != "nothing"'})
        events = [referee.event_of(referee.events()[n], place) for place, n in enumerate(row["events"])]
        replies, sent = replies_of(row), list[Request]()
        statuses: dict[int, int | None] = {}
        for parcel in route.parcels(events, is_batch=True):
            results = await walk(parcel, replies, sent)
            for place, event in enumerate(parcel.events):
                error = results[place] if isinstance(results, list) else referee.failure(results)
                statuses[event.index] = 200 if error is None else error.reply.status
        assert [seen(request) for request in sent] == [wanted(one) for one in row["requests"]]
        if "error" in row:
            assert set(statuses.values()) == {row["error"]["status"]}
        else:
            shown = [200 if one["status"] < 300 else one["status"] for one in row["multistatus"]]
            assert [statuses[n] for n in range(len(events))] == shown


def route_of(
    recorded: Recorded, catalogue: Catalogue, kind: str, subscription: dict[str, Any]
) -> BridgeRoute:
    settings = settings_of(catalogue, kind, referee.recorded(kind)["settings"])
    said = Subscription(subscription["partnerAction"], subscription["subscribe"], subscription["mapping"])
    route = settings.route([said])
    assert isinstance(route, BridgeRoute)
    recorded.kind, recorded.transaction = kind, subscription.get("transaction", {})
    runs: Any = recorded
    route.run_in(runs, None)
    return route


def replies_of(row: dict[str, Any]) -> Any:
    for request, reply in zip(row["requests"], referee.replies_of(row), strict=True):
        given = {k.lower(): v for k, v in (request["reply"].get("headers") or {}).items()}
        kind = {} if "text" in request["reply"] else JSON
        yield Reply(reply.status, reply.text, headers={**kind, **given})


def seen(request: Request) -> dict[str, Any]:
    found = referee.plain(referee.shown(request))
    headers = {name: value for name, value in found["headers"].items() if name not in referee.IGNORED}
    return found | {"headers": headers}


def wanted(request: dict[str, Any]) -> dict[str, Any]:
    return referee.plain(referee.wanted(request))
