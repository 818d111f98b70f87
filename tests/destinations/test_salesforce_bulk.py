"""Salesforce's Bulk API: which events share a job, the CSV, and that beginning anew doubles no row."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations.actions.route import SYNC_MODE
from relay.destinations.base import Parcel, Request
from relay.destinations.errors import DeliveryError, Refused
from relay.destinations.reply import Reply
from relay.destinations.salesforce import LEAD
from relay.destinations.salesforce.bulk import table
from relay.destinations.tried import run
from tests.destinations.test_salesforce import identify, parcels, steps

JOB = Reply(200, '{"id":"job1"}')
BULK: dict[str, Any] = {"last_name": {"@path": "$.traits.name"}, "enable_batching": True, SYNC_MODE: "add"}
OPEN, UPLOAD, STATE = "POST jobs/ingest", "PUT jobs/ingest/job1/batches", "PATCH jobs/ingest/job1"


def leads(*names: Any) -> list[dict[str, Any]]:
    return [identify(name=name) for name in names]


def jobs(*events: dict[str, Any], action: str = "lead2", **mapping: Any) -> list[Parcel]:
    return parcels(*events, action=action, is_batch=True, **(BULK | mapping))


def bodies(parcel: Parcel, *replies: Reply) -> list[Any]:
    requests: list[Request] = []
    run(parcel, iter(replies), requests)
    return [one.body.decode() if one.method == "PUT" else json.loads(one.body or b"null") for one in requests]


def test_events_share_a_job_only_where_the_mapping_asks_for_it() -> None:
    events = leads("A", "B")
    assert [len(parcel.events) for parcel in jobs(*events)] == [2]
    for asked in (False, None):
        singles = jobs(*events, enable_batching=asked)
        assert [steps(one)[0] for one in singles] == [["POST sobjects/Lead"]] * 2


def test_a_job_is_opened_filled_and_handed_over() -> None:
    (parcel,) = jobs(*leads("A", 'B "x"'))
    requests: list[Request] = []
    assert run(parcel, iter([JOB]), requests) is None
    assert [request.method for request in requests] == ["POST", "PUT", "PATCH"]
    assert bodies(parcel, JOB) == [
        {"object": "Lead", "contentType": "CSV", "operation": "insert"},
        'LastName\n"A"\n"B ""x"""\n',
        {"state": "UploadComplete"},
    ]
    assert requests[1].headers == {"content-type": "text/csv", "accept": "application/json"}


def test_even_one_event_goes_by_a_job_because_its_external_id_is_known_there_only() -> None:
    external = {"externalIdName": "Ext__c", "externalIdValue": {"@path": "$.userId"}}
    (parcel,) = jobs(*leads("A"), bulkUpsertExternalId=external, **{SYNC_MODE: "upsert"})
    assert bodies(parcel, JOB)[:2] == [
        {"object": "Lead", "contentType": "CSV", "operation": "upsert", "externalIdFieldName": "Ext__c"},
        'LastName,Ext__c\n"A","u1"\n',
    ]
    (again,) = [parcel.part(parcel.events)]
    assert steps(again, JOB)[0] == [OPEN, UPLOAD, STATE]


def test_an_update_is_by_record_id() -> None:
    mapping: dict[str, Any] = {"bulkUpdateRecordId": {"@path": "$.traits.sf"}, SYNC_MODE: "update"}
    (parcel,) = jobs(identify(name="A", sf='0"1'), identify(name="B"), **mapping)
    assert bodies(parcel, JOB)[:2] == [
        {"object": "Lead", "contentType": "CSV", "operation": "update", "externalIdFieldName": "Id"},
        'LastName,Id\n"A","0""1"\n"B","#N/A"\n',
    ]


def test_a_job_holds_5000_rows() -> None:
    assert [len(parcel.events) for parcel in jobs(*leads(*range(5001)))] == [5000, 1]
    assert [len(parcel.events) for parcel in jobs(*leads(*range(5)), batch_size=2)] == [2, 2, 1]


def test_what_differs_in_operation_object_or_external_id_never_shares_a_job() -> None:
    mapping = {
        "operation": {"@path": "$.traits.do"},
        "customObjectName": {"@path": "$.traits.what"},
        "customFields": {"A__c": {"@path": "$.traits.name"}},
        "bulkUpsertExternalId": {"externalIdName": {"@path": "$.traits.by"}, "externalIdValue": "7"},
    }
    wishes = [
        ("create", "A__c", "X"),
        ("upsert", "A__c", "X"),
        ("upsert", "B__c", "X"),
        ("upsert", "A__c", "Y"),
    ]
    events = [identify(do=do, what=what, by=by, name=n) for n, (do, what, by) in enumerate(wishes * 2)]
    made = jobs(*events, action="customObject", **mapping)
    opened = [bodies(parcel, JOB)[0] for parcel in made]
    assert [len(parcel.events) for parcel in made] == [2] * 4
    assert [(one["operation"], one["object"], one.get("externalIdFieldName")) for one in opened] == [
        ("insert", "A__c", None),
        ("upsert", "A__c", "X"),
        ("upsert", "B__c", "X"),
        ("upsert", "A__c", "Y"),
    ]


@pytest.mark.parametrize(
    ("mapping", "fields"),
    [
        ({SYNC_MODE: "delete"}, ("enable_batching",)),
        ({SYNC_MODE: "update"}, ("bulkUpdateRecordId",)),
        ({SYNC_MODE: "upsert"}, ("externalIdName", "externalIdValue")),
        ({"customFields": {"A,B": 1}}, ("customFields",)),
        ({"customFields": {'A"': 1}}, ("customFields",)),
        ({"customFields": {"A\nB": 1}}, ("customFields",)),
    ],
)
def test_a_job_that_cannot_be_is_refused_before_it_is_opened(mapping: Any, fields: tuple[str, ...]) -> None:
    (parcel,) = jobs(*leads("A", "B"), **mapping)
    requests, error = steps(parcel)
    assert isinstance(error, Refused)
    assert (requests, error.fields, error.reply.status) == ([], fields, 400)


def test_the_half_without_the_event_that_spoils_a_job_goes() -> None:
    external = {"externalIdName": "Ext__c", "externalIdValue": {"@path": "$.traits.id"}}
    events = [identify(name="A"), identify(name="B", id="2")]
    (parcel,) = jobs(*events, bulkUpsertExternalId=external, **{SYNC_MODE: "upsert"})
    assert isinstance(steps(parcel)[1], Refused)
    assert steps(parcel.part(parcel.events[1:]), JOB) == ([OPEN, UPLOAD, STATE], None)


VALUES = (
    st.none() | st.text() | st.integers(-(2**53), 2**53) | st.booleans()
)  # numbers as JavaScript has them


@given(st.lists(st.dictionaries(st.sampled_from(["A__c", "B__c", "C__c"]), VALUES), min_size=1))
def test_the_csv_reads_back_as_what_was_written(rows: list[dict[str, Any]]) -> None:
    payloads = [{"last_name": "x", "customFields": row} for row in rows]
    text = table(LEAD, payloads, "create", None)
    assert text.endswith("\n")
    read = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert len(read) == len(rows)
    for row, found in zip(rows, read, strict=True):
        assert found.pop("LastName") == "x"
        assert found.keys() == {name for one in rows for name in one}
        assert found == {name: _written(row.get(name)) for name in found}


def _written(value: Any) -> str:
    if value is None:
        return "#N/A"
    return str(value).lower() if isinstance(value, bool) else str(value)


class Org:
    """A small Salesforce that processes jobs. The `fault`th answer is lost: before or after its work was done."""

    def __init__(self, fault: int, *, is_done: bool, status: int | None = None) -> None:
        self.rows: list[str] = []
        self.states: dict[str, str] = {}
        self._data: dict[str, str] = {}
        self._fault, self._is_done, self._status = fault, is_done, status
        self._asked = 0

    def deliver(self, parcel: Parcel) -> DeliveryError | None:
        for _ in range(5):
            requests: list[Request] = []
            end = run(parcel, self._replies(requests), requests)
            if end is None or (isinstance(end, DeliveryError) and end.is_final):
                return end
        raise AssertionError("it does not end")

    def _replies(self, requests: list[Request]) -> Iterator[Reply]:
        while True:
            self._asked += 1
            if self._asked != self._fault:
                yield self.answer(requests[-1])
                continue
            if self._is_done:
                self.answer(requests[-1])
            yield Reply(self._status, "", error=None if self._status else "ETIMEDOUT")

    def answer(self, request: Request) -> Reply:
        parts = urlsplit(request.url).path.split("/")
        if request.method == "POST":
            job = f"job{len(self.states)}"
            self.states[job] = "Open"
        elif request.method == "PUT":
            job = parts[-2]
            self._data[job] = request.body.decode()
        else:
            job = parts[-1]
        if request.method == "PATCH":
            self._to(job, json.loads(request.body)["state"])
        return Reply(200, json.dumps({"id": job, "state": self.states[job]}))

    def _to(self, job: str, state: str) -> None:
        assert self.states[job] == "Open", "it was handed over already"
        self.states[job] = state
        if state == "UploadComplete":
            self.rows += self._data[job].splitlines()[1:]


@pytest.mark.parametrize("status", [None, 503, 429])
@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("fault", [0, 1, 2, 3])
def test_whatever_answer_is_lost_every_row_is_processed_once(
    fault: int, is_done: bool, status: int | None
) -> None:
    org = Org(fault, is_done=is_done, status=status)
    (parcel,) = jobs(*leads("A", "B"))
    assert org.deliver(parcel) is None
    assert org.rows == ['"A"', '"B"']


def test_a_job_that_is_given_up_is_aborted() -> None:
    org = Org(2, is_done=True)
    (parcel,) = jobs(*leads("A"))
    org.deliver(parcel)
    assert org.states == {"job0": "Aborted", "job1": "UploadComplete"}


@pytest.mark.parametrize("status", [400, 403, 413])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_refusal_is_told_as_it_is_and_the_job_given_up(status: int, place: int) -> None:
    replies = [JOB, JOB, JOB]
    replies[place] = Reply(status, "no")
    (parcel,) = jobs(*leads("A"))
    requests, error = steps(parcel, *replies)
    assert isinstance(error, DeliveryError)
    assert (error.reply.status, error.reply.text, error.is_final) == (status, "no", True)
    assert requests == [[OPEN], [OPEN, UPLOAD, STATE], [OPEN, UPLOAD, STATE, STATE]][place]


@pytest.mark.parametrize("answer", ["", "[]", "{}", '{"id":null}'])
def test_an_answer_that_names_no_job_is_tried_again(answer: str) -> None:
    (parcel,) = jobs(*leads("A"))
    requests, error = steps(parcel, Reply(200, answer))
    assert isinstance(error, DeliveryError)
    assert (requests, error.is_final) == ([OPEN], False)


def test_when_nothing_is_answered_any_more_the_first_trouble_is_told() -> None:
    away = Reply(None, "", error="ECONNREFUSED")
    (parcel,) = jobs(*leads("A"))
    requests, error = steps(parcel, JOB, JOB, Reply(503, "x"), away, away)
    assert (requests[-2:], error.reply.status) == (["GET jobs/ingest/job1", STATE], 503)
