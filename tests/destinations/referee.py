"""Compares what a destination would be sent with what Segment's own integration sends, as recorded."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from relay.body import decode, encode
from relay.destinations import CATALOGUE
from relay.destinations.actions import ActionDestination, Subscription
from relay.destinations.actions.route import ActionRoute
from relay.destinations.base import Destination, Request
from relay.destinations.errors import DeliveryError
from relay.destinations.reply import Reply
from relay.destinations.tried import signed
from relay.event import Event
from relay.times import parse_moment

FIXTURES = Path(__file__).parent / "fixtures"
IGNORED = ("user-agent",)


@cache
def recorded(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FIXTURES / "expected" / f"{kind}.json").read_text())
    return found


@cache
def events() -> list[dict[str, Any]]:
    found = json.loads((FIXTURES / "events.json").read_text())
    return list(found["events"] if isinstance(found, dict) else found)


def kinds() -> list[str]:
    return sorted(path.stem for path in (FIXTURES / "expected").glob("*.json"))


def settings_of(kind: str, **more: Any) -> ActionDestination:
    made = msgspec.convert({**recorded(kind)["settings"], **more}, CATALOGUE[kind])
    assert isinstance(made, ActionDestination)
    return made


def event_of(data: dict[str, Any], index: int = 0) -> Event:
    json_bytes = encode(data)
    assert json_bytes is not None
    return Event(1, index, "web", str(data.get("messageId")), json_bytes)


def route_of(kind: str, subscription: dict[str, Any], *, is_any: bool = False, **more: Any) -> ActionRoute:
    moment = parse_moment(recorded(kind)["clock"])
    assert moment is not None
    said = Subscription(
        subscription["partnerAction"],
        'type != "nothing"' if is_any else subscription["subscribe"],
        {**subscription["mapping"], **subscription.get("transaction", {})},  # what Segment remembered
    )
    return ActionRoute(settings_of(kind, **more), [said], now=moment.timestamp)


def replies_of(row: dict[str, Any]) -> Iterator[Reply]:
    for request in row["requests"]:
        reply = request["reply"]
        text = json.dumps(reply["json"]) if "json" in reply else reply.get("text", "")
        yield Reply(reply["status"], text)


def seen(settings: Destination, request: Request) -> dict[str, Any]:
    """A request in the form of the recordings."""
    return shown(signed(settings, request))


def shown(request: Request) -> dict[str, Any]:
    """The same for one that is as it leaves."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    found: dict[str, Any] = {"method": request.method, "url": request.url, "headers": headers}
    kind = headers.get("content-type", "")
    if not request.body:
        return found
    if "json" in kind:
        return found | {"json": decode(request.body)}
    if "urlencoded" in kind:
        return found | {"form": dict(parse_qsl(request.body.decode(), keep_blank_values=True))}
    return found | {"text": request.body.decode()}


def wanted(request: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in request.items() if key != "reply"}
    headers = {name: value for name, value in request["headers"].items() if name not in IGNORED}
    return shown | {"headers": headers}


def plain(shown: dict[str, Any]) -> dict[str, Any]:
    """The same with JSON in form fields read, so that the order of its keys does not count."""
    if "form" not in shown:
        return shown
    return shown | {"form": {key: _read(value) for key, value in shown["form"].items()}}


def _read(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def failure(result: Any) -> DeliveryError | None:
    if isinstance(result, DeliveryError):
        return result
    return next((error for error in result or () if error is not None), None)
