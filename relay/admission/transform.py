"""The transformations of sources: what their events are for every destination.

They act whenever events are made of a record, here in admission and at every later reading, so that retries and
consumers that lag get what the others got; the log keeps what arrived. Of an event that is dropped nothing goes
anywhere: it has the fate `filtered` at every destination, for the reason `event_setting`.
"""

from collections.abc import Iterable, Sequence

from relay.body import encode
from relay.destinations.fql import FqlError
from relay.destinations.transformations import Step, Transformation, compile_transformations
from relay.event import Event
from relay.outcome import Outcome

DROPPED = "event_setting"  # Segment's discard code for an event that its source does not let through


class SourceTransformations:
    """The transformations of every source, compiled once."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}

    def take_up(self, sources: Iterable[tuple[str, Sequence[Transformation]]]) -> None:
        """From now on those of `sources`, each by its name."""
        compiled = {name: compile_transformations(some) for name, some in sources}
        self._steps = {name: step for name, step in compiled.items() if step is not None}

    def transform_all(self, groups: Iterable[list[Event]]) -> None:
        """`transform` the events of each record."""
        if self._steps:
            for events in groups:
                self.transform(events)

    def transform(self, events: list[Event]) -> list[Event]:
        """The events of one record as destinations see them. They are the caller's own still, and changed."""
        step = self._steps.get(events[0].source) if events else None
        if step is not None:
            for event in events:
                if event.outcome is None:
                    _transform(event, step)
        return events


def _transform(event: Event, step: Step) -> None:
    data = event.data
    try:
        left = step(data)
    except FqlError:  # fail closed, as filters do
        left = None
    if left is data:
        return
    json = None if left is None else encode(left)
    if json is None:
        event.outcome, event.reason = Outcome.FILTERED, DROPPED
    else:
        event.json, event.decoded = json, left
