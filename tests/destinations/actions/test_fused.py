"""The written function gives what mapping and fitting give one after the other, whatever the event."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.destinations.actions.fields import (
    boolean,
    each,
    either,
    moment,
    number,
    path,
    record,
    template,
    text,
)
from relay.destinations.actions.fused import compile_fused
from relay.destinations.actions.schema import Fitting
from relay.destinations.errors import Refused
from relay.destinations.mapping import compile_mapping
from tests.destinations import referee

NAMES = st.sampled_from(["a", "b", "c", "0", "length", "type"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "5", "x", "2026-03-02", 1.5]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
FIELDS = {
    "t": text("."),
    "n": number(".", allow_null=True),
    "b": boolean(".", required=True),
    "m": moment("."),
    "o": record("."),
    "p": record(".", {"a": text("."), "b": number(".", required=True)}),
    "q": record(".", {"a": boolean(".")}, more=True),
    "l": record(".", {"a": text(".")}, multiple=True),
    "s": text(".", multiple=True),
    "c": text(".", choices=("x", "5")),
}
NODES = st.sampled_from(
    [
        path("$.a"),
        path("$.a.b"),
        path("$.a.b.c"),
        path("$.a.0"),
        path("$.a.length"),
        path("$."),
        either("$.a", "$.b.c"),
        template("{{a}}-{{b.c}}"),
        each("$.a", {"a": path("$.b")}),
        {"a": path("$.a.b"), "b": path("$.b"), "z": 1},
        {"a": {"b": path("$.a")}, "b": None},
        {"a": either("$.b", "$.a.c"), "c": ""},
        {},
        [path("$.a"), 1],
        "x",
        "",
        None,
        5,
        True,
    ]
)
MAPPINGS = st.dictionaries(st.sampled_from([*FIELDS, "unknown"]), NODES, max_size=8)


def both(
    mapping: dict[str, Any], fitting: Fitting, data: Any, *, keeps_empty: bool = False
) -> tuple[Any, Any]:
    """What the two ways make of it: a payload, or the fields that are wrong."""
    mapped = compile_mapping(mapping)

    def general(event: Any) -> dict[str, Any]:
        return fitting.fit(mapped(event), keeps_empty=keeps_empty)

    fused = compile_fused(mapping, fitting, general, keeps_empty=keeps_empty)
    return _outcome(fused, data), _outcome(general, data)


def _outcome(way: Any, data: Any) -> Any:
    try:
        return way(data)
    except Refused as error:
        return "refused", set(error.fields)


@pytest.mark.timeout(600)
@given(MAPPINGS, st.dictionaries(NAMES, JSON, max_size=4), st.booleans())
@settings(max_examples=600, deadline=None)
def test_both_ways_give_the_same(mapping: dict[str, Any], data: dict[str, Any], keeps_empty: bool) -> None:
    before = copy.deepcopy(data)
    one, other = both(mapping, Fitting(FIELDS), data, keeps_empty=keeps_empty)
    assert one == other
    assert repr(data) == repr(before)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", referee.kinds())
def test_both_ways_give_the_same_for_every_recorded_subscription(kind: str) -> None:
    actions = referee.settings_of(kind).actions
    for subscription in referee.recorded(kind)["subscriptions"]:
        fitting = Fitting(actions[subscription["partnerAction"]].fields)
        for data in referee.events():
            one, other = both(subscription["mapping"], fitting, data)
            assert one == other


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", referee.kinds())
@given(st.data())
@settings(max_examples=40, deadline=None)
def test_both_ways_give_the_same_for_presets_and_mutilated_events(kind: str, data: st.DataObject) -> None:
    types = referee.settings_of(kind)
    presets = types.preset_subscriptions()
    if not presets:
        return
    preset = data.draw(st.sampled_from(presets))
    event = copy.deepcopy(data.draw(st.sampled_from(referee.events())))
    for _ in range(data.draw(st.integers(0, 3))):
        place = event
        for key in data.draw(
            st.lists(st.sampled_from(["context", "properties", "traits", "page"]), max_size=2)
        ):
            place = place.get(key) if isinstance(place.get(key), dict) else place
        if place:
            place[data.draw(st.sampled_from(sorted(place)))] = data.draw(JSON)
    one, other = both(preset.mapping or {}, Fitting(types.actions[preset.action].fields), event)
    assert one == other


def test_names_in_a_mapping_are_never_code() -> None:
    odd = 'x\'] or """\n\\ {} é'
    fitting = Fitting({odd: text("."), "o": record(".", {odd: text(".")})})
    mapping = {odd: path(f"$.{odd}"), "o": {odd: path("$.a")}}
    one, other = both(mapping, fitting, {odd: "v", "a": "w"})
    assert one == other
    assert one["o"] == {odd: "w"}


@pytest.mark.parametrize("keeps_empty", [True, False])
@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", ["", None])
def test_nothings_are_the_same_both_ways(name: str, value: Any, keeps_empty: bool) -> None:
    for place, data in ((path("$.x"), {"x": value}), (value, {})):
        one, other = both({"b": True, name: place}, Fitting(FIELDS), data, keeps_empty=keeps_empty)
        assert one == other
