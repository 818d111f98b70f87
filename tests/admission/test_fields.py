"""The other fields: ids, names, what is dropped, what is kept as it came."""

import pytest

from relay.admission.normalise import events_of
from tests.admission.normal import LOG_ID, RECEIVED, Json, admitted, event, normal, request, track

ADDED = {"context", "integrations", "receivedAt", "timestamp", "version", "sourceId"}


def test_every_event_gets_the_common_fields() -> None:
    found = normal(track(), source="shop")
    assert found == {
        "type": "track",
        "event": "Ordered",
        "userId": "u-1",
        "messageId": "m-1",
        "context": {},
        "integrations": {},
        "timestamp": RECEIVED,
        "receivedAt": RECEIVED,
        "version": 2,
        "sourceId": "shop",
    }


def test_a_sender_cannot_give_what_is_relays_to_give() -> None:
    found = normal(track(receivedAt="2001-01-01T00:00:00.000Z", version=1, sourceId="other"))
    assert (found["receivedAt"], found["version"], found["sourceId"]) == (RECEIVED, 2, "app")


@pytest.mark.parametrize("name", ["writeKey", "sequence"])
@pytest.mark.parametrize("value", ["k", "", None, 5, {"a": 1}, 'q"\\'])
def test_the_write_key_and_the_senders_sequence_are_dropped(name: str, value: object) -> None:
    assert set(normal(track(**{name: value}))) == set(track()) | ADDED


@pytest.mark.parametrize("value", ["server", None, 5, ["x"], {"unbundled": ["A"]}, ""])
@pytest.mark.parametrize("name", ["_metadata", "channel", "whatever", "é"])
def test_what_is_unknown_is_kept_as_it_came(name: str, value: object) -> None:
    assert normal(track(**{name: value}))[name] == value


@pytest.mark.parametrize("absent", [None, "", ...])
@pytest.mark.parametrize("name", ["userId", "anonymousId"])
def test_null_and_empty_ids_are_absent(name: str, absent: object) -> None:
    ids = {"userId": "u", "anonymousId": "a", name: absent}
    assert name not in normal(track(**ids))


@pytest.mark.parametrize(
    ("given", "text"),
    [(5, "5"), (0, "0"), (-7, "-7"), (12345678901234, "12345678901234"), (1.5, "1.5"), (2.0, "2")],
)
def test_numeric_ids_become_strings(given: float, text: str) -> None:
    found = normal(track(userId=given, anonymousId=given))
    assert (found["userId"], found["anonymousId"]) == (text, text)
    assert normal(event("group", groupId=given))["groupId"] == text
    assert normal(event("alias", previousId=given))["previousId"] == text


@pytest.mark.parametrize("others", [{}, {"anonymousId": "a"}])
def test_a_numeric_id_becomes_a_string_whatever_else_the_event_has(others: Json) -> None:
    assert normal(track(groupId=5, **others))["groupId"] == "5"


@pytest.mark.parametrize("odd", [[], {}, {"a": 1}, ["x"]])
@pytest.mark.parametrize("name", ["userId", "anonymousId", "groupId", "previousId"])
def test_an_id_of_an_odd_type_is_not_called_a_matter_of_depth(name: str, odd: object) -> None:
    ids = {"userId": "u", "anonymousId": "a", "groupId": "g", name: odd}
    assert "deep" not in " ".join(admitted(event("group", **ids)).notes)
    assert "deep" not in " ".join(admitted(track(**ids)).notes)


@pytest.mark.parametrize("empty", [[], {}])
def test_phps_empty_list_is_an_empty_object(empty: object) -> None:
    assert normal(track(properties=empty))["properties"] == {}
    assert normal(event("identify", traits=empty))["traits"] == {}


@pytest.mark.parametrize("name", ["properties", "traits"])
def test_null_properties_and_traits_are_absent(name: str) -> None:
    assert name not in normal(track(**{name: None}))


@pytest.mark.parametrize("kind", ["page", "screen"])
def test_name_and_category_are_filled_into_a_pages_properties(kind: str) -> None:
    found = normal(event(kind, name="Home", category="Docs", properties={"url": "/"}))
    assert found["properties"] == {"url": "/", "name": "Home", "category": "Docs"}
    assert (found["name"], found["category"]) == ("Home", "Docs")
    assert normal(event(kind, name="Home"))["properties"] == {"name": "Home"}


@pytest.mark.parametrize("empty", [None, ""])
def test_a_pages_own_properties_win_unless_they_are_empty(empty: object) -> None:
    given = {"name": "own", "category": empty}
    found = normal(event("page", name="Home", category="Docs", properties=given))
    assert found["properties"] == {"name": "own", "category": "Docs"}


@pytest.mark.parametrize("empty", [None, ""])
def test_a_null_or_empty_name_is_absent(empty: object) -> None:
    found = normal(event("page", name=empty, category=empty))
    assert not {"name", "category", "properties"} & set(found)


def test_a_tracks_properties_are_not_filled() -> None:
    assert normal(track(name="n", category="c", properties={"a": 1}))["properties"] == {"a": 1}


def test_an_alias_to_oneself_is_accepted() -> None:
    found = normal(event("alias", userId="same", previousId="same"))
    assert (found["userId"], found["previousId"]) == ("same", "same")


def test_numbers_and_texts_are_kept_as_they_came() -> None:
    properties = {
        "i": 2**53,
        "f": 0.1,
        "big": 1e300,
        "s": 'é😀\u2028"\\',
        "n": None,
        "l": [1, [2]],
        "z": -0.0,
    }
    assert normal(track(properties=properties))["properties"] == properties


def test_the_integrations_of_an_event_are_at_hand_without_decoding_it() -> None:
    assert admitted(track(integrations={"All": False})).integrations == {"All": False}
    assert admitted(track(integrations={})).integrations is None
    assert admitted(track()).integrations is None
    assert admitted(track(), envelope={"integrations": {"A": True}}).integrations == {"A": True}


def test_the_route_decides_the_type_of_a_single_event() -> None:
    (found,) = events_of(request(track(type="identify"), "track"), LOG_ID)
    assert (found.outcome, found.data["type"]) == (None, "track")
    (found,) = events_of(request(track(type=...), "track"), LOG_ID)
    assert found.data["type"] == "track"
