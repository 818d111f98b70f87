"""Logging in to a destination: out to the vendor's page of consent, and back with a code.

Of each destination there is one login at a time, the newest. Its `state` is random, good once and for ten minutes, and
is all that the way back needs to show: whoever has it was sent out by somebody with the admin token.
"""

import hmac
import secrets
import sqlite3
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import structlog

from relay.delivery.account import Account
from relay.delivery.credentials import Accounts, Credentials
from relay.destinations.oauth import Tokens

log = structlog.get_logger()

LOGIN_SECONDS = 600.0
WAITING, DONE, FAILED = "waiting", "done", "failed"


class BadLogin(Exception):
    """It cannot be done; the sentence says why."""


class Login:
    """One way out and back."""

    def __init__(self, redirect_uri: str, ends_at: float) -> None:
        self.redirect_uri = redirect_uri
        self.ends_at = ends_at
        self.key = secrets.token_urlsafe(32)  # OAuth's `state`
        self.verifier = secrets.token_urlsafe(48)  # of PKCE: 64 characters
        self.state = WAITING
        self.reason: str | None = None
        self.is_used = False


class Logins:
    """The newest login of each destination. `logged_in` is told of an account that has got tokens."""

    def __init__(
        self,
        accounts: Accounts,
        logged_in: Callable[[Account], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._accounts = accounts
        self._logged_in = logged_in
        self._now = now
        self._newest: dict[str, Login] = {}

    def begin(self, name: str, redirect_uri: str) -> str:
        """The page to be opened. Raises BadLogin, and KeyError for a destination that is not there."""
        settings = self._credentials(name).settings
        if not settings.oauth_at.authorize_url:
            raise BadLogin(
                f"{name}: its login page is not part of Segment's code: set tokens in settings.oauth"
            )
        if not settings.oauth.client_id:
            raise BadLogin(
                f"{name}: settings.oauth.clientId is missing: the id of your own app at the vendor"
            )
        if not _is_url(redirect_uri):
            raise BadLogin("redirectUri must be an http or https URL without a fragment")
        login = self._newest[name] = Login(redirect_uri, self._now() + LOGIN_SECONDS)
        return settings.consent_url(redirect_uri, login.key, login.verifier)

    async def finish(self, key: str, code: str | None, error: str | None) -> str:
        """The way back: the name of the destination that is logged in to. Raises BadLogin."""
        name, login = self._taken(key)
        try:
            await self._finish(name, login, code, error)
        except BadLogin as trouble:
            login.state, login.reason = FAILED, str(trouble)
            log.warning("login failed", destination=name)
            raise
        login.state = DONE
        log.info("logged in", destination=name)
        return name

    def _taken(self, key: str) -> tuple[str, Login]:
        """The login of this state, which nobody can use again."""
        for name, login in self._newest.items():
            if hmac.compare_digest(login.key.encode(), key.encode("utf-8", "replace")) and not login.is_used:
                login.is_used = True
                if self._now() < login.ends_at:
                    return name, login
        raise BadLogin("this login was not begun here, took too long, or was used before: begin again")

    async def _finish(self, name: str, login: Login, code: str | None, error: str | None) -> None:
        if error is not None:
            raise BadLogin(f"the vendor says: {error[:200]}")
        if not code:
            raise BadLogin("the vendor sent no code")
        try:
            credentials = self._credentials(name)
        except KeyError:
            raise BadLogin(f"{name} is not in relay.toml any more") from None
        request = credentials.settings.exchange(code, login.redirect_uri, login.verifier)
        granted = await credentials.asked(request)
        if not isinstance(granted, Tokens):
            raise BadLogin(f"the vendor gave no token: {granted.reason}")
        try:
            await credentials.account.log_in(granted)
        except sqlite3.Error:
            raise BadLogin("the token cannot be stored now: begin again") from None
        self._logged_in(credentials.account)

    async def forget(self, name: str) -> None:
        """Log out: drop the tokens that came by login or renewal. Raises BadLogin, KeyError, sqlite3.Error."""
        await self._credentials(name).account.forget()
        self._newest.pop(name, None)

    async def status(self, name: str) -> dict[str, Any]:
        """How the newest login goes, and whether tokens are there. Raises BadLogin, KeyError, sqlite3.Error."""
        credentials = self._credentials(name)
        login = self._newest.get(name)
        if login is not None and not login.is_used and self._now() >= login.ends_at:
            login.state, login.reason, login.is_used = FAILED, "nobody came back in time", True
        state = (
            {"state": None, "reason": None}
            if login is None
            else {"state": login.state, "reason": login.reason}
        )
        return {"destination": name, **state, **await credentials.status()}

    def _credentials(self, name: str) -> Credentials:
        credentials = self._accounts.named(name)
        if credentials is None:
            raise BadLogin(f"{name} takes what its settings say: there is no logging in to it")
        return credentials


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    is_plain = not parts.fragment and not any(c.isspace() for c in text)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and is_plain
