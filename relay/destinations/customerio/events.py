"""Actions that tell what people did, and what became of messages."""

from typing import Any

from relay.destinations.actions import Action, Call
from relay.destinations.actions.fields import Fields, moment, path, record, text
from relay.destinations.base import Steps
from relay.destinations.customerio.account import Account
from relay.destinations.customerio.entries import Entry, entry, seconds
from relay.destinations.customerio.people import ANONYMOUS, CONVERT
from relay.destinations.customerio.sending import BATCHING, sends
from relay.destinations.mapping.javascript import text_to_number

WHAT_HAPPENED: Fields = {
    "id": text("Who did it: an id or an address.", default=path("$.userId")),
    "anonymous_id": ANONYMOUS,
    "event_id": text("By which Customer.io knows a repeated event.", default=path("$.messageId")),
    "timestamp": text("When it was.", default=path("$.timestamp")),
    "data": record("Attributes of the event.", default=path("$.properties")),
    "convert_timestamp": CONVERT,
}
_SENT_AS = {"id": "person_id", "event_id": "id", "data": "attributes", "url": "name"}


def _happens(action: str, name: str, title: str, about: str, fields: Fields) -> Action:
    """An action that sends an event by a person."""

    def build(payload: dict[str, Any]) -> Entry:
        given = {_SENT_AS.get(field, field): value for field, value in payload.items()}
        if given.get("id") == "" and action != "event":
            del given["id"]
        return entry("person", action, given)

    return sends(build, name=name, title=title, about=about, fields={**WHAT_HAPPENED, **fields})


TRACK_EVENT = _happens(
    "event",
    "trackEvent",
    "Track Event",
    "An event of a person, known or not.",
    {"name": text("The event's name.", required=True, default=path("$.event"))},
)
TRACK_PAGE_VIEW = _happens(
    "page",
    "trackPageView",
    "Track Page View",
    "A page that a person looked at.",
    {"url": text("The page's URL, which is its name.", required=True, default=path("$.properties.url"))},
)
TRACK_SCREEN_VIEW = _happens(
    "screen",
    "trackScreenView",
    "Track Screen View",
    "A screen of an app that a person looked at.",
    {"name": text("The screen's name.", required=True, default=path("$.name"))},
)


def _content_entry(payload: dict[str, Any]) -> Entry:
    fields = {name: value for name, value in payload.items() if name not in ("actionType", "data")}
    fields["name"] = payload["actionType"]
    if "data" in payload:
        data = payload["data"]
        fields["attributes"] = {k: v for k, v in data.items() if k != "actionType" or not v}
    return entry("person", payload["actionType"], fields)


REPORT_CONTENT_EVENT = sends(
    _content_entry,
    name="reportContentEvent",
    title="Report Content Event",
    about="An anonymous person saw or clicked in-app content.",
    fields={
        "anonymous_id": ANONYMOUS,
        "actionType": text(
            "What happened to the content.",
            required=True,
            choices=("viewed_content", "clicked_content"),
            default=path("$.properties.actionType"),
        ),
        "timestamp": WHAT_HAPPENED["timestamp"],
        "data": WHAT_HAPPENED["data"],
        "convert_timestamp": CONVERT,
    },
)

METRICS = ("delivered", "opened", "clicked", "converted", "spammed", "bounced", "dropped", "deferred")


def _report_delivery(account: Account, call: Call) -> Steps:
    said = call.payload
    metric = {
        "delivery_id": said["delivery_id"],
        "metric": said["metric"],
        "timestamp": _metric_seconds(said.get("timestamp"), call.now_ms),
    }
    metric |= {name: said[name] for name in ("recipient", "reason", "href") if said.get(name)}
    clicked = {name: said[name] for name in ("action_name", "action_value") if said.get(name)}
    if clicked:
        metric["metadata"] = clicked
    yield account.post("/api/v1/metrics", metric)


def _metric_seconds(moment: Any, now_ms: int) -> Any:
    """Seconds since 1970; now where there is no date."""
    found = seconds(moment)
    if type(found) is str:
        found = text_to_number(found.strip())
    return now_ms // 1000 if found is None or found != found else found  # noqa: PLR0124  # NaN


REPORT_DELIVERY_EVENT = Action(
    name="reportDeliveryEvent",
    title="Report Delivery Event",
    about="What became of a message that Customer.io sent.",
    fields={
        "delivery_id": text(
            "The CIO-Delivery-ID of the message.", required=True, default=path("$.properties.deliveryId")
        ),
        "metric": text(
            "What became of it.", required=True, choices=METRICS, default=path("$.properties.metric")
        ),
        "recipient": text("Whom it was for: an address or a device.", default=path("$.properties.recipient")),
        "reason": text("Why it failed.", default=path("$.properties.reason")),
        "href": text("The link that was clicked.", default=path("$.properties.href")),
        "action_name": text(
            "In an in-app message: what was clicked.", default=path("$.properties.actionName")
        ),
        "action_value": text("In an in-app message: its value.", default=path("$.properties.actionValue")),
        "timestamp": moment("When it was; now when there is none.", default=path("$.timestamp")),
        **BATCHING,
    },
    perform=_report_delivery,
)

ACTIONS = (TRACK_EVENT, TRACK_PAGE_VIEW, TRACK_SCREEN_VIEW, REPORT_CONTENT_EVENT, REPORT_DELIVERY_EVENT)
