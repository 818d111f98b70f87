"""From schemas to types: what of a schema a type can say, and what becomes of the rest."""

import re
from typing import Any

import pytest

from tests.plans.codegen.written import for_node, in_python
from tests.plans.plans import Json, about, plan

ANY, NEVER = ("Any", "unknown"), ("Never", "never")
DATE = ("datetime | str", "Date | string")


def types(schema: Any, definitions: Json | None = None) -> tuple[str, str]:
    """What a required property `it` becomes in Python and in TypeScript."""
    rule = {**about(required=("it",), it=schema), "definitions": definitions or {}}
    raw = plan(("A", rule))
    python = re.search(r'^    "?it"?: "?(.*?)"?,?$', in_python(raw), re.MULTILINE)
    script = re.search(r"^  it: (.*)$", for_node(raw), re.MULTILINE)
    assert python is not None
    assert script is not None
    return python[1], script[1]


@pytest.mark.parametrize(
    ("schema", "python", "script"),
    [
        (True, *ANY),
        (False, *NEVER),
        ({}, *ANY),
        ({"type": "any"}, *ANY),
        ({"type": "string"}, "str", "string"),
        ({"type": ["integer"]}, "int", "number"),
        ({"type": ["number", "integer"]}, "float", "number"),
        ({"type": ["string", "null"]}, "str | None", "string | null"),
        ({"type": "string", "format": "date-time"}, *DATE),
        ({"format": "date-time"}, *DATE),  # what no other type has
        ({"minimum": 3}, "float", "number"),
        ({"minimum": 3, "pattern": "a"}, *ANY),  # of a number or a text
        ({"type": ["string", "null"], "allOf": [{"minLength": 1}]}, "str | None", "string | null"),
        ({"enum": ["a", 1, 1.0, True, None]}, 'Literal["a", 1, True, None]', '"a" | 1 | true | null'),
        ({"enum": [10**20, 1e20, -3.0]}, "Literal[-3] | int", "-3 | number"),
        ({"enum": [1.5, "a"]}, 'Literal["a"] | float', '"a" | number'),
        ({"enum": ["a", None], "type": "string"}, 'Literal["a"]', '"a"'),
        ({"enum": ["a", "b"], "const": "b"}, 'Literal["b"]', '"b"'),
        ({"enum": ["a"], "const": "b"}, *NEVER),
        ({"anyOf": [{"enum": [1]}, {"enum": [True]}]}, "Literal[1, True]", "1 | true"),
        ({"type": "string", "enum": [3]}, *NEVER),
        ({"type": "object"}, "dict[str, Any]", "Record<string, unknown>"),
        (
            {"type": "object", "additionalProperties": {"type": "boolean"}},
            "dict[str, bool]",
            "Record<string, boolean>",
        ),
        ({"properties": {"a": {}}}, "AIt", "AIt"),
        ({"items": {"type": "string"}}, "list[str]", "Array<string>"),
        ({"type": "array"}, "list[Any]", "Array<unknown>"),
        (
            {"items": [{"type": "string"}, {"type": "boolean"}], "additionalItems": False},
            "list[str | bool]",
            "Array<string | boolean>",
        ),
        ({"items": [{"type": "string"}]}, "list[Any]", "Array<unknown>"),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, "str | None", "string | null"),
        ({"allOf": [{"type": ["string", "null"]}, {"type": ["null", "boolean"]}]}, "None", "null"),
        ({"$ref": "#/definitions/d", "type": "null"}, "str", "string"),
        ({"$ref": "#/definitions/loop"}, *ANY),
        ({"$ref": "#/definitions/map"}, "dict[str, Any]", "Record<string, unknown>"),
        ({"$ref": "#/definitions/list"}, "list[list[Any] | str]", "Array<Array<unknown> | string>"),
        ({"oneOf": [{"const": "a", "description": "A."}, {"const": "b"}]}, 'Literal["a", "b"]', '"a" | "b"'),
        ({"anyOf": [{"type": "string", "minLength": n} for n in range(40)]}, "str", "string"),
        ({"anyOf": [{"type": "string", "minLength": n} for n in range(400)]}, *ANY),
        ({"type": "string", "if": {"minLength": 3}, "then": {"pattern": "a"}}, "str", "string"),
        ({"not": {"type": "string"}}, *ANY),
    ],
)
def test_a_schema_as_a_type(schema: Any, python: str, script: str) -> None:
    loop = {"anyOf": [{"$ref": "#/definitions/loop"}]}
    nested: Json = {"type": "object", "additionalProperties": {"$ref": "#/definitions/map"}}
    listed = {
        "type": "array",
        "items": [{"$ref": "#/definitions/list"}, {"type": "string"}],
        "additionalItems": False,
    }
    definitions = {"d": {"type": "string"}, "loop": loop, "map": nested, "list": listed}
    assert types(schema, definitions) == (python, script)


def lines(inner: Json, **others: Json) -> list[str]:
    """The properties' type in TypeScript, without its comments."""
    text = for_node(plan(("A", {"properties": {"properties": inner}}), **others))
    found = re.search(r"^export (?:interface A|type A =) (.*?)^}?$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return [line.strip() for line in found[1].splitlines() if not line.strip().startswith(("/*", "*"))]


def test_an_object_that_lists_no_names_plans_none() -> None:
    assert lines({"type": "object"}) == lines({}) == ["Record<string, never>"]


def test_names_are_listed_wherever_they_are_planned() -> None:
    inner = {
        "properties": {"a": {"type": "string"}},
        "required": ["a", "r"],
        "allOf": [{"properties": {"a": {"enum": ["x", 3]}, "b": {"type": "string"}}, "required": ["b"]}],
        "if": {"properties": {"a": {"const": "x"}}},
        "then": {"properties": {"c": {"type": "string"}}, "required": ["c"]},
        "dependencies": {"b": {"properties": {"d": {}}}},
    }
    assert lines(inner) == ["{", 'a: "x"', "c?: unknown", "d?: unknown", "b: string", "r: unknown"]


def test_the_common_rule_counts_too() -> None:
    common = about(required=("app",), app={"type": "string"})
    assert lines({"properties": {"a": {}}}, common=common) == ["{", "a?: unknown", "app: string"]


def test_other_names_are_allowed_where_the_plan_says_so() -> None:
    assert lines({"properties": {"a": {}}, "additionalProperties": True})[-1] == "[name: string]: unknown"
    assert lines({"properties": {"a": {}}, "patternProperties": {"^x": {}}})[-1] == "[name: string]: unknown"
    assert lines({"properties": {"a": {}}, "additionalProperties": False}) == ["{", "a?: unknown"]


def test_an_object_may_hold_itself() -> None:
    tree = {
        "type": "object",
        "properties": {"children": {"type": "array", "items": {"$ref": "#/definitions/tree"}}},
    }
    rule = {**about(it={"$ref": "#/definitions/tree"}), "definitions": {"tree": tree}}
    assert "    children: NotRequired[list[AIt]]" in in_python(plan(("A", rule))).splitlines()


def test_what_no_type_says_is_a_sentence() -> None:
    schema = {
        "type": "array",
        "description": "What\nwas bought.",
        "minItems": 1,
        "uniqueItems": True,
        "items": {"type": "string", "pattern": "^a", "maxLength": 3},
    }
    text = for_node(plan(("A", about(it=schema))))
    wanted = ["What", "was bought.", "Items: at least 1.", "Has no item twice.", "Each item: Matches `^a`."]
    assert "\n   * ".join(wanted) in text


def deep(n: int) -> Json:
    """References one behind the other."""
    chain = {f"d{i}": {"allOf": [{"$ref": f"#/definitions/d{i + 1}"}] * 2} for i in range(n)}
    return chain | {f"d{n}": {"type": "string"}}


def branches(n: int) -> Json:
    """Every one of them has all of them in it, in two ways."""
    inner = [{"properties": {f"p{i}": {"$ref": f"#/definitions/d{i}"}}} for i in range(n)]
    return {
        f"d{i}": {"anyOf": inner[i:] + inner[:i], "properties": {"q": {"allOf": inner}}} for i in range(n)
    }


@pytest.mark.parametrize("definitions", [deep(40), deep(1500), branches(12)])
def test_a_plan_that_is_made_to_be_expensive_is_written_all_the_same(definitions: Json) -> None:
    rule = {**about(it={"$ref": "#/definitions/d0"}), "definitions": definitions}
    text = in_python(plan(("A", rule)))
    compile(text, "plan.py", "exec")
    assert len(text) < 10_000_000
