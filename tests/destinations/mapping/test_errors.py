"""A wrong mapping says where and what, when it is compiled."""

import pickle
from typing import Any

import pytest

from relay.destinations.mapping import MISSING, MappingError, compile_mapping
from relay.errors import RelayError


@pytest.mark.parametrize(
    ("mapping", "path"),
    [
        ({"a": {"b": {"@nope": 1}}}, "$.a.b"),
        ({"a": [1, {"@path": 5}]}, "$.a[1].@path"),
        ({"@path": "a", "x": 1}, "$"),
        ({"@path": "a", "@literal": 1}, "$"),
        ({"v": {"@if": {"then": 1}}}, "$.v.@if"),
        ({"v": {"@case": {"operator": "title", "value": {"@path": "a"}}}}, "$.v.@case.operator"),
        ({"v": {"@replace": {"value": "x", "pattern": "12345678901"}}}, "$.v.@replace.pattern"),
        ({"v": {"@replace": {"value": "x", "pattern": "a", "global": None}}}, "$.v.@replace.global"),
        ({"v": {"@merge": {"objects": [{}, None], "direction": "left"}}}, "$.v.@merge.objects[1]"),
        ({"v": {"@flatten": {"value": {}, "separator": ""}}}, "$.v.@flatten.separator"),
        ({"v": {"@arrayPath": ["a", {"x": {"@if": {}}}]}}, "$.v.@arrayPath[1].x.@if"),
        ({"v": {"@liquid": "{% if %}"}}, "$.v.@liquid"),
        ({"v": {"@liquid": "x" * 1001}}, "$.v.@liquid"),
        ({"__segment_internal_directive": {"@transform": None}, "a": 1}, "$.__segment_internal_directive"),
        ({"v": {1, 2}}, "$.v"),
        ({"v": {1: 2}}, "$.v"),
        (None, "$"),
    ],
)
def test_the_error_names_the_place(mapping: Any, path: str) -> None:
    with pytest.raises(MappingError) as wrong:
        compile_mapping(mapping)
    assert wrong.value.path == path
    assert str(wrong.value) == f"{path}: {wrong.value.reason}"


@pytest.mark.parametrize("node", [{"@path": {"@path": "n"}}, {"@template": {"@path": "n"}}])
def test_a_computed_path_that_is_no_text_fails_for_that_event_only(node: Any) -> None:
    mapped = compile_mapping({"v": node})
    assert mapped({"n": "n"}) == {"v": "n"}
    with pytest.raises(MappingError, match=r"^\$\.v\.@"):
        mapped({"n": 5})


def test_an_event_is_an_object() -> None:
    with pytest.raises(MappingError):
        compile_mapping({"a": 1})([])  # type: ignore[arg-type]


@pytest.mark.parametrize("depth", [101, 5000])
def test_a_mapping_may_not_be_nested_without_end(depth: int) -> None:
    mapping: Any = {"@path": "a"}
    for _ in range(depth):
        mapping = {"a": mapping}
    with pytest.raises(MappingError, match="nested deeper"):
        compile_mapping(mapping)


def test_an_event_nested_without_end_is_an_error_too() -> None:
    event: Any = {}
    for _ in range(5000):
        event = {"a": event}
    mapped = compile_mapping({"v": {"@json": {"mode": "encode", "value": {"@path": ""}}}})
    with pytest.raises(MappingError, match="nested too deeply"):
        mapped(event)


def test_the_error_explains_itself_and_travels() -> None:
    error = MappingError("$.a", "is wrong")
    assert isinstance(error, RelayError)
    again = pickle.loads(pickle.dumps(error))
    assert (again.path, again.reason) == ("$.a", "is wrong")


def test_missing_is_one_value_however_it_travels() -> None:
    assert pickle.loads(pickle.dumps(MISSING)) is MISSING
    assert repr(MISSING) == "MISSING"
