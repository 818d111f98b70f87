"""Which Salesforce: the settings of an instance, how one logs in to it, and the URLs below it."""

import re
from typing import Annotated, ClassVar

import msgspec

from relay.destinations.base import Request, about, secret
from relay.destinations.oauth import OAuth, OAuthDestination, Tokens

API = "/services/data/v53.0"  # the version that Segment's own integration asks for
LOGIN, SANDBOX = "https://login.salesforce.com", "https://test.salesforce.com"
_AUTHORIZE, _TOKEN = "/services/oauth2/authorize", "/services/oauth2/token"
_INSTANCE = re.compile(r"https://(?:[a-z0-9-]+\.)+(?:salesforce|force)\.com/?", re.IGNORECASE)


class Instance(OAuthDestination, frozen=True, kw_only=True):
    """What every action needs of the settings. Tokens come by login or, in older organisations, by password."""

    oauth_at: ClassVar[OAuth] = OAuth(LOGIN + _AUTHORIZE, LOGIN + _TOKEN, ("api", "refresh_token"))

    instance_url: Annotated[str, about("Your instance: https://….my.salesforce.com.")]
    is_sandbox: Annotated[bool, about("Whether it is a sandbox; one logs in to those elsewhere.")] = False
    username: Annotated[str, about("Who logs in, where that is done by password.")] = ""
    auth_password: Annotated[str, secret("The password that goes with `username`.")] = msgspec.field(
        name="auth_password", default=""
    )
    security_token: Annotated[str, secret("The security token that goes with the password.")] = msgspec.field(
        name="security_token", default=""
    )

    def __post_init__(self) -> None:
        if _INSTANCE.fullmatch(self.instance_url) is None:
            raise ValueError("instanceUrl must be https:// and a host below salesforce.com or force.com")

    @property
    def place(self) -> str:
        """The instance."""
        return self.instance_url

    def url(self, path: str) -> str:
        """An address of the REST API."""
        return f"{self.instance_url.rstrip('/')}{API}/{path}"

    @property
    def first_tokens(self) -> Tokens | None:
        """The tokens of relay.toml; where there is a password, none yet, and what stands for it."""
        if self._has_password:
            return Tokens("", f"password of {self.username}")
        return super().first_tokens

    def token_url(self) -> str:
        """Where tokens are asked for: a sandbox has its own place."""
        return self.oauth.refresh_token_url or self._login + _TOKEN

    def consent_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """The page on which a person lets relay in."""
        return super().consent_url(redirect_uri, state, verifier).replace(LOGIN, self._login, 1)

    def renewal(self, refresh_token: str) -> Request:
        """The request for a new access token."""
        if not self._has_password:
            return super().renewal(refresh_token)
        password = self.auth_password + self.security_token
        return self._token_request(grant_type="password", username=self.username, password=password)

    @property
    def _login(self) -> str:
        return SANDBOX if self.is_sandbox else LOGIN

    @property
    def _has_password(self) -> bool:
        return bool(self.username and self.auth_password)
