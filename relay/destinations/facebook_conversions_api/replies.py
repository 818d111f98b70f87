"""What Meta's answers mean: its error codes say more than the status, which is mostly 400."""

from typing import Any

import msgspec

from relay.destinations.errors import HttpError
from relay.destinations.reply import Reply

# Graph API, "Handling Errors" and "Rate Limits": 2 service down, 4 and 17 too many calls, 341 and 613 limits,
# 80000 to 80014 limits by business use case
_LATER = frozenset((2, 4, 17, 341, 613, *range(80_000, 80_015)))
_ACCOUNT = frozenset((10, 102, 190, *range(200, 300)))  # the token, or what it may do
_NO_SUCH_PIXEL = (100, 33)  # code and subcode
_BUSY, _FORBIDDEN, _BAD = 429, 403, 400


def understood(error: HttpError, *, is_batch: bool) -> HttpError:
    """The error with the status it means. Of a batch, one that concerns the account is not looked for in halves."""
    said = _said(error.reply)
    code = _code(said)
    if code in _LATER or said.get("is_transient") is True:
        return _as(error.reply, _BUSY, code)
    is_account = code in _ACCOUNT or (code, said.get("error_subcode")) == _NO_SUCH_PIXEL
    return _as(error.reply, _FORBIDDEN, code) if is_account and is_batch else error


def complaint(reply: Reply, sent: int) -> HttpError | None:
    """What a good answer says against the events."""
    if said := _said(reply):
        return understood(_as(reply, _BAD, _code(said)), is_batch=sent > 1)
    body = reply.json()
    received = body.get("events_received") if isinstance(body, dict) else None
    if isinstance(received, int) and received < sent:
        return _as(reply, _BAD, "NOT_RECEIVED")
    return None


def _said(reply: Reply) -> dict[str, Any]:
    body = reply.json()
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _code(said: dict[str, Any]) -> int | None:
    code = said.get("code")
    return code if isinstance(code, int) else None


def _as(reply: Reply, status: int, code: int | str | None) -> HttpError:
    return HttpError(msgspec.structs.replace(reply, status=status, error=None if code is None else str(code)))
