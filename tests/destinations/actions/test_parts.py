"""Batches of which some events are refused before anything is sent."""

from collections.abc import Mapping
from typing import Any

import pytest

from relay.destinations.actions import Call
from relay.destinations.actions.parts import Parts
from relay.destinations.errors import HttpError, Refused
from relay.destinations.reply import Reply


def call(**payload: Any) -> Call:
    return Call(payload, {}, 0)


def name_of(one: Call) -> str:
    if "name" not in one.payload:
        raise Refused("name is missing", fields=("name",))
    return str(one.payload["name"])


def parts(*payloads: Mapping[str, Any]) -> Parts[str]:
    return Parts.of([call(**payload) for payload in payloads], name_of)


def error(status: int) -> HttpError:
    return HttpError(Reply(status, ""))


def test_every_call_has_a_place_among_the_results() -> None:
    made = parts({"name": "a"}, {}, {"name": "b"})
    assert (made.made, made.places) == (["a", "b"], [0, 2])
    assert [result is None for result in made.results] == [True, False, True]


def test_the_place_of_what_was_sent_is_that_of_its_call() -> None:
    made, refused = parts({}, {"name": "a"}, {"name": "b"}), error(400)
    made.fail(1, refused)
    assert made.results[2] is refused
    assert made.results[1] is None


@pytest.mark.parametrize("index", [-1, 2, 99])
def test_a_place_that_nobody_has_is_ignored(index: int) -> None:
    made = parts({"name": "a"}, {"name": "b"})
    made.fail(index, error(400))
    assert made.results == [None, None]


def test_what_was_said_first_holds() -> None:
    made, first = parts({"name": "a"}), error(400)
    made.fail(0, first)
    made.fail(0, error(500))
    assert made.results == [first]


@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_failed_request_leaves_refusals_as_they_are(status: int) -> None:
    made, failed = parts({"name": "a"}, {}), error(status)
    first, second = made.failed(failed)
    assert first is failed
    assert isinstance(second, Refused)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_reply_that_may_mean_one_event_is_for_delivery_to_look_into(status: int) -> None:
    made, failed = parts({"name": "a"}, {}), error(status)
    with pytest.raises(HttpError):
        made.failed(failed)


def test_a_request_without_anybody_in_it_changes_nothing() -> None:
    made = parts({}, {})
    assert all(isinstance(result, Refused) for result in made.failed(error(400)))
