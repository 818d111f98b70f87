"""Companies and their contacts, and that a flow may be begun anew after any of its steps."""

from typing import Any

import pytest

from relay.destinations.base import Request
from relay.destinations.errors import Busy, Refused
from relay.destinations.hubspot.companies import UPSERT_COMPANY
from relay.destinations.reply import Reply
from tests.destinations.driving import Outcome, Troubled, body, deliver, drive, lines, reply, route_of
from tests.destinations.hubspot.hub import SETTINGS, Hub, group, identify

AT = "/crm/v3/objects/companies"
ACME = f"{AT}/g%201%2Fa?idProperty=segment_group_id"
CONTACT = "/crm/v3/objects/contacts/ana@example.com?idProperty=email"


def _route(**changes: Any) -> Any:
    mapping = UPSERT_COMPANY.default_mapping(**changes)
    return route_of("hubspot", SETTINGS, ("upsertCompany", 'type = "group"', mapping))


def _send(hub: Any, event: dict[str, Any], **changes: Any) -> Outcome:
    return drive(_route(**changes), event, answer=hub)


def _hub() -> Hub:
    made = Hub()
    made.create("contacts", {"email": "ana@example.com"})
    return made


def test_a_company_is_created_then_updated_and_has_its_contact() -> None:
    hub = _hub()
    assert lines(_send(hub, group())) == [
        f"GET {CONTACT}",
        f"PATCH {ACME}",
        f"POST {AT}",
        f"PUT {AT}/companies-1/associations/contacts/contacts-1/company_to_contact",
    ]
    assert len(_send(hub, group(employees="50")).requests) == 3
    assert hub.kind("companies") == {
        "companies-1": {"segment_group_id": "g 1/a", "name": "Acme", "numberofemployees": 50}
    }
    assert len(hub.associations) == 1


def test_a_contact_that_is_not_there_yet_is_created() -> None:
    hub = Hub()
    assert _send(hub, group()).errors == [None]
    assert hub.kind("contacts") == {"contacts-1": {"email": "ana@example.com"}}
    assert hub.associations


def test_without_a_contact_the_company_is_saved_all_the_same() -> None:
    hub = Hub()
    assert lines(_send(hub, group(None))) == [f"PATCH {ACME}", f"POST {AT}"]
    assert not hub.associations


def test_a_contact_that_is_asked_for_and_not_named_is_a_refusal() -> None:
    outcome = _send(Hub(), group(None), associateContact=True)
    assert not outcome.requests
    (error,) = outcome.errors
    assert isinstance(error, Refused)
    assert (error.status, error.fields) == (400, ("contact_email",))


def test_the_mapping_may_name_the_contact() -> None:
    hub = _hub()
    _send(
        hub,
        group(None, who="Ana@example.com"),
        associateContact=True,
        contact_email={"@path": "$.traits.who"},
    )
    assert len(hub.associations) == 1
    outcome = _send(hub, group(), contact_id="77")
    assert [one.method for one in outcome.requests] == ["PATCH", "PUT"]
    assert any("contacts/77" in one for one in hub.associations)


def test_without_creating_nothing_is_created() -> None:
    hub = _hub()
    assert _send(hub, group(), createNewCompany=False).errors == [None]
    assert not hub.kind("companies")
    assert not hub.associations


def test_a_company_without_group_id_is_found_by_other_fields() -> None:
    hub = _hub()
    hub.create("companies", {"domain": "acme.example"})
    fields = {"domain": {"@path": "$.traits.website"}}
    outcome = _send(hub, group(website="acme.example"), companysearchfields=fields)
    assert lines(outcome)[2:4] == [f"POST {AT}/search", f"PATCH {AT}/companies-1"]
    assert hub.kind("companies")["companies-1"]["segment_group_id"] == "g 1/a"


def test_fields_that_fit_several_companies_are_a_refusal() -> None:
    hub = _hub()
    hub.create("companies", {"domain": "acme.example"})
    hub.create("companies", {"domain": "acme.example"})
    (error,) = _send(hub, group(), companysearchfields={"domain": "acme.example"}).errors
    assert isinstance(error, Refused)
    assert error.fields == ("companysearchfields",)


def test_fields_that_hubspot_cannot_search_are_a_refusal() -> None:
    def answer(request: Request) -> Reply:
        if request.method == "PATCH":
            return reply(status=404)
        return reply(status=400) if request.url.endswith("/search") else reply({"id": "1"})

    (error,) = _send(answer, group(), companysearchfields={"nonsense": 1}).errors
    assert isinstance(error, Refused)
    assert error.code == "COMPANY_SEARCH_FAILED"


def test_the_group_id_is_not_for_properties() -> None:
    outcome = _send(_hub(), group(), properties={"segment_group_id": "x"})
    assert not outcome.requests
    (error,) = outcome.errors
    assert isinstance(error, Refused)
    assert error.fields == ("properties",)


def test_the_property_is_created_when_hubspot_lacks_it() -> None:
    hub = _hub()
    hub.has_group_id = False
    (error,) = _send(hub, group()).errors
    assert isinstance(error, Busy)
    assert hub.has_group_id
    assert _send(hub, group()).errors == [None]


def test_a_property_that_somebody_else_created_meanwhile_is_no_trouble() -> None:
    hub = _hub()
    hub.has_group_id = False

    def raced(request: Request) -> Reply:
        if request.url.endswith("/properties/companies"):
            hub.has_group_id = True
        return hub(request)

    outcome = deliver(_route(), group(), answer=raced)
    assert outcome.errors == [None]
    assert len(hub.associations) == 1


def test_a_search_before_the_property_is_there_creates_it_on_the_way() -> None:
    hub = _hub()
    hub.has_group_id = False
    hub.create("companies", {"domain": "acme.example"})

    def answer(request: Request) -> Reply:
        return reply(status=404) if "segment_group_id" in request.url else hub(request)

    assert _send(answer, group(), companysearchfields={"domain": "acme.example"}).errors == [None]
    assert hub.kind("companies")["companies-1"]["segment_group_id"] == "g 1/a"


@pytest.mark.parametrize(
    "message",
    [
        "Property values were not valid: []",
        "Property values were not valid: [{}]",
        "no",
        None,
        7,
        "[" * 100_000,
    ],
)
def test_another_refusal_is_that(message: Any) -> None:
    def answer(request: Request) -> Reply:
        return reply({"message": message}, 400) if request.method == "PATCH" else reply({"id": "1"})

    (error,) = _send(answer, group()).errors
    assert error is not None
    assert error.reply.status == 400


def test_a_company_that_somebody_else_created_meanwhile_is_updated() -> None:
    hub = _hub()

    def raced(request: Request) -> Reply:
        if request.method == "POST":
            hub.create("companies", {"segment_group_id": "g 1/a"})
        return hub(request)

    assert _send(raced, group()).errors == [None]
    assert hub.kind("companies") == {"companies-1": {"segment_group_id": "g 1/a", "name": "Acme"}}
    assert len(hub.associations) == 1


def test_values_are_trimmed_and_stages_lower_case() -> None:
    hub = Hub()
    _send(hub, group(None, industry=" Tea "), lifecyclestage=" Lead ")
    kept = hub.kind("companies")["companies-1"]
    assert (kept["industry"], kept["lifecyclestage"]) == ("Tea", "lead")


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("has_property", [True, False])
@pytest.mark.parametrize("lost", [True, False])
def test_a_flow_begun_anew_after_any_step_comes_to_the_same(
    *, is_known: bool, has_property: bool, lost: bool
) -> None:
    fields = {"domain": {"@path": "$.traits.website"}}
    event = group(website="acme.example")

    def hub() -> Hub:
        made = Hub()
        made.has_group_id = has_property
        if is_known:
            made.create("companies", {"domain": "acme.example"})
        return made

    well = hub()
    steps = len(deliver(_route(companysearchfields=fields), event, answer=well).requests)
    for at in range(steps):
        ill = hub()
        trouble = Troubled(ill, at, lost=lost)
        outcome = deliver(_route(companysearchfields=fields), event, answer=trouble)
        assert outcome.errors == [None]
        assert ill.state == well.state


@pytest.mark.parametrize("is_group_first", [True, False])
def test_the_order_of_identify_and_group_does_not_matter(*, is_group_first: bool) -> None:
    hub = Hub()
    events = [identify(first_name="Ana"), group()]
    drive(route_of("hubspot", SETTINGS), *events[:: -1 if is_group_first else 1], answer=hub, is_batch=True)
    assert hub.kind("contacts") == {"contacts-1": {"email": "ana@example.com", "firstname": "Ana"}}
    assert len(hub.associations) == 1


def test_the_request_for_an_association_has_no_body() -> None:
    last = _send(_hub(), group()).requests[-1]
    assert (last.body, dict(last.headers)) == (b"", {})


def test_a_company_is_looked_up_by_the_group_id_as_it_is() -> None:
    outcome = _send(Hub(), group(None))
    assert body(outcome.requests[-1])["properties"]["segment_group_id"] == "g 1/a"
