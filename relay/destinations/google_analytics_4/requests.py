"""From payloads to requests: what an event becomes, and which of them go together."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from relay.body import encode
from relay.destinations.actions.action import Call
from relay.destinations.actions.dates import to_ms
from relay.destinations.actions.requests import json_request
from relay.destinations.base import Request, Results, Steps
from relay.destinations.errors import DeliveryError, HttpError, Refused
from relay.destinations.google_analytics_4 import checks
from relay.destinations.google_analytics_4.checks import Check
from relay.destinations.google_analytics_4.fields import APP, WEB
from relay.destinations.google_analytics_4.limits import (
    MAX_BODY,
    event_name,
    fitted,
    fitted_event_name,
    fitted_properties,
)
from relay.destinations.mapping.javascript import WHITESPACE_AND_LINES, text_to_number

if TYPE_CHECKING:
    from relay.destinations.google_analytics_4.destination import GoogleAnalytics4

_COLLECT = "https://www.google-analytics.com/mp/collect"
_NOT_PARAMETERS = frozenset(("items", "params", "name", "lowercase"))


class Kind(msgspec.Struct, frozen=True):
    """One of GA4's events: its name (empty: the payload's), the action's own fields, its checks."""

    event: str
    own: tuple[str, ...]
    checks: tuple[Check, ...]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The fields that become parameters of the same name."""
        return (*(name for name in self.own if name not in _NOT_PARAMETERS), "engagement_time_msec")


class Hit(msgspec.Struct):
    """One event made ready: `head` says who, `tail` what else is said once a request."""

    url: str
    head: dict[str, Any]
    event: dict[str, Any]
    tail: dict[str, Any]
    time: dict[str, Any]  # `timestamp_micros`, where it is known


Perform = Callable[["GoogleAnalytics4", Call], Steps]
PerformBatch = Callable[["GoogleAnalytics4", Sequence[Call]], Steps]


def flows(kind: Kind) -> tuple[Perform, PerformBatch]:
    """The flows that send one and several events of this kind."""
    parameters, has_items = kind.parameters, "items" in kind.own

    def hit(settings: "GoogleAnalytics4", call: Call) -> Hit:
        payload = call.payload
        url, head = _visitor(settings, payload)
        for check in kind.checks:
            check(payload)
        params = {name: payload[name] for name in parameters if name in payload}
        if has_items:
            params["items"] = payload.get("items", [])
        own = payload.get("params", {})
        ...

    return perform, perform_batch
