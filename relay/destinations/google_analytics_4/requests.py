"""From payloads to requests: what an event becomes, and which of them go together."""

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from relay.body import encode
from relay.destinations.actions.action import Call
from relay.destinations.actions.dates import to_ms
from relay.destinations.actions.parts import Parts
from relay.destinations.actions.requests import json_request
from relay.destinations.base import Request, Steps
from relay.destinations.errors import HttpError, Refused
from relay.destinations.google_analytics_4 import checks
from relay.destinations.google_analytics_4.checks import Check
from relay.destinations.google_analytics_4.fields import APP
from relay.destinations.google_analytics_4.limits import (
    MAX_BODY,
    READ,
    event_name,
    fitted,
    fitted_event_name,
    fitted_properties,
)
from relay.destinations.mapping.javascript import WHITESPACE_AND_LINES, text_to_number

if TYPE_CHECKING:
    from relay.destinations.google_analytics_4.destination import GoogleAnalytics4

_COLLECT = "https://www.google-analytics.com/mp/collect"
_NO_PARAMETERS = frozenset(("items", "params", "name", "lowercase"))
_EXACT = 2**53  # what JSON's readers are sure to keep
_NO_NUMBER = math.nan
_TIME = "timestamp_micros"

Perform = Callable[["GoogleAnalytics4", Call], Steps]
PerformBatch = Callable[["GoogleAnalytics4", Sequence[Call]], Steps]


class Hit(msgspec.Struct):
    """One event made ready. `head` says who, `tail` what else is said once a request."""

    url: str
    head: dict[str, Any]
    event: dict[str, Any]
    tail: dict[str, Any]
    time: dict[str, Any]  # its `timestamp_micros`, if it has one


class Kind:
    """One of GA4's events: its name (empty: the payload says it), the action's own fields, its checks."""

    def __init__(self, event: str, own: Sequence[str], tests: Sequence[Check]) -> None:
        self.event = event
        self._parameters = (*(name for name in own if name not in _NO_PARAMETERS), "engagement_time_msec")
        self._has_items = "items" in own
        self._checks = tests

    def hit(self, settings: "GoogleAnalytics4", call: Call) -> Hit:
        """The event of a payload. Raises `Refused`."""
        payload = call.payload
        url, head = _visitor(settings, payload)
        for check in self._checks:
            check(payload)
        params = {name: payload[name] for name in self._parameters if name in payload}
        if self._has_items:
            params["items"] = payload.get("items", [])
        name = self.event or event_name(payload["name"], is_lower=bool(payload.get("lowercase")))
        own, properties = payload.get("params", {}), payload.get("user_properties")
        if payload.get("within_limits"):
            params = fitted({**params, **own})
            properties = fitted_properties(properties) if properties else properties
            name = self.event or fitted_event_name(name[:READ], is_app="app_instance_id" in head)
        else:
            checks.parameters(own)
            checks.properties(properties or {})
            params.update(own)
        return Hit(url, head, {"name": name, "params": params}, _tail(payload, properties), _time(payload))


def flows(kind: Kind) -> tuple[Perform, PerformBatch]:
    """The flows that send one and several events of a kind."""

    def perform(settings: "GoogleAnalytics4", call: Call) -> Steps:
        yield _request([kind.hit(settings, call)])

    def perform_batch(settings: "GoogleAnalytics4", calls: Sequence[Call]) -> Steps:
        parts = Parts.of(calls, lambda call: kind.hit(settings, call))
        sent = 0
        for hits, request in _requests(parts.made):
            try:
                yield request
            except HttpError as error:
                if len(hits) == len(parts.made):
                    return parts.failed(error)
                for place in range(sent, sent + len(hits)):
                    parts.fail(place, error)
            sent += len(hits)
        return parts.results

    return perform, perform_batch


def visitor(call: Call) -> Hashable:
    """What is said once a request: who it is, and what is known of them."""
    get = call.payload.get
    properties = get("user_properties")
    return (
        get("data_stream_type"),
        get("app_instance_id"),
        get("client_id") or get("clientId"),
        get("user_id"),
        get("ad_user_data_consent"),
        get("ad_personalization_consent"),
        encode(properties) if properties else None,
    )


def _requests(hits: Sequence[Hit]) -> Iterator[tuple[Sequence[Hit], Request]]:
    """As few requests as their size allows."""
    if not hits:
        return
    request = _request(hits)
    if len(request.body) < MAX_BODY or len(hits) == 1:
        yield hits, request
        return
    middle = len(hits) // 2
    yield from _requests(hits[:middle])
    yield from _requests(hits[middle:])


def _request(hits: Sequence[Hit]) -> Request:
    first, last = hits[0], hits[-1]
    if first is last:
        body = {**first.head, "events": [first.event], **first.tail, **first.time}
    else:
        body = {**first.head, "events": [{**hit.event, **hit.time} for hit in hits], **first.tail}
        if "user_properties" in body:  # else they would be dated at their arrival
            body.update(last.time)
    return json_request("POST", first.url, body)


def _visitor(settings: "GoogleAnalytics4", payload: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Where to, and who."""
    if (payload.get("data_stream_type") or settings.stream) == APP:
        if not settings.firebase_app_id:
            raise Refused("app streams need the setting firebaseAppId")
        who = payload.get("app_instance_id")
        if not who:
            raise Refused("app_instance_id is missing", fields=("app_instance_id",))
        head = {"app_instance_id": who}
        url = _url(settings.api_secret, "firebase_app_id", settings.firebase_app_id)
    else:
        if not settings.measurement_id:
            raise Refused("web streams need the setting measurementId")
        who = payload.get("client_id") or payload.get("clientId")
        if not who:
            raise Refused("client_id is missing", fields=("client_id",))
        head = {"client_id": who}
        url = _url(settings.api_secret, "measurement_id", settings.measurement_id)
    if "user_id" in payload:
        head["user_id"] = payload["user_id"]
    return url, head


@lru_cache(256)
def _url(secret: str, parameter: str, stream: str) -> str:
    return f"{_COLLECT}?api_secret={quote(secret, safe='')}&{parameter}={quote(stream, safe=':')}"


def _tail(payload: Mapping[str, Any], properties: Mapping[str, Any] | None) -> dict[str, Any]:
    tail: dict[str, Any] = {}
    if properties is not None:
        tail["user_properties"] = {name: {"value": value} for name, value in properties.items()}
    if "ad_user_data_consent" in payload or "ad_personalization_consent" in payload:
        names = ("ad_user_data", "ad_personalization")
        tail["consent"] = {name: payload[f"{name}_consent"] for name in names if f"{name}_consent" in payload}
    return tail


def _time(payload: Mapping[str, Any]) -> dict[str, Any]:
    said = payload.get(_TIME)
    return {_TIME: _micros(said)} if said else {}


def _micros(said: str) -> float | None:
    """Microseconds since 1970: a number is taken to be that already."""
    is_date = said[4:5] == "-" and said[:4].isdigit()  # as nearly all are
    number = _NO_NUMBER if is_date else text_to_number(said.strip(WHITESPACE_AND_LINES))
    if math.isnan(number):
        ms = to_ms(said)
        return None if ms is None else ms * 1000
    return int(number) if number.is_integer() and abs(number) < _EXACT else number
