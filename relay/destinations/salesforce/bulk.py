"""Many records in one job of Bulk API 2.0: created, filled with CSV, and handed over.

What becomes of the rows Salesforce decides later. A job that is not handed over is never processed, so beginning anew
doubles nothing: after a failed upload the job is given up. When the answer to the hand-over is lost, the job's state
tells whether it was taken.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from relay.destinations.actions import Call
from relay.destinations.actions.requests import bare_request, json_request
from relay.destinations.base import Request, Steps
from relay.destinations.errors import DeliveryError, HttpError, Refused
from relay.destinations.mapping.javascript import text
from relay.destinations.reply import Answer, Reply
from relay.destinations.salesforce.instance import Instance
from relay.destinations.salesforce.records import (
    Kind,
    Operation,
    api_name,
    ask,
    need,
    operation_of,
    sobject_of,
)

NO_VALUE = "#N/A"  # Bulk API: null
_OPEN = "Open"
_NOT_IN_HEADERS = frozenset(',"\r\n')


def perform_batch(kind: Kind, instance: Instance, calls: Sequence[Call]) -> Steps:
    """The flow for the events of one job. They share operation, object and external id: see `job_key`."""
    first = calls[0]
    operation, sobject = operation_of(first), sobject_of(kind, first)
    _check(kind, operation, first.payload)
    key = _key_column(operation, first.payload)
    csv = table(kind, [call.payload for call in calls], operation, key)
    job = yield from _create_job(instance, sobject, operation, key)
    yield from _upload(instance, job, csv)
    yield from _hand_over(instance, job)


def job_key(call: Call) -> tuple[Any, ...]:
    """What must be equal within a job."""
    external_id = call.get("bulkUpsertExternalId") or {}
    return call.get("operation"), call.get("customObjectName"), external_id.get("externalIdName")


def _check(kind: Kind, operation: Operation, payload: Mapping[str, Any]) -> None:
    """Refuse by the first event, as Segment does: what holds for one mapping holds for all it maps."""
    if operation == "delete":
        raise Refused(
            "enable_batching: the Bulk API is not used to delete",
            "UNSUPPORTED_OPERATION",
            fields=("enable_batching",),
        )
    if kind.sobject is None:
        need(payload, ("customFields",))
    if operation == "upsert":
        need(payload, kind.needed)
        need(payload.get("bulkUpsertExternalId") or {}, ("externalIdName", "externalIdValue"))
    if operation == "update":
        need(payload, ("bulkUpdateRecordId",))


def _key_column(operation: Operation, payload: Mapping[str, Any]) -> str | None:
    """The column that tells records apart."""
    if operation == "upsert":
        name: str = payload["bulkUpsertExternalId"]["externalIdName"]
        return name
    return "Id" if operation == "update" else None


def table(kind: Kind, payloads: Sequence[Mapping[str, Any]], operation: Operation, key: str | None) -> str:
    """The CSV. Its columns are those of any event, the last event's first; a missing value is null."""
    rows = [_row(kind, payload) for payload in payloads]
    columns = list(dict.fromkeys(name for row in reversed(rows) for name in row))
    lines = [",".join([*columns, *([key] if key is not None else [])])]
    for row, payload in zip(rows, payloads, strict=True):
        cells = [_cell(row.get(name)) for name in columns]
        if key is not None:
            cells.append(_quoted(_key_of(operation, payload)))
        lines.append(",".join(cells))
    return "\n".join([*lines, ""])


def _row(kind: Kind, payload: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in payload.items():
        if name in kind.fields:
            row[api_name(name)] = value
        elif name == "customFields":
            row |= value
    wrong = tuple(name for name in row if not _NOT_IN_HEADERS.isdisjoint(name))
    if wrong:
        raise Refused(
            "customFields has a name with a comma, a quote or a line break",
            "INVALID_FIELD_NAME",
            fields=("customFields",),
        )
    return row


def _key_of(operation: Operation, payload: Mapping[str, Any]) -> str:
    if operation == "update":
        return payload.get("bulkUpdateRecordId") or NO_VALUE
    return (payload.get("bulkUpsertExternalId") or {}).get("externalIdValue") or NO_VALUE


def _cell(value: Any) -> str:
    return NO_VALUE if value is None else _quoted(text(value))


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _create_job(instance: Instance, sobject: str, operation: Operation, key: str | None) -> Steps:
    job = {
        "object": sobject,
        "contentType": "CSV",
        "operation": "insert" if operation == "create" else operation,
    }
    if key is not None:
        job["externalIdFieldName"] = key
    reply = yield from ask(json_request("POST", instance.url("jobs/ingest"), job))
    answer = reply.json()
    job_id = answer.get("id") if isinstance(answer, dict) else None
    if not job_id:
        raise HttpError(Reply(500, "the answer names no job"))
    return str(job_id)


def _upload(instance: Instance, job: str, csv: str) -> Steps:
    headers = {"content-type": "text/csv", "accept": "application/json"}
    request = Request("PUT", instance.url(f"jobs/ingest/{job}/batches"), headers, csv.encode())
    try:
        yield from ask(request)
    except DeliveryError:
        yield from _give_up(instance, job)
        raise


def _hand_over(instance: Instance, job: str) -> Steps:
    try:
        yield from ask(_to_state(instance, job, "UploadComplete"))
    except DeliveryError as error:
        if error.reply.answer is Answer.BUSY and (yield from _is_taken(instance, job)):
            return
        yield from _give_up(instance, job)
        raise


def _is_taken(instance: Instance, job: str) -> Steps:
    """Whether the job is on its way in spite of the answer."""
    try:
        reply = yield bare_request("GET", instance.url(f"jobs/ingest/{job}"))
    except HttpError:
        return False
    answer = reply.json()
    state = answer.get("state", _OPEN) if isinstance(answer, dict) else _OPEN
    return state not in (_OPEN, "Aborted", "Failed")


def _give_up(instance: Instance, job: str) -> Steps:
    """Abort a job whose events will come again; one that cannot be is open for ever and does no harm."""
    with suppress(HttpError):
        yield _to_state(instance, job, "Aborted")


def _to_state(instance: Instance, job: str, state: str) -> Request:
    return json_request("PATCH", instance.url(f"jobs/ingest/{job}"), {"state": state})
