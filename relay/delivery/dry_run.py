"""A replay that only counts: it goes the same way as any, up to the point where an event would be sent."""

from collections import Counter
from typing import Any

import msgspec

from relay.delivery.config import DestinationConfig
from relay.delivery.fates import Fates
from relay.delivery.ledger import Ledger
from relay.delivery.observer import Observer
from relay.delivery.replay import Replay
from relay.delivery.replaying import Replaying
from relay.delivery.tally import Why
from relay.delivery.window import Window
from relay.destinations.base import Destination
from relay.event import Event
from relay.outcome import Outcome

MAX_NAMES = 1000  # of events that are counted apart
MAX_NAME = 200  # characters of one
OTHERS = "(others)"
NAMELESS = "-"  # what has neither name nor type


class DryRun(Replaying):
    """Counts what a replay would do, by event name, and sends nothing."""

    def __init__(
        self,
        replay: Replay,
        config: DestinationConfig,
        settings: Destination,
        *,
        ledger: Ledger,
        observer: Observer,
        window: Window,
        **parts: Any,
    ) -> None:
        self.counting = CountingFates(config, window, ledger, observer)
        super().__init__(
            replay,
            config,
            settings,
            ledger=ledger,
            observer=observer,
            window=window,
            fates=self.counting,
            **parts,
        )

    async def _put(self, event: Event) -> None:
        self.counting.judged(event, Outcome.DELIVERED)


class CountingFates(Fates):
    """Settles events and notes nothing but their number. `found`: of each fate, by event name."""

    def __init__(self, config: DestinationConfig, window: Window, ledger: Ledger, observer: Observer) -> None:
        super().__init__(config, window, ledger, observer)
        self.found: dict[str, Counter[str]] = {}

    def judged(self, event: Event, outcome: Outcome) -> None:
        if outcome is Outcome.DELIVERED:
            self._window.delivered([event])
        else:
            self._window.settle(event.sequence, Why(outcome, event.reason or "", event.index))
        name = name_of(event)
        counts = self.found.get(name)
        if counts is None:
            name = name if len(self.found) < MAX_NAMES else OTHERS
            counts = self.found.setdefault(name, Counter())
        counts[str(outcome)] += 1

    def filtered(self, event: Event, reason: str) -> None:  # noqa: ARG002
        self.judged(event, Outcome.FILTERED)


class _Named(msgspec.Struct, gc=False):
    """What an event may be called; the rest of it is skipped, at a third of the cost of decoding it."""

    event: Any = None
    name: Any = None
    type: Any = None


_named = msgspec.json.Decoder(_Named).decode


def name_of(event: Event) -> str:
    """What a person calls an event: its name, else its type."""
    try:
        named = _named(event.json)
    except (msgspec.DecodeError, RecursionError):
        return str(event.data.get("type") or NAMELESS)[:MAX_NAME]
    return str(named.event or named.name or named.type or NAMELESS)[:MAX_NAME]
