"""What a destination would be sent for one event, and what would become of it, without sending anything.

The same steps as delivery takes: routing, subscriptions, mapping, flows. Replies are given, or are 200 with an empty object.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from relay.delivery.config import DestinationConfig
from relay.delivery.routing import NO_MAPPING, Routing
from relay.destinations.base import Destination, Request, Route, at_endpoint
from relay.destinations.bridge.route import BridgeRoute
from relay.destinations.reply import Reply
from relay.destinations.tried import signed, tried
from relay.event import Event
from relay.outcome import Outcome

RETRYING = "retrying"  # no fate yet: it would be tried again


class Trial(NamedTuple):
    """`requests` are as they would leave, with all secrets. `detail`: a sentence of the destination's own."""

    outcome: str
    reason: str | None = None
    detail: str | None = None
    requests: tuple[Request, ...] = ()


class Trying:
    """A destination as it is configured. `is_routed`: consent, `integrations`, filters and transformations have their say."""

    def __init__(self, config: DestinationConfig, settings: Destination, *, is_routed: bool = True) -> None:
        self.settings = settings
        self.route = settings.route(config.subscriptions)
        self._endpoint = config.endpoint
        self._routing = Routing(config, settings.title) if is_routed else None
        # alone an action takes the request for one event; what has no actions is sent as ever
        self._is_batch = type(self.route) is Route and (config.batch_size or settings.batch) > 1

    async def of(self, event: Event, replies: Iterable[Reply] = ()) -> Trial:
        """What would happen to an event that admission let through."""
        if event.outcome is not None:
            return Trial(event.outcome, event.reason, "; ".join(event.notes))
        routed = event if self._routing is None else self._routing.route(event)
        if isinstance(routed, str):
            return Trial(Outcome.FILTERED, routed)
        if not self.route.wants(routed):
            return Trial(Outcome.FILTERED, NO_MAPPING)
        found = await tried(self.route.parcels([routed], is_batch=self._is_batch), iter(replies))
        requests = tuple(self._leaving(request) for request in found.requests)
        error = found.worst
        if error is None:
            return Trial(Outcome.DELIVERED, requests=requests)
        fate = Outcome.REJECTED if error.is_final else RETRYING
        return Trial(fate, error.reply.reason, str(error), requests)

    def _leaving(self, request: Request) -> Request:
        request = request if isinstance(self.route, BridgeRoute) else signed(self.settings, request)
        return msgspec.structs.replace(request, url=at_endpoint(request.url, self._endpoint))
