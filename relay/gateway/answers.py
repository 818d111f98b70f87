"""What the public listener answers, written to the wire as few bytes and in one piece.

Success is exactly status 200 with a JSON object: any other 2xx, or an empty body, makes some SDK send the batch again
(ingestion rules, "Answers"). A temporary condition is never a 4xx but 429: clients drop on those for good.
"""

import time
from email.utils import formatdate
from typing import Any

import orjson
from aiohttp import web

SUCCESS = b'{"success":true}'
GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")

_REASONS = {
    200: "OK",
    204: "No Content",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    408: "Request Timeout",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

Headers = tuple[tuple[str, str], ...]
NO_HEADERS: Headers = ()
JSON = "application/json"


class Answer(web.StreamResponse):
    """A whole response. Bypasses aiohttp's header machinery, which costs as much as the rest of a request."""

    def __init__(
        self, status: int, body: bytes = b"", content_type: str | None = JSON, headers: Headers = NO_HEADERS
    ) -> None:
        # not calling super().__init__ is what saves the time: `prepare` and `write_eof` need nothing of it
        self._answer = (status, body, content_type, headers)
        self._is_kept = True

    @property
    def status(self) -> int:
        return self._answer[0]

    @property
    def keep_alive(self) -> bool | None:
        return self._is_kept

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write everything."""
        transport = request.transport
        if transport is None:
            raise ConnectionResetError
        self._is_kept = request.keep_alive
        transport.write(self._wire(request))

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""

    def _wire(self, request: web.BaseRequest) -> bytes:
        status, body, content_type, headers = self._answer
        lines = [f"HTTP/1.1 {status} {_REASONS[status]}\r\n{_date()}"]
        if status != 304:  # noqa: PLR2004  there it would be the length of what is not sent again
            lines.append(f"Content-Length: {len(body)}\r\n")
        if content_type is not None:
            lines.append(f"Content-Type: {content_type}\r\n")
        lines += [f"{name}: {value}\r\n" for name, value in headers]
        if not self._is_kept:
            lines.append("Connection: close\r\n")
        elif request.version.minor == 0:
            lines.append("Connection: keep-alive\r\n")
        lines.append("\r\n")
        head = "".join(lines).encode("latin-1", "replace")
        return head if request.method == "HEAD" else head + body


class _Kept(Answer):
    """The answer that nearly every request gets, one object for all: no CORS, the connection stays open.

    Its bytes are the same for a second.
    """

    _second = 0
    _bytes = b""

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write everything."""
        transport = request.transport
        if transport is None:
            raise ConnectionResetError
        now = int(time.time())
        if now != self._second:
            self._bytes = self._wire(request)
            self._second = now
        transport.write(self._bytes)


_date_line = ""
_date_second = 0


def _date() -> str:
    global _date_line, _date_second  # noqa: PLW0603  the same for a second
    now = int(time.time())
    if now != _date_second:
        _date_line = f"Date: {formatdate(now, usegmt=True)}\r\n"
        _date_second = now
    return _date_line


_KEPT = _Kept(200, SUCCESS)


def success(request: web.BaseRequest, cors: Headers) -> Answer:
    if not cors and request.keep_alive and request.version.minor:
        return _KEPT
    return Answer(200, SUCCESS, JSON, cors)


def failure(status: int, code: str, message: str, headers: Headers, **more: Any) -> Answer:
    """The error body that every SDK can read: py wants `code` and `message`, ruby `error`."""
    body = {"success": False, "code": code, "message": message, "error": message, **more}
    return Answer(status, orjson.dumps(body), JSON, headers)


def pixel() -> Answer:
    return Answer(200, GIF, "image/gif", (("Cache-Control", "no-store"),))


def later(status: int, code: str, message: str, seconds: int, cors: Headers) -> Answer:
    """429 or 503, with whole seconds to wait."""
    headers: Headers = (("Retry-After", str(seconds)),)
    if status == 429:  # noqa: PLR2004
        headers += (("X-RateLimit-Reset", str(seconds)),)
    return failure(status, code, message, headers + cors)
