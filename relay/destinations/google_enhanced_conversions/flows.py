"""From payloads to requests: what is looked up before, the upload, and what became of each conversion."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from relay.destinations.actions.action import Call
from relay.destinations.actions.parts import Parts
from relay.destinations.base import Steps
from relay.destinations.errors import HttpError, Refused
from relay.destinations.google_enhanced_conversions.failures import failures
from relay.destinations.reply import Reply

if TYPE_CHECKING:
    from relay.destinations.google_enhanced_conversions.destination import GoogleEnhancedConversions

_QUERY = (
    "SELECT conversion_custom_variable.id, conversion_custom_variable.name FROM conversion_custom_variable"
)
_MODE = "add"

Perform = Callable[["GoogleEnhancedConversions", Call], Steps]
PerformBatch = Callable[["GoogleEnhancedConversions", Sequence[Call]], Steps]
Names = Mapping[str, str] | None  # of custom variables, to their resources


class Upload(msgspec.Struct, frozen=True):
    """One method of Google's: its name, the list it takes, and what makes an item of that."""

    method: str
    items: str
    make: Callable[[str, Call], dict[str, Any]]


def flows(upload: Upload, *, has_mode: bool) -> tuple[Perform, PerformBatch]:
    """The flows that upload one and several conversions. `has_mode`: the mapping may say how; only adding there is."""

    def perform(settings: "GoogleEnhancedConversions", call: Call) -> Steps:
        customer = _customer(settings, call, has_mode=has_mode)
        names = (yield from _look_up(settings, customer)) if "custom_variables" in call.payload else None
        made = _made(upload, customer, call, names)
        reply = yield settings.request(f"customers/{customer}:{upload.method}", _body(upload, [made]))
        if error := failures(reply, 1).get(0):
            raise error

    def perform_batch(settings: "GoogleEnhancedConversions", calls: Sequence[Call]) -> Steps:
        customer = _customer(settings, calls[0], has_mode=has_mode)
        is_asked = any("custom_variables" in call.payload for call in calls)
        names = (yield from _look_up(settings, customer)) if is_asked else None
        parts = Parts.of(calls, lambda call: _made(upload, customer, call, names))
        if not parts.made:
            return parts.results
        try:
            reply = yield settings.request(f"customers/{customer}:{upload.method}", _body(upload, parts.made))
        except HttpError as error:
            return parts.failed(error)
        for place, failure in failures(reply, len(parts.made)).items():
            parts.fail(place, failure)
        return parts.results

    return perform, perform_batch


def _customer(settings: "GoogleEnhancedConversions", call: Call, *, has_mode: bool) -> str:
    if has_mode and call.sync_mode != _MODE:
        raise Refused("the sync mode must be add", "INTEGRATION_ERROR")
    if not settings.customer_id:
        raise Refused("the setting customerId is missing")
    return settings.customer_id.replace("-", "")


def _look_up(settings: "GoogleEnhancedConversions", customer: str) -> Any:
    """The account's custom variables."""
    reply: Reply = yield settings.request(f"customers/{customer}/googleAds:searchStream", {"query": _QUERY})
    pages = reply.json()
    if not isinstance(pages, list) or not pages:
        return None
    found = [row.get("conversionCustomVariable", {}) for row in pages[0].get("results", ())]
    return {one["name"]: one["resourceName"] for one in found if "name" in one and "resourceName" in one}


def _made(upload: Upload, customer: str, call: Call, names: Names) -> dict[str, Any]:
    made = upload.make(customer, call)
    if names is not None and "custom_variables" in call.payload:
        made["customVariables"] = [
            {"conversionCustomVariable": names[name], "value": value}
            for name, value in call.payload["custom_variables"].items()
            if name in names
        ]
    return made


def _body(upload: Upload, made: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {upload.items: made, "partialFailure": True}
