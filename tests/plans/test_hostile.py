"""Plans and events that are meant to hurt: none ends the process, and none holds the event loop."""

import json
import subprocess
import sys
from typing import Any

import pytest

from relay.body import decode, encode
from relay.event import MAX_EVENT
from relay.plans.compile import CompiledRule, compile_plan
from relay.plans.schemas import prepared
from relay.plans.shapes import read_plan
from relay.plans.violations import MAX_TEXT, TOO_DEEP, TOO_LARGE
from relay.plans.weight import MOST_UNITS, MOST_VALUES, has_many_errors, is_too_much, weight_of
from tests.plans.plans import Json, about, compiled, mistakes_of, plan, ruled, track, violated

PLACE = "rules.events[0].rules"
TEXT = {"type": "string"}


def definitions(**schemas: Any) -> Json:
    return {**about(it={"$ref": "#/definitions/d0"}), "definitions": schemas}


def nested(levels: int, leaf: Any = 1) -> Any:
    for _ in range(levels):
        leaf = {"a": leaf}
    return leaf


def rule_of(schema: Json) -> CompiledRule:
    found = compiled(plan(("Order Completed", schema))).rule_of(track())
    assert found is not None
    return found


# references


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"not": {"anyOf": [{"$ref": "#"}]}},
        {"if": {}, "then": {"$ref": "#"}},
        {"dependencies": {"type": {"$ref": "#"}}},
        {
            "$ref": "#/definitions/a",
            "definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}},
        },
        {"properties": {"a": {"$ref": "#/properties/a"}}},
    ],
)
def test_a_schema_that_says_nothing_but_itself_is_refused(schema: Json) -> None:
    assert mistakes_of(plan(("A", schema))) == [
        f"{PLACE}: refers to itself about the same value, without end"
    ]


def test_a_schema_may_refer_to_itself_about_what_is_inside() -> None:
    tree = {
        "type": "object",
        "properties": {"a": {"anyOf": [{"$ref": "#/definitions/d0"}, {"type": "integer"}]}},
    }
    rule = rule_of(definitions(d0=tree))
    assert rule.is_valid(track(it=nested(50)))
    assert not rule.is_valid(track(it=nested(50, "x")))
    assert weight_of(prepared(definitions(d0=tree), lambda *_: None)).most_values >= MOST_VALUES


def test_references_that_double_at_each_step_are_refused() -> None:
    double = {f"d{n}": {"allOf": [{"$ref": f"#/definitions/d{n + 1}"}] * 2} for n in range(40)}
    (told,) = mistakes_of(plan(("A", definitions(**double, d40=TEXT))))
    assert told == f"{PLACE}: references meet again so often that no event could be held against it"


def test_a_long_chain_of_references_is_refused() -> None:
    links = {f"d{n}": {"$ref": f"#/definitions/d{n + 1}"} for n in range(50_000)}
    (told,) = mistakes_of(plan(("A", definitions(**links, d50000=TEXT))))
    assert told == f"{PLACE}: references lead through more than 200 schemas, one inside the other"


def test_references_that_double_with_every_level_of_an_event() -> None:
    again = {"$ref": "#/definitions/d0"}
    one, other = {"properties": {"a": again}}, {"patternProperties": {"a": again}}
    rule = rule_of(definitions(d0={"type": ["object", "integer"], "allOf": [one, other]}))
    assert rule.is_valid(track(it=nested(5)))
    assert rule.violations(track(it=nested(60)), "properties")[0] == (TOO_LARGE, None)


def test_an_event_too_deep_for_a_schema_that_refers_to_itself_is_in_violation() -> None:
    """A level takes some of the stack, of which there is an end: in a process of its own, which must live."""
    inner: Json = {"type": "object", "properties": {"a": {"$ref": "#"}}}
    for _ in range(90):
        inner = {"allOf": [inner]}
    script = f"""
import json, sys
sys.setrecursionlimit(5000)
from tests.plans.plans import compiled, plan
value = 1
for _ in range(900):
    value = {{"a": value}}
rule = compiled(plan(("A", json.loads({json.dumps(json.dumps(inner))})))).rule_of({{"type": "track", "event": "A"}})
message = {{"type": "track", "event": "A", **value}}
assert not rule.is_valid(message)
print(rule.violations(message, "properties")[0][0][2])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == TOO_DEEP[2]


# what one value costs


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ({"enum": [n + 0.5 for n in range(5000)]}, 7),
        ({"enum": [{"a": n} for n in range(50_000)]}, {"a": 1}),
        ({"allOf": [TEXT] * 3000}, "x"),
        ({"anyOf": [*[{"const": str(n)} for n in range(3000)], {}]}, "x"),
        ({"patternProperties": {f"^a{n}.*z$": {} for n in range(3000)}}, {"a": 1}),
    ],
)  # fmt: skip
def test_many_values_that_cost_much_each_are_too_much(item: Json, value: Any) -> None:
    rule = rule_of(about(it={"items": item}))
    many, few = track(it=[value] * 3000), track(it=[value])
    assert rule.violations(many, "properties")[0] == (TOO_LARGE, None)
    assert (TOO_LARGE, None) not in rule.violations(few, "properties")


def test_what_is_too_much_to_look_at_is_blocked_or_omitted_as_a_violation_is() -> None:
    raw = plan(("Order Completed", about(it={"items": {"enum": [n + 0.5 for n in range(5000)]}})))
    event = track(it=[1] * 3000, other=1)
    assert ruled(raw, event) is not None
    blocked = ruled(raw, event, allow_track_event_on_violations=False)
    assert blocked is not None
    assert (blocked.blocked, blocked.violations) == ("schema_violation", (TOO_LARGE,))
    omitted = ruled(raw, event, allow_track_properties_on_violations=False)
    assert omitted is not None
    assert omitted.omitted_on_violation == (("properties", "it"), ("properties", "other"))


def test_numbers_that_are_compared_digit_by_digit_are_compared_only_in_small_lists() -> None:
    numbers = [10**19 - n for n in range(1400)]
    assert len(encode(numbers) or b"") < MAX_EVENT
    assert violated({"uniqueItems": True}, numbers) == [TOO_LARGE]
    assert violated({"uniqueItems": True}, numbers[:100]) == []
    assert violated({"uniqueItems": True}, list(range(3000))) == []
    assert violated({"uniqueItems": True}, [{"a": n} for n in range(3000)]) == []


def test_an_event_that_breaks_many_schemas_with_many_values_has_the_first_violation_only() -> None:
    assert len(violated({"items": {"allOf": [TEXT, {"const": 1}]}}, [5] * 10)) > 1
    told = violated({"items": {"allOf": [TEXT] * 50}}, [5] * 300)
    assert told == [("Invalid Type", "properties.it.0", "Invalid type. Expected: string, given: integer")]


def test_a_usual_rule_is_so_light_that_no_event_is_counted() -> None:
    usual = about(
        id={"type": "string", "pattern": "^o-[0-9]+$", "minLength": 3, "maxLength": 9, "format": "uuid"},
        kind={"enum": [str(n) for n in range(5000)]},
        list={"type": "array", "items": {"type": "object", "required": ["a"], "properties": {"a": TEXT}}},
        either={"anyOf": [TEXT, {"type": "object", "properties": {f"p{n}": TEXT for n in range(500)}}]},
    )
    weight = weight_of(prepared(usual, lambda *_: None))
    assert weight.most_values >= MOST_VALUES
    assert not weight.is_recursive


def test_counting_ends_where_it_says() -> None:
    schema = {"items": {"enum": [0.5] * 200}}
    assert not is_too_much(schema, list(range(MOST_UNITS // 20_000 - 1)))
    assert is_too_much(schema, list(range(MOST_UNITS // 20_000 + 1)))


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"propertyNames": {"pattern": "^(a|b)*c$"}}, {f"aaaaaa{n}": 1 for n in range(2500)}),
        ({"items": {"required": [f"r{n}" for n in range(50)]}}, [{}] * 2900),
        ({"items": {"enum": [f"e{n}" for n in range(50_000)]}}, [1] * 2900),
        ({"allOf": [{"not": {}}] * 1000}, list(range(2900))),
    ],
)
def test_of_what_takes_long_to_tell_the_first_violation_is_told(schema: Json, value: Any) -> None:
    assert has_many_errors(about(it=schema), track(it=value))
    assert len(violated(schema, value)) == 1


def test_a_sentence_has_an_end() -> None:
    (choice,) = violated({"enum": [f"e{n}" for n in range(50_000)]}, "x")
    assert choice[2].endswith('"e49" and 49950 more')
    (constant,) = violated({"const": "x" * 5000}, "x")
    assert len(constant[2]) == MAX_TEXT
    (name,) = violated({"additionalProperties": False}, {"n" * 5000: 1})
    assert len(name[1]) == len(name[2]) == MAX_TEXT


# plans


def test_a_schema_of_ten_thousand_levels_is_refused() -> None:
    text = (
        '{"rules": {"events": [{"name": "A", "rules": ' + '{"not": ' * 10_000 + "{}" + "}" * 10_000 + "}]}}"
    )
    with pytest.raises(ValueError, match="nested too deeply"):
        decode(text.encode())


@pytest.mark.parametrize("key", ["const", "default", "labels"])
def test_a_value_of_many_levels_inside_a_plan_is_refused_or_passed_over(key: str) -> None:
    told = mistakes_of(plan(("A", about(it={key: nested(400)}))))
    assert told in ([], [f"{PLACE}: nested too deeply"])


@pytest.mark.parametrize(
    "schema",
    [{"multipleOf": 0}, {"multipleOf": -1}, {"minItems": -1}, {"minimum": float("inf")}, {"minLength": 0.5}],
)
def test_a_limit_that_is_none_is_refused(schema: Json) -> None:
    assert len(mistakes_of(plan(("A", about(it=schema))))) == 1


@pytest.mark.parametrize("limit", [1e308, 10**400, 5e-324])
@pytest.mark.parametrize("value", [0, 1.5, 1e308, -1e308, 10**30, 2**63, float("inf")])
def test_numbers_at_the_ends_of_what_there_is(limit: float, value: float) -> None:
    for key in ("multipleOf", "minimum", "exclusiveMaximum"):
        assert len(violated({key: limit}, value)) <= 1


def test_a_pattern_that_blows_up_elsewhere_does_not_here() -> None:
    text = "ab" * (MAX_EVENT // 2)
    for pattern in (
        r"(a|b)*a(a|b){1000}c$",
        r"(.*a){50}c",
        r"^(([a-z])+.)+[A-Z]([a-z])+$",
        r"(a*)*(a*)*(a*)*c",
    ):
        assert violated({"pattern": pattern}, text) == [
            ("Pattern", "properties.it", f"Does not match pattern '{pattern}'")
        ]


def test_two_thousand_rules_with_big_lists_are_compiled() -> None:
    choices = [f"choice number {number}" for number in range(300)]
    raw = plan(*((f"Event {number}", about(it={"enum": choices})) for number in range(2000)))
    assert len(encode(raw) or b"") > 10_000_000
    read, mistakes = read_plan(raw)
    made, more = compile_plan(read)
    assert mistakes + more == []
    assert made.rule_of(track("Event 1999")) is not None


def test_names_by_thousands() -> None:
    few = {f"p{number}": TEXT for number in range(5000)}
    assert violated({"properties": few, "additionalProperties": False}, {"p1": "x"}) == []
