"""Too large, too many, too deep, or no event at all: that event is rejected, and the others pass."""

import json
from contextlib import suppress

import pytest

from relay.admission.normalise import events_of, parse
from relay.errors import EventRejected
from relay.event import MAX_EVENT, Event
from relay.outcome import Outcome
from tests.admission.normal import LOG_ID, Json, admitted, event, request, track


def sized(size: int, fields: Json) -> Json:
    """`fields` with a property that makes it `size` bytes of compact JSON."""
    padded = {**fields, "properties": {"x": ""}}
    missing = size - len(json.dumps(padded, separators=(",", ":"), ensure_ascii=False).encode())
    padded["properties"] = {"x": "x" * missing}
    return padded


def outcomes(body: object, *, client: bool = False) -> list[tuple[Outcome | None, str | None]]:
    return [(e.outcome, e.reason) for e in events_of(request(body, client=client), LOG_ID)]


GOOD = (None, None)
TOO_LARGE = (Outcome.REJECTED, "payload_too_large")
FAST, LONG = track(), event("alias", previousId="p")


def test_thirty_two_kilobytes_are_32768_bytes() -> None:
    assert MAX_EVENT == 32_768


@pytest.mark.parametrize("fields", [FAST, LONG])
def test_an_event_may_have_32768_bytes_and_not_one_more(fields: Json) -> None:
    assert admitted(sized(32_768, fields), client=True, agent="x" * 500).outcome is None
    found = admitted(sized(32_769, fields), client=True)
    assert (found.outcome, found.reason) == TOO_LARGE
    assert found.notes == ("Exceed payload limit",)


@pytest.mark.parametrize("fields", [FAST, LONG])
def test_in_a_batch_only_the_event_that_is_too_large_is_rejected(fields: Json) -> None:
    body = {"batch": [FAST, sized(32_769, fields), LONG, sized(32_768, fields)]}
    assert outcomes(body, client=True) == [GOOD, TOO_LARGE, GOOD, GOOD]


@pytest.mark.parametrize("fields", [FAST, LONG])
def test_white_space_and_escapes_do_not_count(fields: Json) -> None:
    padded = {**fields, "properties": {"x": "é" * 16_000, "y": [1] * 100}}
    text = json.dumps({"batch": [padded]}, indent=4).encode()
    assert len(text) > 90_000
    assert outcomes(text) == [GOOD]


@pytest.mark.parametrize("fields", [FAST, LONG])
def test_what_relay_adds_does_not_count(fields: Json) -> None:
    large = sized(32_768, {**fields, "timestamp": "2026-11-24T11:00:00.000Z"})
    (found,) = events_of(request(large, fields["type"], client=True, agent="a" * 300), LOG_ID)
    assert found.outcome is None
    assert len(found.json) > 33_000


def test_what_relay_takes_away_does_count() -> None:
    found = admitted(sized(32_769, track(writeKey="k" * 40, sequence=12345678)))
    assert (found.outcome, found.reason) == TOO_LARGE


def test_of_a_rejected_event_no_more_is_kept_than_may_be() -> None:
    assert len(admitted(sized(40_000, FAST)).json) < 1000
    (found,) = events_of(request({"batch": [{"type": "x" * 40_000}]}), LOG_ID)
    assert found.outcome is Outcome.REJECTED
    assert len(found.json) < 1000


def test_of_more_than_2500_events_the_excess_is_rejected() -> None:
    batch = [track(messageId=f"m-{n}") for n in range(2502)]
    found = events_of(request({"batch": batch}), LOG_ID)
    assert [e.message_id for e in found[:2500]] == [f"m-{n}" for n in range(2500)]
    assert all(e.outcome is None for e in found[:2500])
    (excess,) = found[2500:]
    assert (excess.outcome, excess.reason, excess.index) == (Outcome.REJECTED, "batch_too_long", 2500)
    assert excess.notes == ("2 events beyond 2,500 were rejected",)
    assert len(events_of(request({"batch": batch[:2500]}), LOG_ID)) == 2500


@pytest.mark.parametrize("member", [None, 5, "text", [], [{}], True])
def test_a_member_that_is_no_object_is_rejected(member: object) -> None:
    found = events_of(request({"batch": [FAST, member, FAST]}), LOG_ID)
    assert [e.reason for e in found] == [None, "bad_request", None]
    assert found[1].data == {"value": member}


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (track(userId=...), "no_user_anon_id"),
        (track(event=...), "missing_event"),
        (track(type="purchase"), "bad_request"),
        (track(type=...), "bad_request"),
        (event("group"), "id_required"),
        (event("alias"), "id_required"),
        (track(properties="text"), "properties_not_object"),
    ],
)
def test_a_member_that_breaks_the_spec_is_rejected_and_the_others_pass(member: Json, reason: str) -> None:
    found = events_of(request({"batch": [FAST, member, LONG]}), LOG_ID)
    assert [e.reason for e in found] == [None, reason, None]
    assert found[1].data == member


def nested(levels: int) -> str:
    return ',"x":' + "[" * levels + "]" * levels


@pytest.mark.parametrize("fields", [FAST, LONG, track(messageId=...)])
def test_an_event_may_be_as_deep_as_anybody_needs(fields: Json) -> None:
    text = f'{{"batch":[{json.dumps(fields)[:-1]}{nested(300)}}}]}}'.encode()
    (found,) = events_of(request(text), LOG_ID)
    assert found.outcome is None
    assert found.data["messageId"] == found.message_id
    assert b"[" * 300 in found.json


@pytest.mark.parametrize("levels", [2000, 100_000])
def test_a_body_that_is_too_deep_to_be_read_is_refused(levels: int) -> None:
    text = f'{{"batch":[{json.dumps(LONG)[:-1]}{nested(levels)}}}]}}'.encode()
    with pytest.raises(EventRejected) as refusal:
        events_of(request(text), LOG_ID)
    assert refusal.value.code == "bad_request"


def padded(fields: Json, more: str) -> str:
    return json.dumps({**fields, "y": "y" * 33_000})[:-1] + more + "}"


@pytest.mark.parametrize("fields", [FAST, LONG])
def test_a_member_that_is_large_and_deep_spoils_no_other(fields: Json) -> None:
    deep = padded(fields, nested(300))
    found = outcomes(f'{{"batch":[{json.dumps(FAST)},{deep}]}}'.encode())
    assert found[0] == GOOD
    assert found[1][0] is Outcome.REJECTED


@pytest.mark.parametrize("fields", [FAST, LONG])
def test_a_number_beyond_a_double_spoils_no_other(fields: Json) -> None:
    infinite = json.dumps(fields)[:-1] + ',"x":1e400}'
    found = outcomes(f'{{"batch":[{padded(fields, "")},{json.dumps(FAST)},{infinite}]}}'.encode())
    assert found[:2] == [TOO_LARGE, GOOD]


@pytest.mark.parametrize("fields", [FAST, LONG, track(messageId=...)])
def test_a_number_beyond_a_double_in_a_single_event_is_answered(fields: Json) -> None:
    body = request((json.dumps(fields)[:-1] + ',"x":1e400}').encode(), fields["type"])
    with suppress(EventRejected):  # that would be an answer, too
        (found,) = events_of(body, LOG_ID)
        assert isinstance(found, Event)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"5", b'"batch"', b"{}", b'{"batch":{}}', b'{"batch":null}']
)
def test_a_body_that_holds_no_events_is_refused(body: bytes) -> None:
    with pytest.raises(EventRejected) as refusal:
        parse(body, "batch")
    assert refusal.value.code == "bad_request"


def test_an_empty_batch_holds_no_events() -> None:
    assert events_of(request({"batch": []}), LOG_ID) == []
