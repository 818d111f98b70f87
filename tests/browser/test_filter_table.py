"""Filters in three places: relay's own FQL, Segment's evaluator and relay's in the browser. They agree, but for what is listed."""

import asyncio
import json
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from relay.browser.build import BUILT, SOURCES
from relay.destinations.fql import FqlError, compile_filter
from relay.destinations.fql.actions import Filters, compile_filters
from relay.destinations.fql.rules import Rule, rule_of
from relay.npm import build
from tests.browser.visit import NODE_FOLDER, install_reference

pytestmark = pytest.mark.asyncio(loop_scope="module")

Event = dict[str, Any]

EVENTS: list[Event] = [
    {
        "type": "track",
        "event": "Button Clicked",
        "userId": "u1",
        "context": {"library": {"name": "analytics.js", "version": "1.0"}, "page": {"path": "/login"}},
        "properties": {
            "features": ["discounts", "dark-mode"],
            "product 1": {"price": "19.99"},
            "n": 5,
            "text": "5",
            "yes": True,
            "no": False,
            "none": None,
            "object": {"k": 1, "l": [1]},
            "alike": {"k": 1, "l": [1]},
            "items": [{"sku": "s1", "cost": 1}, {"sku": "s2", "cost": 2}, "no object"],
            "stars": "5*",
        },
    },
    {
        "type": "page",
        "name": "Home",
        "properties": {"n": 0, "text": "", "features": [], "yes": "yes"},
        "context": {},
    },
    {
        "type": "identify",
        "userId": None,
        "traits": {"email": "A@Example.com", "age": 41.5},
        "context": {"page": {}},
    },
    {
        "type": "track",
        "event": "button clicked",
        "properties": {"n": -1.5, "yes": 1, "object": []},
        "context": {},
    },
    {
        "type": "group",
        "groupId": "g1",
        "traits": {},
        "properties": {"n": "9", "no": {}},
        "context": {"page": "/"},
    },
]

CONDITIONS = """
all
event = 'Button Clicked'
event != 'Button Clicked'
context.path.path = '/login'
type = 'identify' or type = 'track'
match(context.library.version, '1.*')
type = 'track' and (event = 'Click' or match(event, 'Button *'))
!contains(context.library.name, 'js')
properties.product\\ 1.price = '19.99'
!(type in ['track', 'identify'])
(type = 'page' or type = 'track') and (properties.yes or match(traits.email, '*@Example.com'))
properties.yes
!properties.yes
!(properties.yes) or type = 'track'
type = 'page' or properties.yes
type != 'page' and !(properties.yes and properties.no)
!!properties.no
userId = null
userId != null
event = null or properties.none = null
null = properties.none
properties.missing != null
properties.n >= 5
properties.n < 1
0 > properties.n
properties.n = 5.0
properties.n in [5, "9", null]
properties.n in []
properties.text = properties.n
properties.object = properties.alike
properties.object != properties.none
properties.missing = properties.none
properties.text in [properties.stars, "5"]
5 in [properties.n, 1]
lowercase(event) = "button clicked"
lowercase(event) in ["x", "button clicked"]
lowercase(event) = event
lowercase(event) = null
lowercase(traits.email) != "a@example.com"
length(properties.features) > 1
length(properties.features) = 0
length(properties.missing) <= 0
length(properties.text) != 0
2 <= length(properties.items)
length(properties.n) = 1
typeof(properties.n) = "number"
typeof(properties.features) = "list"
typeof(properties.object) = "object"
typeof(properties.object) != "object"
typeof(properties.yes) in ["bool", "null"]
typeof(properties.none) = "null"
typeof(properties.text) = "string"
typeof(properties.text) = "text"
(type = "track") = false
contains(event, "Clicked") = true
contains(properties.stars, properties.text)
contains(properties.features, "dark")
match(properties.stars, "5\\*")
match(event, "[A-C]utton*d")
match(event, "[^A-C]utton?clicked")
match(event, "*t*C*")
match(event, "")
match(event, "*")
properties.items.1.sku = "s2"
properties.items.7.sku = null
properties.features.0 in ["discounts"]
integrations.All = null
true
false or null
""".strip().splitlines()

# condition, event, what relay and its browser code say, what Segment's evaluator says
DIFFERENT = [
    ("length(properties.t) = 2", {"type": "track", "properties": {"t": "é"}}, True, False),
    ("match(properties.t, '?')", {"type": "track", "properties": {"t": "😀"}}, True, False),
    ("properties.t.0 = 'a'", {"type": "track", "properties": {"t": "abc"}}, False, True),
    (
        "properties.a = properties.b",
        {"type": "track", "properties": {"a": {"x": 1, "y": 2}, "b": {"y": 2, "x": 1}}},
        True,
        False,
    ),
]

ACTIONS: list[list[Event]] = [
    [{"if": 'type = "page"', "actions": [{"type": "DROP"}]}],
    [{"if": "properties.yes", "actions": [{"type": "DROP_PROPERTIES", "fields": {"properties": ["n"]}}]}],
    [{"if": "all", "actions": [{"type": "SAMPLE", "percent": 0}]}],
    [{"if": 'type = "page"', "actions": [{"type": "SAMPLE", "percent": 1.0}, {"type": "SAMPLE", "percent": 0.0}]}],
    [{"if": "all", "actions": [{"type": "SAMPLE", "percent": 1, "path": "userId"}]}],
    [{"if": "all", "actions": [{"type": "DROP_PROPERTIES", "fields": {"properties.items": ["sku", "x"]}}]}],
    [{"if": "all", "actions": [{"type": "ALLOW_PROPERTIES", "fields": {"properties.items": ["sku"], "traits": []}}]}],
    [{"if": "all", "actions": [{"type": "ALLOW_PROPERTIES", "fields": {"properties.items.0": ["cost"]}}]}],
    [{"if": "all", "enabled": False, "actions": [{"type": "DROP"}]}],
    [
        {"if": "all", "actions": [{"type": "DROP_PROPERTIES", "fields": {"properties": ["n", "text"]}}]},
        {"if": "properties.n = 5", "actions": [{"type": "ALLOW_PROPERTIES", "fields": {"properties": ["text", "yes"]}}]},
        {"if": 'properties.text = ""', "actions": [{"type": "DROP_PROPERTIES", "fields": {"context": ["page"]}}]},
        {"if": 'event = "button clicked"', "actions": [{"type": "DROP"}]},
    ],
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def _built() -> None:
    await asyncio.to_thread(build, SOURCES, BUILT)
    await asyncio.to_thread(install_reference)


async def in_browsers(rules: list[Rule], events: list[Event]) -> list[list[list[Event | None]]]:
    """For each rule and event what Segment's evaluator leaves of it, and what relay's does."""
    asked = {
        "plugin": str(BUILT / "plugin-filters.js"),
        "rules": msgspec.to_builtins(rules),
        "events": events,
    }
    node = await asyncio.create_subprocess_exec(
        "node",
        str(NODE_FOLDER / "filters.cjs"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await node.communicate(json.dumps(asked).encode())
    assert node.returncode == 0
    found: list[list[list[Event | None]]] = json.loads(out)
    return found


def kept(condition: str, event: Event) -> bool:
    try:
        return compile_filter(condition)(event)
    except FqlError:
        return False


def rule_for(condition: str) -> Rule:
    rule = rule_of(condition, ())
    return rule if rule is not None else Rule((), ())


async def test_a_filter_keeps_the_same_events_in_all_places() -> None:
    answers = await in_browsers([rule_for(one) for one in CONDITIONS], EVENTS)
    wrong = [
        (condition, event, theirs, ours)
        for condition, row in zip(CONDITIONS, answers, strict=True)
        for event, (theirs, ours) in zip(EVENTS, row, strict=True)
        if not theirs == ours == (event if kept(condition, event) else None)
    ]
    assert wrong == []


async def test_what_segments_evaluator_sees_otherwise() -> None:
    for condition, event, ours, theirs in DIFFERENT:
        (((said, own),),) = await in_browsers([rule_for(condition)], [event])
        assert (kept(condition, event), own is not None, said is not None) == (ours, ours, theirs), condition


async def test_actions_leave_the_same_of_events_in_all_places() -> None:
    for actions in ACTIONS:
        filters = msgspec.convert(actions, Filters)
        rule = rule_of(None, filters) or Rule((), ())
        (answers,) = await in_browsers([rule], EVENTS)
        for event, (theirs, ours) in zip(EVENTS, answers, strict=True):
            try:
                left = compile_filters(filters)(event)
            except FqlError:
                left = None
            assert theirs == ours == left, (actions, event)


async def test_a_sample_is_drawn_by_chance() -> None:
    filters = msgspec.convert([{"if": "all", "actions": [{"type": "SAMPLE", "percent": 0.25}]}], Filters)
    rule = rule_of(None, filters)
    assert rule is not None
    (answers,) = await in_browsers([rule], EVENTS[:1] * 2000)
    for place in (0, 1):
        # 2,000 at 25 %: seven times the deviation of 19 to either side
        assert 365 < sum(answer[place] is not None for answer in answers) < 635
