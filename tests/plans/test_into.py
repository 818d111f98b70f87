"""What is new goes into a plan that stands, in whatever shape, and nothing of it is touched."""

import copy
from typing import Any

import pytest

from relay.plans.infer import Inference
from relay.plans.into import added_to
from tests.plans.plans import Json, about, compiled, identify, plan, track

EVENTS = [
    *[track("Paid", id=1, total=2.5, buyer={"id": "b", "vip": True}, items=[{"sku": "a", "size": 1}])] * 30,
    track("Lost", a=1),
    {"type": "page", "name": "Home", "properties": {"path": "/"}},
    identify(plan="pro"),
]
BUYER = {"type": "object", "properties": {"id": {"type": "string"}}}
ITEMS = {"type": "array", "items": {"type": "object", "required": ["sku"], "properties": {"sku": {}}}}
PAID = about(required=("id",), id={"type": "string", "pattern": "^o"}, buyer=BUYER, items=ITEMS)
CONFIG = {**plan(("Paid", PAID), ("Paid", about(), 2)), "ours": 1}
PUBLIC = {"data": {"rules": [{"type": "TRACK", "key": "Paid", "version": 1, "jsonSchema": PAID, "ours": 1}]}}
SHORTHAND = {
    "tracking_plan": {
        "rules": {"events": [{"name": "Paid", "rules": {"properties": PAID["properties"]["properties"]}}]}
    }
}


def inferred(*events: Json) -> Json:
    inference = Inference()
    for event in events:
        inference.observe(event)
    return inference.plan("Shop").plan


@pytest.mark.parametrize("raw", [CONFIG, PUBLIC, SHORTHAND])
def test_what_is_new_is_added_in_any_shape(raw: Json) -> None:
    before = copy.deepcopy(raw)
    made, added = added_to(raw, inferred(*EVENTS))
    assert raw == before
    assert added == [
        "event `Lost`",
        "event `Page Viewed`",
        "Paid: properties.buyer.vip",
        "Paid: properties.items.$.size",
        "Paid: properties.total",
        "traits of identify",
    ]
    rules = compiled(made)
    assert [rule is not None for rule in map(rules.rule_of, EVENTS[-3:])] == [True] * 3
    paid = rules.rule_of({"type": "track", "event": "Paid"})
    assert paid is not None
    inner = paid.rule.schema["properties"]["properties"]
    assert inner["required"] == ["id"]
    assert inner["properties"]["id"] == {"type": "string", "pattern": "^o"}
    assert inner["properties"]["items"]["items"]["required"] == ["sku"]
    assert inner["properties"]["total"]["type"] == "number"


def test_what_stands_stays_to_the_letter() -> None:
    made, _ = added_to(CONFIG, inferred(*EVENTS))
    assert without_the_new(made, CONFIG) == CONFIG


def without_the_new(made: Any, old: Any) -> Any:
    if isinstance(old, dict):
        return {key: without_the_new(made[key], old[key]) for key in old}
    if isinstance(old, list):
        return [without_the_new(one, other) for one, other in zip(made, old, strict=False)]
    return made


def test_a_second_time_nothing_is_new() -> None:
    made, _ = added_to(CONFIG, inferred(*EVENTS))
    assert added_to(made, inferred(*EVENTS)) == (made, [])


@pytest.mark.parametrize(
    "stands",
    [
        {"additionalProperties": {"type": "number"}, "properties": {"id": {}}},
        {"patternProperties": {"^(total|buyer|items)$": {}}, "properties": {"id": {}}},
        {"allOf": [{"properties": {"id": {}, "total": {}, "buyer": {}, "items": {}}}]},
    ],
)
def test_what_is_planned_in_another_way_is_not_new(stands: Json) -> None:
    raw = plan(("Paid", {"properties": {"properties": stands}}))
    assert added_to(raw, inferred(EVENTS[0])) == (raw, [])


def test_an_object_that_may_hold_anything_stays_so() -> None:
    raw = plan(("Paid", about(id={}, total={}, buyer={"type": "object"}, items={"type": "array"})))
    assert added_to(raw, inferred(EVENTS[0])) == (raw, [])


def test_an_empty_rule_is_filled() -> None:
    made, added = added_to(plan(("Lost", {})), inferred(EVENTS[-3]))
    assert added == ["Lost: properties.a"]
    (event,) = made["rules"]["events"]
    assert event["rules"]["properties"]["properties"]["properties"]["a"]["type"] == "integer"
