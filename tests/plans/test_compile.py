"""What a schema may hold, what is refused with its place, and which rule an event must keep."""

import socket
from typing import Any

import pytest

from tests.plans.plans import Json, about, compiled, mistakes_of, plan, ruled, track, violated

PLACE = "rules.events[0].rules"


def of_it(schema: Any) -> list[str]:
    """The mistakes of a plan that wants `schema` of `properties.it`, without the place that they share."""
    place = f"{PLACE}.properties.properties.properties.it"
    found = mistakes_of(plan(("Order Completed", about(it=schema))))
    assert all(mistake.startswith(place) for mistake in found), found
    return [mistake.removeprefix(place) for mistake in found]


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        (
            {"type": "strin"},
            ".type: must be one of array, boolean, integer, null, number, object, string, or a list of these",
        ),
        ({"required": "x"}, '.required: it is not of type "array"'),
        ({"pattern": "(?!x)a"}, ".pattern: look-ahead and look-behind are not supported in patterns"),
        ({"pattern": "(?<=x)a"}, ".pattern: look-ahead and look-behind are not supported in patterns"),
        ({"pattern": r"(a)\1"}, ".pattern: back-references are not supported in patterns"),
        ({"pattern": "[a"}, ".pattern: is no pattern that RE2 can read, or too large a one"),
        (
            {"pattern": "((a{100}){100}){100}"},
            ".pattern: is no pattern that RE2 can read, or too large a one",
        ),
        (
            {"patternProperties": {"(?=a)": {}}},
            ".patternProperties: look-ahead and look-behind are not supported in patterns",
        ),
        ({"$ref": "http://localhost/x"}, ".$ref: must begin with `#`: nothing outside the schema is fetched"),
        ({"$ref": "other.json"}, ".$ref: must begin with `#`: nothing outside the schema is fetched"),
        (
            {"items": [{"anyOf": [{"$ref": "x"}]}]},
            ".items[0].anyOf[0].$ref: must begin with `#`: nothing outside the schema is fetched",
        ),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_with_its_place(schema: Json, told: str) -> None:
    assert of_it(schema) == [told]


def test_a_pattern_that_only_looks_like_looking_around_is_none() -> None:
    assert of_it({"pattern": r"\(?=1"}) == []
    assert of_it({"pattern": r"\\1"}) == []


@pytest.mark.parametrize(
    "pattern", ["(?i)^abc$", "(?is)^ABC$", "^(?P<all>[aA]bc)$", "^(?i:A)bc$", r"^\p{L}bc$"]
)
def test_patterns_are_written_as_for_re2(pattern: str) -> None:
    assert violated({"pattern": pattern}, "Abc") == []
    (told,) = violated({"pattern": pattern}, "?")
    assert told[2] == f"Does not match pattern '{pattern}'"
    assert violated({"patternProperties": {pattern: {"type": "string"}}}, {"?": 1, "Abc": "x"}) == []
    assert len(violated({"patternProperties": {pattern: {"type": "string"}}}, {"Abc": 1})) == 1


def test_a_reference_inside_the_schema_that_leads_nowhere_is_refused() -> None:
    (told,) = mistakes_of(plan(("Order Completed", {"$ref": "#/definitions/none"})))
    assert told == f"{PLACE}: Pointer '/definitions/none' does not exist"


def test_nothing_is_fetched_whatever_a_schema_refers_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        assert len(of_it({"$ref": url})) == 1
        assert of_it({"$schema": url, "$id": url}) == []
        with pytest.raises(BlockingIOError):
            server.accept()


def test_what_is_nested_too_deeply_is_refused() -> None:
    schema: Json = {}
    for _ in range(300):
        schema = {"properties": {"a": schema}}
    (told,) = mistakes_of(plan(("Order Completed", schema)))
    assert told.endswith(": nested deeper than 100 levels")


def test_ids_that_are_paths_mislead_nobody() -> None:
    path = "/properties/properties/it"
    schema = {"$ref": "#/definitions/text", "id": path}
    message = about(it={"$id": path, "id": path, "type": "string"}, other=schema)
    message["definitions"] = {"text": {"type": "string"}}
    ruling = ruled(plan(("Order Completed", message)), track(it=1, other=1))
    assert ruling is not None
    assert {violation[1] for violation in ruling.violations} == {"properties.it", "properties.other"}


def test_a_property_may_be_called_as_a_keyword() -> None:
    text = {"type": "string"}
    message = about()
    message["properties"]["properties"]["properties"] = {"id": text, "pattern": text, "$ref": text}
    ruling = ruled(
        plan(("Order Completed", message)), {**track(), "properties": {"id": 1, "pattern": 1, "$ref": 1}}
    )
    assert ruling is not None
    assert len(ruling.violations) == 3


def test_the_way_of_draft_4_is_understood() -> None:
    schema = {"minimum": 3, "exclusiveMinimum": True, "maximum": 5, "exclusiveMaximum": False}
    assert [violation[0] for violation in violated(schema, 3)] == ["Number Gt"]
    assert violated(schema, 5) == []
    assert violated({"$schema": "http://json-schema.org/draft-04/schema#", "type": "integer"}, 1.0) == []


def test_any_is_any_type() -> None:
    assert violated({"type": "any"}, 3) == violated({"type": ["any", "null"]}, "x") == []


def test_a_pattern_takes_time_by_the_length_of_the_text_alone() -> None:
    (told,) = violated({"pattern": "^(a+)+$"}, "a" * 20_000 + "b")
    assert told[0] == "Pattern"


VERSIONS = plan(
    ("Order Completed", about(required=("three",)), 3),
    ("Order Completed", about(required=("one",)), 1),
    ("Order Completed", about(required=("two",)), 2),
)


@pytest.mark.parametrize(
    ("protocols", "required"),
    [
        ({"event_version": 2}, "two"),
        ({"event_version": 3}, "three"),
        ({"event_version": 2.0}, "two"),
        ({"event_version": 3.2}, "one"),
        ({"event_version": "2"}, "one"),
        ({"event_version": True}, "one"),
        ({"event_version": 7}, "one"),
        ({"event_version": [2]}, "one"),
        ({}, "one"),
        (2, "one"),
    ],
)
def test_the_version_is_the_one_that_the_event_names_else_the_oldest(protocols: Any, required: str) -> None:
    ruling = ruled(VERSIONS, {**track(), "context": {"protocols": protocols}})
    assert ruling is not None
    assert ruling.violations == (
        ("Required", f"properties.{required}", f"properties.{required} is required"),
    )


def test_an_event_without_context_keeps_the_oldest_version() -> None:
    assert ruled(VERSIONS, track(one=1)) is None


def test_a_name_must_be_the_same_to_the_letter() -> None:
    rules = compiled(plan(("Order Completed", {})))
    assert rules.rule_of(track("Order Completed")) is not None
    for name in ("order completed", "Order  Completed", "Order Completed "):
        assert rules.rule_of(track(name)) is None


def test_a_page_has_the_rule_of_its_name_else_that_of_all_pages() -> None:
    def page(kind: str, key: str) -> Json:
        return {"type": kind, "key": key, "jsonSchema": {"description": f"{kind} {key}"}}

    def found(rules: list[Json], message: Json) -> str | None:
        one = compiled({"rules": rules}).rule_of(message)
        return None if one is None else one.rule.schema["description"]

    rules = [page("PAGE", "Home"), page("TRACK", "Page Viewed"), page("TRACK", "Screen Viewed")]
    assert found(rules, {"type": "page", "name": "Home"}) == "PAGE Home"
    assert found(rules, {"type": "page", "name": "Cart"}) == "TRACK Page Viewed"
    assert found(rules, {"type": "page"}) == "TRACK Page Viewed"
    assert found(rules, {"type": "screen", "name": "Home"}) == "TRACK Screen Viewed"
    assert found([page("PAGE", ""), *rules], {"type": "page"}) == "PAGE "
    assert found(rules[:1], {"type": "page", "name": "Cart"}) is None


def test_an_alias_has_no_rule() -> None:
    assert compiled(plan(identify=about("traits"))).rule_of({"type": "alias"}) is None
