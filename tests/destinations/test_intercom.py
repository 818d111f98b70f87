"""Intercom: what the presets send, and that a flow may be begun anew after any of its steps."""

import copy
from typing import Any

import pytest

from relay.destinations.base import Request
from relay.destinations.errors import Busy, Refused
from relay.destinations.intercom import Intercom
from relay.destinations.reply import Answer, Reply
from relay.destinations.tried import signed
from tests.destinations.driving import Troubled, body, deliver, drive, lines, reply, route_of

SETTINGS = {"oauth": {"access_token": "t0ken"}}
AT = "2026-03-02T09:00:00.000Z"
IDENTIFY = {
    "type": "identify",
    "messageId": "m1",
    "userId": "u1",
    "timestamp": AT,
    "traits": {"email": "ana@example.com", "name": "Ana", "createdAt": "2026-01-02T03:04:05Z"},
}
GROUP = {
    "type": "group",
    "messageId": "m2",
    "userId": "u1",
    "groupId": "g1",
    "timestamp": AT,
    "traits": {"name": "Acme", "employees": "50", "createdAt": "2019-06-01T00:00:00Z"},
}
TRACK = {
    "type": "track",
    "messageId": "m3",
    "userId": "u1",
    "event": "Order Completed",
    "timestamp": AT,
    "properties": {"revenue": 27.5, "currency": "EUR", "email": "ana@example.com", "coupon": "MAY"},
}


class Workspace:
    """What Intercom knows. `is_behind`: look-ups do not see yet who was created."""

    def __init__(self) -> None:
        self.contacts: dict[str, dict[str, Any]] = {}
        self.companies: dict[str, dict[str, Any]] = {}
        self.members: set[tuple[str, str]] = set()
        self.events: list[dict[str, Any]] = []
        self.is_behind = False

    def __call__(self, request: Request) -> Reply:
        path = request.url.removeprefix("https://api.intercom.io")
        return {
            "/contacts/search": self._search,
            "/contacts": self._create,
            "/companies": self._company,
            "/events": self._event,
        }.get(path, self._at)(path, body(request))

    def _search(self, _: str, asked: dict[str, Any]) -> Reply:
        field, value = asked["query"]["field"], asked["query"]["value"]
        found = [] if self.is_behind else [k for k, v in self.contacts.items() if v.get(field) == value]
        return reply({"total_count": len(found), "data": [{"id": one} for one in found]})

    def _create(self, _: str, contact: dict[str, Any]) -> Reply:
        if any(one.get("external_id") == contact.get("external_id") for one in self.contacts.values()):
            return reply({"errors": [{"code": "conflict"}]}, 409)
        self.contacts[f"c{len(self.contacts) + 1}"] = contact
        return reply({"id": f"c{len(self.contacts)}"})

    def _company(self, _: str, company: dict[str, Any]) -> Reply:
        self.companies[company["company_id"]] = company
        return reply({"id": f"co-{company['company_id']}"})

    def _event(self, _: str, made: dict[str, Any]) -> Reply:
        self.events.append(made)
        return reply(status=202)

    def _at(self, path: str, asked: dict[str, Any]) -> Reply:
        contact = path.split("/")[2]
        if path.endswith("/companies"):
            self.members.add((contact, asked["id"]))
        else:
            self.contacts[contact] |= asked
        return reply({"id": contact})

    @property
    def state(self) -> Any:
        return copy.deepcopy((self.contacts, self.companies, self.members))


def _route() -> Any:
    return route_of("intercom", SETTINGS)


def test_an_identify_makes_a_contact_and_a_second_one_updates_it() -> None:
    intercom = Workspace()
    assert lines(drive(_route(), IDENTIFY, answer=intercom)) == ["POST /contacts/search", "POST /contacts"]
    assert lines(drive(_route(), IDENTIFY, answer=intercom)) == ["POST /contacts/search", "PUT /contacts/c1"]
    assert intercom.contacts == {
        "c1": {
            "role": "user",
            "external_id": "u1",
            "email": "ana@example.com",
            "name": "Ana",
            "signed_up_at": 1767323045,
            "last_seen_at": 1772442000,
        }
    }


def test_a_company_is_made_with_its_age_in_seconds_and_gets_its_contact() -> None:
    intercom = Workspace()
    drive(_route(), IDENTIFY, answer=intercom)
    drive(_route(), GROUP, answer=intercom)
    assert intercom.members == {("c1", "co-g1")}
    assert intercom.companies["g1"] == {
        "company_id": "g1",
        "name": "Acme",
        "size": 50,
        "remote_created_at": 1559347200,
    }


def test_revenue_becomes_a_price_in_hundredths() -> None:
    intercom = Workspace()
    outcome = drive(_route(), TRACK, answer=intercom)
    assert lines(outcome) == ["POST /events"]
    assert intercom.events == [
        {
            "event_name": "Order Completed",
            "created_at": 1772442000,
            "user_id": "u1",
            "email": "ana@example.com",
            "metadata": {"coupon": "MAY", "price": {"amount": 2750, "currency": "EUR"}},
        }
    ]


def test_the_event_itself_is_not_changed() -> None:
    event = copy.deepcopy(TRACK)
    drive(_route(), event)
    assert event == TRACK


def test_an_event_known_by_email_alone_is_looked_up() -> None:
    intercom = Workspace()
    drive(_route(), IDENTIFY, answer=intercom)
    anonymous = {key: value for key, value in TRACK.items() if key != "userId"}
    outcome = drive(_route(), anonymous, answer=intercom)
    assert lines(outcome) == ["POST /contacts/search", "POST /events"]
    assert intercom.events[0]["id"] == "c1"


def test_an_event_of_an_unknown_email_is_refused() -> None:
    anonymous = {key: value for key, value in TRACK.items() if key != "userId"}
    (error,) = drive(_route(), anonymous, answer=Workspace()).errors
    assert isinstance(error, Refused)
    assert (error.status, error.fields) == (404, ("email",))
    assert "ana@" not in str(error)


def test_an_event_of_nobody_is_not_for_intercom() -> None:
    nobody = {**TRACK, "userId": None, "anonymousId": "a1", "properties": {"coupon": "MAY"}}
    assert not drive(_route(), nobody).errors


@pytest.mark.parametrize("event", [IDENTIFY, GROUP])
@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("lost", [True, False])
def test_a_flow_begun_anew_after_any_step_comes_to_the_same(
    event: dict[str, Any], *, is_known: bool, lost: bool
) -> None:
    def workspace() -> Workspace:
        made = Workspace()
        if is_known:
            drive(_route(), IDENTIFY, answer=made)
        return made

    well = workspace()
    steps = len(drive(_route(), event, answer=well).requests)
    for at in range(steps):
        intercom = workspace()
        trouble = Troubled(intercom, at, lost=lost)
        outcome = deliver(_route(), event, answer=trouble)
        assert outcome.errors == [None]
        assert trouble.asked > steps
        assert intercom.state == well.state


@pytest.mark.parametrize("at", [0, 1])
def test_an_event_is_sent_once_when_the_look_up_or_the_event_was_not_taken(at: int) -> None:
    intercom = Workspace()
    drive(_route(), IDENTIFY, answer=intercom)
    anonymous = {key: value for key, value in TRACK.items() if key != "userId"}
    assert deliver(_route(), anonymous, answer=Troubled(intercom, at, lost=False)).errors == [None]
    assert len(intercom.events) == 1


def test_a_contact_that_exists_and_is_not_found_yet_is_tried_again() -> None:
    intercom = Workspace()
    drive(_route(), IDENTIFY, answer=intercom)
    intercom.is_behind = True
    (error,) = drive(_route(), IDENTIFY, answer=intercom).errors
    assert isinstance(error, Busy)
    intercom.is_behind = False
    assert drive(_route(), IDENTIFY, answer=intercom).errors == [None]


def test_an_email_that_another_contact_has_is_refused() -> None:
    def answer(request: Request) -> Reply:
        if request.method == "PUT":
            return reply(status=409)
        return reply({"total_count": 1, "data": [{"id": "c1"}]})

    (error,) = drive(_route(), IDENTIFY, answer=answer).errors
    assert error is not None
    assert error.reply.answer is Answer.REFUSED


def test_several_contacts_with_one_email_are_as_good_as_none() -> None:
    def answer(_: Request) -> Reply:
        return reply({"total_count": 2, "data": [{"id": "c1"}, {"id": "c2"}]})

    assert lines(drive(_route(), IDENTIFY, answer=answer)) == ["POST /contacts/search", "POST /contacts"]


def test_metadata_that_is_a_list_is_refused() -> None:
    (error,) = drive(_route(), {**TRACK, "properties": [{"email": "ana@example.com"}]}).errors
    assert isinstance(error, Refused)
    assert error.fields == ("metadata",)


def test_the_token_goes_with_the_request_and_is_secret() -> None:
    (request,) = drive(_route(), TRACK).requests
    sent = signed(_route()._settings, request)
    assert sent.headers["authorization"] == "Bearer t0ken"
    assert "authorization" in sent.secret


def test_the_token_is_checked_by_asking_whose_it_is() -> None:
    request = next(Intercom().check())
    assert (request.method, request.url) == ("GET", "https://api.intercom.io/me")
