"""Every observed case of Segment's own mapping kit gives the same here."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from relay.destinations.mapping import MISSING, MappingError, compile_mapping

FIXTURES = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "mapping" / "mapping.json").read_text(encoding="utf-8")
)
CASES = {case["id"]: case for case in FIXTURES["cases"]}


def named(op: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["op"] == op])


def event_of(case: dict[str, Any]) -> Any:
    return FIXTURES["inputs"][case["input_ref"]] if "input_ref" in case else case["input"]


def strictly(value: Any) -> str:
    """Text that is the same only for the same JSON: 1 is not true, nor is a missing value null."""
    return json.dumps(value, sort_keys=True)


def expect(case: dict[str, Any], mapping: Any, event: Any) -> None:
    if case.get("error"):
        with pytest.raises(MappingError):
            compile_mapping(mapping)(event)
    elif case.get("undefined"):
        assert compile_mapping(mapping)(event) is MISSING
    else:
        assert strictly(compile_mapping(mapping)(event)) == strictly(case["output"])


@named("transform")
def test_a_mapping_gives_what_segment_gives(name: str) -> None:
    case = CASES[name]
    event, mapping = copy.deepcopy(event_of(case)), copy.deepcopy(case["mapping"])
    expect(case, mapping, event)
    assert strictly(event) == strictly(event_of(case))
    assert strictly(mapping) == strictly(case["mapping"])


@named("validate")
def test_a_mapping_compiles_where_segment_finds_it_valid(name: str) -> None:
    case = CASES[name]
    if case["valid"]:
        compile_mapping(case["mapping"])
    else:
        with pytest.raises(MappingError):
            compile_mapping(case["mapping"])


@named("template")
def test_a_template_is_filled_in_as_segment_does(name: str) -> None:
    template, *data = CASES[name]["args"]
    expect(CASES[name], {"@template": template}, data[0] if data else {})


@named("flatten")
def test_an_object_is_flattened_as_segment_does(name: str) -> None:
    value, prefix, separator, omit_arrays = padded(name)
    assert prefix == "", "only the bare helper takes a prefix"
    options = {"value": {"@path": "$.value"}, "separator": separator, "omitArrays": omit_arrays}
    expect(CASES[name], {"@flatten": options}, {"value": value})


def padded(name: str) -> list[Any]:
    given: list[Any] = CASES[name]["args"]
    defaults = [{}, "", ".", False]
    return given + defaults[len(given) :]


def test_all_cases_are_here() -> None:
    assert len(CASES) == FIXTURES["count"]
    assert {case["op"] for case in CASES.values()} == {"transform", "validate", "template", "flatten"}
