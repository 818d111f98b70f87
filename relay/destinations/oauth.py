"""Destinations one logs in to: where to, and how tokens are asked for. Pure; delivery keeps the tokens.

Every request of such a destination is sent with `Authorization: Bearer <access token>`. Logging in is OAuth 2's
authorization code with PKCE (RFC 6749, 7636): a vendor that knows no PKCE ignores its parameters. Two habits of
vendors are provided for: a refusal in an answer of 200, and a refresh token that is good for one renewal only.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any, ClassVar
from urllib.parse import urlencode

import msgspec

from relay.destinations.actions import ActionDestination
from relay.destinations.actions.requests import AUTHORIZATION, bearer, form_request
from relay.destinations.base import Request, about, secret
from relay.destinations.reply import Reply

AHEAD_SECONDS = 60.0  # a token is renewed so long before its end,
AHEAD_SHARE = 0.1  # or this part of its life before, when that is less
_CODE = re.compile(r"[\w.-]{1,60}", re.ASCII)  # of an error (RFC 6749 section 5.2), safe to show


class OAuth(msgspec.Struct, frozen=True):
    """The vendor's OAuth 2 end points. `more` are further parameters of the page of consent."""

    authorize_url: str
    token_url: str
    scopes: tuple[str, ...]
    more: Mapping[str, str] = {}


class Tokens(msgspec.Struct, frozen=True):
    """What an account is used with. Times in seconds since 1970; `lifetime` None: the vendor did not say."""

    access: str
    refresh: str = ""
    issued_at: float = 0.0
    lifetime: float | None = None

    @property
    def expires_at(self) -> float | None:
        """When the access token ends, as far as the vendor said."""
        return None if self.lifetime is None else self.issued_at + self.lifetime

    def is_over(self, now: float) -> bool:
        """Whether there is no use in sending the access token."""
        return not self.access or (self.lifetime is not None and now >= self.issued_at + self.lifetime)

    def is_due(self, now: float) -> bool:
        """Whether it should be renewed before it is used, and can be."""
        if not self.refresh or self.lifetime is None:
            return bool(self.refresh) and not self.access
        ahead = min(AHEAD_SECONDS, self.lifetime * AHEAD_SHARE)
        return self.is_over(now + ahead)


class OAuthSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`settings.oauth`. Tokens here are the first ones; those that came later, by login or renewal, go before."""

    client_id: Annotated[str, about("The id of your own app at the vendor.")] = msgspec.field(
        name="clientId", default=""
    )
    client_secret: Annotated[str, secret("Its secret.")] = msgspec.field(name="clientSecret", default="")
    access_token: Annotated[
        str, secret("A token to begin with; without, `relay destinations login` gets one.")
    ] = ""
    refresh_token: Annotated[str, secret("Renews the access token.")] = ""
    refresh_token_url: Annotated[
        str, about("Where tokens are renewed, when not at the vendor's usual place.")
    ] = ""


class OAuthDestination(ActionDestination, frozen=True):
    """A destination one logs in to."""

    oauth_at: ClassVar[OAuth]

    oauth: Annotated[OAuthSettings, secret("Your app at the vendor; see below.")] = OAuthSettings()

    @property
    def token(self) -> str | None:
        """The access token of relay.toml."""
        return self.oauth.access_token or None

    @property
    def first_tokens(self) -> Tokens | None:
        """The tokens of relay.toml; how old they are, nobody knows."""
        given = self.oauth
        if not given.access_token and not given.refresh_token:
            return None
        return Tokens(given.access_token, given.refresh_token)

    def token_url(self) -> str:
        """Where tokens are asked for."""
        return self.oauth.refresh_token_url or self.oauth_at.token_url

    def consent_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """The vendor's page on which a person lets relay in. `verifier`: the secret that `exchange` will show."""
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.oauth.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.oauth_at.scopes),
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **self.oauth_at.more,
        }
        mark = "&" if "?" in self.oauth_at.authorize_url else "?"
        return self.oauth_at.authorize_url + mark + urlencode({k: v for k, v in query.items() if v})

    def exchange(self, code: str, redirect_uri: str, verifier: str) -> Request:
        """The request for the first tokens, with the code that the page of consent gave."""
        return self._token_request(
            grant_type="authorization_code", code=code, redirect_uri=redirect_uri, code_verifier=verifier
        )

    def renewal(self, refresh_token: str) -> Request:
        """The request for a new access token."""
        return self._token_request(grant_type="refresh_token", refresh_token=refresh_token)

    def granted(self, reply: Reply, now: float) -> Tokens | None:
        """The tokens of an answer to one of these requests; None: it holds none."""
        found = _object(reply)
        access, refresh = found.get("access_token"), found.get("refresh_token")
        if not isinstance(access, str) or not access:
            return None
        return Tokens(
            access, refresh if isinstance(refresh, str) else "", now, _seconds(found.get("expires_in"))
        )

    def _token_request(self, **form: str) -> Request:
        client = {"client_id": self.oauth.client_id, "client_secret": self.oauth.client_secret}
        return form_request("POST", self.token_url(), {**form, **client}, {"accept": "application/json"})


def with_token(request: Request, token: str) -> Request:
    """The request, signed."""
    headers = {**request.headers, **bearer(token)}
    return msgspec.structs.replace(request, headers=headers, secret=request.secret | AUTHORIZATION)


def refusal(reply: Reply) -> str:
    """Why an answer holds no tokens: the vendor's code if it looks like one, else the status. Never its words."""
    code = _object(reply).get("error")
    if isinstance(code, str) and _CODE.fullmatch(code):
        return code
    return "no token in the answer" if reply.status == 200 else reply.reason  # noqa: PLR2004


def _object(reply: Reply) -> dict[str, Any]:
    found = reply.json()
    return found if isinstance(found, dict) else {}


def _seconds(value: Any) -> float | None:
    """`expires_in`: a number, by some vendors as text."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return seconds if 0 < seconds < 1e10 else None  # NaN is neither  # noqa: PLR2004
