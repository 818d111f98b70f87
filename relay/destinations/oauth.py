"""Destinations one logs in to: where to, and how tokens are asked for. Pure; delivery keeps the tokens.

Every request of such a destination is sent with `Authorization: Bearer <access token>`.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import msgspec

from relay.destinations.actions import ActionDestination
from relay.destinations.actions.requests import form_request
from relay.destinations.base import Request, about, secret


class OAuth(msgspec.Struct, frozen=True):
    """The vendor's OAuth 2 end points. `more` are further parameters of the page of consent."""

    authorize_url: str
    token_url: str
    scopes: tuple[str, ...]
    more: Mapping[str, str] = {}


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
    refresh_token_url: Annotated[str, about("Where tokens are renewed, when not at the vendor's usual place.")] = ""


class OAuthDestination(ActionDestination, frozen=True):
    """A destination one logs in to."""

    oauth_at: ClassVar[OAuth]

    oauth: Annotated[OAuthSettings, secret("Your app at the vendor; see below.")] = OAuthSettings()

    @property
    def token(self) -> str | None:
        """The access token of relay.toml."""
        return self.oauth.access_token or None

    def token_url(self) -> str:
        """Where tokens are asked for."""
        return self.oauth.refresh_token_url or self.oauth_at.token_url

    def renewal(self, refresh_token: str) -> Request:
        """The request for a new access token."""
        return self._token_request(grant_type="refresh_token", refresh_token=refresh_token)

    def exchange(self, code: str, redirect_uri: str) -> Request:
        """The request for the first tokens, with the code that the page of consent gave."""
        return self._token_request(grant_type="authorization_code", code=code, redirect_uri=redirect_uri)

    def _token_request(self, **form: str) -> Request:
        client = {"client_id": self.oauth.client_id, "client_secret": self.oauth.client_secret}
        return form_request("POST", self.token_url(), {**form, **client})
