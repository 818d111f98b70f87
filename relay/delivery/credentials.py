"""Signs the requests of destinations one logs in to.

An account is a client at a vendor with what it began with: two destinations with the same client and refresh token
share it, and so do a destination and its replays. Its tokens are those that came last, by login or renewal; before
any, those of relay.toml.
"""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
import structlog

from relay.delivery.account import NOT_LOGGED_IN, Account, Failure, account_key
from relay.delivery.config import DestinationConfig
from relay.delivery.sender import Sender
from relay.delivery.tokens import TokenStore
from relay.destinations.base import Destination, Request, at_endpoint
from relay.destinations.errors import HttpError
from relay.destinations.oauth import OAuthDestination, Tokens, refusal, with_token
from relay.destinations.reply import Answer, Reply
from relay.log.state import State
from relay.times import format_iso

log = structlog.get_logger()

NOT_READ = Failure("the token cannot be read now")


class Credentials:
    """Signs the requests of one destination. Where that cannot be, a reply stands for an answer of nobody."""

    def __init__(
        self, config: DestinationConfig, settings: OAuthDestination, account: Account, sender: Sender
    ) -> None:
        self.settings = settings
        self.account = account
        self._config = config
        self._sender = sender

    async def signed(self, request: Request) -> Request | Reply:
        """The request with the token in force."""
        try:
            return await self._signed(request)
        except sqlite3.Error:
            return self._held(NOT_READ)

    async def renewed(self, request: Request, refused: Request) -> Request | Reply:
        """The same with another token, after `refused` was answered with 401."""
        access = refused.headers["authorization"].removeprefix("Bearer ")
        try:
            return await self._signed(request, refused=access)
        except sqlite3.Error:
            return self._held(NOT_READ)

    async def current(self) -> dict[str, str]:
        """The tokens as Segment's own code wants them. Raises HttpError without any."""
        tokens = await self.account.tokens()
        if tokens is None:
            raise HttpError(self._held(self.account.failure or NOT_LOGGED_IN))
        given = self.settings.oauth
        return {
            "accessToken": tokens.access,
            "refreshToken": tokens.refresh,
            "clientId": given.client_id,
            "clientSecret": given.client_secret,
            "refreshTokenUrl": given.refresh_token_url,
        }

    async def renew(self, old: dict[str, str], ask: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        """Have other tokens than `old`; `ask` has Segment's code get them. Raises HttpError when there are none."""
        tokens = await self.account.tokens()
        if tokens is None or tokens.access != old["accessToken"]:
            return

        async def asked(_: str) -> Tokens | Failure:
            granted = (await ask()).get("tokens") or {}
            access = granted.get("accessToken")
            if not isinstance(access, str) or not access:
                return Failure("the vendor does not renew the token: log in again", needs_login=True)
            return Tokens(access, str(granted.get("refreshToken") or ""), self.account.now())

        failure = await self.account.renew(tokens, asked)
        if failure is not None:
            raise HttpError(self._held(failure))

    def masked(self, text: str) -> str:
        """`text` without the tokens that are in use, or were lately."""
        return self.account.masked(text)

    async def status(self) -> dict[str, Any]:
        """Whether it is logged in, and until when. Raises sqlite3.Error."""
        tokens, failure = await self.account.tokens(), self.account.failure
        renews = tokens is not None and bool(tokens.refresh) and not (failure and failure.needs_login)
        ends = None if tokens is None else tokens.expires_at
        return {
            "loggedIn": renews or (tokens is not None and not self.account.is_spent(tokens)),
            "expiresAt": None if ends is None else format_iso(int(ends * 1000)),
            "renews": renews,
            "problem": None if failure is None else failure.reason,
        }

    async def _signed(self, request: Request, refused: str = "") -> Request | Reply:
        account = self.account
        tokens = await account.tokens()
        account.reject(refused)
        if tokens is None:
            return self._held(account.failure or NOT_LOGGED_IN)
        if tokens.access == refused or account.is_spent(tokens):
            failure = await account.renew(tokens, self._ask)
            tokens = await account.tokens()
            if failure is not None or tokens is None:
                return self._held(failure or NOT_LOGGED_IN)
        elif tokens.is_due(account.now()):
            account.begin_renewal(tokens, self._ask)
        return with_token(request, tokens.access)

    async def _ask(self, refresh_token: str) -> Tokens | Failure:
        """One renewal."""
        granted = await self.asked(self.settings.renewal(refresh_token))
        name = self._config.name
        if isinstance(granted, Tokens):
            log.info("token renewed", destination=name)
        elif granted.needs_login:
            log.error("token not renewed, somebody must log in", destination=name, reason=granted.reason)
            return granted._replace(
                reason=f"the vendor does not renew the token ({granted.reason}): log in again"
            )
        else:
            return granted._replace(reason=f"renewing the token: {granted.reason}")
        return granted

    async def asked(self, request: Request) -> Tokens | Failure:
        """The tokens that the vendor grants, or its reason not to."""
        request = msgspec.structs.replace(request, url=at_endpoint(request.url, self._config.endpoint))
        reply = await self._sender.send(request, self._config.timeout)
        if reply.answer is Answer.BUSY:
            return Failure(reply.reason, after=reply.retry_after)
        granted = self.settings.granted(reply, self.account.now())
        if reply.answer is Answer.DELIVERED and granted is not None:
            return granted
        return Failure(refusal(reply), needs_login=True)

    def _held(self, failure: Failure) -> Reply:
        can_log_in = bool(self.settings.oauth_at.authorize_url)
        cure = (
            f"relay destinations login {self._config.name}"
            if can_log_in
            else "set other tokens in settings.oauth"
        )
        how = f": {cure}" if failure.needs_login else ""
        return Reply(None, "", 0.0, failure.reason + how, failure.after)


class Accounts:
    """Every account, by its key, and which destination uses which."""

    def __init__(
        self,
        state: State,
        sender: Sender,
        encryption_key: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.store = TokenStore(state, encryption_key)
        self._sender = sender
        self._now = now
        self._accounts: dict[str, Account] = {}
        self._known: dict[str, tuple[DestinationConfig, Destination]] = {}

    def apply(self, destinations: Sequence[DestinationConfig], settings: Mapping[str, Destination]) -> None:
        """Take up which destinations there are, enabled or not."""
        self._known = {d.name: (d, settings[d.name]) for d in destinations}

    def named(self, name: str) -> Credentials | None:
        """The credentials of a destination; None: it needs none. Raises KeyError for one that is not there."""
        return self.credentials(*self._known[name])

    def credentials(self, config: DestinationConfig, settings: Destination) -> Credentials | None:
        """What signs the requests of a destination; None: nothing need."""
        if not isinstance(settings, OAuthDestination):
            return None
        key = account_key(config.name, settings)
        account = self._accounts.get(key)
        if account is None:
            account = Account(key, settings.first_tokens, self.store, self._now)
            self._accounts[key] = account
        return Credentials(config, settings, account, self._sender)

    async def close(self) -> None:
        """Let renewals arrive."""
        await asyncio.gather(*(account.close() for account in self._accounts.values()))
