"""What HubSpot is sent when relay.toml has no subscriptions."""

import msgspec
import pytest

from relay.destinations.hubspot import Hubspot
from relay.destinations.tried import signed
from tests.destinations.driving import drive, lines, route_of
from tests.destinations.hubspot.hub import SETTINGS, Hub, group, identify, track


def test_contacts_go_in_batches_and_companies_one_by_one() -> None:
    hub = Hub()
    events = [identify(), group(), identify("bob@example.com"), track()]
    outcome = drive(route_of("hubspot", SETTINGS), *events, answer=hub, is_batch=True)
    assert [line.split("/")[-1].split("?")[0] for line in lines(outcome)][:2] == ["read", "create"]
    assert outcome.errors == [None] * 3
    assert (len(hub.kind("contacts")), len(hub.kind("companies")), hub.events) == (2, 1, [])


def test_an_identify_without_an_email_is_not_for_hubspot() -> None:
    event = identify()
    del event["traits"]["email"]
    assert not drive(route_of("hubspot", SETTINGS), event).errors


def test_the_token_goes_with_every_request_and_is_secret() -> None:
    route = route_of("hubspot", SETTINGS)
    for request in drive(route, identify(), group(), answer=Hub(), is_batch=True).requests:
        sent = signed(route._settings, request)
        assert sent.headers["authorization"] == "Bearer t0ken"
        assert "authorization" in sent.secret


def test_an_unknown_setting_is_an_error() -> None:
    with pytest.raises(msgspec.ValidationError, match="portal"):
        msgspec.convert({"portal": "1"}, Hubspot)


def test_the_token_is_checked_by_reading_a_contact() -> None:
    request = next(Hubspot().check())
    assert request.url == "https://api.hubapi.com/crm/v3/objects/contacts?limit=1"
