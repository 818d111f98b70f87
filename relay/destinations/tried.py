"""What a destination would be sent for an event, and what would become of it: flows run against given replies.

Nothing leaves. When the replies run out, the destination is taken to answer 200 with an empty object.
"""

from collections.abc import Iterator, Sequence

import msgspec

from relay.destinations.base import Destination, Parcel, Request, Results
from relay.destinations.errors import DeliveryError
from relay.destinations.flow import Ended, begin, go_on, leave
from relay.destinations.reply import Reply

GOOD = Reply(200, "{}", headers={"content-type": "application/json"})


class Tried(msgspec.Struct):
    """`errors`: of each parcel that did not go through, the first of its own."""

    requests: list[Request]
    errors: list[DeliveryError]

    @property
    def worst(self) -> DeliveryError | None:
        """What decides the event's fate: a reason to try again, else a refusal."""
        later = [error for error in self.errors if not error.is_final]
        return next(iter([*later, *self.errors]), None)


async def tried(parcels: Sequence[Parcel], replies: Iterator[Reply]) -> Tried:
    """Walk every parcel's flow, each request answered by the next of `replies`."""
    outcome = Tried([], [])
    for parcel in parcels:
        results = await walk(parcel, replies, outcome.requests)
        if isinstance(results, DeliveryError):
            outcome.errors.append(results)
        elif results is not None:
            outcome.errors.extend([error for error in results if error is not None][:1])
    return outcome


async def walk(
    parcel: Parcel, replies: Iterator[Reply], requests: list[Request]
) -> Results | DeliveryError | None:
    """One flow; its requests are added to `requests`."""
    steps = parcel.begin(parcel.events)
    try:
        request = await begin(steps)
        while True:
            requests.append(request)
            request = await go_on(steps, next(replies, GOOD))
    except Ended as end:
        return end.results
    except DeliveryError as error:
        return error
    finally:
        await leave(steps)


def run(parcel: Parcel, replies: Iterator[Reply], requests: list[Request]) -> Results | DeliveryError | None:
    """The same for a flow that waits for nobody but its destination, without an event loop."""
    walking = walk(parcel, replies, requests)
    try:
        walking.send(None)
    except StopIteration as end:
        results: Results | DeliveryError | None = end.value
        return results
    raise RuntimeError("the flow waits for something")


def signed(settings: Destination, request: Request) -> Request:
    """The request as it would leave: with the token that the settings of an OAuth destination hold."""
    token = settings.token
    if token is None:
        return request
    headers = {**request.headers, "authorization": f"Bearer {token}"}
    return msgspec.structs.replace(
        request, headers=headers, secret=request.secret | frozenset(("authorization",))
    )
