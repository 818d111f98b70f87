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
        self,
        destination: str,
        events: Sequence[Event],
        request: Request,
        reply: Reply,
        masked: Mask,
        *,
        is_last: bool = True,
    ) -> None:
        """A request for `events` was sent and answered, or not. `masked` hides the destination's secrets.

        `is_last`: nothing more is asked for them, so that a good answer means that they are delivered.
        """

    def settled(self, destination: str, event: Event, fate: str, reason: str, detail: str = "") -> None:
        """An event got a fate that no answer told, or was parked. `detail` is a sentence without values."""
