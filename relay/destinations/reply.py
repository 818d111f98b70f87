"""What came back from a destination, and what it means."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import msgspec

from relay.body import decode

_BUSY = frozenset((408, 423, 425, 429))
_FINAL_SERVER_ERROR = 501


class Answer(Enum):
    """What happens next to the events of a request."""

    DELIVERED = "delivered"
    BUSY = "busy"  # later
    REFUSED = "refused"  # never


class Reply(msgspec.Struct):
    """An answer. `status` None: nobody answered, and `error` says how. `is_ours`: nobody was asked."""

    status: int | None
    text: str
    seconds: float = 0.0
    error: str | None = None
    retry_after: float | None = None  # seconds
    is_ours: bool = False
    headers: Mapping[str, str] = {}  # names in lower case

    @property
    def answer(self) -> Answer:
        status = self.status
        if status is None or status in _BUSY or (status >= 500 and status != _FINAL_SERVER_ERROR):  # noqa: PLR2004
            return Answer.BUSY
        return Answer.DELIVERED if 200 <= status < 300 else Answer.REFUSED  # noqa: PLR2004

    @property
    def reason(self) -> str:
        """The discard reason: a code, an HTTP status, or the kind of failure."""
        return self.error or str(self.status)

    def json(self) -> Any:
        """The body as JSON, an empty object when it is none: vendors answer with pages too."""
        try:
            return decode(self.text.encode())
        except ValueError:
            return {}
