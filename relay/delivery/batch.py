"""Events that travel together to a destination, and what happened to them so far."""

from collections.abc import Sequence

import msgspec

from relay.event import Event


class Waiting(msgspec.Struct, frozen=True):
    """A row of the retry table. Times in ms since 1970; `attempts` are those that counted.

    `done`: digests of the subscriptions that were served, a space between.
    """

    attempts: int
    expires_at: int
    tried_at: int
    user_key: str | None = None  # only of rows that keep their user's order
    done: str = ""


class Batch(msgspec.Struct):
    """Events on their way. `tries`: attempts in this process that met a destination which could not.

    `seen_successes`: how often the destination had answered anybody at the last failure; more since then
    means that it is there, and the trouble lies in this batch. `parked`: the rows of events that come from
    the retry table; None for a batch that comes from the feed.
    """

    events: list[Event]
    tries: int = 0
    seen_successes: int = 0
    parked: dict[tuple[int, int], Waiting] | None = None

    def part(self, events: Sequence[Event]) -> "Batch":
        """Some of the events, with what they went through."""
        return Batch(list(events), self.tries, self.seen_successes, self.parked)


def user_key(event: Event) -> str:
    """Whose event it is, for destinations that keep each user's order."""
    data = event.data
    return str(data.get("userId") or data.get("anonymousId") or data.get("previousId") or "")
