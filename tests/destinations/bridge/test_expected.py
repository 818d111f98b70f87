"""What the package sends in the child is what it was seen to send on its own, row by row."""

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.destinations import referee
from tests.destinations.bridge.child import Child

APP = {  # secrets of Segment's own apps, as the recordings had them
    "ACTIONS_FB_CAPI_SYSTEM_USER_TOKEN": "FB_SYSTEM_USER_TOKEN",
    "ADWORDS_DEVELOPER_TOKEN": "ADS_DEV_TOKEN",
    "GOOGLE_ENHANCED_CONVERSIONS_CLIENT_ID": "ADS_CLIENT_ID",
    "GOOGLE_ENHANCED_CONVERSIONS_CLIENT_SECRET": "ADS_CLIENT_SECRET",
    "SALESFORCE_CLIENT_ID": "SF_CLIENT_ID",
    "SALESFORCE_CLIENT_SECRET": "SF_CLIENT_SECRET",
}
CODE_CHARACTERS = 50  # letters of a code that all recordings have


@pytest.mark.parametrize("kind", referee.kinds())
def test_every_event_is_sent_as_recorded(child: Child, kind: str) -> None:
    for row in referee.recorded(kind)["results"]:
        message = {**_message(kind, row), "op": "event", "event": referee.events()[row["event"]]}
        answered = child.call(message, [request["reply"] for request in row["requests"]])
        assert [_seen(request) for request in answered.requests] == _wanted(row), row["event"]
        assert _error(answered.value.get("error")) == _error(row.get("error")), row["event"]


@pytest.mark.parametrize("kind", [kind for kind in referee.kinds() if referee.recorded(kind)["batches"]])
def test_every_batch_is_sent_as_recorded(child: Child, kind: str) -> None:
    for row in referee.recorded(kind)["batches"]:
        message = {
            **_message(kind, row),
            "op": "batch",
            "events": [referee.events()[n] for n in row["events"]],
        }
        message["subscription"]["mapping"] = {**message["subscription"]["mapping"], "enable_batching": True}
        answered = child.call(message, [request["reply"] for request in row["requests"]])
        assert [_seen(request) for request in answered.requests] == _wanted(row)
        assert _error(answered.value.get("error")) == _error(row.get("error"))
        assert [one["status"] for one in answered.value.get("multistatus", [])] == [
            one["status"] for one in row.get("multistatus", [])
        ]


def _message(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    recorded = referee.recorded(kind)
    subscription = recorded["subscriptions"][row["subscription"]]
    return {
        "type": kind,
        "settings": recorded["settings"],
        "subscription": {key: subscription[key] for key in ("partnerAction", "mapping")},
        "transaction": subscription.get("transaction", {}),
        "env": APP,
        "now": recorded["clock"],
    }


def _seen(request: dict[str, Any]) -> dict[str, Any]:
    """A request in the form of the recordings."""
    shown = {key: request[key] for key in ("method", "url", "headers")}
    body, kind = request.get("body"), request["headers"].get("content-type", "")
    if not body:
        return shown
    if "urlencoded" in kind:
        return shown | {"form": dict(parse_qsl(body, keep_blank_values=True))}
    try:
        return shown | ({"json": json.loads(body)} if "json" in kind else {"text": body})
    except ValueError:
        return shown | {"text": body}


def _wanted(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [{key: value for key, value in request.items() if key != "reply"} for request in row["requests"]]


def _error(error: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the recordings keep of an error, without their way of spelling it."""
    if error is None:
        return None
    code = "".join(c for c in str(error.get("code")) if c.isalnum() or c == ".")[:CODE_CHARACTERS]
    shown = {"name": error["name"], "status": error.get("status"), "code": code}
    return {**shown, "fields": set(error.get("fields") or ())}
