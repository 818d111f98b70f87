"""A webhook receiver that costs next to nothing: `python -m bench.sink PORT`.

`POST` anything: every `"messageId":"..."` in the body is counted, then `200 {}`. The body isn't
decoded; it is searched, so a messageId must not occur inside the properties of an event.
`GET /stats` says what arrived: requests, events, distinct messageIds, duplicates, and `last_at`, when
the newest distinct one came. `GET /ids` lists the distinct ones, a line each.
Bodies need a Content-Length (411 otherwise).
"""

import asyncio
import re
import sys
import time
from typing import cast

import orjson

from bench.child import serve

_FIELD = b'"messageId":"'
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_FINE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_NO_LENGTH = b"HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Counts:
    """What has arrived on all connections."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._requests = 0
        self._events = 0
        self._last_at = 0.0

    def add(self, body: bytes) -> None:
        """Count one request and the events in it."""
        ids = [rest[: rest.index(b'"')] for rest in body.split(_FIELD)[1:]]
        before = len(self._seen)
        self._seen.update(ids)
        self._requests += 1
        self._events += len(ids)
        if len(self._seen) > before:
            self._last_at = time.time()

    def stats(self) -> bytes:
        """Render the counts as JSON."""
        return orjson.dumps(
            {
                "requests": self._requests,
                "events": self._events,
                "distinct": len(self._seen),
                "duplicates": self._events - len(self._seen),
                "last_at": self._last_at,
            }
        )

    def ids(self) -> bytes:
        """List the distinct messageIds."""
        return b"\n".join(self._seen)


class Receiver(asyncio.Protocol):
    """One connection. Chunks are joined once a request is complete, so a large body is copied once."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._chunks: list[bytes] = []
        self._size = 0
        self._wanted = 1  # bytes needed before there is anything to do

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to answer on."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Collect until a request is complete."""
        self._chunks.append(data)
        self._size += len(data)
        if self._size >= self._wanted:
            rest = self._take_all(b"".join(self._chunks))
            self._chunks, self._size = [rest], len(rest)

    def _take_all(self, data: bytes) -> bytes:
        """Serve the complete requests in `data`; what is left over is the beginning of another."""
        self._wanted = 1
        while (end := data.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(data, 0, end)
            if length is None and data.startswith(b"POST"):
                self._transport.write(_NO_LENGTH)
                self._transport.close()
                return b""
            total = end + 4 + (int(length[1]) if length else 0)
            if len(data) < total:
                self._wanted = total
                break
            self._serve(data, end + 4, total)
            data = data[total:]
        return data

    def _serve(self, data: bytes, start: int, end: int) -> None:
        if data.startswith(b"GET /stats"):
            self._reply(self._counts.stats())
        elif data.startswith(b"GET /ids"):
            self._reply(self._counts.ids())
        else:
            self._counts.add(data[start:end])
            self._transport.write(_FINE)

    def _reply(self, body: bytes) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def start(port: int) -> asyncio.Server:
    """Listen; all connections count together."""
    counts = Counts()
    return await asyncio.get_running_loop().create_server(
        lambda: Receiver(counts), "127.0.0.1", port, backlog=1024
    )


if __name__ == "__main__":
    serve(lambda: start(int(sys.argv[1])))
