"""What keeps an event from a destination, as one tree, named by what happens next.

DeliveryError
├── Refused      never: a dead letter with this reason
├── Busy         later: held or parked, and tried again
└── HttpError    the destination answered other than 2xx, or nobody did; what the status says

A flow raises them; one that has sent several events at once returns one for each that failed.
"""

from relay.destinations.reply import Answer, Reply
from relay.errors import RelayError


class DeliveryError(RelayError):
    """An event was not delivered. `reply` is what a dead letter keeps of it."""

    def __init__(self, message: str, reply: Reply) -> None:
        super().__init__(message)
        self.reply = reply

    @property
    def is_final(self) -> bool:
        """Whether there is no use in trying again."""
        return self.reply.answer is Answer.REFUSED


class Refused(DeliveryError):
    """Never: the event cannot be delivered as it is.

    `code` is the discard reason, `status` what it amounts to in HTTP (400 unless the destination said something
    else), `fields` the fields that are wrong. The message names no value of the event.
    """

    def __init__(
        self,
        message: str,
        code: str = "PAYLOAD_VALIDATION_FAILED",
        *,
        status: int = 400,
        fields: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, Reply(status, message, 0.0, code, is_ours=True))
        self.code = code
        self.status = status
        self.fields = fields

    @property
    def is_final(self) -> bool:
        """Always, whatever the status it amounts to."""
        return True


class Busy(DeliveryError):
    """Not now. `after`: the seconds the destination asks for; without, the trouble may lie in the event."""

    def __init__(self, message: str, code: str = "RETRY", *, after: float | None = None) -> None:
        status = 503 if after is None else 429  # what it amounts to in HTTP
        super().__init__(message, Reply(status, message, 0.0, code, after, is_ours=True))


class HttpError(DeliveryError):
    """An answer other than 2xx, thrown into the flow at the request it belongs to."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"answered {reply.reason}", reply)

    @property
    def status(self) -> int | None:
        return self.reply.status


def of_status(status: int, message: str, code: str | None = None) -> DeliveryError | None:
    """What became of one event of a batch, by the status it was given; None: delivered."""
    reply = Reply(status, message, 0.0, code)
    if reply.answer is Answer.DELIVERED:
        return None
    return HttpError(reply)
