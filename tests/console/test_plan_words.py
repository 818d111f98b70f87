"""Rules and controls in words."""

from typing import Any, get_args

import msgspec
import pytest

from relay.console.control_words import control_fields, control_sentences, control_values
from relay.console.plan_words import MOST_ROWS, shown_rule, words_of
from relay.plans.controls import Controls
from relay.plans.rules import Rule
from tests.plans.plans import about

OTHERWISE: list[tuple[str, Any]] = [
    (field.name, value)
    for field in msgspec.structs.fields(Controls)
    for value in (get_args(field.type) if field.type is not bool else (False,))
    if isinstance(value, str | bool) and value != field.default
] + [("forwarding_violations_to", "other"), ("forwarding_blocked_events_to", "other")]


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({}, ""),
        ({"type": "string"}, ""),
        ({"enum": ["a", 1, None]}, 'one of "a", 1, null'),
        ({"enum": list(range(25))}, f"one of {', '.join(map(str, range(20)))} and 5 more"),
        ({"const": True}, "always true"),
        ({"pattern": "^a$", "minLength": 2}, "matches ^a$; 2 characters or more"),
        ({"format": "date-time"}, "a date with time (ISO 8601)"),
        ({"format": "iri"}, "of the format iri"),
        ({"minimum": 0, "exclusiveMaximum": 1.5}, "0 or more; less than 1.5"),
        ({"uniqueItems": True, "maxItems": 3}, "3 items at most; no item twice"),
        ({"additionalProperties": False}, "no other names than those listed"),
        ({"patternProperties": {"^x_": {}}}, "rules for names that match ^x_"),
        ({"anyOf": [{}], "not": {}}, "further conditions (anyOf, not), which the JSON has"),
        ({"minimum": True, "pattern": 1, "enum": "a"}, ""),
    ],
)
def test_a_schema_in_words(schema: dict[str, Any], said: str) -> None:
    assert words_of(schema) == said


def paths(kind: Any, schema: dict[str, Any], key: str = "") -> list[tuple[str, str, bool]]:
    shown = shown_rule(Rule(kind, key, 1, schema, ""))
    return [(row.path, row.types, row.is_required) for row in (*shown.rows, *shown.others)]


def test_names_within_objects_and_lists_are_rows() -> None:
    items = {"type": "object", "required": ["sku"], "properties": {"sku": {"type": ["string", "integer"]}}}
    schema = about(required=("list", "unlisted"), list={"type": "array", "items": items}, tags={"items": {}})
    assert paths("TRACK", schema, "Order") == [
        ("list", "array of object", True),
        ("list.$.sku", "string or integer", True),
        ("tags", "any", False),
        ("unlisted", "any", True),
    ]


def test_what_is_not_about_properties_is_told_apart() -> None:
    schema = {"required": ["userId"], "properties": {"context": {"required": ["app"]}, "traits": {}}}
    shown = shown_rule(Rule("IDENTIFY", "", 1, schema, ""))
    assert shown.rows == ()
    assert [(row.path, row.is_required) for row in shown.others] == [("context.app", True), ("userId", True)]


def test_a_rule_without_end_is_cut() -> None:
    branches: dict[str, Any] = {f"b{n}": {"$ref": "#/definitions/t"} for n in range(200)}
    schema = about(**branches) | {"definitions": {"t": {"properties": {f"n{n}": {} for n in range(50)}}}}
    shown = shown_rule(Rule("TRACK", "Wide", 1, schema, ""))
    assert shown.is_cut
    assert len(shown.rows) <= MOST_ROWS


@pytest.mark.parametrize("schema", [{"properties": 1}, {"properties": {"properties": []}}, {"required": 1}])
def test_what_is_no_schema_says_nothing(schema: dict[str, Any]) -> None:
    assert paths("TRACK", schema, "x") in ([], [("properties", "any", False)])


def test_every_control_that_is_set_is_a_sentence() -> None:
    assert control_sentences(Controls()) == ["Everything is let through; what breaks the plan is noted."]
    for name, value in OTHERWISE:
        (said,) = control_sentences(Controls(**{name: value}))
        assert said.endswith(".")
    assert "refused as a whole" in control_sentences(Controls(), is_strict=True)[0]


@pytest.mark.parametrize(("name", "value"), [*OTHERWISE, ("allow_unplanned_track_events", True)])
def test_a_form_gives_back_what_it_shows(name: str, value: Any) -> None:
    controls = Controls(**{name: value})
    fields = control_fields(controls, ["other"])
    assert [field.name for field in fields] == list(Controls.__struct_fields__)
    assert all(field.value in dict(field.options) for field in fields)
    said = control_values({field.name: field.value for field in fields} | {"csrf": "x", "source": "web"})
    assert {n: v for n, v in said.items() if v is not None} == (
        {} if controls == Controls() else {name: value}
    )
