"""A batch of which some calls are refused before anything is sent, and some by the destination's answer."""

from collections.abc import Callable, Sequence
from typing import Generic, Self, TypeVar

import msgspec

from relay.destinations.actions.action import Call
from relay.destinations.base import Results
from relay.destinations.errors import DeliveryError, HttpError

T = TypeVar("T")

_BY_HALVES = frozenset((400, 413, 422))  # where delivery finds out which event was to blame


class Parts(msgspec.Struct, Generic[T]):
    """What was made of the calls that can be sent, and what becomes of every call."""

    made: list[T]
    places: list[int]  # of each one made: which call it came from
    results: list[DeliveryError | None]  # one for each call

    @classmethod
    def of(cls, calls: Sequence[Call], make: Callable[[Call], T]) -> Self:
        """`make` raises for a call that cannot be sent."""
        parts = cls([], [], [None] * len(calls))
        for place, call in enumerate(calls):
            try:
                parts.made.append(make(call))
                parts.places.append(place)
            except DeliveryError as error:
                parts.results[place] = error
        return parts

    def fail(self, index: int, error: DeliveryError | None) -> None:
        """Say what became of the one made at `index`; what was said first holds."""
        if 0 <= index < len(self.places) and self.results[self.places[index]] is None:
            self.results[self.places[index]] = error

    def failed(self, error: HttpError) -> Results:
        """The results when the request failed.

        Raises the error when it blames the request as a whole and may mean a single event of it: delivery then
        sends the halves, and what is refused here is refused again.
        """
        if self.made and (error.status in _BY_HALVES or not any(self.results)):
            raise error
        return [result or error for result in self.results]
