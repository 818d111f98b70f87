"""Who wants to know of every attempt: the debugger."""

from collections.abc import Sequence
from typing import Protocol

from relay.destinations.base import Request
from relay.destinations.reply import Reply
from relay.destinations.secrets import Mask
from relay.event import Event


class Observer(Protocol):
    """Hears of attempts as they end. Must be quick: it runs on the delivery path."""

    def attempted(
        self, destination: str, events: Sequence[Event], request: Request, reply: Reply, masked: Mask
    ) -> None:
        """A request for `events` was sent and answered, or not. `masked` hides the destination's secrets."""

    def settled(self, destination: str, event: Event, fate: str, reason: str) -> None:
        """An event was not delivered: it got another fate, or was parked."""
