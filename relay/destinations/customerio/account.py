"""Who asks, and where: the settings of a Customer.io workspace, and the requests they sign."""

from typing import Annotated, Any, Literal

from relay.destinations.actions import ActionDestination
from relay.destinations.actions.requests import basic, json_request
from relay.destinations.base import Request, about, secret

US, EU = "https://track.customer.io", "https://track-eu.customer.io"


class Account(ActionDestination, frozen=True):
    """What every action needs of the settings."""

    site_id: Annotated[str, secret("The site id of the workspace, under API credentials.")]
    api_key: Annotated[str, secret("The tracking API key that belongs to it.")]
    account_region: Annotated[
        Literal["US 🇺🇸", "EU 🇪🇺", "US", "EU"], about("Where the account lives; the flag may be left out.")
    ] = "US 🇺🇸"

    @property
    def place(self) -> str:
        """The server of the account's region."""
        return EU if self.account_region.startswith("EU") else US

    @property
    def credentials(self) -> dict[str, str]:
        """The header that every request carries."""
        return basic(self.site_id, self.api_key)

    def post(self, path: str, body: Any) -> Request:
        """A request to the tracking API."""
        return json_request("POST", f"{self.place}{path}", body, self.credentials)
