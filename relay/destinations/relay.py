"""Another relay: the same Tracking API, at the place that `endpoint` names."""

from typing import ClassVar

from relay.destinations.segment import Segment


class Relay(Segment, frozen=True):
    """Settings of `type = "relay"`."""

    title: ClassVar[str] = "relay"
    also_called: ClassVar[tuple[str, ...]] = ()
    summary: ClassVar[str] = "Another relay, in batches; `endpoint` says where it listens."
    default_endpoint: ClassVar[str | None] = None
    needs_endpoint: ClassVar[bool] = True
