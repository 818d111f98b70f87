"""What a source's plan gives to another source: its violations, each as an event, and the events that it blocked.

    forwarding_violations_to       `Violation Generated`, a track event for each violation
    forwarding_blocked_events_to   the event itself, as it arrived

Both are Segment's, which documents the first: its user, its name and its properties are those that dashboards know.
Each says in `forwardedFromProject` where it comes from.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from relay.plans.rules import Plan
from relay.plans.ruling import Ruling

EVENT = "Violation Generated"
USER = "schema-violations"
PREFIX = "sch-"  # of the messageId

Data = dict[str, Any]


def violation_events(data: Data, ruling: Ruling, plan: Plan, origin: str, target: str) -> Iterator[Data]:
    """An event for each violation of `data`, for the source `target`. `origin` names the event like no other."""
    context = data.get("context") or {}
    app = context.get("app")
    for number, (kind, field, description) in enumerate(ruling.violations):
        yield {
            "type": "track",
            "event": EVENT,
            "userId": USER,
            "messageId": PREFIX + blake2b(f"{origin}-{number}".encode(), digest_size=16).hexdigest(),
            "timestamp": data["receivedAt"],
            "forwardedFromProject": data["sourceId"],
            "context": {name: context[name] for name in ("app", "library") if name in context},
            "properties": {
                "appVersion": app.get("version") if type(app) is dict else None,
                "eventMessageID": data.get("messageId"),
                "eventName": data.get("event") or data.get("name"),
                "eventSentAt": data.get("sentAt"),
                "eventTimestamp": data.get("timestamp"),
                "eventType": data["type"],
                "sourceID": data["sourceId"],
                "sourceName": data["sourceId"],
                "sourceSlug": data["sourceId"],
                "trackingPlanID": plan.id,
                "trackingPlanName": plan.name,
                "violationDescription": description,
                "violationField": field,
                "violationType": kind,
            },
            "integrations": {},
            "receivedAt": data["receivedAt"],
            "version": 2,
            "sourceId": target,
        }


def blocked_event(data: Data, target: str) -> Data:
    """An event that was blocked, for the source `target`."""
    return {**data, "forwardedFromProject": data["sourceId"], "sourceId": target}
