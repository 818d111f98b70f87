"""timestamp, originalTimestamp, sentAt and receivedAt, whatever the sender's clock says."""

import pytest

from tests.admission.normal import RECEIVED, Json, admitted, normal, track

EARLY = "2026-11-24T11:50:00.000Z"
SENT = "2026-11-24T11:59:00.000Z"  # by a clock that is a minute behind
CORRECTED = "2026-11-24T11:51:00.000Z"
ODD = ["yesterday", "2026-13-01T00:00:00Z", "1795521600", 1795521600, True, {"a": 1}, ["2026-11-24"]]


def times(found: Json) -> tuple[str | None, ...]:
    return tuple(found.get(name) for name in ("timestamp", "originalTimestamp", "sentAt", "receivedAt"))


def test_the_senders_clock_is_corrected_by_what_sent_at_says() -> None:
    assert times(normal(track(timestamp=EARLY, sentAt=SENT))) == (CORRECTED, EARLY, SENT, RECEIVED)


def test_sent_at_may_stand_in_the_envelope() -> None:
    found = normal(track(timestamp=EARLY), envelope={"sentAt": SENT})
    assert times(found) == (CORRECTED, EARLY, SENT, RECEIVED)


def test_sent_at_may_stand_in_a_header() -> None:
    assert times(normal(track(timestamp=EARLY), sent_at=SENT)) == (CORRECTED, EARLY, SENT, RECEIVED)


def test_the_events_own_sent_at_wins_over_the_envelopes_and_that_over_the_headers() -> None:
    other = "2026-11-24T10:00:00.000Z"
    found = normal(track(timestamp=EARLY, sentAt=SENT), envelope={"sentAt": other}, sent_at=other)
    assert times(found) == (CORRECTED, EARLY, SENT, RECEIVED)
    found = normal(track(timestamp=EARLY), envelope={"sentAt": SENT}, sent_at=other)
    assert times(found) == (CORRECTED, EARLY, SENT, RECEIVED)


@pytest.mark.parametrize("odd", [*ODD, None, ""])
def test_a_sent_at_that_is_none_counts_as_absent(odd: object) -> None:
    found = normal(track(timestamp=EARLY, sentAt=odd))
    assert times(found) == (EARLY, EARLY, None, RECEIVED)
    found = normal(track(timestamp=EARLY, sentAt=odd), envelope={"sentAt": SENT})
    assert times(found) == (CORRECTED, EARLY, SENT, RECEIVED)
    found = normal(track(timestamp=EARLY), envelope={"sentAt": odd}, sent_at=SENT)
    assert times(found) == (CORRECTED, EARLY, SENT, RECEIVED)


def test_without_sent_at_the_senders_clock_is_believed() -> None:
    assert times(normal(track(timestamp=EARLY))) == (EARLY, EARLY, None, RECEIVED)


def test_without_a_timestamp_it_happened_when_it_was_received() -> None:
    assert times(normal(track())) == (RECEIVED, None, None, RECEIVED)
    assert times(normal(track(sentAt=SENT))) == (RECEIVED, None, SENT, RECEIVED)


def test_an_original_timestamp_that_was_sent_wins_over_the_timestamp() -> None:
    found = normal(track(originalTimestamp=EARLY, timestamp=RECEIVED, sentAt=SENT))
    assert times(found) == (CORRECTED, EARLY, SENT, RECEIVED)


def test_a_null_original_timestamp_leaves_the_timestamp() -> None:
    assert times(normal(track(originalTimestamp=None, timestamp=EARLY))) == (EARLY, EARLY, None, RECEIVED)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ["timestamp", "originalTimestamp"])
def test_a_timestamp_that_is_none_counts_as_absent_and_is_noted(name: str, odd: object) -> None:
    found = admitted(track(**{name: odd}, sentAt=SENT))
    assert found.outcome is None
    assert times(found.data) == (RECEIVED, None, SENT, RECEIVED)
    assert found.notes == ("timestamp is not an ISO 8601 time: receivedAt was taken",)


@pytest.mark.parametrize("absent", [None, ""])
def test_a_null_or_empty_timestamp_is_not_worth_a_note(absent: object) -> None:
    found = admitted(track(timestamp=absent))
    assert times(found.data) == (RECEIVED, None, None, RECEIVED)
    assert found.notes == ()


@pytest.mark.parametrize(
    ("given", "emitted"),
    [
        ("2026-11-24T11:50:00Z", EARLY),
        ("2026-11-24T11:50:00.123456Z", "2026-11-24T11:50:00.123Z"),
        ("2026-11-24T11:50:00.123456789Z", "2026-11-24T11:50:00.123Z"),
        ("2026-11-24T12:50:00.000+01:00", EARLY),
        ("2026-11-24T04:50:00-0700", EARLY),
        ("2015-2-02", "2015-02-02T00:00:00.000Z"),
    ],
)
def test_times_are_emitted_in_utc_with_milliseconds(given: str, emitted: str) -> None:
    found = normal(track(timestamp=given))
    assert times(found) == (emitted, emitted, None, RECEIVED)
    assert normal(track(sentAt=given))["sentAt"] == emitted


def test_a_timestamp_up_to_a_day_ahead_is_believed_and_no_further() -> None:
    tomorrow, later = "2026-11-25T12:00:00.000Z", "2026-11-25T12:00:00.001Z"
    assert times(normal(track(timestamp=tomorrow))) == (tomorrow, tomorrow, None, RECEIVED)
    found = admitted(track(timestamp=later))
    assert times(found.data) == (RECEIVED, later, None, RECEIVED)
    assert found.notes == ("timestamp is more than a day in the future: receivedAt was taken",)


def test_a_clock_far_ahead_is_corrected_and_not_disbelieved() -> None:
    found = admitted(track(timestamp="2031-01-01T00:00:00.000Z", sentAt="2031-01-01T00:01:00.000Z"))
    assert found.data["timestamp"] == "2026-11-24T11:59:00.000Z"
    assert found.notes == ()


@pytest.mark.parametrize("given", ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"])
@pytest.mark.parametrize("sent", ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", ...])
def test_no_time_is_too_far_away_to_be_handled(given: str, sent: object) -> None:
    found = normal(track(timestamp=given, sentAt=sent))
    assert found["originalTimestamp"] == given
    assert len(found["timestamp"]) == 24


def test_the_timestamp_of_the_envelope_is_nobodys() -> None:
    assert times(normal(track(), envelope={"timestamp": EARLY})) == (RECEIVED, None, None, RECEIVED)
