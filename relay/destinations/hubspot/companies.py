"""Companies: created or updated by the group's id, which HubSpot keeps in a property of its own.

PATCH by `segment_group_id`; when HubSpot knows none, search by other fields, then PATCH what was found or POST. When
HubSpot lacks the property it is created, and the event tried again. Then the contact is associated with it.

Which contact? Segment remembers the one of the identify before. relay does not, and asks: `contact_id` when the mapping
has one, else the contact with the email of `contact_email` or of `context.traits.email`, created when there is none
(the identify may be on its way beside). So the order of identify and group does not matter.
"""

import json
from collections.abc import Mapping
from typing import Any

from relay.destinations.actions import Action, Call
from relay.destinations.actions.fields import boolean, either, integer, path, record, text
from relay.destinations.actions.formats import is_email
from relay.destinations.actions.requests import bare_request
from relay.destinations.base import Request, Steps
from relay.destinations.errors import Busy, HttpError, Refused
from relay.destinations.hubspot.api import (
    API,
    BAD_REQUEST,
    COMPANIES,
    CONFLICT,
    NOT_FOUND,
    Found,
    answer,
    flat,
    id_of,
    patch,
    post,
    results,
    search,
    segment,
    trimmed,
)
from relay.destinations.hubspot.contacts import contact_of

GROUP_ID = "segment_group_id"
_STAGE = "lifecyclestage"
_TEXTS = ("name", "description", "address", "city", "state", "zip", "domain", "phone", "industry")
_WANTED = ("name", "domain", _STAGE, GROUP_ID)
_PROPERTY = {
    "name": GROUP_ID,
    "label": "Group ID",
    "description": "The groupId of the events that tell of this company",
    "groupName": "companyinformation",
    "type": "string",
    "fieldType": "text",
    "hidden": True,
    "displayOrder": -1,
    "hasUniqueValue": True,
    "formField": False,
}


def upsert(_: Any, call: Call) -> Steps:
    """One company, and its contact."""
    if (call.get("properties") or {}).get(GROUP_ID):
        raise Refused(f"properties may not hold {GROUP_ID}", fields=("properties",))
    contact = (yield from _contact(call)) if call.payload["associateContact"] else None
    values = _values(call)
    company = yield from _by_group_id(call.payload["groupid"], values)
    if not company:
        company = yield from _found_or_created(call, values)
    if company and contact:
        at = f"{COMPANIES}/{segment(str(company))}/associations/contacts/{segment(str(contact))}"
        yield bare_request("PUT", f"{at}/company_to_contact")


def _values(call: Call) -> dict[str, Any]:
    values = {name: trimmed(call.payload[name]) for name in _TEXTS if name in call.payload}
    if "numberofemployees" in call.payload:
        values["numberofemployees"] = call.payload["numberofemployees"]
    if _STAGE in call.payload:
        values[_STAGE] = trimmed(call.payload[_STAGE].lower())
    values[GROUP_ID] = call.payload["groupid"]
    return values | flat(call.get("properties"))


def _contact(call: Call) -> Found:
    known = call.get("contact_id")
    if known:
        return known
    email = call.get("contact_email") or _email_of(call.event)
    if email is None:
        raise Refused(
            "the event names no contact to associate: map contact_email, or set associateContact to false",
            "MISSING_IDENTITY_CALL",
            fields=("contact_email",),
        )
    return (yield from contact_of(email))


def _email_of(event: Mapping[str, Any]) -> str | None:
    context = event.get("context")
    traits = context.get("traits") if isinstance(context, dict) else None
    email = traits.get("email") if isinstance(traits, dict) else None
    return email if isinstance(email, str) and is_email(email) else None


def _at_group_id(group_id: str) -> str:
    return f"{COMPANIES}/{segment(group_id)}?idProperty={GROUP_ID}"


def _by_group_id(group_id: str, values: Mapping[str, Any]) -> Found:
    """Update the company with this group id: HubSpot's id of it, None when there is none."""
    try:
        return answer((yield patch(_at_group_id(group_id), values))).get("id")
    except HttpError as error:
        if _lacks_property(error):
            yield from _create_property()
            raise Busy(f"HubSpot lacked the property {GROUP_ID}; it was created") from None
        if error.status != NOT_FOUND:
            raise
        return None


def _found_or_created(call: Call, values: Mapping[str, Any]) -> Found:
    """The company that other fields find, updated; else a new one, unless the mapping wants none."""
    fields = call.get("companysearchfields")
    found = (yield from _searched(fields)) if fields else []
    if len(found) > 1:
        raise Refused(
            "companysearchfields fit more than one company",
            "SEARCH_CRITERIA_NOT_UNIQUE",
            fields=("companysearchfields",),
        )
    if found:
        return (yield from _with_property(patch(f"{COMPANIES}/{id_of(found[0])}", values)))
    if not call.payload["createNewCompany"]:
        return None
    try:
        return (yield from _with_property(post(COMPANIES, {"properties": values, "associations": []})))
    except HttpError as error:
        if error.status != CONFLICT:
            raise
        return (yield from _by_group_id(call.payload["groupid"], values))  # somebody else was faster


def _searched(fields: Mapping[str, Any]) -> Found:
    try:
        reply = yield search("companies", fields, _WANTED, ("name",))
    except HttpError as error:
        if error.status != BAD_REQUEST:
            raise
        raise Refused(
            "HubSpot cannot search companies by these fields",
            "COMPANY_SEARCH_FAILED",
            fields=("companysearchfields",),
        ) from None
    total = answer(reply).get("total")
    return [] if total == 0 else results(reply)


def _with_property(request: Request) -> Found:
    """Send it, and once more when HubSpot lacked the property; HubSpot's id of the company."""
    try:
        reply = yield request
    except HttpError as error:
        if not _lacks_property(error):
            raise
        yield from _create_property()
        reply = yield request
    return answer(reply).get("id")


def _create_property() -> Found:
    try:
        yield post(f"{API}/crm/v3/properties/companies", _PROPERTY)
    except HttpError as error:
        if error.status != CONFLICT:  # it is there by now
            raise


def _lacks_property(error: HttpError) -> bool:
    """Whether HubSpot refused because it has no such property, and for nothing else."""
    if error.status != BAD_REQUEST:
        return False
    message = answer(error.reply).get("message")
    try:
        faults = json.loads(str(message).replace("Property values were not valid: ", "", 1))
        (fault,) = faults
        return bool(fault["name"] == GROUP_ID and fault["error"] == "PROPERTY_DOESNT_EXIST")
    except (ValueError, TypeError, KeyError, RecursionError):
        return False


_HAS_CONTACT = {
    # "false" is text, for a mapping's `else` passes over a false value
    "@if": {"exists": path("$.context.traits.email"), "then": True, "else": "false"}
}

UPSERT_COMPANY = Action(
    name="upsertCompany",
    title="Upsert Company",
    about="Creates or updates a company, and associates a contact with it.",
    fields={
        "groupid": text(
            f"Your own id of the company, kept in HubSpot's property {GROUP_ID}.",
            required=True,
            default=either("$.groupId", "$.context.groupId"),
        ),
        "createNewCompany": boolean(
            "Whether a company is created when there is none.", required=True, default=True
        ),
        "associateContact": boolean(
            "Whether a contact is associated with it.", required=True, default=_HAS_CONTACT
        ),
        "contact_id": text("HubSpot's id of that contact."),
        "contact_email": text(
            "The contact's address, by which that id is looked up; `context.traits.email` when there is none.",
            format="email",
        ),
        "companysearchfields": record("Other fields to find a company by that has no group id yet."),
        "name": text("The company's name.", default=path("$.traits.name")),
        "description": text("What it is.", default=path("$.traits.description")),
        "address": text("Street and number.", default=path("$.traits.address.street")),
        "city": text("City.", default=path("$.traits.address.city")),
        "state": text("State.", default=path("$.traits.address.state")),
        "zip": text(
            "Postal code.", default=either("$.traits.address.postalCode", "$.traits.address.postal_code")
        ),
        "domain": text("Its website.", default=path("$.traits.website")),
        "phone": text("Phone number.", default=path("$.traits.phone")),
        "numberofemployees": integer("How many people work there.", default=path("$.traits.employees")),
        "industry": text("What it does.", default=path("$.traits.industry")),
        _STAGE: text("The stage in the sales process."),
        "properties": record("Other properties, by HubSpot's internal names; it must know them."),
    },
    perform=upsert,
)
