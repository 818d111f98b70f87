"""Profiles, and putting them on lists: one by one, or up to 10,000 in an import job."""

from collections.abc import Mapping, Sequence
from typing import Any

from relay.destinations.actions import Action, Call
from relay.destinations.actions.fields import boolean, either, integer, path, text
from relay.destinations.actions.parts import Parts
from relay.destinations.base import Steps
from relay.destinations.errors import HttpError
from relay.destinations.klaviyo.api import Account, duplicate_of, id_of, job, list_path, send
from relay.destinations.klaviyo.people import (
    COUNTRY_CODE,
    LIST_ID,
    MAX_EXTERNAL_ID,
    about_person,
    email,
    external_id,
    identified,
    phone,
)

_MAX_PROFILES = 10_000  # Klaviyo: /profile-bulk-import-jobs/
WHO = ("external_id", "phone_number", "email")
_NOT_ATTRIBUTES = ("list_id", "override_list_id", "enable_batching", "batch_size", "batch_keys")


def _attributes(call: Call) -> dict[str, Any]:
    """What the profile is to have."""
    person = identified(call.payload, *WHO)
    return {name: value for name, value in person.items() if name not in _NOT_ATTRIBUTES}


def _upsert(account: Account, call: Call) -> Steps:
    data: dict[str, Any] = {"type": "profile", "attributes": _attributes(call)}
    list_id = _saved_list(call.mapping) or call.get("override_list_id") or call.get("list_id")
    try:
        reply = yield send(account, "POST", "/profiles/", data)
    except HttpError as error:
        found = duplicate_of(error)
        if found is None:
            raise
        yield send(account, "PATCH", f"/profiles/{found}", {**data, "id": found})
    else:
        found = id_of(reply) if list_id else ""
    if list_id:
        yield _listing(account, found, list_id)


def _saved_list(mapping: Mapping[str, Any]) -> str | None:
    """The list that a mapping made with Segment was connected to."""
    match mapping.get("retlOnMappingSave"):
        case {"outputs": {"id": str(found)}} if found:
            return found
    return None


def _listing(account: Account, profile_id: str, list_id: str) -> Any:
    data = [{"type": "profile", "id": profile_id}]
    return send(account, "POST", list_path(list_id), data)


def _batch_list(call: Call) -> str | None:
    """The list that a job is for."""
    return call.get("override_list_id") or _saved_list(call.mapping) or call.get("list_id")


def _import(account: Account, calls: Sequence[Call]) -> Steps:
    parts = Parts.of(calls, lambda call: {"type": "profile", "attributes": _attributes(call)})
    if not parts.made:
        return parts.results
    list_id = _batch_list(calls[0])
    lists = [{"type": "list", "id": list_id}] if list_id else None
    attributes = {"profiles": {"data": parts.made}}
    try:
        yield send(
            account,
            "POST",
            "/profile-bulk-import-jobs/",
            job("profile-bulk-import-job", attributes, lists=lists),
        )
    except HttpError as error:
        return parts.failed(error)
    return parts.results


def _add(account: Account, call: Call) -> Steps:
    data = {"type": "profile", "attributes": _attributes(call)}
    try:
        found = id_of((yield send(account, "POST", "/profiles/", data)))
    except HttpError as error:
        existing = duplicate_of(error)
        if existing is None:
            raise
        found = existing
    yield _listing(account, found, call.payload["list_id"])


def batch_keys(*names: str) -> Any:
    """The field by which Segment's mappings say what must be equal within a request."""
    return text("Fields that must be equal within a job.", multiple=True, default=list(names))


_BATCH_SIZE = integer("Profiles a job at most.", default=_MAX_PROFILES, minimum=100, maximum=_MAX_PROFILES)

UPSERT_PROFILE = Action(
    name="upsertProfile",
    title="Upsert profile",
    about="A profile, and the list it belongs on.",
    fields={
        "email": email(path("$.traits.email")),
        "enable_batching": boolean("Whether several profiles may go in one job.", default=True),
        "phone_number": phone(either("$.traits.phone", "$.context.traits.phone")),
        "country_code": COUNTRY_CODE,
        "external_id": external_id(default=path("$.userId")),
        **about_person("$.traits", "$.traits"),
        "list_id": text("The list."),
        "batch_size": _BATCH_SIZE,
        "override_list_id": text(
            "A list that goes before that of the mapping.", default=path("$.integrations.Klaviyo.listId")
        ),
        "batch_keys": batch_keys("list_id", "override_list_id"),
    },
    perform=_upsert,
    perform_batch=_import,
    batches_unasked=False,
    max_batch=_MAX_PROFILES,
    keeps_empty_in_batches=True,
    batch_key=_batch_list,
)

ADD_PROFILE_TO_LIST = Action(
    name="addProfileToList",
    title="Add profile to list",
    about="A profile on a list; the profile is made when there is none.",
    fields={
        "email": email(),
        "phone_number": phone(),
        "list_id": LIST_ID,
        "external_id": external_id(maximum=MAX_EXTERNAL_ID),
        "enable_batching": boolean("Whether several profiles may go in one job.", default=True),
        "batch_size": _BATCH_SIZE,
        **about_person("$.properties", "$.properties.properties"),
        "country_code": COUNTRY_CODE,
        "batch_keys": batch_keys("list_id"),
    },
    perform=_add,
    perform_batch=_import,
    max_batch=_MAX_PROFILES,
    keeps_empty_in_batches=True,
    batch_key=_batch_list,
)
