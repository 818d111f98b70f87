"""Which conversions of an upload failed, and why: an answer of 200 may hold a `partialFailureError`."""

from collections.abc import Iterator, Mapping
from typing import Any

from relay.destinations.errors import Busy, DeliveryError, Refused
from relay.destinations.reply import Reply

# codes of ConversionUploadError, ConversionAdjustmentUploadError, InternalError and QuotaError that pass with time
_LATER = frozenset(
    (
        "TOO_RECENT_EVENT",
        "TOO_RECENT_CALL",
        "TOO_RECENT_CONVERSION_ACTION",
        "TOO_RECENT_CONVERSION",
        "TRANSIENT_ERROR",
        "INTERNAL_ERROR",
        "DEADLINE_EXCEEDED",
        "RESOURCE_EXHAUSTED",
        "RESOURCE_TEMPORARILY_EXHAUSTED",
    )
)
_CODE = "INVALID_ARGUMENT"


def failures(reply: Reply, count: int) -> dict[int, DeliveryError]:
    """The errors of an upload's answer, by the place of the conversion; all have one that Google places nowhere."""
    answer = reply.json()
    fault = answer.get("partialFailureError") if isinstance(answer, dict) else None
    if not isinstance(fault, dict):
        return {}
    found: dict[int, DeliveryError] = {}
    for error in _errors(fault):
        place = _place(error)
        if place is None or place >= count:
            return dict.fromkeys(range(count), _failure(error))
        found.setdefault(place, _failure(error))
    return found or dict.fromkeys(range(count), Refused("Google Ads refused the conversion", _CODE))


def _failure(error: Mapping[str, Any]) -> DeliveryError:
    codes = error.get("errorCode")
    code = next(iter(codes.values()), _CODE) if isinstance(codes, dict) else _CODE
    if code in _LATER:
        return Busy(f"Google Ads: {code}", code)
    return Refused(f"Google Ads: {code}", str(code))


def _errors(fault: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for detail in _objects(fault.get("details")):
        yield from _objects(detail.get("errors"))


def _place(error: Mapping[str, Any]) -> int | None:
    location = error.get("location")
    elements = location.get("fieldPathElements") if isinstance(location, dict) else None
    places = [one["index"] for one in _objects(elements) if type(one.get("index")) is int]
    return places[0] if places else None


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
