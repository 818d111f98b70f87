"""What TikTok's answers mean: 200 is said to everything, and `code` in the body tells."""

from typing import Any

import msgspec

from relay.destinations.errors import HttpError
from relay.destinations.reply import Reply

# TikTok API for Business, return codes, and the status each amounts to
_STATUSES = {
    40001: 403,  # no permission for this pixel
    40100: 429,  # too many requests
    **dict.fromkeys((40101, 40102, 40103, 40104, 40105), 401),  # a token that is none, or too old
}
_TROUBLE = range(50_000, 60_000)  # on TikTok's side
_UNAVAILABLE, _BAD = 503, 400


def _code(reply: Reply) -> int:
    """The code of an answer, 0 for a good one and for none."""
    body: Any = reply.json()
    code = body.get("code") if isinstance(body, dict) else None
    return code if isinstance(code, int) else 0


def complaint(reply: Reply) -> HttpError | None:
    """What a 200 says against the request, with the status it amounts to."""
    code = _code(reply)
    if not code:
        return None
    return HttpError(msgspec.structs.replace(reply, status=_status(code), error=str(code)))


def _status(code: int) -> int:
    return _UNAVAILABLE if code in _TROUBLE else _STATUSES.get(code, _BAD)
