"""One plan in every shape in which Segment gives or takes it."""

from typing import Any

import pytest

from relay.plans.rules import Plan
from relay.plans.shapes import MAX_RULES, read_plan
from tests.plans.plans import Json, about, mistakes_of, plan, ruled, track

INNER = {"type": "object", "required": ["item_id"], "properties": {"item_id": {"type": "string"}}}
MESSAGE = {"type": "object", "properties": {"properties": INNER}}
EVENT = {"name": "Order Completed", "description": "It was paid.", "version": 2, "rules": MESSAGE}
RULE = {"type": "TRACK", "key": "Order Completed", "version": 2, "jsonSchema": MESSAGE}
CONFIG: Json = {
    "name": "workspaces/w/tracking-plans/rs_1",
    "display_name": "Shop",
    "rules": {"events": [EVENT], "global": MESSAGE, "identify": about("traits"), "group": about("traits")},
    "create_time": "2026-01-01T00:00:00Z",
}


def read(raw: Any) -> Plan:
    found, mistakes = read_plan(raw)
    assert mistakes == []
    return found


def test_the_config_apis_with_and_without_its_wrapper() -> None:
    found = read(CONFIG)
    assert read({"tracking_plan": CONFIG}) == found
    assert (found.name, found.id) == ("Shop", "rs_1")
    kinds = [(rule.kind, rule.key, rule.version) for rule in found.rules]
    others = [("COMMON", "", 1), ("IDENTIFY", "", 1), ("GROUP", "", 1)]
    assert kinds == [("TRACK", "Order Completed", 2), *others]
    assert (found.rules[0].schema, found.rules[0].description) == (MESSAGE, "It was paid.")


def test_the_public_apis_with_and_without_its_data() -> None:
    page = {"type": "PAGE", "key": "Home", "version": 1, "jsonSchema": MESSAGE}
    found = read({"id": "tp_1", "name": "Shop", "rules": [RULE, page]})
    assert read({"data": {"id": "tp_1", "name": "Shop", "rules": [RULE, page]}}) == found
    assert (found.name, found.id) == ("Shop", "tp_1")
    assert [(rule.kind, rule.key, rule.version) for rule in found.rules] == [
        ("TRACK", "Order Completed", 2),
        ("PAGE", "Home", 1),
    ]


def test_the_shorthand_is_about_the_properties() -> None:
    short = {
        "display_name": "Shop",
        "rules": {"events": [{"name": "Order Completed", "rules": {"properties": INNER}}]},
    }
    (rule,) = read(short).rules
    assert (rule.version, rule.schema) == (
        1,
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "labels": {},
            "properties": {"context": {}, "traits": {}, "properties": INNER},
        },
    )
    ruling = ruled(short, track())
    assert ruling is not None
    assert [violation[1] for violation in ruling.violations] == ["properties.item_id"]


def test_the_shorthand_of_identify_and_group_is_about_the_traits() -> None:
    short = {"rules": {"events": [], "identify": {"properties": INNER}, "group": {"properties": INNER}}}
    for rule in read(short).rules:
        assert rule.schema["properties"] == {"context": {}, "traits": INNER, "properties": {}}


def test_a_rule_about_the_type_of_a_message_is_no_shorthand() -> None:
    schema = {"properties": {"type": {"const": "track"}}}
    (rule,) = read(plan(("Order Completed", schema))).rules
    assert rule.schema is schema


def test_labels_are_read_and_in_nobodys_way() -> None:
    (rule,) = read(plan(("Order Completed", {**MESSAGE, "labels": {"team": "shop"}}))).rules
    assert rule.labels == {"team": "shop"}
    assert read(plan(("Order Completed", MESSAGE))).rules[0].labels == {}


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (3, "rules: must be an object (Config API) or a list (Public API) of rules"),
        ({"rules": {"events": {}}}, None),
        ({"rules": {"events": 3}}, "rules.events: must be a list"),
        ({"rules": {"events": [3]}}, "rules.events[0]: must be an object with `name` and `rules`"),
        ({"rules": {"events": [{"rules": {}}]}}, "rules.events[0].name: must be the name of an event"),
        ({"rules": {"events": [{"name": "A"}]}}, "rules.events[0].rules: must be a JSON Schema: an object"),
        (
            {"rules": {"events": [{**EVENT, "version": "1"}]}},
            "rules.events[0].version: must be a whole number",
        ),
        ({"rules": {"identify": 3}}, "rules.identify: must be a JSON Schema: an object"),
        (
            {"rules": {"identify_traits": [1]}},
            "rules.identify_traits: is not read: write a schema as `rules.identify`",
        ),
        (
            {"rules": {"evnets": []}},
            "rules.evnets: is no part of a plan; known: events, global, identify, group",
        ),
        (
            {"rules": [{"type": "ALIAS"}]},
            "rules[0].type: must be one of TRACK, IDENTIFY, GROUP, PAGE, SCREEN, COMMON",
        ),
        ({"rules": [{**RULE, "key": 3}]}, "rules[0].key: must be the name of an event"),
        (
            {"rules": [RULE, RULE]},
            "rules[1].jsonSchema: `Order Completed` has version 2 already: rules[0].jsonSchema",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(raw: Any, told: str | None) -> None:
    assert read_plan(raw)[1] == ([] if told is None else [told])


def test_a_plan_has_no_more_rules_than_segments() -> None:
    raw = plan(*[(f"Event {number}", {}) for number in range(MAX_RULES + 1)])
    assert mistakes_of(raw) == ["rules: 2,001 are more than the 2,000 that a plan may have"]
