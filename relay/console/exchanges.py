"""What passed between relay and a destination for an event: requests and replies as they may be shown.

Without secrets, and cut: whoever sends large batches would fill the memory with them.
"""

import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from relay.destinations.base import Request
from relay.destinations.reply import Answer, Reply
from relay.destinations.secrets import Mask, hiding, shown_headers, shown_url
from relay.event import Event
from relay.times import format_iso

REQUESTS_SHOWN = 20  # of an event to a destination, the newest
BODY_KEPT = 4000  # characters of a request body and of a reply
BODY_READ = 2 * BODY_KEPT  # and so far it is looked for secrets: one that the cut goes through is hidden too

DELIVERED = "delivered"


class Attempt(msgspec.Struct, gc=False):
    """A request that was sent, and its answer; or, without either, the fate of one event."""

    events: Sequence[Event]
    shown: dict[str, Any]


def exchange(events: int, request: Request, reply: Reply, masked: Mask) -> dict[str, Any]:
    """One request with its reply. `events`: how many it was sent for."""
    state = DELIVERED if reply.answer is Answer.DELIVERED else "retrying"
    masked = hiding(request, masked)
    return {
        "state": state,
        "reason": None if reply.answer is Answer.DELIVERED else reply.reason,
        "at": format_iso(int(time.time() * 1000)),
        "request": shown_request(request, masked) | {"events": events},
        "reply": {
            "status": reply.status,
            "body": _kept(reply.text[:BODY_READ], masked),
            "error": reply.error,
        },
        "seconds": round(reply.seconds, 4),
    }


def shown_request(request: Request, masked: Mask) -> dict[str, Any]:
    """A request without its secrets. `masked` hides those of the destination and of this request."""
    return {
        "method": request.method,
        "url": shown_url(_without_secrets(request), masked),
        "headers": shown_headers(request, masked),
        "body": _kept(request.body[:BODY_READ].decode("utf-8", "replace"), masked),
    }


def merge(by_destination: dict[str, Any], destination: str, new: dict[str, Any]) -> None:
    """Add what became known later to what a destination did."""
    before = by_destination.get(destination, {"attempts": 0})
    if "request" not in new:
        by_destination[destination] = before | new
        return
    exchanges = [
        *before.get("requests", ()),
        {key: new[key] for key in ("at", "request", "reply", "seconds")},
    ]
    by_destination[destination] = {
        **before,
        **new,
        "attempts": before["attempts"] + 1,
        "requests": exchanges[-REQUESTS_SHOWN:],
    }


def _without_secrets(request: Request) -> Request:
    """A request to a URL without user, password and query, which may all hold keys."""
    parts = urlsplit(request.url)
    url = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    return msgspec.structs.replace(request, url=url)


def _kept(text: str, masked: Mask) -> str:
    return masked(text)[:BODY_KEPT]
