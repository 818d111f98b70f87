"""Aliases: giving people other names, and saying who such a name belongs to."""

from collections.abc import Callable, Sequence
from typing import Any

from relay.destinations.actions import Action, Call
from relay.destinations.actions.fields import Condition, When, boolean, record, text
from relay.destinations.actions.parts import Parts
from relay.destinations.actions.requests import bearer, json_request
from relay.destinations.base import Request, Steps
from relay.destinations.braze.users_track import Account, complaints, raise_first
from relay.destinations.braze.who import check_mode

_MOST = 50  # Braze: /users/alias/new and /users/identify
_ADD_OR_UPSERT = ("add", "upsert")

_BATCHED = boolean("Whether several may go in one request.", default=True)
_ALIAS_FIELDS = {
    "external_id": text("The person's id with you.", allow_null=True),
    "alias_name": text("The alias itself.", required=True),
    "alias_label": text("What kind of alias it is.", required=True),
    "enable_batching": _BATCHED,
}
_ALIAS = {
    "alias_name": text("The alias itself.", required=True),
    "alias_label": text("What kind of alias it is.", required=True),
}
_PRIORITIES = ("unidentified", "most_recently_updated", "least_recently_updated")
_EXTERNAL_ID = text("The person's id with you.", required=True)
_MERGE = text("What becomes of what is known under the alias only.", choices=("none", "merge"))


def _alias(call: Call) -> dict[str, Any]:
    names = ("external_id", "alias_name", "alias_label")
    return {name: call.payload[name] for name in names if call.payload.get(name) is not None}


def _new_aliases(account: Account, aliases: Sequence[Any]) -> Request:
    headers = bearer(account.api_key)
    return json_request("POST", f"{account.endpoint}/users/alias/new", {"user_aliases": aliases}, headers)


def _create(modes: tuple[str, ...]) -> Callable[[Any, Call], Steps]:
    def perform(account: Account, call: Call) -> Steps:
        check_mode(call, modes)
        raise_first((yield _new_aliases(account, [_alias(call)])))

    return perform


def _create_batch(modes: tuple[str, ...]) -> Callable[[Any, Sequence[Call]], Steps]:
    def perform_batch(account: Account, calls: Sequence[Call]) -> Steps:
        check_mode(calls[0], modes)
        parts = Parts.of(calls, _alias)
        for index, complaint in complaints((yield _new_aliases(account, parts.made))).items():
            parts.fail(index, complaint)
        return parts.results

    return perform_batch


def _identify(modes: tuple[str, ...]) -> Callable[[Any, Call], Steps]:
    def perform(account: Account, call: Call) -> Steps:
        check_mode(call, modes)
        headers = bearer(account.api_key)
        body = _identity(call)
        raise_first((yield json_request("POST", f"{account.endpoint}/users/identify", body, headers)))

    return perform


def _identity(call: Call) -> dict[str, Any]:
    payload = call.payload
    who = {"external_id": payload["external_id"]}
    body: dict[str, Any] = {}
    if "merge_behavior" in payload:
        body["merge_behavior"] = payload["merge_behavior"]
    if payload.get("user_alias"):
        body["aliases_to_identify"] = [{**who, "user_alias": payload["user_alias"]}]
    if payload.get("email_to_identify"):
        order = payload["prioritization"]
        priorities = [order.get("first_priority")]
        if order.get("second_priority"):
            priorities.append(order["second_priority"])
        email = {"email": payload["email_to_identify"], "prioritization": priorities}
        body["emails_to_identify"] = [{**who, **email}]
    return body


CREATE_ALIAS = Action(
    name="createAlias",
    title="Create alias",
    about="Another name for a person, known or not.",
    fields=_ALIAS_FIELDS,
    perform=_create(()),
    perform_batch=_create_batch(()),
    batches_unasked=False,
    max_batch=_MOST,
)
CREATE_ALIAS_2 = Action(
    name="createAlias2",
    title="Create alias, with a sync mode",
    about="Another name for a person, known or not.",
    fields=_ALIAS_FIELDS,
    perform=_create(("add",)),
    perform_batch=_create_batch(("add",)),
    batches_unasked=False,
    max_batch=_MOST,
    sync_modes=("add",),
)
IDENTIFY_USER = Action(
    name="identifyUser",
    title="Identify user",
    about="Whose alias it is.",
    fields={
        "external_id": _EXTERNAL_ID,
        "user_alias": record("The alias.", _ALIAS, required=True),
        "merge_behavior": _MERGE,
    },
    perform=_identify(()),
)
IDENTIFY_USER_2 = Action(
    name="identifyUser2",
    title="Identify user, with a sync mode",
    about="Whose alias or address it is.",
    fields={
        "external_id": _EXTERNAL_ID,
        "user_alias": record("The alias.", _ALIAS, required=When((Condition("email_to_identify"),))),
        "email_to_identify": text("The address.", required=When((Condition("user_alias"),))),
        "prioritization": record(
            "Who it is when several people have the address.",
            {
                "first_priority": text("Who comes first.", choices=_PRIORITIES),
                "second_priority": text("Who comes next.", choices=_PRIORITIES),
            },
            required=When((Condition("email_to_identify", is_not=True),)),
        ),
        "merge_behavior": _MERGE,
    },
    perform=_identify(_ADD_OR_UPSERT),
    sync_modes=_ADD_OR_UPSERT,
)
