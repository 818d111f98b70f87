"""Records of any kind, deals and tickets among them: found by a search, then updated or created.

The search reads an index that is behind by seconds, and HubSpot has no key against repeated records: one whose answer
was lost on the way may be created twice.
"""

from collections.abc import Mapping
from typing import Any

from relay.destinations.actions import Action, Call
from relay.destinations.actions.fields import boolean, record, text
from relay.destinations.actions.requests import json_request
from relay.destinations.base import Steps
from relay.destinations.errors import HttpError, Refused
from relay.destinations.hubspot.api import (
    API,
    BAD_REQUEST,
    OBJECTS,
    Found,
    answer,
    flat,
    id_of,
    patch,
    post,
    results,
    search,
    segment,
)
from relay.destinations.mapping.javascript import text_to_number

_BY = "customObjectSearchFields"
_TO = "searchFieldsToAssociateCustomObjects"


def upsert(_: Any, call: Call) -> Steps:
    """One record, and its association."""
    kind, values = call.payload["objectType"], flat(call.payload["properties"])
    found = yield from _searched(kind, call.get(_BY), _BY)
    link = _link(call.get("associationLabel"))
    others = (yield from _others(call)) if link is not None else []
    other = id_of(others[0]) if len(others) == 1 else None
    if found:
        yield from _update(call, found, values)
        if other and link:
            at = f"{API}/crm/v4/objects/{segment(kind)}/{id_of(found[0])}"
            to = f"{segment(call.payload['toObjectType'])}/{other}"
            yield json_request("PUT", f"{at}/associations/{to}", [link])
    elif call.get("createNewCustomRecord") is not False:
        linked = [{"to": {"id": other}, "types": [link]}] if other and link else []
        yield post(f"{OBJECTS}/{segment(kind)}", {"properties": values, "associations": linked})
    else:
        return
    if len(others) > 1:
        raise Refused(
            "the record was saved, but its association fits more than one record",
            "ASSOCIATE_SEARCH_CRITERIA_NOT_UNIQUE",
            fields=(_TO,),
        )


def _update(call: Call, found: list[dict[str, Any]], values: Mapping[str, Any]) -> Found:
    if len(found) > 1:
        raise Refused("these fields fit more than one record", "SEARCH_CRITERIA_NOT_UNIQUE", fields=(_BY,))
    kind = segment(call.payload["objectType"])
    yield patch(f"{OBJECTS}/{kind}/{id_of(found[0])}", values)


def _searched(kind: str, fields: Mapping[str, Any] | None, field: str) -> Found:
    """The records that `fields` find."""
    if not fields:
        return []
    try:
        reply = yield search(segment(kind), fields)
    except HttpError as error:
        if error.status != BAD_REQUEST:
            raise
        raise Refused(
            "HubSpot cannot search by these fields", "CUSTOM_SEARCH_FAILED", fields=(field,)
        ) from None
    return [] if answer(reply).get("total") == 0 else results(reply)


def _others(call: Call) -> Found:
    """The records to associate with."""
    kind = call.get("toObjectType")
    return (yield from _searched(kind, call.get(_TO), _TO)) if kind else []


def _link(label: str | None) -> dict[str, Any] | None:
    """`HUBSPOT_DEFINED:279` as HubSpot takes it."""
    if not label:
        return None
    category, *rest = label.split(":")
    number = text_to_number(rest[0]) if rest else float("nan")
    return {
        "associationCategory": category,
        "associationTypeId": int(number) if number.is_integer() else None,
    }


UPSERT_RECORD = Action(
    name="upsertCustomObjectRecord",
    title="Upsert Custom Object Record",
    about="Creates or updates a deal, a ticket or a record of your own.",
    fields={
        "createNewCustomRecord": boolean("Whether a record is created when there is none.", default=True),
        _BY: record("The fields to find the record by."),
        "objectType": text(
            "The kind of record: deals, tickets, or the full name of your own kind.", required=True
        ),
        "properties": record("The record's properties, by HubSpot's internal names.", required=True),
        _TO: record("The fields to find the record by that it is associated with."),
        "toObjectType": text("The kind of that record."),
        "associationLabel": text("How they are associated: <category>:<id of the type>."),
    },
    perform=upsert,
)
