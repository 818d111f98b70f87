"""What a destination would be sent for an event, and what would become of it: flows run against given replies.

Nothing leaves. When the replies run out, the destination is taken to answer 200 with an empty object.
"""

from collections.abc import Iterator, Sequence

import msgspec

from relay.destinations.base import Destination, Parcel, Request, Results
from relay.destinations.errors import DeliveryError, HttpError
from relay.destinations.reply import Answer, Reply

GOOD = Reply(200, "{}")


class Tried(msgspec.Struct):
    """`errors`: of each parcel that did not go through, the first of its own."""

    requests: list[Request]
    errors: list[DeliveryError]

    @property
    def worst(self) -> DeliveryError | None:
        """What decides the event's fate: a reason to try again, else a refusal."""
        later = [error for error in self.errors if not error.is_final]
        return next(iter([*later, *self.errors]), None)


def tried(parcels: Sequence[Parcel], replies: Iterator[Reply]) -> Tried:
    """Run every parcel's flow, each request answered by the next of `replies`."""
    outcome = Tried([], [])
    for parcel in parcels:
        results = run(parcel, replies, outcome.requests)
        if isinstance(results, DeliveryError):
            outcome.errors.append(results)
        elif results is not None:
            outcome.errors.extend([error for error in results if error is not None][:1])
    return outcome


def run(parcel: Parcel, replies: Iterator[Reply], requests: list[Request]) -> Results | DeliveryError | None:
    """One flow; its requests are added to `requests`."""
    try:
        steps = parcel.begin(parcel.events)
        request = next(steps)
        while True:
            requests.append(request)
            reply = next(replies, GOOD)
            is_good = reply.answer is Answer.DELIVERED
            request = steps.send(reply) if is_good else steps.throw(HttpError(reply))
    except StopIteration as end:
        results: Results | None = end.value
        return results
    except DeliveryError as error:
        return error


def signed(settings: Destination, request: Request) -> Request:
    """The request as it would leave: with the token that the settings of an OAuth destination hold."""
    token = settings.token
    if token is None:
        return request
    headers = {**request.headers, "authorization": f"Bearer {token}"}
    return msgspec.structs.replace(
        request, headers=headers, secret=request.secret | frozenset(("authorization",))
    )
