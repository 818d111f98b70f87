"""Device mode: the types that a browser can reach by a script of the tool's own.

`PUBLIC` says which settings of a type every visitor may see, and which of them the browser cannot do without: no
other setting ever leaves relay. The types in `DEVICE_ONLY` have no other way: relay itself sends them nothing.
relay/browser/script/plugins/ has the other half, one file a type.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from relay.destinations.base import Destination, Parcel, Route, about
from relay.event import Event

PUBLIC: Mapping[str, tuple[str, ...]] = {
    "google-analytics-4": ("measurementId",),
    "facebook-conversions-api": ("pixelId",),
    "amplitude": ("apiKey", "endpoint"),
    "mixpanel": ("projectToken", "apiRegion", "sourceName"),
    "google-ads": ("conversionId", "conversions"),
    "script": ("url", "attributes", "globals", "function", "calls"),
}
NEEDED: Mapping[str, str] = {"google-analytics-4": "measurementId"}  # optional on the server, not here

_CALLS = ("track", "page", "identify", "group", "alias")
_NAME = re.compile(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)?", re.ASCII)


class _NoRoute(Route):
    """Nothing goes from here."""

    takes_all = False

    def wants(self, event: Event) -> bool:  # noqa: ARG002
        return False

    def parcels(self, events: Sequence[Event], *, is_batch: bool) -> list[Parcel]:  # noqa: ARG002
        return []


class _DeviceOnly(Destination, frozen=True):
    def route(self, subscriptions: Any = None) -> Route:  # noqa: ARG002
        return _NoRoute(self)


class GoogleAds(_DeviceOnly, frozen=True):
    """Settings of `type = "google-ads"`."""

    title: ClassVar[str] = "Google Ads (Gtag)"
    also_called: ClassVar[tuple[str, ...]] = ("Google Ads",)
    summary: ClassVar[str] = "Conversions and page views for Google Ads, by Google's tag in the browser."

    conversion_id: Annotated[str, about("The account's tag: AW-…")]
    conversions: Annotated[
        Mapping[str, str], about("The label of the conversion that an event is, by its name.")
    ] = {}


class Script(_DeviceOnly, frozen=True):
    """Settings of `type = "script"`: any tool's script, told by data what to do. Nothing of it is evaluated."""

    title: ClassVar[str] = "Script"
    summary: ClassVar[str] = "Any tool's script in the browser, and one function of it that gets the calls."

    url: Annotated[str, about("Where the script is.")]
    attributes: Annotated[Mapping[str, str], about("Of the script's element: `data-…`.")] = {}
    globals: Annotated[Mapping[str, Any], about("What stands in `window` before the script is there.")] = {}
    function: Annotated[
        str | None, about("The global function, or `object.method`, that gets the calls.")
    ] = None
    calls: Annotated[
        Mapping[str, tuple[Any, ...]],
        about(
            "Its arguments for `track`, `page`, `identify`, `group` and `alias`; `$.path` is a value of the event."
        ),
    ] = {}

    def __post_init__(self) -> None:
        if not self.url.startswith("https://"):
            raise ValueError("url must be an https URL")
        if self.function is not None and not _NAME.fullmatch(self.function):
            raise ValueError("function must be the name of a function, or of an object and its method")
        if self.calls and self.function is None:
            raise ValueError("calls need function")
        if unknown := sorted(self.calls.keys() - set(_CALLS)):
            raise ValueError(f"calls has {unknown[0]}: it takes {', '.join(_CALLS)}")


DEVICE_ONLY: Mapping[str, type[Destination]] = {"google-ads": GoogleAds, "script": Script}


def public_settings(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What of a destination's settings, as relay.toml has them, browsers are told."""
    return {name: settings[name] for name in PUBLIC[kind] if name in settings}


def browser_name(kind: str, name: str, title: str) -> str:
    """What the destination is called in the browser: by its type, but there may be several scripts."""
    return name if kind == "script" else title
