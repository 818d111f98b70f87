"""Somebody at the console: over HTTP with the cookies of a browser, without one."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any

import aiohttp

from tests.gateway.relay_here import ADMIN_TOKEN, RelayHere


@dataclass(frozen=True)
class Shown:
    """A page. `text` is its HTML; `words` what a person reads of it."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def words(self) -> str:
        return " ".join(
            unescape(re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", self.text, flags=re.DOTALL)).split()
        )

    @property
    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.text)
        assert found, self.words
        return found[1]


class Visitor:
    """Follows no redirects by itself; `post` sends the token of the last page that had one."""

    def __init__(self, relay: RelayHere, session: aiohttp.ClientSession) -> None:
        self.relay = relay
        self.session = session
        self._csrf = ""

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Shown:
        return await self._ask("GET", path, None, headers)

    async def post(
        self, path: str, fields: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Shown:
        """A field may be a list: sent once for each of its values."""
        pairs = [("csrf", self._csrf)] if "csrf" not in (fields or {}) else []
        for name, value in (fields or {}).items():
            pairs += [(name, str(one)) for one in (value if isinstance(value, list) else [value])]
        return await self._ask("POST", path, pairs, headers)

    async def follow(self, shown: Shown) -> Shown:
        assert shown.status == 303, shown.words
        return await self.get(shown.headers["Location"])

    async def sign_in(self, token: str = ADMIN_TOKEN) -> Shown:
        shown = await self.post("/console/sign-in", {"token": token})
        if shown.status == 303:
            await self.get("/console/configuration")
        return shown

    async def _ask(self, method: str, path: str, data: Any, headers: Mapping[str, str] | None) -> Shown:
        async with self.session.request(
            method, self.relay.admin + path, data=data, headers=headers, allow_redirects=False
        ) as response:
            shown = Shown(response.status, await response.text(), response.headers)
        if 'name="csrf"' in shown.text:
            self._csrf = shown.csrf
        return shown


@asynccontextmanager
async def visitor_of(relay: RelayHere, token: str | None = ADMIN_TOKEN) -> AsyncIterator[Visitor]:
    """Signed in, unless `token` is None."""
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address, too
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        visitor = Visitor(relay, session)
        if token is not None:
            assert (await visitor.sign_in(token)).status == 303
        yield visitor
