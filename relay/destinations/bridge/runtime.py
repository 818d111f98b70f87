"""The children that run the package, for all bridged destinations together.

A child is started with the first call and serves whichever destination asks; more come under load. App secrets and
feature flags of relay.toml go with each call, and only those that the destination reads.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from relay.destinations.bridge.catalogue import Bridged
from relay.destinations.bridge.errors import NoPlace
from relay.destinations.bridge.worker import MODULES, SCRIPT, readable
from relay.destinations.oauth import OAuthSettings
from relay.sandbox.child import Http
from relay.sandbox.deno import start
from relay.sandbox.limits import Limits

if TYPE_CHECKING:
    from relay.sandbox.sandbox import Sandbox

PLACE_SECONDS = 30.0  # for a place in a child: then the destination is held, and an operator can see why
SUBJECT = "running Segment's own destinations"
LIMITS = Limits(
    seconds=60.0,
    memory_bytes=512 * 1024 * 1024,
    rss_bytes=1024 * 1024 * 1024,
    heap_mb=512,
    in_flight=16,
    frame_bytes=32 * 1024 * 1024,
)
UNAUTHORIZED = 401


class Tokens(Protocol):
    """The tokens of a destination that needs a login."""

    async def current(self) -> dict[str, str]:
        """As the package wants them. Raises Busy when there are none."""

    async def renew(self, old: dict[str, str], ask: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        """Have other tokens than `old`: `ask` gets them, once for all who were refused. Raises Busy."""


class FixedTokens:
    """The tokens of relay.toml, as they are: for what only looks."""

    def __init__(self, given: OAuthSettings) -> None:
        self._given = given

    async def current(self) -> dict[str, str]:
        """As the package wants them."""
        given = self._given
        return {
            "accessToken": given.access_token,
            "refreshToken": given.refresh_token,
            "clientId": given.client_id,
            "clientSecret": given.client_secret,
            "refreshTokenUrl": given.refresh_token_url,
        }

    async def renew(self, old: dict[str, str], ask: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        """Nothing: the next call is refused again."""


class Runtime:
    """Calls of one installed version."""

    def __init__(
        self,
        sandbox: "Sandbox",
        folder: Path,
        cap: int | None = None,
    ) -> None:
        self.folder = folder
        self._secrets: Mapping[str, str] = {}
        self._features: Collection[str] = ()
        self.pool = sandbox.pool("bridge", self._start, LIMITS, cap or max(2, os.cpu_count() or 2))

    async def _start(self) -> Any:
        return await start(
            SUBJECT,
            SCRIPT,
            LIMITS,
            modules=MODULES,
            readable=readable(self.folder),
            arguments=(str(self.folder),),
        )

    async def probe(self) -> None:
        """Whether a child comes up at all: one that does not is tried again for ever. Raises SandboxError."""
        child = await self._start()
        await child.stop()

    def give(self, secrets: Mapping[str, str], features: Collection[str]) -> None:
        """App secrets by the names that the package reads, and the feature flags that are on."""
        self._secrets, self._features = secrets, features

    async def close(self) -> None:
        """End its children."""
        await self.pool.close()

    async def call(
        self, message: dict[str, Any], declared: Bridged, tokens: Tokens | None, on_http: Http
    ) -> dict[str, Any]:
        """The worker's answer; with a token that ran out, that of a second call with another one."""
        message = message | self._context(declared)
        if tokens is None:
            return await self._called(message, on_http)
        auth = await tokens.current()
        answer = await self._called(message | {"auth": auth}, on_http)
        if (answer.get("error") or {}).get("status") != UNAUTHORIZED or not declared.has_refresh:
            return answer

        async def ask() -> dict[str, Any]:
            renewal = {
                "op": "refresh",
                "type": message["type"],
                "settings": message["settings"],
                "auth": auth,
            }
            return await self._called(renewal | self._context(declared), on_http)

        await tokens.renew(auth, ask)
        return await self._called(message | {"auth": await tokens.current()}, on_http)

    async def _called(self, message: dict[str, Any], on_http: Http) -> dict[str, Any]:
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(PLACE_SECONDS):
                    slot = await stack.enter_async_context(self.pool.slot())
            except TimeoutError:
                raise NoPlace(PLACE_SECONDS, self.pool.status().last_crash) from None
            answer: dict[str, Any] = await slot.call(message, on_http=on_http)
            return answer

    def _context(self, declared: Bridged) -> dict[str, Any]:
        features = dict.fromkeys(declared.needed_features, True)
        features |= {name: True for name in declared.features if name in self._features}
        return {
            "env": {name: self._secrets[name] for name in declared.secrets if name in self._secrets},
            "features": features,
        }
