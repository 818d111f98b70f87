"""Reading a request's body within limits, whatever the sender does."""

import asyncio

from aiohttp import web
from aiohttp.web_protocol import RequestPayloadError

from relay.errors import EventRejected
from relay.event import MAX_BATCH

BODY_SECONDS = 60.0  # for a body that does not come at once: a phone on a bad line


class BodyTimeout(Exception):
    """The body did not arrive in time."""


async def read_body(request: web.BaseRequest) -> bytes:
    """The inflated body, of at most 512,000 bytes. Raises EventRejected (400) or BodyTimeout (408)."""
    content = request.content
    if content.is_eof() and content.exception() is None:
        body = content.read_nowait()
        if len(body) > MAX_BATCH:
            raise EventRejected("payload_too_large", "Exceed payload limit")
        return body
    if "Expect" in request.headers and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read_in_parts(content)
    except TimeoutError:
        raise BodyTimeout from None
    except RequestPayloadError:
        raise EventRejected("bad_request", "the body cannot be read as its Content-Encoding says") from None


async def _read_in_parts(content: "asyncio.StreamReader | object") -> bytes:
    body = bytearray()
    while chunk := await content.readany():  # type: ignore[union-attr]
        body += chunk
        if len(body) > MAX_BATCH:
            raise EventRejected("payload_too_large", "Exceed payload limit")
    return bytes(body)
