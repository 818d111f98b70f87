"""Masking: the form of an event stays, its values do not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.plans.masking import masked, masked_event

MARKER = "s3cr3t"
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.just(MARKER)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from("abc"), inner)),
    max_leaves=20,
)


def form(value: Any) -> Any:
    """What must not change: keys, lists, null."""
    if isinstance(value, dict):
        return {key: form(inner) for key, inner in value.items()}
    return [form(inner) for inner in value] if isinstance(value, list) else value is None


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for inner in value for leaf in leaves(inner)] if isinstance(value, list) else [value]


@given(values)
def test_the_form_stays_and_no_value_does(value: Any) -> None:
    assert form(masked(value)) == form(value)
    assert set(map(str, leaves(masked(value)))) <= {"None", "<string>", "<number>", "<boolean>"}


def test_each_kind_of_value_has_its_word() -> None:
    value = {"s": "", "i": 1, "f": 1.5, "b": True, "n": None, "l": [{"s": "x"}, []], "o": {}}
    assert masked(value) == {
        "s": "<string>",
        "i": "<number>",
        "f": "<number>",
        "b": "<boolean>",
        "n": None,
        "l": [{"s": "<string>"}, []],
        "o": {},
    }


@pytest.mark.parametrize(("kind", "kept"), [("track", "event"), ("page", "name"), ("screen", "name")])
def test_what_says_which_event_it_is_stays(kind: str, kept: str) -> None:
    stays = {
        "type": kind,
        kept: "Shown",
        "messageId": "m",
        "timestamp": "2026-11-24T11:15:19.871Z",
        "originalTimestamp": "2026-11-24T11:15:19.871Z",
        "sentAt": "2026-11-24T11:15:19.871Z",
        "receivedAt": "2026-11-24T11:15:19.871Z",
    }
    goes = {"userId": MARKER, "properties": {"type": MARKER, "event": MARKER, "timestamp": MARKER}}
    found = masked_event(stays | goes)
    assert {key: found[key] for key in stays} == stays
    assert MARKER not in str(found)


@pytest.mark.parametrize("kind", ["track", "identify", "group", "alias"])
def test_a_name_that_is_no_events_name_goes(kind: str) -> None:
    assert masked_event({"type": kind, "name": MARKER})["name"] == "<string>"


@pytest.mark.parametrize("value", [MARKER, 17, "17", {"a": MARKER}])
def test_a_time_that_is_none_goes(value: Any) -> None:
    found = masked_event({"type": "track", "event": "E", "sentAt": value})
    assert found["sentAt"] == masked(value)
