"""Catalog items: rows of a catalog in Braze, written or deleted by their id."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from relay.destinations.actions import Action, Call
from relay.destinations.actions.fields import boolean, integer, record, text
from relay.destinations.actions.parts import Parts
from relay.destinations.actions.requests import bearer, json_request
from relay.destinations.base import Request, Results, Steps
from relay.destinations.braze.users_track import Account, refusal
from relay.destinations.braze.who import check_mode
from relay.destinations.errors import Busy, HttpError, Refused
from relay.destinations.reply import Reply

_MOST = 50  # Braze: /catalogs/{name}/items
_MAX_ID = 250  # characters
_ID = re.compile(r"[a-zA-Z0-9_-]+")
_MODES = ("upsert", "delete")
_NO_CATALOG = "catalog-not-found"
_NO_ITEM = "item-not-found"


def _items(account: Account, call: Call, end: str, items: Sequence[Any]) -> Request:
    method = "PUT" if call.sync_mode == "upsert" else "DELETE"
    url = f"{account.endpoint}/catalogs/{_catalog(call.mapping)}/items/{end}"
    return json_request(method, url, {"items": items}, bearer(account.api_key))


def _catalog(mapping: Mapping[str, Any]) -> str:
    """The catalog's name, where a mapping made with Segment has it."""
    value: Any = mapping
    for key in ("onMappingSave", "outputs", "catalog_name"):
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, str) or not value:
        name = "onMappingSave.outputs.catalog_name"
        raise Refused(f"{name} of the mapping must name a catalog", fields=(name,))
    return value


def _upsert(account: Account, call: Call) -> Steps:
    check_mode(call, _MODES)
    item = _item(call)
    try:
        yield _items(account, call, call.payload["item_id"], [item])
    except HttpError as error:
        if call.sync_mode == "upsert" or _first_id(error.reply) != _NO_ITEM:
            raise


def _item(call: Call) -> Any:
    """What is to be written. Raises Refused for an id that Braze does not take, or nothing to write."""
    if not _ID.fullmatch(call.payload["item_id"]):
        raise Refused("item_id has other characters than letters, digits, - and _", fields=("item_id",))
    item = call.payload.get("item", {})
    if call.sync_mode == "upsert" and not item:
        raise Refused("item is missing", fields=("item",))
    return item


def _upsert_batch(account: Account, calls: Sequence[Call]) -> Steps:
    check_mode(calls[0], _MODES)
    ids: set[str] = set()
    parts = Parts.of(calls, lambda call: _row(call, ids))
    if not parts.made:
        return parts.results
    try:
        yield _items(account, calls[0], "", parts.made)
    except HttpError as error:
        return _blamed(parts, error)
    return parts.results


def _row(call: Call, ids: set[str]) -> dict[str, Any]:
    """An item with its id, which may come once in a request. Raises Busy for a later event of the same item."""
    item_id = call.payload["item_id"]
    if item_id in ids:
        raise Busy("item_id is that of an earlier event of the request", "ITEM_TWICE")
    item = _item(call)
    ids.add(item_id)
    return {**(item if call.sync_mode == "upsert" else {}), "id": item_id}


def _blamed(parts: Parts[dict[str, Any]], error: HttpError) -> Results:
    """Braze takes all or nothing: those it names are refused, the others are for later."""
    errors = _errors(error.reply)
    if any(one.get("id") == _NO_CATALOG for one in errors):
        return parts.failed(HttpError(Reply(404, "the catalog does not exist", 0.0, "NOT_FOUND")))
    places = {row["id"]: index for index, row in enumerate(parts.made)}
    named = [(places[one], complaint) for one, complaint in _named(errors) if one in places]
    if not named:
        return parts.failed(error)
    for index, complaint in named:
        parts.fail(index, refusal(complaint))
    rest = HttpError(Reply(500, "another item of the request was refused", 0.0, "RETRYABLE_ERROR"))
    return [result or rest if place in parts.places else result for place, result in enumerate(parts.results)]


def _named(errors: Sequence[Mapping[str, Any]]) -> Iterable[tuple[Any, str]]:
    """The ids of the items that were wrong, and why."""
    for one in errors:
        for value in one.get("parameter_values") or ():
            named = value.get("id") if isinstance(value, dict) else value
            if isinstance(named, str):
                yield named, str(one.get("message") or "Unknown error")


def _errors(reply: Reply) -> list[dict[str, Any]]:
    body = reply.json()
    errors = body.get("errors") if isinstance(body, dict) else None
    return [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []


def _first_id(reply: Reply) -> Any:
    return next((one.get("id") for one in _errors(reply)), None)


UPSERT_CATALOG_ITEM = Action(
    name="upsertCatalogItem",
    title="Upsert catalog item",
    about="An item of a catalog, written or deleted; the catalog is named in the mapping.",
    fields={
        "item": record("The item's fields, without its id."),
        "item_id": text("The item's id.", required=True, minimum=1, maximum=_MAX_ID),
        "enable_batching": boolean("Whether several items may go in one request.", default=True),
        "batch_size": integer("Items a request at most.", default=_MOST, minimum=1, maximum=_MOST),
    },
    perform=_upsert,
    perform_batch=_upsert_batch,
    max_batch=_MOST,
    keeps_empty_in_batches=True,
    sync_modes=_MODES,
)
