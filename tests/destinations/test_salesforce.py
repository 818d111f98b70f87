"""Salesforce: settings and login, look-ups that no value can change, default mappings, and what busy answers lead to."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.destinations import CATALOGUE
from relay.destinations.actions import Subscription
from relay.destinations.actions.route import SYNC_MODE, ActionRoute
from relay.destinations.base import Parcel, Request
from relay.destinations.errors import Busy, DeliveryError, Refused
from relay.destinations.reply import Reply
from relay.destinations.salesforce import Salesforce
from relay.destinations.salesforce.soql import select
from relay.destinations.secrets import secrets_of
from relay.destinations.tried import run
from tests.destinations.events import event

INSTANCE = "https://acme.my.salesforce.com"
API = f"{INSTANCE}/services/data/v53.0"
FOUND = Reply(200, '{"totalSize":1,"records":[{"Id":"00Q1"}]}')
NONE_FOUND = Reply(200, '{"totalSize":0,"records":[]}')
SEVERAL = Reply(200, '{"totalSize":2,"records":[{"Id":"1"},{"Id":"2"}]}')


def settings(**more: Any) -> Salesforce:
    made = msgspec.convert({"instanceUrl": INSTANCE, **more}, CATALOGUE["salesforce"])
    assert isinstance(made, Salesforce)
    return made


def identify(**traits: Any) -> dict[str, Any]:
    return {"type": "identify", "messageId": "m-1", "userId": "u1", "traits": traits}


def parcels(*events: dict[str, Any], action: str, is_batch: bool = False, **mapping: Any) -> list[Parcel]:
    subscription = Subscription(action, 'type != "nothing"', mapping)
    route = ActionRoute(settings(), [subscription], now=lambda: 0.0)
    return route.parcels([event(data, n) for n, data in enumerate(events)], is_batch=is_batch)


def lead(mode: str, **more: Any) -> Parcel:
    """A flow for one lead: `mode` is what to do with it."""
    mapping = {"last_name": "Doe", "traits": {"Email": "a@b.co"}, SYNC_MODE: mode} | more
    (parcel,) = parcels(identify(), action="lead2", **mapping)
    return parcel


def steps(parcel: Parcel, *replies: Reply) -> tuple[list[str], Any]:
    """Method and path of every request, and how it ended."""
    requests: list[Request] = []
    end = run(parcel, iter(replies), requests)
    return [
        f"{one.method} {urlsplit(one.url).path.removeprefix('/services/data/v53.0/')}" for one in requests
    ], end


def defaults(action: str, data: dict[str, Any]) -> Any:
    """The body of the record that the action's own mapping makes."""
    mapping = settings().actions[action].default_mapping()
    requests: list[Request] = []
    (parcel,) = parcels(data, action=action, **mapping)
    assert run(parcel, iter(()), requests) is None
    (request,) = requests
    return json.loads(request.body)


@pytest.mark.parametrize(
    "url",
    [
        INSTANCE,
        f"{INSTANCE}/",
        "https://acme--uat.sandbox.my.salesforce.com",
        "https://ACME.my.site.force.com",
    ],
)
def test_an_instance_is_a_host_of_salesforce(url: str) -> None:
    assert settings(instanceUrl=url).url("x") == f"{url.rstrip('/')}/services/data/v53.0/x"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://acme.my.salesforce.com",
        "https://salesforce.com",
        "https://acme.salesforce.com.evil.example",
        "https://acme.notsalesforce.com",
        "https://evil.example/.salesforce.com",
        "https://evil.example?.salesforce.com",
        "https://evil.example#.salesforce.com",
        "https://evil.example\\.salesforce.com",
        "https://acme.salesforce.com@evil.example",
        "https://evil@acme.salesforce.com",
        "https://acme.salesforce.com:8443",
        "https://acme.salesforce.com\n",
        " https://acme.salesforce.com",
        "https://evil.example/\n.salesforce.com",
    ],
)
def test_any_other_host_gets_no_token_and_is_not_quoted(url: str) -> None:
    with pytest.raises(
        msgspec.ValidationError, match="instanceUrl must be https:// and a host below"
    ) as caught:
        settings(instanceUrl=url)
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize(("is_sandbox", "host"), [(False, "login"), (True, "test")])
def test_a_sandbox_is_logged_in_to_elsewhere(is_sandbox: bool, host: str) -> None:
    it = settings(isSandbox=is_sandbox, oauth={"clientId": "app", "refresh_token": "r"})
    consent = urlsplit(it.consent_url("http://127.0.0.1/back", "state", "verifier"))
    assert f"{consent.scheme}://{consent.netloc}" == f"https://{host}.salesforce.com"
    assert parse_qs(consent.query)["scope"] == ["api refresh_token"]
    assert it.renewal("r").url == f"https://{host}.salesforce.com/services/oauth2/token"


def test_a_password_gets_tokens_where_there_is_one() -> None:
    oauth = {"clientId": "app", "clientSecret": "s"}
    it = settings(username="jo", auth_password="pass", security_token="word", oauth=oauth)
    first = it.first_tokens
    assert first is not None
    assert first.is_due(0.0)
    form = parse_qs(it.renewal(first.refresh).body.decode())
    assert form == {
        "grant_type": ["password"],
        "username": ["jo"],
        "password": ["password"],
        "client_id": ["app"],
        "client_secret": ["s"],
    }
    assert {"pass", "word", "s"} <= set(secrets_of(it))
    assert settings(username="jo").first_tokens is None


def test_names_are_read_in_both_spellings() -> None:
    address = {"street": "1 Elm", "postalCode": "02134"}
    camel = {"lastName": "Doe", "firstName": "Jo", "email": "a@b.co", "address": address}
    snake = {
        "last_name": "Doe",
        "first_name": "Jo",
        "email": "a@b.co",
        "address": {"street": "1 Elm", "postal_code": "02134"},
    }
    expected = {
        "LastName": "Doe",
        "FirstName": "Jo",
        "Email": "a@b.co",
        "Street": "1 Elm",
        "PostalCode": "02134",
    }
    track = {"type": "track", "event": "Asked", "properties": snake}
    for data in (identify(**camel), identify(**snake), track, track | {"properties": camel}):
        assert defaults("lead2", data) == expected
        assert defaults("contact2", data) == {
            re.sub("^(Street|PostalCode)$", r"Mailing\1", name): value for name, value in expected.items()
        }


@pytest.mark.parametrize("company", ["Acme", {"name": "Acme", "id": 7}])
def test_a_company_may_be_a_name_or_an_object(company: Any) -> None:
    assert defaults("lead2", identify(last_name="Doe", company=company))["Company"] == "Acme"


def test_an_account_has_the_groups_traits() -> None:
    data = {"type": "group", "groupId": "g1", "traits": {"name": "Acme", "employees": "12", "plan": "x"}}
    assert defaults("account2", data) == {"Name": "Acme", "AccountNumber": "g1", "NumberOfEmployees": 12}


def test_there_are_no_presets() -> None:
    assert settings().preset_subscriptions() == []


def literal_of(query: str) -> str:
    """The text of the one literal in a query, read as Salesforce reads it; nothing may come after."""
    match = re.fullmatch(r"SELECT Id FROM Lead WHERE Name = '((?:[^'\\\r\n]|\\.)*)'", query)
    assert match is not None, query
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "r": "\r"}.get(m[1], m[1]), match[1])


@given(st.text() | st.text("'\\\r\n\" %_-;)("))
def test_no_value_gets_out_of_its_literal(value: str) -> None:
    assert literal_of(select("Lead", {"Name": value}, "OR")) == value


@pytest.mark.parametrize("value", ["' OR Name != '", "\\' OR Name != '", "\\", "\\\\'", "x'\n OR Id != '"])
def test_a_quote_does_not_widen_a_look_up(value: str) -> None:
    requests: list[Request] = []
    run(lead("update", traits={"Name": value}), iter([NONE_FOUND]), requests)
    query = unquote(urlsplit(requests[0].url).query.removeprefix("q="))
    assert literal_of(query) == value


def test_traits_may_be_numbers_and_claims_and_their_names_lose_what_no_name_has() -> None:
    query = select("Lead", {"A__c": 7.0, "B__c = 1 OR C": True, "D__c": 1.5, "E__c": "x"}, "AND")
    assert query == "SELECT Id FROM Lead WHERE A__c = 7 AND B__c1ORC = true AND D__c = 1.5 AND E__c = 'x'"


@pytest.mark.parametrize("value", [None, {"a": 1}, ["x"]])
def test_other_values_are_refused_by_the_name_of_the_trait(value: Any) -> None:
    with pytest.raises(Refused, match=r"traits\.A__c must be text, a number or true or false") as caught:
        select("Lead", {"A__c": value}, "OR")
    assert caught.value.fields == ("traits.A__c",)


@pytest.mark.parametrize(
    "name", ["User WHERE Id != '' OR Name", "../../jobs", "Lead/00Q1", "1Lead", "Lead\n", "é"]
)
def test_what_is_no_objects_name_reaches_no_url(name: str) -> None:
    mapping: dict[str, Any] = {
        "operation": "upsert",
        "customObjectName": name,
        "customFields": {},
        "traits": {"A": 1},
    }
    (parcel,) = parcels(identify(), action="customObject", **mapping)
    requests, error = steps(parcel)
    assert isinstance(error, Refused)
    assert (requests, error.fields) == ([], ("customObjectName",))
    assert "Id !=" not in str(error)


@pytest.mark.parametrize(
    ("record", "path"),
    [("00Q1", "00Q1"), ("../Contact/1", "..%2FContact%2F1"), ("a?b#c", "a%3Fb%23c"), (7, "7")],
)
def test_an_id_stays_within_its_place_in_the_url(record: Any, path: str) -> None:
    assert steps(lead("delete", traits={"Id": record})) == ([f"DELETE sobjects/Lead/{path}"], None)


@pytest.mark.parametrize("record", [".", ".."])
def test_an_id_of_dots_is_refused(record: str) -> None:
    requests, error = steps(lead("update", traits={"Id": record}))
    assert isinstance(error, Refused)
    assert (requests, error.fields) == ([], ("traits.Id",))


LOOK_UP, CREATE = "GET query/", "POST sobjects/Lead"
CHANGE, DELETE = "PATCH sobjects/Lead/00Q1", "DELETE sobjects/Lead/00Q1"


@pytest.mark.parametrize(
    ("mode", "found", "requests", "status"),
    [
        ("add", FOUND, [CREATE], None),
        ("update", FOUND, [LOOK_UP, CHANGE], None),
        ("update", NONE_FOUND, [LOOK_UP], 404),
        ("update", SEVERAL, [LOOK_UP], 300),
        ("upsert", FOUND, [LOOK_UP, CHANGE], None),
        ("upsert", NONE_FOUND, [LOOK_UP, CREATE], None),
        ("upsert", SEVERAL, [LOOK_UP], 300),
        ("delete", FOUND, [LOOK_UP, DELETE], None),
        ("delete", NONE_FOUND, [LOOK_UP], 404),
        ("delete", SEVERAL, [LOOK_UP], 300),
    ],
)
def test_what_the_look_up_finds_decides(
    mode: str, found: Reply, requests: list[str], status: int | None
) -> None:
    made, error = steps(lead(mode), found)
    assert made == requests
    assert (None if error is None else error.reply.status) == status
    assert error is None or error.is_final


@pytest.mark.parametrize("answer", ["", "[]", "{}", '{"totalSize":1}', '{"totalSize":1,"records":[{}]}'])
def test_an_answer_without_a_record_is_no_reason_to_create_one(answer: str) -> None:
    requests, error = steps(lead("upsert"), Reply(200, answer))
    assert (requests, error.reply.status) == ([LOOK_UP], 400)


@pytest.mark.parametrize(
    ("mode", "more", "fields"),
    [
        ("add", {"last_name": None}, ("last_name",)),
        ("upsert", {"last_name": None}, ("last_name",)),
        ("update", {"traits": None}, ("traits",)),
        ("update", {"traits": {}}, ("traits",)),
        ("delete", {"traits": {}}, ("traits",)),
        ("mirror", {}, (SYNC_MODE,)),
    ],
)
def test_what_lacks_something_is_refused_before_anybody_is_asked(
    mode: str, more: dict[str, Any], fields: tuple[str, ...]
) -> None:
    requests, error = steps(lead(mode, **more))
    assert isinstance(error, Refused)
    assert (requests, error.fields) == ([], fields)
    assert all(
        field.removeprefix("__segment_internal_").replace("_", " ") in str(error).replace("_", " ")
        for field in fields
    )


@pytest.mark.parametrize(
    ("status", "code", "after"),
    [(403, "REQUEST_LIMIT_EXCEEDED", 60.0), (400, "UNABLE_TO_LOCK_ROW", None)],
)
def test_a_refusal_that_means_later_is_tried_again(status: int, code: str, after: float | None) -> None:
    reply = Reply(status, json.dumps([{"message": "x", "errorCode": code}]))
    for parcel, before in ((lead("add"), []), (lead("upsert"), [FOUND])):
        _, error = steps(parcel, *before, reply)
        assert isinstance(error, Busy)
        assert (error.reply.error, error.reply.retry_after) == (code, after)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '[{"errorCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION"}]',
        '[{"errorCode":{}}]',
        "[1]",
        '"x"',
    ],
)
@pytest.mark.parametrize("status", [400, 403])
def test_any_other_refusal_is_one(status: int, text: str) -> None:
    _, error = steps(lead("add"), Reply(status, text))
    assert isinstance(error, DeliveryError)
    assert (error.is_final, error.reply.status) == (True, status)


def test_the_check_asks_for_what_needs_a_token_and_changes_nothing() -> None:
    request = next(settings().check())
    assert (request.method, request.url) == ("GET", f"{API}/")


class Org:
    """A small Salesforce: leads by address. One answer, the `fault`th, is lost: before or after its work was done."""

    def __init__(self, leads: Sequence[str], fault: int, *, is_done: bool) -> None:
        self.leads = {f"00Q{n}": email for n, email in enumerate(leads)}
        self.changed: list[str] = []
        self._fault, self._is_done = fault, is_done
        self._asked = 0

    def deliver(self, parcel: Parcel) -> DeliveryError | None:
        """As delivery does: begun anew while the answer is busy."""
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
            yield Reply(None, "", error="ETIMEDOUT")

    def answer(self, request: Request) -> Reply:
        record = urlsplit(request.url).path.rpartition("/")[2]
        if request.method == "GET":
            found = [{"Id": key} for key, email in self.leads.items() if email == "a@b.co"]
            return Reply(200, json.dumps({"totalSize": len(found), "records": found}))
        if request.method == "POST":
            record = f"00Q{len(self.leads)}"
            self.leads[record] = json.loads(request.body)["Email"]
        elif record not in self.leads:
            return Reply(404, '[{"errorCode":"NOT_FOUND"}]')
        elif request.method == "PATCH":
            self.changed.append(record)
        else:
            del self.leads[record]
        return Reply(200, "{}")


FAULTS = pytest.mark.parametrize(
    ("fault", "is_done"), [(n, done) for n in (0, 1, 2) for done in (False, True)]
)


@FAULTS
@pytest.mark.parametrize("leads", [[], ["a@b.co"], ["x@y.co"], ["x@y.co", "a@b.co"]])
def test_an_upsert_begun_anew_leaves_one_record(fault: int, is_done: bool, leads: list[str]) -> None:
    org = Org(leads, fault, is_done=is_done)
    assert org.deliver(lead("upsert", email="a@b.co")) is None
    assert list(org.leads.values()).count("a@b.co") == 1
    assert len(org.leads) == len({*leads, "a@b.co"})


@FAULTS
def test_an_update_begun_anew_changes_the_record_it_is_about(fault: int, is_done: bool) -> None:
    org = Org(["x@y.co", "a@b.co"], fault, is_done=is_done)
    assert org.deliver(lead("update", email="a@b.co")) is None
    assert set(org.changed) == {"00Q1"}


@FAULTS
def test_a_delete_begun_anew_deletes_that_record_only(fault: int, is_done: bool) -> None:
    org = Org(["x@y.co", "a@b.co"], fault, is_done=is_done)
    error = org.deliver(lead("delete"))
    assert org.leads == {"00Q0": "x@y.co"}
    assert (error is not None) == (fault == 2 and is_done), "the second look-up finds nothing: a refusal, 404"
