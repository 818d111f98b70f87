"""What the observed cases leave open, as Segment's package does it."""

import subprocess
import sys
from typing import Any

import pytest

from relay.destinations.mapping import MISSING, compile_mapping

EVENT: dict[str, Any] = {
    "event": "Sign Up",
    "nil": None,
    "zero": 0,
    "empty_list": [],
    "tags": ["a", None],
    "astral": "a😀b",
    "brackets": "{{event}}",
    "kelvin": "\u212a k K",
    "indexes": {"b": 1, "2": 2},
}

NOPE = {"@path": "$.nope"}


def mapped(node: Any, event: Any = EVENT) -> Any:
    return compile_mapping({"v": node})(event).get("v", MISSING)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.astral.length", 4),
        ("$.event[0]", "S"),
        ("$.tags.01", MISSING),
        ("$.tags[5]", MISSING),
        ("$.zero.x", 0),
        ("$.empty_list.x", MISSING),
        ("$.indexes['b']", 1),
        ("ev$.ent", "Sign Up"),
        ("..event", "Sign Up"),
    ],
)
def test_paths(path: str, found: Any) -> None:
    assert mapped({"@path": path}) == found


def test_a_value_with_braces_is_filled_in_only_after_triple_braces() -> None:
    assert mapped({"@template": "{{brackets}}"}) == "{{event}}"
    assert mapped({"@template": "{{{brackets}}}"}) == "Sign Up"


def test_an_empty_list_counts_as_blank() -> None:
    node = {"@if": {"blank": {"@path": "$.empty_list"}, "then": "full", "else": "blank"}}
    assert mapped(node) == "blank"


def test_exists_null_is_looked_at_before_blank() -> None:
    assert mapped({"@if": {"exists": None, "blank": "x", "then": 1, "else": 2}}) == 2


def test_ignorecase_takes_no_other_letter_for_an_ascii_one() -> None:
    options = {"value": {"@path": "$.kelvin"}, "pattern": "k", "replacement": "x", "ignorecase": True}
    assert mapped({"@replace": options}) == "\u212a x x"
    assert mapped({"@replace": {**options, "global": False}}) == "\u212a x K"


def test_what_is_around_the_match_can_be_put_in() -> None:
    assert mapped({"@replace": {"value": "abc", "pattern": "b", "replacement": "[$`$'$&$1]"}}) == "a[acb$1]c"


def test_missing_items_are_null_in_a_list_but_none_where_it_is_spread() -> None:
    assert mapped([NOPE, 1]) == [None, 1]
    assert mapped({"@flatten": {"value": [NOPE, 1], "separator": "."}}) == {"1": 1}
    assert mapped({"@merge": {"objects": [{"a": [NOPE]}], "direction": "left"}}) == {"a": [None]}
    assert mapped({"@arrayPath": ["$.tags", NOPE]}) == [None, None]


def test_a_list_made_by_transform_still_knows_its_missing_items() -> None:
    apply = {"list": [NOPE, None]}
    assert mapped({"@transform": {"apply": apply, "mapping": {"@path": "$.list[0]"}}}) is MISSING
    assert mapped({"@transform": {"apply": apply, "mapping": {"@path": "$.list"}}}) == [None, None]


def test_a_null_taken_out_takes_the_key_away_in_a_merge() -> None:
    objects = [{"a": 1, "b": 2}, {"@excludeWhenNull": {"a": None}}]
    assert mapped({"@merge": {"objects": objects, "direction": "right"}}) == {"b": 2}


def test_a_new_object_comes_every_time() -> None:
    run = compile_mapping({"a": {"b": []}})
    run({})["a"]["b"].append(1)
    assert run({}) == {"a": {"b": []}}


def test_keys_come_in_the_order_of_the_mapping() -> None:
    made = compile_mapping({"z": {"@path": "$.event"}, "y": 1, "x": NOPE, "w": {"@path": "$.zero"}})(EVENT)
    assert list(made) == ["z", "y", "w"]


def test_only_mappings_with_liquid_load_its_engine() -> None:
    code = "import sys, relay.destinations.mapping as m; m.compile_mapping({}); assert 'liquid' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
