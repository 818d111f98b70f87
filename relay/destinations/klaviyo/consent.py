"""Consent to email and text messages, given and withdrawn."""

from collections.abc import Mapping, Sequence
from typing import Any

from relay.destinations.actions import Action, Call
from relay.destinations.actions.fields import Fields, boolean, either, integer, moment, path, text
from relay.destinations.actions.parts import Parts
from relay.destinations.base import Request, Steps
from relay.destinations.errors import HttpError
from relay.destinations.klaviyo.api import Account, job, send
from relay.destinations.klaviyo.people import COUNTRY_CODE, email, identified, phone
from relay.destinations.klaviyo.profiles import batch_keys

_MAX_PROFILES = 100  # a request, as Segment cuts its batches
_SOURCE = "-59"  # Klaviyo's number for Segment
_WHO = ("email", "phone_number")


def _subscribed(call: Call) -> dict[str, Any]:
    consent = {"consent": "SUBSCRIBED"}
    if call.get("historical_import") and call.get("consented_at"):
        consent["consented_at"] = call.payload["consented_at"]
    return _profile(call.payload, {"marketing": consent}, {"marketing": consent})


def _unsubscribed(call: Call) -> dict[str, Any]:
    consent = {"consent": "UNSUBSCRIBED"}
    return _profile(call.payload, {"marketing": consent}, {"marketing": consent, "transactional": consent})


def _profile(payload: Mapping[str, Any], by_email: Any, by_sms: Any) -> dict[str, Any]:
    """A profile and its consent to what can be sent to it."""
    person = identified(payload, *_WHO)
    attributes: dict[str, Any] = {"subscriptions": {}}
    for name, channel, consent in (("email", "email", by_email), ("phone_number", "sms", by_sms)):
        if person.get(name):
            attributes[name] = person[name]
            attributes["subscriptions"][channel] = consent
    return {"type": "profile", "attributes": attributes}


def _subscription(account: Account, call: Call, profiles: Sequence[Any]) -> Request:
    attributes = {
        "historical_import": call.payload.get("historical_import", False),
        "profiles": {"data": profiles},
        "custom_source": call.get("custom_source") or _SOURCE,
    }
    data = job("profile-subscription-bulk-create-job", attributes, list=_list(call))
    return send(account, "POST", "/profile-subscription-bulk-create-jobs/", data)


def _withdrawal(account: Account, call: Call, profiles: Sequence[Any]) -> Request:
    attributes = {"profiles": {"data": profiles}}
    data = job("profile-subscription-bulk-delete-job", attributes, list=_list(call))
    return send(account, "POST", "/profile-subscription-bulk-delete-jobs", data)


def _list(call: Call) -> Any:
    list_id = call.get("list_id")
    return {"type": "list", "id": list_id} if list_id else None


def _subscribe(account: Account, call: Call) -> Steps:
    yield _subscription(account, call, [_subscribed(call)])


def _subscribe_batch(account: Account, calls: Sequence[Call]) -> Steps:
    parts = Parts.of(calls, _subscribed)
    return (yield from _sent(parts, _subscription(account, calls[0], parts.made)))


def _unsubscribe(account: Account, call: Call) -> Steps:
    yield _withdrawal(account, call, [_unsubscribed(call)])


def _unsubscribe_batch(account: Account, calls: Sequence[Call]) -> Steps:
    parts = Parts.of(calls, _unsubscribed)
    return (yield from _sent(parts, _withdrawal(account, calls[0], parts.made)))


def _sent(parts: Parts[dict[str, Any]], request: Request) -> Steps:
    if parts.made:
        try:
            yield request
        except HttpError as error:
            return parts.failed(error)
    return parts.results


def _subscribe_key(call: Call) -> Any:
    return call.get("list_id"), call.get("custom_source"), call.get("historical_import")


def _unsubscribe_key(call: Call) -> Any:
    return call.get("list_id")


_PEOPLE: Fields = {
    "email": email(either("$.traits.email", "$.context.traits.email")),
    "phone_number": phone(either("$.traits.phone", "$.context.traits.phone")),
    "country_code": COUNTRY_CODE,
    "list_id": text("The list; without one, consent as such."),
    "enable_batching": boolean("Whether several profiles may go in one request.", default=True),
}

SUBSCRIBE_PROFILE = Action(
    name="subscribeProfile",
    title="Subscribe profile",
    about="Consent given: to email for an address, to text messages for a phone number.",
    fields={
        **_PEOPLE,
        "custom_source": text("Where consent was given.", default=_SOURCE),
        "historical_import": boolean(
            "Whether it was given before, and nobody is to be greeted.", default=False
        ),
        "consented_at": moment("When it was given.", default=path("$.timestamp")),
        "batch_keys": batch_keys("list_id", "custom_source", "historical_import"),
        "batch_size": integer("Profiles a request at most.", default=1000, minimum=100, maximum=1000),
    },
    perform=_subscribe,
    perform_batch=_subscribe_batch,
    batches_unasked=False,
    max_batch=_MAX_PROFILES,
    keeps_empty_in_batches=True,
    batch_key=_subscribe_key,
)

UNSUBSCRIBE_PROFILE = Action(
    name="unsubscribeProfile",
    title="Unsubscribe profile",
    about="Consent withdrawn: to email for an address, to text messages for a phone number.",
    fields={
        **_PEOPLE,
        "batch_keys": batch_keys("list_id"),
        "batch_size": integer(
            "Profiles a request at most.", default=_MAX_PROFILES, minimum=50, maximum=_MAX_PROFILES
        ),
    },
    perform=_unsubscribe,
    perform_batch=_unsubscribe_batch,
    batches_unasked=False,
    max_batch=_MAX_PROFILES,
    keeps_empty_in_batches=True,
    batch_key=_unsubscribe_key,
)
