"""Track events, one a request or up to 1,000 in a job."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from relay.destinations.actions import Action, Call
from relay.destinations.actions.dates import day_ms, iso
from relay.destinations.actions.fields import Fields, boolean, integer, moment, number, path, record, text
from relay.destinations.actions.parts import Parts
from relay.destinations.base import Steps
from relay.destinations.errors import HttpError, Refused
from relay.destinations.klaviyo.api import Account, blamed, job, send
from relay.destinations.klaviyo.people import COUNTRY_CODE, external_id, identified

MAX_EVENTS = 1000  # Klaviyo: /event-bulk-create-jobs/
WHO = ("email", "phone_number", "external_id", "anonymous_id")
BULK = "/event-bulk-create-jobs/"
POINTER = re.compile(r"/data/attributes/events-bulk-create/data/(\d+)")
_PROPERTIES = {"@if": {"exists": path("$.properties"), "then": path("$.properties"), "else": {}}}


def profile(**email: Any) -> Any:
    """The field that says whose event it is."""
    return record(
        "Whose event it is, and what else is then known of the person.",
        {
            "email": text("The address.", **email),
            "phone_number": text("The phone number, in E.164 unless there is a country code."),
            "country_code": COUNTRY_CODE,
            "external_id": external_id(),
            "anonymous_id": text("An id of somebody who is not known yet."),
        },
        more=True,
        required=True,
        default={
            "email": path("$.context.traits.email"),
            "external_id": path("$.userId"),
            "anonymous_id": path("$.anonymousId"),
        },
    )


def about_event(value: Any) -> Fields:
    """What is known about an event of any kind."""
    return {
        "properties": record("What is known about it.", required=True, default=_PROPERTIES),
        "time": moment("When it happened.", default=path("$.timestamp")),
        "value": number("What it is worth.", default=value),
        "unique_id": text("The key that repeated events are told by.", default=path("$.messageId")),
    }


def event(
    metric: str, payload: Mapping[str, Any], properties: Mapping[str, Any], **more: Any
) -> dict[str, Any]:
    """An event in Klaviyo's form."""
    attributes = {name: payload[name] for name in ("value", "unique_id") if name in payload}
    if payload.get("time"):
        attributes["time"] = _time(payload["time"])
    metric_data = {"data": {"type": "metric", "attributes": {"name": metric}}}
    attributes |= {"metric": metric_data, "properties": properties, **more}
    return {"type": "event", "attributes": attributes}


def _time(value: Any) -> str:
    ms = day_ms(value)
    if ms is None:
        raise Refused("time must be a date", fields=("time",))
    return iso(ms)


def of(person: Mapping[str, Any]) -> dict[str, Any]:
    """Whose event it is, in Klaviyo's form."""
    return {"data": {"type": "profile", "attributes": person}}


def bulk(person: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The events of one person in a job."""
    attributes = {"profile": of(person), "events": {"data": events}}
    return {"type": "event-bulk-create", "attributes": attributes}


def send_bulk(account: Account, parts: Parts[dict[str, Any]]) -> Steps:
    """One job for what was made, with a result for every call."""
    if not parts.made:
        return parts.results
    attributes = {"events-bulk-create": {"data": parts.made}}
    try:
        yield send(account, "POST", BULK, job("event-bulk-create-job", attributes))
    except HttpError as error:
        return blamed(parts, error, POINTER)
    return parts.results


def _track(account: Account, call: Call) -> Steps:
    payload = call.payload
    person = identified(payload["profile"], *WHO)
    made = event(payload["metric_name"], payload, payload["properties"], profile=of(person))
    yield send(account, "POST", "/events/", made)


def _track_batch(account: Account, calls: Sequence[Call]) -> Steps:
    return (yield from send_bulk(account, Parts.of(calls, _bulk)))


def _bulk(call: Call) -> dict[str, Any]:
    payload = call.payload
    person = identified(payload["profile"], *WHO)
    return bulk(person, [event(payload["metric_name"], payload, payload["properties"])])


TRACK_EVENT = Action(
    name="trackEvent",
    title="Track event",
    about="An event of a person, by the name of its metric.",
    fields={
        "profile": profile(format="email"),
        "metric_name": text("The metric.", required=True, default=path("$.event")),
        **about_event(path("$.properties.revenue")),
        "enable_batching": boolean("Whether several events may go in one job.", default=True),
        "batch_size": integer("Events a job at most.", default=MAX_EVENTS, minimum=100, maximum=MAX_EVENTS),
    },
    perform=_track,
    perform_batch=_track_batch,
    max_batch=MAX_EVENTS,
    keeps_empty_in_batches=True,
)
