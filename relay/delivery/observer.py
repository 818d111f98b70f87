"""Who wants to know of every attempt: the debugger."""

from typing import Protocol

from relay.delivery.sender import Reply
from relay.destinations.base import Request
from relay.event import Event


class Observer(Protocol):
    """Hears of attempts as they end. Must be quick: it runs on the delivery path."""

    def attempted(self, destination: str, request: Request, reply: Reply) -> None:
        """A request was sent and answered, or not; its events are in `request.events`."""

    def settled(self, destination: str, event: Event, fate: str, reason: str) -> None:
        """An event was not delivered: it got another fate, or was parked."""
