"""Every keyword of a schema, with all that is said of a value that breaks it, as gojsonschema says it."""

from typing import Any

import pytest

from relay.plans.violations import MAX_BRANCHES
from tests.plans.plans import Json, about, plan, ruled, track, violated

IT = "properties.it"
Told = tuple[str, str, str]


def wrong(expected: str, given: str, field: str = IT) -> Told:
    return "Invalid Type", field, f"Invalid type. Expected: {expected}, given: {given}"


def missing(field: str) -> Told:
    return "Required", field, f"{field} is required"


ANY_OF = ("Number Any Of", IT, "Must validate at least one schema (anyOf)")
ONE_OF = ("Number One Of", IT, "Must validate one and only one schema (oneOf)")
ALL_OF = ("Number All Of", IT, "Must validate all the schemas (allOf)")
NAME = ("Invalid Property Name", f"{IT}.b", 'Property name of "b" does not match')


@pytest.mark.parametrize(
    ("schema", "value", "told"),
    [
        ({"required": ["a", "b"]}, {}, [missing(f"{IT}.a"), missing(f"{IT}.b")]),
        ({"type": ["number", "boolean"]}, "5", [wrong("[number,boolean]", "string")]),
        ({"type": "boolean"}, 1.5, [wrong("boolean", "number")]),
        ({"type": "boolean"}, 5, [wrong("boolean", "integer")]),
        ({"enum": ["a", 1.0, {"b": 1, "a": []}]}, "c", [("Enum", IT, f'{IT} must be one of the following: "a", 1, {{"a":[],"b":1}}')]),
        ({"const": 2.0}, 3, [("Const", IT, f"{IT} does not match: 2")]),
        ({"pattern": "^a", "minLength": 2}, "b", [
            ("String Gte", IT, "String length must be greater than or equal to 2"), ("Pattern", IT, "Does not match pattern '^a'")]),
        ({"format": "email"}, "b", [("Format", IT, "Does not match format 'email'")]),
        ({"maxLength": 1}, "héé", [("String Lte", IT, "String length must be less than or equal to 1")]),
        ({"minimum": 3.0}, 1, [("Number Gte", IT, "Must be greater than or equal to 3")]),
        ({"maximum": 10.5}, 11, [("Number Lte", IT, "Must be less than or equal to 10.5")]),
        ({"exclusiveMinimum": 0.0}, 0, [("Number Gt", IT, "Must be greater than 0")]),
        ({"exclusiveMaximum": -1.5}, 0, [("Number Lt", IT, "Must be less than -1.5")]),
        ({"multipleOf": 5.0}, 3, [("Multiple Of", IT, "Must be a multiple of 5")]),
        ({"minItems": 2}, [], [("Array Min Items", IT, "Array must have at least 2 items")]),
        ({"maxItems": 1}, [1, 2], [("Array Max Items", IT, "Array must have at most 1 items")]),
        ({"items": {"items": {"type": "string"}}}, [["a"], ["b", 1]], [wrong("string", "integer", f"{IT}.1.1")]),
        ({"items": [{"type": "string"}], "additionalItems": {"type": "null"}}, [1, 2], [
            wrong("string", "integer", f"{IT}.0"), wrong("null", "integer", f"{IT}.1")]),
        ({"items": False}, [1], [("False", f"{IT}.0", "False always fails validation")]),
        ({"uniqueItems": True}, ["a", "b", "a", "a"], [
            ("Unique", IT, "array items[0,2] must be unique"), ("Unique", IT, "array items[2,3] must be unique")]),
        ({"contains": {"type": "string"}}, [1], [("Contains", IT, "At least one of the items must match")]),
        ({"minProperties": 2}, {}, [("Array Min Properties", IT, "Must have at least 2 properties")]),
        ({"maxProperties": 0}, {"a": 1}, [("Array Max Properties", IT, "Must have at most 0 properties")]),
        ({"additionalProperties": False}, {"a": 1}, [("Additional Property Not Allowed", f"{IT}.a", "Additional property a is not allowed")]),
        ({"additionalProperties": {"type": "string"}}, {"a": 1}, [wrong("string", "integer", f"{IT}.a")]),
        ({"patternProperties": {"^a": {"type": "string"}}}, {"ab": 1, "b": 1}, [wrong("string", "integer", f"{IT}.ab")]),
        ({"propertyNames": {"minLength": 2}}, {"b": 1}, [NAME, ("String Gte", IT, "String length must be greater than or equal to 2")]),
        ({"propertyNames": {"type": "integer"}}, {"b": 1}, [NAME, wrong("integer", "string")]),
        ({"dependencies": {"a": ["b"]}}, {"a": 1}, [("Missing Dependency", IT, "Has a dependency on b")]),
        ({"dependencies": {"a": {"required": ["b"]}}}, {"a": 1}, [missing(f"{IT}.b")]),
        ({"allOf": [{"type": "string"}]}, 1, [wrong("string", "integer"), ALL_OF]),
        ({"anyOf": [{"type": "string"}]}, 1, [ANY_OF, wrong("string", "integer")]),
        ({"oneOf": [{"type": "string"}]}, 1, [ONE_OF, wrong("string", "integer")]),
        ({"oneOf": [{}, {"type": "integer"}, {"type": "string"}]}, 1, [ONE_OF]),
        ({"not": {"type": "integer"}}, 1, [("Number Not", IT, "Must not validate the schema (not)")]),
        ({"if": {"type": "object"}, "then": {"required": ["a"]}}, {}, [
            missing(f"{IT}.a"), ("Condition Then", IT, 'Must validate "then" as "if" was valid')]),
        ({"if": {"type": "object"}, "else": {"type": "string"}}, 1, [
            wrong("string", "integer"), ("Condition Else", IT, 'Must validate "else" as "if" was not valid')]),
        (False, 1, [("False", IT, "False always fails validation")]),
        ({"properties": {"a": False}}, {"a": 1}, [("False", f"{IT}.a", "False always fails validation")]),
    ],
)  # fmt: skip
def test_all_that_is_said(schema: Any, value: Any, told: list[Told]) -> None:
    assert violated(schema, value) == told


CARD = {
    "properties": {"kind": {"const": "card"}, "number": {"type": "string"}},
    "required": ["kind", "number"],
}
CASH = {"properties": {"kind": {"const": "cash"}, "given": {"type": "number"}}, "required": ["kind", "given"]}


@pytest.mark.parametrize(
    ("branches", "value", "told"),
    [
        ([{"type": "string"}, {"type": "object", "required": ["a"]}], {}, [missing(f"{IT}.a")]),
        ([{"type": "object", "required": ["a"]}, {"type": "string", "minLength": 5}], "x", [
            ("String Gte", IT, "String length must be greater than or equal to 5")]),
        ([{"type": "string"}, {"type": "boolean"}], 1, [wrong("string", "integer")]),
        ([{"required": ["a", "b"]}, {"required": ["c", "d"]}], {"c": 1}, [missing(f"{IT}.d")]),
        ([CARD, CASH], {"kind": "cash", "given": "5"}, [wrong("number", "string", f"{IT}.given")]),
        ([CASH, CARD], {"kind": "card", "number": 5}, [wrong("string", "integer", f"{IT}.number")]),
        ([{"items": {"type": "string"}}, {"items": {"type": "number"}}], [1, 2, "x"], [wrong("number", "string", f"{IT}.2")]),
        ([{"items": [{"type": "string"}, {}]}, {"items": [{}], "additionalItems": {"minimum": 9}}], [1, 2], [
            ("Number Gte", f"{IT}.1", "Must be greater than or equal to 9")]),
        ([{"type": "string"}, False], 1, [wrong("string", "integer")]),
        ([{"type": "object", "anyOf": [{"type": "string"}, {"required": ["a"]}]}, {"type": "string"}], {}, [
            ANY_OF, missing(f"{IT}.a")]),
        ([{"type": "string"}, {"if": {"type": "object"}, "then": {"required": ["a", "b"]}}], {"b": 1}, [
            missing(f"{IT}.a"), ("Condition Then", IT, 'Must validate "then" as "if" was valid')]),
        ([{"type": "string"}, {"allOf": [{"required": ["a"]}]}], {}, [missing(f"{IT}.a"), ALL_OF]),
        ([{"type": "string"}, {"dependencies": {"a": {"required": ["b"]}}}], {"a": 1}, [missing(f"{IT}.b")]),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("keyword", "itself"), [("anyOf", ANY_OF), ("oneOf", ONE_OF)])
def test_the_closest_branch_says_what_is_wrong(
    branches: list[Any], value: Any, told: list[Told], keyword: str, itself: Told
) -> None:
    assert violated({keyword: branches}, value) == list(dict.fromkeys([itself, *told]))


def test_the_closest_branch_behind_a_reference() -> None:
    schema = about(it={"anyOf": [{"$ref": "#/definitions/text"}, {"$ref": "#/definitions/card"}]})
    schema["definitions"] = {"text": {"type": "string"}, "card": CARD}
    ruling = ruled(plan(("Order Completed", schema)), track(it={"kind": "card"}))
    assert ruling is not None
    assert ruling.violations == (ANY_OF, missing(f"{IT}.number"))


def test_of_a_value_that_has_the_wrong_type_nothing_else_is_said() -> None:
    text = {
        "type": "string",
        "enum": ["a"],
        "properties": {"a": {"type": "string"}},
        "anyOf": [{"maxLength": 1}],
    }
    assert violated(text, {"a": 1}) == [wrong("string", "object")]
    assert violated({"items": text}, ["b", 1]) == [
        ("Enum", f"{IT}.0", f'{IT}.0 must be one of the following: "a"'),
        wrong("string", "integer", f"{IT}.1"),
    ]
    both: Json = {"allOf": [{"type": "string"}, {"minimum": 5}]}
    assert ("Number Gte", IT, "Must be greater than or equal to 5") in violated(both, 1)


def test_branches_that_lie_very_deep_are_left_out() -> None:
    schema: Json = {"minimum": 5}
    value: Any = 1
    for _ in range(20):
        schema, value = {"anyOf": [{"properties": {"a": schema}}]}, {"a": value}
    assert violated(schema, value) == [(ANY_OF[0], IT + ".a" * n, ANY_OF[2]) for n in range(MAX_BRANCHES + 1)]


def test_a_tree_is_followed_to_what_is_wrong_in_it() -> None:
    tree = {
        "anyOf": [{"type": "string"}, {"type": "object", "properties": {"a": {"$ref": "#/definitions/tree"}}}]
    }
    schema = {**about(it={"$ref": "#/definitions/tree"}), "definitions": {"tree": tree}}
    ruling = ruled(plan(("Order Completed", schema)), track(it={"a": {"a": {"a": 1}}}))
    assert ruling is not None
    fields = [f"{IT}{'.a' * n}" for n in range(4)]
    assert ruling.violations == (
        *((ANY_OF[0], field, ANY_OF[2]) for field in fields),
        wrong("string", "integer", fields[-1]),
    )


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_what_is_omitted_is_the_value_no_branch_takes_and_nothing_inside(keyword: str) -> None:
    """The closest branch may be the wrong one."""
    schema = {"properties": {"pay": {keyword: [{"type": "string"}, CARD]}, "sum": {"type": "number"}}}
    event = track(it={"pay": {"kind": "card", "number": 5}, "sum": 1})
    raw = plan(("Order Completed", about(it=schema)))
    ruling = ruled(raw, event, allow_track_properties_on_violations=False)
    assert ruling is not None
    assert ruling.omitted_on_violation == (("properties", "it", "pay"),)
    assert wrong("string", "integer", f"{IT}.pay.number") in ruling.violations


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_where_no_branch_takes_the_properties_nothing_is_omitted(keyword: str) -> None:
    schema = about()
    schema["properties"]["properties"][keyword] = [CASH, CARD]
    event = track(kind="card", number=5)
    ruling = ruled(plan(("Order Completed", schema)), event, allow_track_properties_on_violations=False)
    assert ruling is not None
    assert ruling.omitted_on_violation == ()
    assert wrong("string", "integer", "properties.number") in ruling.violations
