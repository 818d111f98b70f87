"""What can be wrong with FQL: its text, or an event that it cannot judge."""

from relay.errors import RelayError


class FqlError(RelayError):
    """FQL that cannot be read or, at run time, a value it cannot judge: the event is dropped, never sent.

    `position` counts the characters of the text before the trouble. No value of an event is in `reason`.
    """

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"{reason} (character {position + 1})")
        self.position = position
        self.reason = reason
