"""Records of any kind by a field of their own, a hundred at a time, with their associations.

Which properties the kind has is read first; missing ones are created in `property_group`. Then the records: `upsert` in
one request; `update` those that a read found; `add` those that it did not. Then the records they are associated with
(created unless `association_sync_mode` is `read`), and the associations.

Several events of one record in a batch are merged, the later value wins. Begun anew, a flow sets the same again.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from relay.destinations.actions import Action, Call
from relay.destinations.actions.dates import to_ms
from relay.destinations.actions.fields import boolean, number, path, record, text
from relay.destinations.base import Request, Steps
from relay.destinations.errors import DeliveryError, Refused
from relay.destinations.hubspot.api import (
    API,
    BATCH,
    OBJECTS,
    Found,
    check,
    post,
    properties,
    results,
    segment,
)
from relay.destinations.hubspot.cleaning import record_values
from relay.destinations.hubspot.schema import check_schema

_KEY = ("object_type", "id_field_name", "id_field_value")
_LINK = ("object_type", "association_label", "id_field_name", "id_field_value")


class _Record(msgspec.Struct):
    """One record of a batch. `at`: when its values were so; `id`: HubSpot's."""

    key: str
    values: dict[str, Any]
    sensitive: dict[str, Any]
    links: list[dict[str, Any]]
    at: int
    id: str | None = None


def send(settings: Any, call: Call) -> Steps:
    """One record."""
    errors = yield from send_batch(settings, [call])
    if errors[0] is not None:
        raise errors[0]


def send_batch(_: Any, calls: Sequence[Call]) -> Steps:
    """Records of one kind."""
    errors: list[DeliveryError | None] = []
    records: list[_Record] = []
    for call in calls:
        try:
            records.append(_record(call))
            errors.append(None)
        except Refused as error:
            errors.append(error)
    if records:
        yield from _send(calls[0], records)
    return errors


def _record(call: Call) -> _Record:
    details = call.payload["object_details"]
    empty = tuple(f"object_details.{name}" for name in _KEY if details[name] == "")
    if empty:
        raise Refused("; ".join(f"{name} is missing" for name in empty), fields=empty)
    moments = (to_ms(at) for at in (call.get("timestamp"), call.event.get("timestamp")))
    return _Record(
        details["id_field_value"],
        record_values(call.get("properties")),
        record_values(call.get("sensitive_properties")),
        [link for link in call.get("associations") or () if _is_whole(link)],
        next((ms for ms in moments if ms is not None), call.now_ms),
    )


def _is_whole(link: Mapping[str, Any]) -> bool:
    return all(link.get(name) not in (None, "") for name in _LINK)


def _send(call: Call, records: list[_Record]) -> Found:
    details = call.payload["object_details"]
    if call.sync_mode != "add":
        records = _merged(records)
    kind, field = details["object_type"], details["id_field_name"]
    yield from check_schema(
        kind,
        [one.values for one in records],
        [one.sensitive for one in records],
        details.get("property_group"),
    )
    saved = yield from _saved(call.sync_mode, kind, field, records)
    yield from _associate(kind, saved, is_created=call.get("association_sync_mode") == "upsert")


def _merged(records: Sequence[_Record]) -> list[_Record]:
    """One record for each key; of two values for a property the later one."""
    kept: dict[str, _Record] = {}
    for one in records:
        first = kept.get(one.key)
        if first is None:
            kept[one.key] = one
            continue
        is_later = one.at >= first.at
        first.values = _laid_over(first.values, one.values, wins=is_later)
        first.sensitive = _laid_over(first.sensitive, one.sensitive, wins=is_later)
        first.links += [link for link in one.links if link not in first.links]
        first.at = max(first.at, one.at)
    return list(kept.values())


def _laid_over(under: dict[str, Any], over: dict[str, Any], *, wins: bool) -> dict[str, Any]:
    return {**under, **over} if wins else {**under, **{k: v for k, v in over.items() if k not in under}}


def _saved(mode: str | None, kind: str, field: str, records: list[_Record]) -> Found:
    """Save them: those that HubSpot has now, with their ids."""
    if mode != "upsert":
        read = yield from _asked(_read(kind, field, [one.key for one in records]))
        known = _known(field, records, read)
        if mode == "add":
            known_keys = {one.key for one in known}
            records = [one for one in records if one.key not in known_keys]
        else:
            records = known
    if not records:
        return []
    return _known(field, records, (yield from _asked(_write(mode, kind, field, records))))


def _asked(request: Request) -> Found:
    """The reply to a batch. One that is taken in part is a failure: delivery sends its halves, which sets again."""
    reply = yield request
    check(reply)
    return reply


def _write(mode: str | None, kind: str, field: str, records: Sequence[_Record]) -> Request:
    inputs = []
    for one in records:
        made: dict[str, Any] = {"idProperty": field, "properties": {**one.values, **one.sensitive}}
        if mode != "add":
            made["id"] = one.key
        if mode != "update":
            made["properties"][field] = one.key
        inputs.append(made)
    verb = {"add": "create", "upsert": "upsert"}.get(mode or "", "update")
    return _batch(kind, verb, {"inputs": inputs})


def _read(kind: str, field: str, keys: Iterable[str]) -> Request:
    body = {"properties": [field], "idProperty": field, "inputs": [{"id": key} for key in keys]}
    return _batch(kind, "read", body)


def _batch(kind: str, verb: str, body: Any) -> Request:
    return post(f"{OBJECTS}/{segment(kind)}/batch/{verb}", body)


def _known(field: str, records: Sequence[_Record], reply: Any) -> list[_Record]:
    """Those that HubSpot returned."""
    ids = {str(properties(one).get(field)): one.get("id") for one in reversed(results(reply))}
    for one in records:
        one.id = ids.get(one.key)
    return [one for one in records if one.id]


def _associate(kind: str, saved: Sequence[_Record], *, is_created: bool) -> Found:
    """The records they are associated with, kind by kind, then the associations."""
    wanted = [(one, link) for one in saved for link in one.links]
    found: dict[tuple[str, str, str], Any] = {}
    for (to, field), pairs in _grouped(wanted, "object_type", "id_field_name"):
        keys = list(dict.fromkeys(link["id_field_value"] for _, link in pairs))
        for some in _chunks(keys):
            request = _upsert(to, field, some) if is_created else _read(to, field, some)
            for one in results((yield from _asked(request))):
                found[to, field, str(properties(one).get(field))] = one.get("id")
    there = [(one, link) for one, link in wanted if found.get(_place(link))]
    for (to,), pairs in _grouped(there, "object_type"):
        inputs = [_association(one, link, found[_place(link)]) for one, link in pairs]
        for many in _chunks(inputs):
            url = f"{API}/crm/v4/associations/{segment(kind)}/{segment(to)}/batch/create"
            yield from _asked(post(url, {"inputs": many}))


def _place(link: Mapping[str, Any]) -> tuple[str, str, str]:
    return link["object_type"], link["id_field_name"], link["id_field_value"]


def _grouped(
    pairs: Iterable[tuple[_Record, dict[str, Any]]], *names: str
) -> Iterable[tuple[tuple[str, ...], list[tuple[_Record, dict[str, Any]]]]]:
    groups: dict[tuple[str, ...], list[tuple[_Record, dict[str, Any]]]] = {}
    for one, link in pairs:
        groups.setdefault(tuple(link[name] for name in names), []).append((one, link))
    return groups.items()


def _chunks(items: list[Any]) -> Iterable[list[Any]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


def _upsert(kind: str, field: str, keys: Iterable[str]) -> Request:
    inputs = [{"idProperty": field, "id": key, "properties": {field: key}} for key in keys]
    return _batch(kind, "upsert", {"inputs": inputs})


def _association(one: _Record, link: Mapping[str, Any], to: Any) -> dict[str, Any]:
    category, *rest = link["association_label"].split(":")
    type_ = {"associationCategory": category} | ({"associationTypeId": rest[0]} if rest else {})
    return {"types": [type_], "from": {"id": one.id}, "to": {"id": to}}


def _together(call: Call) -> Hashable:
    """What a batch request is made for."""
    details = call.payload["object_details"]
    names = ("object_type", "id_field_name", "property_group")
    return (*(details.get(name) for name in names), call.get("association_sync_mode"))


UPSERT_OBJECT = Action(
    name="upsertObject",
    title="Custom Object V2",
    about="Creates or updates records of any kind, and associates them with others.",
    fields={
        "object_details": record(
            "Which record it is.",
            {
                "object_type": text("Its kind: contact, company, deal, ticket or your own.", required=True),
                "id_field_name": text(
                    "The field that it is known by; its values must be unique.", required=True
                ),
                "id_field_value": text("The value of that field.", required=True),
                "property_group": text("The group in which missing properties are created; none without."),
            },
            required=True,
        ),
        "properties": record("The record's properties."),
        "sensitive_properties": record("Those that HubSpot keeps as sensitive data."),
        "association_sync_mode": text(
            "Whether records to associate with are created.",
            required=True,
            choices=("upsert", "read"),
            default="upsert",
        ),
        "associations": record(
            "The records that it is associated with.",
            {
                "object_type": text("The other record's kind.", required=True),
                "association_label": text("How: <category>:<id of the type>.", required=True),
                "id_field_name": text("The field that the other is known by.", required=True),
                "id_field_value": text("The value of that field."),
            },
            multiple=True,
        ),
        "enable_batching": boolean("Whether a hundred may go in one request.", default=True),
        "batch_size": number("Events a request at most.", required=True, default=BATCH),
        "batch_keys": text("Fields that must be equal within a request.", multiple=True),
        "timestamp": text("When the values were so.", default=path("$.timestamp")),
    },
    perform=send,
    perform_batch=send_batch,
    max_batch=BATCH,
    batch_key=_together,
    batches_unasked=False,
    sync_modes=("update", "upsert", "add"),
)
