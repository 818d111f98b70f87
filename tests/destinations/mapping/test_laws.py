"""What holds for every mapping and every event."""

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from relay.destinations.mapping import MISSING, MappingError, compile_mapping
from relay.destinations.mapping.compiler import DIRECTIVES

NAMES = st.text("abcxyz_ ü", min_size=1, max_size=5)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=4)
FULL_OBJECTS = st.recursive(
    st.dictionaries(NAMES, SCALARS, min_size=1, max_size=3),
    lambda inner: st.dictionaries(NAMES, inner | SCALARS, min_size=1, max_size=3),
    max_leaves=8,
)

PATHS = st.sampled_from(["$.a", "$.b.x", "a[0]", "$", "", "$.c.length", "y"])
TEMPLATES = st.sampled_from(["{{a}}", "{{{b}}} {{c}}", "{{", "x", "{{ event | upcase }}"])
OPTIONS = [
    *("exists", "blank", "then", "else", "operator", "value", "pattern", "replacement", "ignorecase"),
    *("global", "pattern2", "replacement2", "separator", "omitArrays", "mode", "objects", "direction"),
    *("apply", "mapping", "_metadata", "a", "__segment_internal_directive"),
]
WORDS = st.sampled_from(["lower", "upper", "encode", "decode", "left", "right", ".", "-"])


def nodes(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from([*DIRECTIVES, "@nope"])
    return (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(OPTIONS), inner, max_size=5)
        | st.dictionaries(names | st.sampled_from(OPTIONS), inner, max_size=2)
        | st.builds(lambda name, argument: {name: argument}, names, inner)
        | st.builds(lambda path: {"@path": path}, PATHS)
        | st.builds(lambda template: {"@template": template}, TEMPLATES)
    )


GARBAGE = st.recursive(SCALARS | PATHS | TEMPLATES | WORDS, nodes, max_leaves=25)
EVENTS = st.dictionaries(st.sampled_from(["a", "b", "c", "event"]), JSON, max_size=4)


def outcome(mapping: Any, event: dict[str, Any]) -> str:
    try:
        return repr(compile_mapping(mapping)(event))
    except MappingError as error:
        return str(error)


@given(OBJECTS, EVENTS)
def test_what_has_no_directive_stands_for_itself(mapping: dict[str, Any], event: dict[str, Any]) -> None:
    made = compile_mapping(mapping)(event)
    assert made == mapping
    assert made is not mapping


@given(JSON, EVENTS)
def test_literal_is_the_identity(value: Any, event: dict[str, Any]) -> None:
    assert compile_mapping({"v": {"@literal": value}})(event) == {"v": value}


@given(st.lists(NAMES, min_size=1, max_size=6), JSON)
def test_a_path_finds_what_was_put_there(names: list[str], value: Any) -> None:
    event = value
    for name in reversed(names):
        event = {name: event}
    assert compile_mapping({"@path": "$." + ".".join(names)})(event) == value


@given(st.lists(NAMES, min_size=1, max_size=6))
def test_a_path_to_nothing_is_missing(names: list[str]) -> None:
    assert compile_mapping({"@path": "$." + ".".join(names)})({}) is MISSING


@given(FULL_OBJECTS)
def test_flattening_keeps_all_there_is_to_rebuild_the_object(value: dict[str, Any]) -> None:
    flat = compile_mapping({"@flatten": {"value": {"@path": ""}, "separator": "/"}})(value)
    rebuilt: dict[str, Any] = {}
    for key, leaf in flat.items():
        *parents, last = key.split("/")
        place = rebuilt
        for name in parents:
            place = place.setdefault(name, {})
        place[last] = leaf
    assert rebuilt == value


@given(JSON)
def test_decoding_undoes_encoding(value: Any) -> None:
    event = {"v": value}
    encoded = compile_mapping({"@json": {"mode": "encode", "value": {"@path": "v"}}})(event)
    decoded = compile_mapping({"@json": {"mode": "decode", "value": {"@path": "v"}}})({"v": encoded})
    assert as_doubles(decoded) == as_doubles(value)


def as_doubles(value: Any) -> Any:
    if isinstance(value, list):
        return [as_doubles(item) for item in value]
    if isinstance(value, dict):
        return {key: as_doubles(item) for key, item in value.items()}
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(OBJECTS, OBJECTS)
def test_merging_right_is_merging_left_the_other_way_round(one: dict[str, Any], two: dict[str, Any]) -> None:
    def merge(first: str, second: str, direction: str) -> Any:
        objects = [{"@path": first}, {"@path": second}]
        return compile_mapping({"@merge": {"objects": objects, "direction": direction}})

    event = {"one": one, "two": two}
    assert merge("one", "two", "right")(event) == merge("two", "one", "left")(event) == {**one, **two}


@given(GARBAGE, EVENTS)
def test_any_mapping_works_or_says_where_it_is_wrong(mapping: Any, event: dict[str, Any]) -> None:
    outcome(mapping, event)


@given(GARBAGE, EVENTS)
def test_nothing_is_ever_changed_and_the_same_comes_twice(mapping: Any, event: dict[str, Any]) -> None:
    before = copy.deepcopy((mapping, event))
    first = outcome(mapping, event)
    assert outcome(mapping, event) == first
    assert (mapping, event) == before


@given(GARBAGE, EVENTS)
def test_a_missing_value_is_never_inside_a_result(mapping: Any, event: dict[str, Any]) -> None:
    try:
        made = compile_mapping({"v": mapping})(event)
    except MappingError:
        return
    json.dumps(made)
