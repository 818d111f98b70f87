"""One request to Segment's CDN: what comes is the file, or it is unusable.

Only the origin of relay.toml is ever asked, by GET, with nothing of the browser's request: no cookie, no header, no query.
A redirect is not followed: it is an answer like any other that is not the file. A file has a limit, also when it is
compressed, and so has the time that it takes.
"""

import asyncio
import re
import zlib

import aiohttp
import msgspec
from yarl import URL

from relay import __version__, metrics

SECONDS = 10.0  # from connecting to the last byte
MAX_FILE = 4_000_000  # bytes of a file; the libraries that destinations load there are well below one million
CONNECTIONS = 16

_MAX_AGE = re.compile(r"max-age=(\d{1,9})")


class Unusable(Exception):
    """There is no file to be had. The text says why, without an address: there are keys in them."""


class NotThere(Unusable):
    """The CDN has no such file."""


class Fetched(msgspec.Struct, frozen=True):
    body: bytes
    content_type: str
    tag: str | None
    max_age: int | None


class Client:
    """Its connections. No cookie is kept."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, url: str, tag: str | None) -> Fetched | None:
        """The file; None when it is still that of `tag`. Raises Unusable."""
        try:
            async with asyncio.timeout(SECONDS):
                fetched = await self._get(url, tag)
        except NotThere:
            metrics.CDN_REQUESTS.labels("not_there").inc()
            raise
        except (Unusable, TimeoutError, aiohttp.ClientError, OSError, ValueError, zlib.error) as error:
            metrics.CDN_REQUESTS.labels("failed").inc()
            raise error if isinstance(error, Unusable) else Unusable(_reason(error)) from None
        metrics.CDN_REQUESTS.labels("unchanged" if fetched is None else "fetched").inc()
        return fetched

    async def _get(self, url: str, tag: str | None) -> Fetched | None:
        headers = {"Accept-Encoding": "gzip"} | ({} if tag is None else {"If-None-Match": tag})
        async with self._opened().get(
            URL(url, encoded=True), headers=headers, allow_redirects=False
        ) as response:
            if response.status == 304 and tag is not None:  # noqa: PLR2004
                return None
            if response.status in (403, 404):  # a store of files says 403 where it lets nobody list them
                raise NotThere(f"HTTP {response.status}")
            if response.status != 200:  # noqa: PLR2004
                raise Unusable(f"HTTP {response.status}")
            age = _MAX_AGE.search(response.headers.get("Cache-Control", ""))
            return Fetched(
                await _read(response),
                response.headers.get("Content-Type", "").lower(),
                response.headers.get("ETag"),
                int(age[1]) if age else None,
            )

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": f"relay/{__version__}"},
                timeout=aiohttp.ClientTimeout(total=None),
                auto_decompress=False,  # it knows no limit
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


async def _read(response: aiohttp.ClientResponse) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise Unusable("an encoding that was not asked for")
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS) if encoding == "gzip" else None
    whole = bytearray()
    async for part in response.content.iter_any():
        whole += part if unpacker is None else unpacker.decompress(part, MAX_FILE + 1 - len(whole))
        if len(whole) > MAX_FILE:
            raise Unusable(f"more than {MAX_FILE:,} bytes")
        if unpacker is not None and unpacker.unused_data:  # it would be kept, however much
            raise Unusable("more comes behind its end")
    if unpacker is not None and not unpacker.eof:
        raise Unusable("it broke off")
    return bytes(whole)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {SECONDS:.0f} s"
    return "not compressed as it says" if isinstance(error, zlib.error) else "it cannot be reached"
