"""What of an event goes to one destination: its `filter`, its `filters`, then its `transformations`.

They fail closed: an event that one cannot judge is not sent. An event that is tried again passes them all
again, so that what they take away stays away, but is not drawn by lot a second time.
"""

import random
from collections.abc import Callable
from typing import Any

import msgspec

from relay.body import encode
from relay.delivery.config import DestinationConfig
from relay.destinations.fql import FqlError, compile_filter
from relay.destinations.fql.actions import compile_filters
from relay.destinations.transformations import compile_transformations
from relay.event import Event


class Sieve:
    """The filters and transformations of a destination, compiled once."""

    def __init__(self, config: DestinationConfig) -> None:
        self._transform = compile_transformations(config.transformations)
        self.is_open = config.filter is None and not config.filters and self._transform is None
        self._wants = None if config.filter is None else compile_filter(config.filter)
        self._change = compile_filters(config.filters, random=random.random)
        self._change_again = compile_filters(config.filters, random=lambda: 0.0)

    def sift(self, event: Event, *, again: bool = False) -> Event | None:
        """The event as it goes to the destination, None when it does not."""
        if self.is_open:
            return event
        try:
            left = self._left(event.data, self._change_again if again else self._change)
        except FqlError:
            return None
        if left is None or left is event.data:
            return None if left is None else event
        json = encode(left)
        return None if json is None else msgspec.structs.replace(event, json=json, decoded=left)

    def _left(
        self, data: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any] | None]
    ) -> dict[str, Any] | None:
        if self._wants is not None and not self._wants(data):
            return None
        left = change(data)
        return left if left is None or self._transform is None else self._transform(left)
