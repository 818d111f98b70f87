"""The tokens of one account: read, used, renewed by one for all, and kept.

- A renewal is one request, whoever waits for it; who comes with a token that was replaced meanwhile gets the new one.
  It goes on when those who wait have left, and what it brings is stored before anybody uses it.
- A token whose end is known is renewed a little before, while it is still used.
- Without a token, and when the vendor refuses to renew it, nobody is asked: the destination is held, and nothing is
  lost until somebody logs in. A refused renewal is tried again, ever more seldom.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import NamedTuple

import msgspec
import structlog

from relay.delivery.tokens import CannotRead, TokenStore
from relay.destinations.oauth import OAuthDestination, Tokens
from relay.destinations.secrets import mask

log = structlog.get_logger()

BUSY_SECONDS = 1.0  # before a renewal that met with a vendor who cannot is tried again
REFUSED_FIRST = 30.0  # and one that was refused: doubling
REFUSED_MAX = 3600.0
CLOSE_SECONDS = 5.0  # for renewals on their way: what they bring may be the only good token
MASKED = 8  # tokens that are hidden: replies to requests with older ones may still come


class Failure(NamedTuple):
    """Why there is no token. `needs_login`: for good, until somebody logs in. `after`: seconds the vendor asks for."""

    reason: str
    needs_login: bool = False
    after: float | None = None


NOT_LOGGED_IN = Failure("log in first", needs_login=True)
NO_RENEWAL = Failure(
    "the token is not good any more and there is none to renew it: log in again", needs_login=True
)
NOT_STORED = Failure("the new token cannot be stored")
FAULT = Failure("INTERNAL")

Ask = Callable[[str], Awaitable[Tokens | Failure]]  # from a refresh token to the next tokens


class Account:
    """The tokens of one account."""

    def __init__(self, key: str, first: Tokens | None, store: TokenStore, now: Callable[[], float]) -> None:
        self.key = key
        self.now = now
        self.failure: Failure | None = None  # why the last renewal, or reading, came to nothing
        self.masked = mask(())
        self._first = first
        self._store = store
        self._tokens: Tokens | None = None
        self._unstored: Tokens | None = None  # granted, but the disk did not take it
        self._rejected = ""  # an access token that was answered with 401
        self._is_read = False
        self._changing = asyncio.Lock()
        self._renewal: asyncio.Task[Failure | None] | None = None
        self._refusals = 0
        self._not_before = 0.0
        self._secrets: deque[str] = deque(maxlen=MASKED)

    async def tokens(self) -> Tokens | None:
        """The tokens in force. None: there are none, and `failure` may say why. Raises sqlite3.Error."""
        if not self._is_read:
            async with self._changing:
                await self._read()
        return self._tokens

    async def _read(self) -> None:
        if self._is_read:
            return
        try:
            self._use(await self._store.read(self.key) or self._first)
        except CannotRead as error:
            self.failure = Failure(str(error), needs_login=True)
        self._is_read = True

    async def log_in(self, tokens: Tokens) -> None:
        """Store tokens that somebody got for it, in place of all others. Raises sqlite3.Error."""
        async with self._changing:
            await self._store.write(self.key, tokens)
            self._use(tokens)
            self._is_read = True

    async def forget(self) -> None:
        """Drop all tokens but those of relay.toml. Raises sqlite3.Error."""
        async with self._changing:
            await self._store.forget(self.key)
            self._use(self._first)
            self._is_read = True

    def _use(self, tokens: Tokens | None) -> None:
        self._tokens, self._unstored, self.failure = tokens, None, None
        self._rejected, self._refusals, self._not_before = "", 0, 0.0
        if tokens is not None:
            self._secrets.extend((tokens.access, tokens.refresh))
            self.masked = mask(self._secrets)

    def reject(self, access: str) -> None:
        """A token was answered with 401: if it can be renewed, nobody uses it any more."""
        if self._tokens is not None and self._tokens.access == access and self._tokens.refresh:
            self._rejected = access

    def is_spent(self, tokens: Tokens) -> bool:
        """Whether there is no use in sending them."""
        return tokens.access == self._rejected or tokens.is_over(self.now())

    async def renew(self, old: Tokens, ask: Ask) -> Failure | None:
        """Have other tokens than `old`, by a renewal unless that has happened; None: there are."""
        if self._tokens is not old:
            return None
        if not old.refresh:
            return NO_RENEWAL
        renewal = self.begin_renewal(old, ask)
        return self._failure_again() if renewal is None else await asyncio.shield(renewal)

    def retry_at_once(self) -> None:
        """The settings may be others now: what was refused may be asked for again."""
        self._not_before = 0.0

    def _failure_again(self) -> Failure | None:
        """What came of the last renewal, for somebody who came too soon after."""
        if self.failure is None or self.failure.after is None:
            return self.failure
        return self.failure._replace(after=self._not_before - self.now())

    def begin_renewal(self, old: Tokens, ask: Ask) -> "asyncio.Task[Failure | None] | None":
        """The renewal of `old` on its way, or a new one; None: it is too soon after one that failed."""
        if self._renewal is None and (self.failure is None or self.now() >= self._not_before):
            self._renewal = asyncio.create_task(self._renew(old, ask), name="renew token")
        return self._renewal

    async def _renew(self, before: Tokens, ask: Ask) -> Failure | None:
        try:
            granted = self._unstored or await ask(before.refresh)
            if isinstance(granted, Failure):
                return self._failed(granted) if self._tokens is before else None
            if not granted.refresh:
                granted = msgspec.structs.replace(granted, refresh=before.refresh)
            await self._keep(granted, before)
        except sqlite3.Error:
            log.error("the new token of a destination cannot be stored")
            return self._failed(NOT_STORED)
        except Exception as error:  # noqa: BLE001  who waits for a token must hear of it, and may be many
            log.error("a token could not be renewed", kind=type(error).__name__)
            return self._failed(FAULT)
        else:
            return None
        finally:
            self._renewal = None

    async def _keep(self, granted: Tokens, before: Tokens) -> None:
        """Store what a renewal brought, unless somebody logged in or out meanwhile."""
        async with self._changing:
            if self._tokens is before:
                self._unstored = granted
                await self._store.write(self.key, granted)
                self._use(granted)

    def _failed(self, failure: Failure) -> Failure:
        self.failure = failure
        seconds = BUSY_SECONDS
        if failure.needs_login:
            seconds = min(REFUSED_FIRST * 2 ** min(self._refusals, 20), REFUSED_MAX)
            self._refusals += 1
        self._not_before = self.now() + max(seconds, failure.after or 0.0)
        return failure

    async def close(self) -> None:
        """Let a renewal on its way arrive."""
        if self._renewal is not None:
            _, late = await asyncio.wait([self._renewal], timeout=CLOSE_SECONDS)
            for task in late:
                task.cancel()
                await asyncio.wait([task])


def account_key(name: str, settings: OAuthDestination) -> str:
    """Whose tokens they are: of a client and what relay.toml lets it begin with, else of this destination alone."""
    given = settings.oauth
    first = settings.first_tokens
    began = f"name:{name}" if first is None else f"token:{first.refresh or first.access}"
    parts = msgspec.json.encode((settings.token_url(), given.client_id, began))
    return sha256(parts).hexdigest()
