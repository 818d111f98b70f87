"""What all events of a record share, found once for each of them."""

import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson

from relay.log.record import Record
from relay.times import format_iso, format_moment, parse_moment

_AHEAD = timedelta(days=1)  # a corrected timestamp further in the future is not believed
_NO_SHIFT = timedelta(0)
_LIBRARY = re.compile(r"([\w@./-]*[A-Za-z][\w@./-]*)/(\d[\w.+-]*)")

_dumps = orjson.dumps


class Envelope:
    """What all events of a record share."""

    __slots__ = (
        "context",
        "context_start",
        "integrations",
        "latest",
        "library",
        "received_at",
        "received_text",
        "record",
        "sent_at",
        "sent_text",
        "shift",
        "tail",
    )

    def __init__(self, record: Record, sent_at: Any, context: Any, integrations: Any) -> None:
        self.record = record
        self.received_at, self.received_text, self.latest = _received(record.received_at)
        self.library = library_of(record.user_agent)
        self.sent_at = None if sent_at is None else parse_moment(sent_at)
        if self.sent_at is None and record.sent_at is not None:
            self.sent_at = parse_moment(record.sent_at)
        self.sent_text = ""
        self.shift = _NO_SHIFT
        if self.sent_at is not None:
            self.shift = self.received_at - self.sent_at
            self.sent_text = format_moment(self.sent_at)
        self.context = _dict_or_none(context)
        self.integrations = _dict_or_none(integrations)
        self.tail = _tail(self.received_text, record.source)
        ip = record.ip if record.client else None
        agent = record.user_agent if record.client else None
        self.context_start = _context_start(ip, agent, record.user_agent)


@lru_cache(16)
def _received(ms: int) -> tuple[datetime, str, datetime]:
    """The moment, as text, and the latest timestamp that is believed; records of one millisecond share them."""
    text = format_iso(ms)
    moment = datetime.fromisoformat(text)
    return moment, text, moment + _AHEAD


@lru_cache(256)
def _tail(received_text: str, source: str) -> bytes:
    """What is known of every event, as the last fields of its object."""
    return b',"receivedAt":"%b","version":2,"sourceId":%b' % (received_text.encode(), _dumps(source))


@lru_cache(1000)
def _context_start(
    ip: str | None, agent: str | None, library_agent: str | None
) -> tuple[bytes, bytes, bytes]:
    """What a request adds to the context of its events, each as JSON fields with a comma behind."""
    library = library_of(library_agent)
    return (
        b"" if ip is None else b'"ip":%b,' % _dumps(ip),
        b"" if agent is None else b'"userAgent":%b,' % _dumps(agent),
        b"" if library is None else b'"library":%b,' % _dumps(library),
    )


def _dict_or_none(value: Any) -> dict[str, Any] | None:
    return value if type(value) is dict and value else None


@lru_cache(1000)
def library_of(user_agent: str | None) -> dict[str, str] | None:
    """`{"name", "version"}` of a `name/version` user agent, as SDKs send it; None for a browser's."""
    match = _LIBRARY.fullmatch(user_agent) if user_agent else None
    return {"name": match[1], "version": match[2]} if match else None
