"""Records of any kind: by a search, and by a field of their own with associations."""

from typing import Any

import pytest

from relay.destinations.base import Request
from relay.destinations.errors import Refused
from relay.destinations.reply import Reply
from tests.destinations.driving import Outcome, Troubled, body, deliver, drive, lines, reply, route_of
from tests.destinations.hubspot.hub import SETTINGS, Hub, track

MODE = "__segment_internal_sync_mode"
AT = "/crm/v3/objects/deals"
COMPANY = {"object_type": "company", "association_label": "HUBSPOT_DEFINED:5", "id_field_name": "domain"}


FIRST: dict[str, Any] = {"1st": 1}
PLAIN: dict[str, Any] = {"Deal Size": 5, "won": "true", "closed": "2026-03-02"}


def _objects(mode: str = "upsert", **changes: Any) -> Any:
    mapping = {
        "object_details": {
            "object_type": "deals",
            "id_field_name": "ext",
            "id_field_value": {"@path": "$.properties.id"},
            "property_group": "dealinformation",
        },
        "properties": {"@path": "$.properties.values"},
        "association_sync_mode": "upsert",
        "associations": [{**COMPANY, "id_field_value": {"@path": "$.properties.domain"}}],
        "timestamp": {"@path": "$.properties.at"},
        "enable_batching": True,
        "batch_size": 100,
        MODE: mode,
        **changes,
    }
    return route_of("hubspot", SETTINGS, ("upsertObject", 'type = "track"', mapping))


def _deal(id_: str, domain: str | None = None, at: str = "2026-03-02T09:00:00Z", **values: Any) -> Any:
    return track(id=id_, domain=domain, at=at, values=values)


def _send(hub: Any, *events: Any, mode: str = "upsert", **changes: Any) -> Outcome:
    return drive(_objects(mode, **changes), *events, answer=hub, is_batch=len(events) > 1)


def test_a_record_is_saved_with_what_it_belongs_to() -> None:
    hub = Hub()
    outcome = _send(hub, _deal("d1", "acme.example", **PLAIN))
    assert lines(outcome) == [
        "GET /crm/v3/properties/deals",
        "POST /crm/v3/properties/deals/batch/create",
        f"POST {AT}/batch/upsert",
        "POST /crm/v3/objects/company/batch/upsert",
        "POST /crm/v4/associations/deals/company/batch/create",
    ]
    assert hub.kind("deals") == {
        "deals-1": {"ext": "d1", "deal_size": 5, "won": True, "closed": "2026-03-02"}
    }
    assert hub.kind("company") == {"company-1": {"domain": "acme.example"}}
    assert hub.associations == {"deals/deals-1>company/company-1"}
    assert hub.types["deals"] == {
        "deal_size": ("number", "number"),
        "won": ("enumeration", "booleancheckbox"),
        "closed": ("date", "date"),
    }


def test_of_several_events_of_a_record_the_later_value_wins() -> None:
    hub = Hub()
    late = _deal("d1", at="2026-03-02T10:00:00Z", name="late", a=1)
    early = _deal("d1", at="2026-03-02T09:00:00Z", name="early", b=2)
    outcome = _send(hub, late, early, _deal("d2", name="other"))
    assert outcome.errors == [None, None, None]
    assert hub.kind("deals") == {
        "deals-1": {"ext": "d1", "name": "late", "a": 1, "b": 2},
        "deals-2": {"ext": "d2", "name": "other"},
    }


def test_two_records_may_belong_to_the_same() -> None:
    hub = Hub()
    outcome = _send(hub, _deal("d1", "acme.example"), _deal("d2", "acme.example"))
    assert [len(body(one)["inputs"]) for one in outcome.requests] == [2, 1, 2]
    assert hub.associations == {"deals/deals-1>company/company-1", "deals/deals-2>company/company-1"}


def test_update_leaves_alone_what_is_not_there_and_add_what_is() -> None:
    hub = Hub()
    hub.create("deals", {"ext": "d1"})
    events = _deal("d1", name="one"), _deal("d2", name="two")
    _send(hub, *events, mode="update")
    assert hub.kind("deals") == {"deals-1": {"ext": "d1", "name": "one"}}
    _send(hub, _deal("d1", name="new"), _deal("d2", name="two"), mode="add")
    assert hub.kind("deals") == {
        "deals-1": {"ext": "d1", "name": "one"},
        "deals-2": {"ext": "d2", "name": "two"},
    }
    assert lines(_send(hub, _deal("d1"), mode="add")) == [f"POST {AT}/batch/read"]


@pytest.mark.parametrize("step", ["deals/batch/upsert", "company/batch/upsert", "deals/company/batch/create"])
@pytest.mark.parametrize(
    ("category", "status"), [("VALIDATION_ERROR", 400), ("RATE_LIMITS", 429), ("OBJECT_NOT_FOUND", None)]
)
def test_a_batch_that_is_taken_in_part_has_failed(step: str, category: str, status: int | None) -> None:
    hub = Hub()

    def answer(request: Request) -> Reply:
        said = hub(request)
        if not request.url.endswith(step):
            return said
        errors = [{"status": "error", "category": category, "message": "d2 is wrong"}]
        return reply({**said.json(), "numErrors": 1, "errors": errors}, 207)

    outcome = _send(answer, _deal("d1", "a.example", n=1), _deal("d2", "b.example", n=2))
    assert [error and error.reply.status for error in outcome.errors] == [status] * 2
    assert "d2" not in str(outcome.errors)


def test_what_is_only_read_is_not_created() -> None:
    hub = Hub()
    _send(hub, _deal("d1", "acme.example"), association_sync_mode="read")
    assert not hub.kind("company")
    assert not hub.associations


def test_a_bad_event_of_a_batch_is_refused_alone() -> None:
    hub = Hub()
    first, bad, nameless, last = _send(
        hub, _deal("d1", a=1), _deal("d2", **FIRST), _deal(""), _deal("d3", a=3)
    ).errors
    assert (first, last) == (None, None)
    assert isinstance(bad, Refused)
    assert bad.fields == ("properties",)
    assert isinstance(nameless, Refused)
    assert nameless.fields == ("object_details.id_field_value",)
    assert len(hub.kind("deals")) == 2


def test_a_missing_property_without_a_group_is_refused() -> None:
    details = {"object_type": "deals", "id_field_name": "ext", "id_field_value": "d1"}
    (error,) = _send(Hub(), _deal("d1", a=1), object_details=details).errors
    assert isinstance(error, Refused)
    assert error.fields == ("object_details.property_group",)


def test_a_property_of_another_type_is_refused() -> None:
    hub = Hub()
    hub.types["deals"] = {"a": ("number", "number"), "long": ("string", "textarea")}
    assert _send(hub, _deal("d1", long="text")).errors == [None]
    (error,) = _send(hub, _deal("d1", a="s3cret")).errors
    assert isinstance(error, Refused)
    assert error.code == "HUBSPOT_PROPERTY_TYPE_MISMATCH"
    assert "s3cret" not in str(error)


def test_sensitive_properties_are_created_as_such() -> None:
    outcome = _send(Hub(), _deal("d1"), sensitive_properties={"ssn": "1"})
    assert outcome.requests[0].url.endswith("/properties/deals?dataSensitivity=sensitive")
    assert [one["dataSensitivity"] for one in body(outcome.requests[1])["inputs"]] == ["sensitive"]


def test_records_of_several_kinds_travel_apart() -> None:
    details = {
        "object_type": {"@path": "$.properties.domain"},
        "id_field_name": "ext",
        "id_field_value": {"@path": "$.properties.id"},
    }
    events = _deal("1", "deals"), _deal("2", "tickets"), _deal("3", "deals")
    outcome = _send(Hub(), *events, object_details=details, associations=None)
    assert [(one.url.split("/")[6], len(body(one)["inputs"])) for one in outcome.requests] == [
        ("deals", 2),
        ("tickets", 1),
    ]


@pytest.mark.parametrize("mode", ["upsert", "update", "add"])
@pytest.mark.parametrize("lost", [True, False])
def test_a_flow_begun_anew_after_any_step_saves_the_same(mode: str, *, lost: bool) -> None:
    events = _deal("d1", "acme.example", name="one"), _deal("d2", "acme.example", name="two")

    def hub() -> Hub:
        made = Hub()
        made.create("deals", {"ext": "d1"})
        return made

    well = hub()
    steps = len(_send(well, *events, mode=mode).requests)
    for at in range(steps):
        ill = hub()
        trouble = Troubled(ill, at, lost=lost)
        outcome = deliver(_objects(mode), *events, answer=trouble, is_batch=True)
        assert outcome.errors == [None, None]
        assert ill.objects["deals"] == well.objects["deals"]


def _record(**changes: Any) -> Any:
    mapping = {
        "objectType": "deals",
        "customObjectSearchFields": {"ext": {"@path": "$.properties.id"}},
        "properties": {"ext": {"@path": "$.properties.id"}, "tags": ["a", "b"]},
        "toObjectType": "contacts",
        "searchFieldsToAssociateCustomObjects": {"email": {"@path": "$.properties.email"}},
        "associationLabel": "HUBSPOT_DEFINED:3",
        **changes,
    }
    return route_of("hubspot", SETTINGS, ("upsertCustomObjectRecord", 'type = "track"', mapping))


EVENT = track(id="d1", email="ana@example.com")


def test_a_record_is_searched_then_created_or_updated() -> None:
    hub = Hub()
    hub.create("contacts", {"email": "ana@example.com"})
    assert lines(drive(_record(), EVENT, answer=hub)) == [
        f"POST {AT}/search",
        "POST /crm/v3/objects/contacts/search",
        f"POST {AT}",
    ]
    outcome = drive(_record(), EVENT, answer=hub)
    assert lines(outcome)[2:] == [
        f"PATCH {AT}/deals-1",
        "PUT /crm/v4/objects/deals/deals-1/associations/contacts/contacts-1",
    ]
    assert hub.kind("deals") == {"deals-1": {"ext": "d1", "tags": "a;b"}}
    assert body(outcome.requests[-1]) == [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}]


def test_a_record_that_is_not_there_is_left_out_when_so_asked() -> None:
    hub = Hub()
    assert drive(_record(createNewCustomRecord=False), EVENT, answer=hub).errors == [None]
    assert not hub.kind("deals")


def test_a_search_that_fits_several_records_is_refused() -> None:
    hub = Hub()
    hub.create("deals", {"ext": "d1"})
    hub.create("deals", {"ext": "d1"})
    (error,) = drive(_record(), EVENT, answer=hub).errors
    assert isinstance(error, Refused)
    assert error.fields == ("customObjectSearchFields",)


def test_an_association_that_fits_several_records_is_told_after_saving() -> None:
    hub = Hub()
    hub.kind("contacts").update({"1": {"email": "ana@example.com"}, "2": {"email": "ana@example.com"}})
    (error,) = drive(_record(), EVENT, answer=hub).errors
    assert isinstance(error, Refused)
    assert error.fields == ("searchFieldsToAssociateCustomObjects",)
    assert len(hub.kind("deals")) == 1


def test_fields_that_cannot_be_searched_are_refused() -> None:
    (error,) = drive(_record(), EVENT, answer=lambda _: reply(status=400)).errors
    assert isinstance(error, Refused)
    assert error.code == "CUSTOM_SEARCH_FAILED"


@pytest.mark.parametrize("is_known", [True, False])
def test_a_record_is_saved_once_when_a_step_was_not_taken(*, is_known: bool) -> None:
    def hub() -> Hub:
        made = Hub()
        made.create("contacts", {"email": "ana@example.com"})
        if is_known:
            made.create("deals", {"ext": "d1"})
        return made

    well = hub()
    steps = len(drive(_record(), EVENT, answer=well).requests)
    for at in range(steps):
        ill = hub()
        assert deliver(_record(), EVENT, answer=Troubled(ill, at, lost=False)).errors == [None]
        assert ill.state == well.state


def test_an_answer_without_an_id_is_a_refusal() -> None:
    def answer(_: Request) -> Reply:
        return reply({"total": 1, "results": [{}]})

    (error,) = drive(_record(), EVENT, answer=answer).errors
    assert isinstance(error, Refused)
    assert error.is_final
