"""Every violation by its name, its field and its sentence."""

from typing import Any

import pytest

from relay.plans.violations import MAX_VIOLATIONS
from tests.plans.plans import Json, about, plan, ruled, track, violated

IT = "properties.it"


@pytest.mark.parametrize(
    ("schema", "value", "kind", "said"),
    [
        ({"type": "integer"}, 1.5, "Invalid Type", "Invalid type. Expected: integer, given: number"),
        ({"type": "string"}, 5, "Invalid Type", "Invalid type. Expected: string, given: integer"),
        ({"type": "string"}, 5.0, "Invalid Type", "Invalid type. Expected: string, given: integer"),
        ({"type": ["string"]}, True, "Invalid Type", "Invalid type. Expected: string, given: boolean"),
        ({"type": ["string", "null"]}, [], "Invalid Type", "Invalid type. Expected: [string,null], given: array"),
        ({"type": "object"}, None, "Invalid Type", "Invalid type. Expected: object, given: null"),
        ({"type": "array"}, {}, "Invalid Type", "Invalid type. Expected: array, given: object"),
        ({"enum": ["a", 1, None]}, "b", "Enum", f'{IT} must be one of the following: "a", 1, null'),
        ({"const": {"a": 1}}, "b", "Const", f'{IT} does not match: {{"a":1}}'),
        ({"pattern": "^a"}, "b", "Pattern", "Does not match pattern '^a'"),
        ({"format": "date-time"}, "b", "Format", "Does not match format 'date-time'"),
        ({"minLength": 3}, "b", "String Gte", "String length must be greater than or equal to 3"),
        ({"maxLength": 0}, "b", "String Lte", "String length must be less than or equal to 0"),
        ({"minimum": 3}, 1, "Number Gte", "Must be greater than or equal to 3"),
        ({"maximum": 0.5}, 1, "Number Lte", "Must be less than or equal to 0.5"),
        ({"exclusiveMinimum": 1}, 1, "Number Gt", "Must be greater than 1"),
        ({"exclusiveMaximum": 1}, 1, "Number Lt", "Must be less than 1"),
        ({"multipleOf": 0.01}, 0.015, "Multiple Of", "Must be a multiple of 0.01"),
        ({"minItems": 3}, [], "Array Min Items", "Array must have at least 3 items"),
        ({"maxItems": 0}, [1], "Array Max Items", "Array must have at most 0 items"),
        ({"uniqueItems": True}, [1, True, {"b": 1, "a": 2}, {"a": 2, "b": 1}], "Unique", "array items[2,3] must be unique"),
        ({"uniqueItems": True}, [1, 2, 1.0], "Unique", "array items[0,2] must be unique"),
        ({"minProperties": 3}, {}, "Array Min Properties", "Must have at least 3 properties"),
        ({"maxProperties": 0}, {"a": 1}, "Array Max Properties", "Must have at most 0 properties"),
        ({"contains": {"type": "string"}}, [1], "Contains", "At least one of the items must match"),
        ({"items": [{}], "additionalItems": False}, [1, 2], "Array No Additional Items", "No additional items allowed on array"),
        ({"oneOf": [{}, {"type": "integer"}]}, 1, "Number One Of", "Must validate one and only one schema (oneOf)"),
        ({"not": {"type": "integer"}}, 1, "Number Not", "Must not validate the schema (not)"),
        (False, 1, "False", "False always fails validation"),
        ({"dependencies": {"a": ["b"]}}, {"a": 1}, "Missing Dependency", "Has a dependency on b"),
    ],
)  # fmt: skip
def test_a_value_that_is_wrong(schema: Any, value: Any, kind: str, said: str) -> None:
    assert violated(schema, value) == [(kind, IT, said)]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 1.0),
        ({"type": "number"}, 1),
        ({"format": "date-time"}, "2026-11-24T08:45:32.179Z"),
        ({"format": "date"}, "2026-11-24"),
        ({"format": "time"}, "08:45:32Z"),
        ({"format": "email"}, "a@example.com"),
        ({"format": "uri"}, "https://example.com/a"),
        ({"format": "uuid"}, "0f8fad5b-d9cb-469f-A165-70867728950e"),
        ({"format": "ipv4"}, "10.0.0.1"),
        ({"format": "ipv6"}, "::1"),
        ({"format": "hostname"}, "www.example.com"),
        ({"format": "regex"}, "a+"),
        ({"format": "whatever"}, "a"),
    ],
)
def test_a_value_that_is_right(schema: Any, value: Any) -> None:
    assert violated(schema, value) == []


@pytest.mark.parametrize(
    "name", ["date", "time", "email", "uri", "uuid", "ipv4", "ipv6", "hostname", "regex"]
)
def test_formats_are_looked_at(name: str) -> None:
    assert violated({"format": name}, "[ no") == [("Format", IT, f"Does not match format '{name}'")]


def test_what_is_missing_is_named_with_its_whole_path() -> None:
    inner = {"type": "array", "items": {"type": "object", "required": ["sku"]}}
    assert violated(inner, [{"sku": 1}, {}]) == [("Required", f"{IT}.1.sku", f"{IT}.1.sku is required")]


def test_what_is_missing_at_the_top() -> None:
    (told,) = (ruled(plan(("A", {"required": ["groupId"]})), track("A")) or pytest.fail("none")).violations
    assert told == ("Required", "groupId", "groupId is required")


def test_every_name_that_is_too_much_is_a_violation() -> None:
    told = violated({"additionalProperties": False, "properties": {"a": {}}}, {"a": 1, "b": 2, "c": 3})
    assert told == [
        ("Additional Property Not Allowed", f"{IT}.{name}", f"Additional property {name} is not allowed")
        for name in "bc"
    ]


def test_a_name_that_is_not_allowed() -> None:
    said = 'Property name of "b" does not match'
    assert violated({"propertyNames": {"pattern": "^a"}}, {"b": 1}) == [
        ("Invalid Property Name", f"{IT}.b", said),
        ("Pattern", IT, "Does not match pattern '^a'"),
    ]


def test_a_condition_is_violated_with_what_it_asks() -> None:
    schema = {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"maxProperties": 0}}
    assert violated(schema, {"a": 1}) == [
        ("Required", f"{IT}.b", f"{IT}.b is required"),
        ("Condition Then", IT, 'Must validate "then" as "if" was valid'),
    ]
    assert violated(schema, {"c": 1})[1:] == [
        ("Condition Else", IT, 'Must validate "else" as "if" was not valid')
    ]


def test_all_of_is_violated_once_where_it_stands() -> None:
    schema: Json = {"properties": {"allOf": {"items": {"allOf": [{"type": "string"}, {"minimum": 5}]}}}}
    assert violated(schema, {"allOf": ["a", 3]}) == [
        ("Invalid Type", f"{IT}.allOf.1", "Invalid type. Expected: string, given: integer"),
        ("Number Gte", f"{IT}.allOf.1", "Must be greater than or equal to 5"),
        ("Number All Of", f"{IT}.allOf.1", "Must validate all the schemas (allOf)"),
    ]


def test_a_violation_at_the_root() -> None:
    schema = {"allOf": [{"required": ["groupId"]}]}
    ruling = ruled(plan(("A", schema)), track("A"))
    assert ruling is not None
    assert ("Number All Of", "(root)", "Must validate all the schemas (allOf)") in ruling.violations


def test_types_are_listed_as_the_plan_lists_them_behind_a_reference_too() -> None:
    message = about(it={"$ref": "#/definitions/it"})
    message["definitions"] = {"it": {"type": ["string", "number", "null"]}}
    ruling = ruled(plan(("A", message)), track("A", it=[]))
    assert ruling is not None
    assert ruling.violations == (
        ("Invalid Type", IT, "Invalid type. Expected: [string,number,null], given: array"),
    )


def test_no_value_is_in_any_sentence() -> None:
    secret = "s3cr3t"
    schemas: tuple[Json, ...] = (
        {"enum": ["a"]},
        {"type": "integer"},
        {"pattern": "^a"},
        {"maxLength": 1},
        {"const": 1},
        {"not": {}},
    )
    for schema in schemas:
        assert secret not in str(violated(schema, secret))
    assert secret not in str(violated({"uniqueItems": True}, [secret, secret]))


def test_what_is_nested_beyond_the_validator_is_a_violation_of_its_own() -> None:
    value: Any = 1
    for _ in range(400):
        value = {"a": value}
    assert violated({"type": "string"}, value) == [("Nesting", "(root)", "Nested too deeply to be validated")]


def test_no_more_are_noted_than_anybody_reads() -> None:
    schema = {"items": {"type": "string"}}
    assert len(violated(schema, list(range(1000)))) == MAX_VIOLATIONS


def test_numbers_beyond_a_double_do_no_harm() -> None:
    assert violated({"uniqueItems": True}, [10**30, 10**30])[0][0] == "Unique"
    assert violated({"type": "string"}, float("inf"))[0][2].endswith("given: number")


def test_names_that_are_numbers_stay_names() -> None:
    schema = {"properties": {name: {"type": ["string", "null"]} for name in ("0", "007", "12")}}
    said = "Invalid type. Expected: [string,null], given: integer"
    value = {"0": 1, "007": 1, "12": "x"}
    assert violated(schema, value) == [("Invalid Type", f"{IT}.{name}", said) for name in ("0", "007")]
    ruling = ruled(
        plan(("A", about(it=schema))), track("A", it=value), allow_track_properties_on_violations=False
    )
    assert ruling is not None
    assert ruling.applied(track("A", it=value))["properties"] == {"it": {"12": "x"}}
