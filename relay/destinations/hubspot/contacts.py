"""Contacts: created or updated by their email, one at a time or a hundred.

One: PATCH by email, and when HubSpot knows none, POST. HubSpot moves a lifecycle stage forwards only: one that did not
stick is cleared, then set. Many: read which there are, then create and update, with a result for each event.

Begun anew after any step, both go the same way again and change nothing twice.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from relay.destinations.actions import Action, Call
from relay.destinations.actions.fields import boolean, either, path, record, text
from relay.destinations.base import Steps
from relay.destinations.errors import DeliveryError, HttpError
from relay.destinations.hubspot.api import (
    BATCH,
    CONFLICT,
    CONTACTS,
    NOT_FOUND,
    Found,
    answer,
    check,
    errors_of,
    failure,
    flat,
    get,
    patch,
    post,
    properties,
    results,
    segment,
    trimmed,
)
from relay.destinations.reply import Reply

STAGE = "lifecyclestage"
_TEXTS = (
    "company",
    "firstname",
    "lastname",
    "phone",
    "address",
    "city",
    "state",
    "country",
    "zip",
    "email",
    "website",
)
_READ = ("email", STAGE, "hs_additional_emails")


def at_email(email: str) -> str:
    """The contact with this address."""
    return f"{CONTACTS}/{segment(email)}?idProperty=email"


def contact_of(email: str) -> Found:
    """HubSpot's id of the contact with this address; created when there is none."""
    try:
        reply = yield get(at_email(email))
    except HttpError as error:
        if error.status != NOT_FOUND:
            raise
        reply = yield from _created(email, {"email": email})
    return answer(reply).get("id")


def upsert(_: Any, call: Call) -> Steps:
    """One contact."""
    email = call.payload["email"]
    values = {name: trimmed(call.payload[name]) for name in _TEXTS if name in call.payload}
    stage = None
    if STAGE in call.payload:
        stage = values[STAGE] = trimmed(call.payload[STAGE].lower())
    values |= flat(call.get("properties"))
    try:
        reply = yield patch(at_email(email), values)
        if stage and properties(answer(reply)).get(STAGE) != stage:
            yield patch(at_email(email), {STAGE: ""})
            yield patch(at_email(email), values)
    except HttpError as error:
        if error.status != NOT_FOUND:
            raise
        yield from _created(email, values)


def _created(email: str, values: Mapping[str, Any]) -> Found:
    """A new contact, or the one that somebody else has created meanwhile."""
    try:
        return (yield post(CONTACTS, {"properties": values}))
    except HttpError as error:
        if error.status != CONFLICT:
            raise
        return (yield patch(at_email(email), values))


class _Contact(msgspec.Struct):
    """What a batch does with one address. `calls`: the events that ask for it; `error`: what went wrong."""

    values: dict[str, Any]
    calls: list[Call]
    id: str | None = None
    error: DeliveryError | None = None


def upsert_batch(settings: Any, calls: Sequence[Call]) -> Steps:
    """Many contacts: read, create, update; then the stages that did not stick."""
    contacts = _by_email(calls)
    _know(contacts, (yield _read(contacts)))
    new = [one for one in contacts.values() if one.id is None]
    if new:
        yield from _create(settings, new)
    known = [one for one in contacts.values() if one.id is not None]
    if known:
        yield from _update(known)
    return [contacts[_key(call)].error for call in calls]


def _key(call: Call) -> str:
    email: str = call.payload["email"]
    return email.lower()


def _by_email(calls: Sequence[Call]) -> dict[str, _Contact]:
    contacts: dict[str, _Contact] = {}
    for call in calls:
        values = {name: call.payload[name] for name in _TEXTS if name in call.payload}
        values["email"] = _key(call)
        if STAGE in call.payload:
            values[STAGE] = call.payload[STAGE].lower()
        values |= flat(call.get("properties"))
        contact = contacts.setdefault(_key(call), _Contact({}, []))
        contact.values = {**contact.values, **values} if call.get("merge_repeated") else values
        contact.calls.append(call)
    return contacts


def _read(contacts: Mapping[str, _Contact]) -> Any:
    inputs = [{"id": email} for email in contacts]
    return post(
        f"{CONTACTS}/batch/read", {"properties": list(_READ), "idProperty": "email", "inputs": inputs}
    )


def _know(contacts: Mapping[str, _Contact], reply: Reply) -> None:
    """Note HubSpot's ids. Raises the first error that is more than "there is none"."""
    for found in results(reply):
        values = properties(found)
        more = str(values.get("hs_additional_emails") or "").split(";")
        first = [values.get("email")] if values.get("email") in contacts else more
        email = next((email for email in contacts if email in first), None)
        if email is not None and found.get("id") is not None:
            contacts[email].id = str(found["id"])
    check(reply)


def _create(settings: Any, new: Sequence[_Contact]) -> Found:
    inputs = [{"properties": contact.values} for contact in new]
    try:
        reply = yield post(f"{CONTACTS}/batch/create", {"inputs": inputs})
    except HttpError as error:
        if error.status != CONFLICT:
            raise
        yield from _each(settings, new)  # one of them was created meanwhile, and HubSpot does not say which
        return
    if errors := errors_of(reply):
        made = {properties(one).get("email") for one in results(reply)}
        _blame([one for one in new if one.values["email"] not in made], errors)


def _each(settings: Any, contacts: Sequence[_Contact]) -> Found:
    """The same, one after the other."""
    for contact in contacts:
        for call in contact.calls:
            try:
                yield from upsert(settings, call)
            except DeliveryError as error:
                contact.error = error


def _update(known: Sequence[_Contact]) -> Found:
    inputs = [
        {"id": contact.id, "properties": {k: v for k, v in contact.values.items() if k != "email"}}
        for contact in known
    ]
    reply = yield post(f"{CONTACTS}/batch/update", {"inputs": inputs})
    updated = {str(one.get("id")): properties(one).get(STAGE) for one in results(reply)}
    if errors := errors_of(reply):
        _blame([one for one in known if one.id not in updated], errors)
    stuck = _stuck(known, updated)
    if stuck:
        cleared = [{"id": one, "properties": {STAGE: ""}} for one, _ in stuck]
        again = [{"id": one, "properties": {STAGE: stage}} for one, stage in stuck]
        yield post(f"{CONTACTS}/batch/update", {"inputs": cleared})
        yield post(f"{CONTACTS}/batch/update", {"inputs": again})


def _stuck(known: Sequence[_Contact], updated: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The contacts whose stage is another than asked for, and which was."""
    wanted = {one.id: one.values.get(STAGE) for one in reversed(known)}
    return [(id_, wanted[id_]) for id_, stage in updated.items() if wanted.get(id_) and wanted[id_] != stage]


def _blame(contacts: Sequence[_Contact], errors: Sequence[Mapping[str, Any]]) -> None:
    """Give each contact that HubSpot did not return the error that names it, else the first."""
    for contact in contacts:
        mine = [error for error in errors if {contact.id, contact.values["email"]} & _named(error)]
        contact.error = failure((mine or errors)[0])


def _named(error: Mapping[str, Any]) -> set[Any]:
    context = error.get("context")
    ids = context.get("ids") if isinstance(context, dict) else None
    return {one for one in ids if isinstance(one, str)} if isinstance(ids, list) else set()


_COMPANY = {
    "@if": {
        "exists": path("$.traits.company.name"),
        "then": path("$.traits.company.name"),
        # nothing of a company that is an object without a name: what is not text is replaced by nothing
        "else": {"@replace": {"value": path("$.traits.company"), "pattern": "\n", "replacement": " "}},
    }
}

UPSERT_CONTACT = Action(
    name="upsertContact",
    title="Upsert Contact",
    about="Creates or updates a contact.",
    fields={
        "email": text("Who it is.", required=True, format="email", default=path("$.traits.email")),
        "company": text("The name of the contact's company.", default=_COMPANY),
        "firstname": text("Given name.", default=either("$.traits.first_name", "$.traits.firstName")),
        "lastname": text("Family name.", default=either("$.traits.last_name", "$.traits.lastName")),
        "phone": text("Phone number.", default=path("$.traits.phone")),
        "address": text("Street and number.", default=path("$.traits.address.street")),
        "city": text("City.", default=path("$.traits.address.city")),
        "state": text("State.", default=path("$.traits.address.state")),
        "country": text("Country.", default=path("$.traits.address.country")),
        "zip": text(
            "Postal code.", default=either("$.traits.address.postalCode", "$.traits.address.postal_code")
        ),
        "website": text("Website.", default=path("$.traits.website")),
        STAGE: text("The stage in the sales process; it may be moved backwards too."),
        "properties": record("Other properties, by HubSpot's internal names; it must know them."),
        "enable_batching": boolean("Whether a hundred may go in one request.", default=True),
        "merge_repeated": boolean(
            "Whether several events of one contact in a batch are merged; else the last one goes.",
            default=True,
        ),
    },
    perform=upsert,
    perform_batch=upsert_batch,
    max_batch=BATCH,
    batches_unasked=False,
)
