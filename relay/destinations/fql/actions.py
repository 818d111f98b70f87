"""Destination filters: what they do to the events they match.

    [[destinations.filters]]
    title = "No device ids"
    if = 'event = "Signed Up"'
    actions = [{ type = "DROP_PROPERTIES", fields = { "context.device" = ["id"] } }]

Whatever their order in the file, all samples of a destination come first, then drops, then properties to
drop, then properties to allow [Segment]. Every `if` is asked of the event as it came, so no filter hides from
another what that one looks at.
"""

import random as chance
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import msgspec

from relay.destinations.fql.filters import compile_filter
from relay.destinations.fql.logic import Test
from relay.destinations.fql.properties import allowing, dropping
from relay.destinations.fql.sampling import sampled

MAX_FILTERS = 10  # Segment: filters a destination
MAX_TITLE = 64  # Segment: characters

Object = dict[str, Any]
Step = Callable[[Object], Object | None]
Random = Callable[[], float]

Keys = tuple[str, ...]
Fields = Annotated[dict[str, Keys], msgspec.Meta(min_length=1)]  # parent path to keys; "" is the event


class Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """What one filter does; `step` gives the event that goes on, or None."""

    def step(self, random: Random) -> Step:
        raise NotImplementedError


class Sample(Action, frozen=True, tag="SAMPLE"):
    """Lets a share of the events through, by the value at `path` or by chance."""

    percent: Annotated[float, msgspec.Meta(ge=0, le=1)]
    path: str | None = None

    def step(self, random: Random) -> Step:
        stays = sampled(self.percent, self.path, random)
        return lambda event: event if stays(event) else None


class Drop(Action, frozen=True, tag="DROP"):
    """Lets no event through."""

    def step(self, random: Random) -> Step:  # noqa: ARG002 - sampling needs it
        return lambda _event: None


class DropProperties(Action, frozen=True, tag="DROP_PROPERTIES"):
    """Takes the listed keys away; of each object when the parent is a list."""

    fields: Fields

    def step(self, random: Random) -> Step:  # noqa: ARG002
        return dropping(self.fields)


class AllowProperties(Action, frozen=True, tag="ALLOW_PROPERTIES"):
    """Leaves the listed parents nothing but the listed keys."""

    fields: Fields

    def step(self, random: Random) -> Step:  # noqa: ARG002
        return allowing(self.fields)


_ORDER = (Sample, Drop, DropProperties, AllowProperties)

AnyAction = Sample | Drop | DropProperties | AllowProperties


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"condition": "if"}):
    """One of `[[destinations.filters]]`. Events that `condition` does not match pass unchanged."""

    condition: str
    actions: Annotated[tuple[AnyAction, ...], msgspec.Meta(min_length=1)]
    title: Annotated[str, msgspec.Meta(max_length=MAX_TITLE)] = ""
    enabled: bool = True


Filters = Annotated[tuple[Filter, ...], msgspec.Meta(max_length=MAX_FILTERS)]  # those of one destination


def compile_filters(filters: Iterable[Filter], *, random: Random = chance.random) -> Step:
    """What all filters that are enabled make of an event: the event, a changed copy, or None: dropped.

    Raises FqlError at once for a condition that cannot be read; and for an event that one cannot judge: the
    caller drops it. The event given is never changed.
    """
    enabled = [each for each in filters if each.enabled]
    tests = [compile_filter(each.condition) for each in enabled]
    steps = [
        (place, action.step(random))
        for kind in _ORDER
        for place, each in enumerate(enabled)
        for action in each.actions
        if isinstance(action, kind)
    ]
    return _applied(tests, steps)


def _applied(tests: list[Test], steps: list[tuple[int, Step]]) -> Step:
    def apply(event: Object) -> Object | None:
        holds = [test(event) for test in tests]
        if True not in holds:
            return event
        current = event
        for place, step in steps:
            if holds[place]:
                left = step(current)
                if left is None:
                    return None
                current = left
        return current

    return apply
