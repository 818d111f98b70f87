"""Campaigns and Canvases: messages that an event sets off."""

from collections.abc import Callable
from typing import Any

from relay.destinations.actions import Action, Call
from relay.destinations.actions.fields import Condition, Fields, When, boolean, path, record, text
from relay.destinations.actions.requests import bearer, json_request
from relay.destinations.base import Steps
from relay.destinations.braze.users_track import Account
from relay.destinations.errors import Refused

_PRIORITIES = ("identified", "unidentified", "most_recently_updated", "least_recently_updated")
_PRIORITIZATION = record(
    "Who gets it when several people have the recipient's address.",
    {
        "first_priority": text("Who comes first.", choices=_PRIORITIES),
        "second_priority": text("Who comes next.", choices=_PRIORITIES),
    },
)
_AUDIENCE = record("Braze's audience object: only people in it get it.")
_ALIAS = {"alias_name": text("The alias itself."), "alias_label": text("What kind of alias it is.")}


def _recipient(alias: Fields | None, own: str) -> Fields:
    return {
        "external_user_id": text("The person's id with you."),
        "user_alias": record("The person's alias.", alias),
        "email": text("The person's address."),
        own: record("Properties for this person."),
        "send_to_existing_only": boolean("Whether people that Braze does not know are left out."),
        "attributes": record("Attributes the person is given first."),
    }


def _trigger(at: str) -> Callable[[Any, Call], Steps]:
    def perform(account: Account, call: Call) -> Steps:
        body = _message(dict(call.payload))
        yield json_request("POST", f"{account.endpoint}/{at}/trigger/send", body, bearer(account.api_key))

    return perform


def _message(body: dict[str, Any]) -> dict[str, Any]:
    recipients = body.get("recipients")
    if bool(recipients) is bool(body.get("broadcast")):
        wrong = "exclude each other" if recipients else "are both missing"
        raise Refused(f"recipients and broadcast {wrong}", fields=("recipients", "broadcast"))
    if recipients and "prioritization" in body:
        order = body.pop("prioritization")
        names = ("first_priority", "second_priority")
        priorities = [order[name] for name in names if order.get(name)]
        if priorities:
            body["recipients"] = [{**one, "prioritization": priorities} for one in recipients]
    return body


TRIGGER_CAMPAIGN = Action(
    name="triggerCampaign",
    title="Trigger campaign",
    about="An API-triggered campaign, to some people or to all of its audience.",
    fields={
        "campaign_id": text("The campaign.", required=True),
        "send_id": text("A name for this sending, for its figures."),
        "trigger_properties": record("Properties for everybody.", default=path("$.properties")),
        "broadcast": boolean(
            "Whether the whole audience gets it.",
            required=When((Condition("recipients"), Condition("audience"))),
        ),
        "attachments": record(
            "Files sent along.",
            {
                "file_name": text("The file's name.", required=True),
                "url": text("Where it is.", required=True),
            },
            multiple=True,
        ),
        "recipients": record("Who gets it.", _recipient(None, "trigger_properties"), multiple=True),
        "prioritization": _PRIORITIZATION,
        "audience": _AUDIENCE,
    },
    perform=_trigger("campaigns"),
)

TRIGGER_CANVAS = Action(
    name="triggerCanvas",
    title="Trigger Canvas",
    about="An API-triggered Canvas, for some people or for all of its audience.",
    fields={
        "canvas_id": text("The Canvas.", required=True),
        "canvas_entry_properties": record("Properties for everybody.", default=path("$.properties")),
        "broadcast": boolean("Whether the whole audience enters it."),
        "recipients": record(
            "Who enters it.",
            _recipient(_ALIAS, "canvas_entry_properties"),
            multiple=True,
            required=When((Condition("broadcast", value=True, is_not=True),)),
        ),
        "prioritization": _PRIORITIZATION,
        "audience": _AUDIENCE,
    },
    perform=_trigger("canvas"),
)
