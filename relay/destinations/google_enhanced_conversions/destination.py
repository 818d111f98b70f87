"""Settings of `type = "google-enhanced-conversions"`, and its actions."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from relay.destinations.actions import Action, Preset, by_name
from relay.destinations.actions.fields import Fields
from relay.destinations.actions.requests import AUTHORIZATION, bare_request, json_request
from relay.destinations.base import Request, Steps, about, secret
from relay.destinations.google_enhanced_conversions import conversions
from relay.destinations.google_enhanced_conversions.fields import ADJUSTMENT, CALL, CLICK, MAX_UPLOAD
from relay.destinations.google_enhanced_conversions.flows import Upload, flows
from relay.destinations.oauth import OAuth, OAuthDestination

_HOST = "https://googleads.googleapis.com"
_DEVELOPER_TOKEN = "developer-token"  # noqa: S105  # a header's name
_SECRET = AUTHORIZATION | {_DEVELOPER_TOKEN}


def _actions(name: str, title: str, sentence: str, fields: Fields, upload: Upload) -> tuple[Action, Action]:
    """An action in both of Segment's versions: the second has a sync mode."""
    return (
        _action(name, title, sentence, fields, upload, ()),
        _action(f"{name}2", title, sentence, fields, upload, ("add",)),
    )


def _action(
    name: str, title: str, sentence: str, fields: Fields, upload: Upload, modes: tuple[str, ...]
) -> Action:
    one, several = flows(upload, has_mode=bool(modes))
    return Action(
        name=name,
        title=title,
        about=sentence,
        fields=fields,
        perform=one,
        perform_batch=several,
        max_batch=MAX_UPLOAD,
        sync_modes=modes,
    )


class GoogleEnhancedConversions(OAuthDestination, frozen=True):
    """Settings: an account of Google Ads."""

    title: ClassVar[str] = "Google Ads Conversions"
    also_called: ClassVar[tuple[str, ...]] = ("Google Ads",)
    summary: ClassVar[str] = "Conversions after clicks and calls, and their adjustments, for Google Ads."
    default_endpoint: ClassVar[str | None] = _HOST
    batch: ClassVar[int] = MAX_UPLOAD
    max_batch: ClassVar[int] = MAX_UPLOAD
    oauth_at: ClassVar[OAuth] = OAuth(
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://www.googleapis.com/oauth2/v4/token",
        ("https://www.googleapis.com/auth/adwords",),
        {"access_type": "offline", "prompt": "consent"},  # else there is no refresh token
    )
    actions: ClassVar[Mapping[str, Action]] = by_name(
        *_actions(
            "uploadClickConversion",
            "Conversion after a click",
            "What somebody did after they clicked an advertisement.",
            CLICK,
            Upload("uploadClickConversions", "conversions", conversions.click),
        ),
        *_actions(
            "uploadCallConversion",
            "Conversion after a call",
            "What somebody did after they called.",
            CALL,
            Upload("uploadCallConversions", "conversions", conversions.phone_call),
        ),
        *_actions(
            "uploadConversionAdjustment",
            "Adjustment of a conversion",
            "A conversion taken back, worth something else, or known better.",
            ADJUSTMENT,
            Upload("uploadConversionAdjustments", "conversionAdjustments", conversions.adjustment),
        ),
    )
    presets: ClassVar[Sequence[Preset]] = ()
    differences: ClassVar[Sequence[str]] = (
        "Up to 2000 conversions go in a request unless a mapping says `enable_batching = false`; Segment asks first.",
        (
            "When Google refuses some conversions of a request, or one holds a bad address, only those are refused, by"
            " Google's own code; with Segment all of the request are."
        ),
        "Conversions that Google calls too recent are tried again later.",
        "A conversion without an order has its messageId as `order_id`, so that a repetition is known as one.",
        "All dots in the name of a Gmail address are left out before it is hashed, as Google asks; Segment leaves out one.",
        "Click ids are taken from `properties.gclid`, `gbraid` and `wbraid`, addresses from `properties.address`.",
    )
    notes: ClassVar[Sequence[str]] = (
        "There are no presets: every subscription names the `conversion_action` of your account.",
        (
            "Google ends each version of its API about a year after it appears: v21, Segment's own and the default, on"
            " 5 August 2026. Set `apiVersion` to a living one."
        ),
        "`developerToken` is your own; Google grants one to the manager account that asks for it.",
        "Phone numbers get the country code +1 unless `phone_country_code` says another or they begin with it.",
    )

    developer_token: Annotated[
        str | None, secret("The developer token of your Google Ads manager account.")
    ] = None
    customer_id: Annotated[str | None, about("The Google Ads account (123-456-7890).")] = None
    login_customer_id: Annotated[str | None, about("The manager account, where that has the access.")] = None
    conversion_tracking_id: Annotated[
        str | None, about("Unused: of a legacy action of Segment's; taken so that settings can be moved.")
    ] = None
    api_version: Annotated[str, about("The version of the Google Ads API.")] = "v21"

    def request(self, path: str, body: Mapping[str, Any]) -> Request:
        """A POST to the account."""
        return json_request("POST", self._url(path), body, self._headers(), secret=_SECRET)

    def check(self) -> Steps:
        """Ask which accounts the login may use."""
        yield bare_request(
            "GET", self._url("customers:listAccessibleCustomers"), self._headers(), secret=_SECRET
        )

    def _url(self, path: str) -> str:
        return f"{_HOST}/{self.api_version}/{path}"

    def _headers(self) -> dict[str, str]:
        headers = {_DEVELOPER_TOKEN: self.developer_token} if self.developer_token else {}
        manager = (self.login_customer_id or "").strip().replace("-", "")
        return {**headers, "login-customer-id": manager} if manager else headers
