"""messageId: kept, or derived from the place in the log, and then the same on every read."""

import pytest

from relay.admission.normalise import events_of, parse, place, prepare
from tests.admission.normal import LOG_ID, admitted, normal, request, track

ODD: list[object] = [None, "", "x" * 101, 5, 0, 1.5, True, False, [], {}, ["m"]]


@pytest.mark.parametrize("given", ["m", "x" * 100, "ajs-next-1-2", "é" * 100, " ", "0"])
def test_an_id_of_1_to_100_characters_is_kept(given: str) -> None:
    found = admitted(track(messageId=given))
    assert found.message_id == found.data["messageId"] == given
    assert found.notes == ()


@pytest.mark.parametrize("given", [..., *ODD])
def test_any_other_is_replaced_by_one_that_the_log_gives(given: object) -> None:
    found = admitted(track(messageId=given))
    assert found.message_id == found.data["messageId"] == "relay-abcd0123-7-0"
    assert found.outcome is None


@pytest.mark.parametrize("given", ODD[1:])
def test_that_an_id_was_replaced_is_noted(given: object) -> None:
    (note,) = admitted(track(messageId=given)).notes
    assert "messageId" in note


@pytest.mark.parametrize("given", [..., None])
def test_where_no_id_was_sent_there_is_nothing_to_note(given: object) -> None:
    assert admitted(track(messageId=given)).notes == ()


def test_a_derived_id_is_the_same_on_every_read_and_no_two_are_alike() -> None:
    record = request({"batch": [track(messageId=...), track(), track(messageId=...)]})
    first, again = events_of(record, LOG_ID), events_of(record, LOG_ID)
    assert [e.json for e in first] == [e.json for e in again]
    assert [e.message_id for e in first] == ["relay-abcd0123-7-0", "m-1", "relay-abcd0123-7-2"]


def test_a_derived_id_is_another_in_another_place_or_another_log() -> None:
    body = {"batch": [track(messageId=...)]}
    derived = {
        events_of(request(body, sequence=sequence), log_id)[0].message_id
        for sequence in (1, 2)
        for log_id in (LOG_ID, "ffff0000")
    }
    assert len(derived) == 4


def test_an_event_that_was_prepared_before_it_was_logged_is_the_one_that_is_read_later() -> None:
    record = request({"batch": [track(messageId=...), track(), {}, 5]}, sequence=0)
    prepared = prepare(record, parse(record.body, record.route))
    record.sequence = 9
    later = events_of(record, LOG_ID)
    for now, then in zip(place(prepared, record, LOG_ID), later, strict=True):
        assert (now.json, now.message_id, now.sequence, now.index) == (
            then.json,
            then.message_id,
            then.sequence,
            then.index,
        )


def test_the_id_of_the_envelope_is_nobodys() -> None:
    found = normal(track(messageId=...), envelope={"messageId": "envelope"})
    assert found["messageId"] == "relay-abcd0123-7-0"
