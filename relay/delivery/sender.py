"""One HTTP request to a destination, and its answer."""

import asyncio
import io
import math
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import aiohttp

from relay import __version__
from relay.destinations.base import Request
from relay.destinations.reply import Reply
from relay.destinations.secrets import hiding

USER_AGENT = f"relay/{__version__}"
MAX_RETRY_AFTER = 86_400.0  # seconds: a destination may not close itself for ever
MAX_REPLY = 1_000_000  # bytes of an answer that are read: a flow may need all of it (a hundred records found)
_LARGE = 2**20  # bytes: beyond, aiohttp wants a file, so that writing does not block the event loop
_REDIRECTS = frozenset((307, 308))  # the only ones that keep method and body
_MAX_REDIRECTS = 3


class Sender:
    """A pool of connections to all destinations."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @classmethod
    def open(cls) -> "Sender":
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": USER_AGENT},
        )
        return cls(session)

    async def send(self, request: Request, timeout_seconds: float) -> Reply:
        """The reply, whatever happened; only cancellation raises."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(timeout_seconds):
                reply = await self._follow(request)
        except TimeoutError:
            reply = Reply(None, "", 0.0, "ETIMEDOUT")
        except ValueError:  # InvalidURL is one; its text may hold a secret
            reply = Reply(400, "a URL or a header that cannot be sent", 0.0, "INVALID_REQUEST", is_ours=True)
        except (aiohttp.ClientError, OSError) as error:
            reply = Reply(None, "", 0.0, _error_name(error))
        reply.seconds = time.perf_counter() - started
        if request.hidden:  # what an answer repeats of it goes no further
            reply.text = hiding(request, str)(reply.text)
        return reply

    async def _follow(self, request: Request) -> Reply:
        url, headers = request.url, dict(request.headers)
        for _ in range(_MAX_REDIRECTS + 1):
            async with self._session.request(
                request.method, url, headers=headers, data=_data(request.body), allow_redirects=False
            ) as response:
                if response.status in _REDIRECTS and "Location" in response.headers:
                    url = urljoin(url, response.headers["Location"])
                    if urlsplit(url).hostname != urlsplit(request.url).hostname:
                        headers = {k: v for k, v in headers.items() if k not in request.secret}
                    continue
                text = await _read(response)
                after = _retry_after(response.headers.get("Retry-After"))
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status, text, 0.0, None, after, headers=headers)
        return Reply(None, "", 0.0, "too many redirects")

    async def close(self) -> None:
        await self._session.close()


def _data(body: bytes) -> bytes | io.BytesIO:
    return io.BytesIO(body) if len(body) > _LARGE else body


async def _read(response: aiohttp.ClientResponse) -> str:
    parts: list[bytes] = []
    size = 0
    while size < MAX_REPLY:
        part = await response.content.readany()
        if not part:
            break
        parts.append(part)
        size += len(part)
    else:
        response.close()
    return b"".join(parts)[:MAX_REPLY].decode("utf-8", "replace")


def _retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header: a number or an HTTP date."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(0.0, seconds), MAX_RETRY_AFTER) if math.isfinite(seconds) else None


def _error_name(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "ENOTFOUND"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "ECONNREFUSED" if isinstance(error.os_error, ConnectionRefusedError) else "ECONNECT"
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError):
        return "ECONNRESET"
    return type(error).__name__
