"""Whatever a plan says and whatever an event holds: every event is judged, and nothing is raised."""

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from relay.plans.compile import compile_plan
from relay.plans.controls import Controls
from relay.plans.enforce import Enforcer
from relay.plans.ruling import decode_ruling, encode_ruling
from relay.plans.shapes import read_plan
from tests.plans.plans import Json

NAMES = st.sampled_from(["a", "b", "allOf", "properties", "items", "0", "007", "+7", ""])
SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 10**20) | st.floats(allow_nan=False) | st.text(max_size=3)
)
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=4) | st.dictionaries(NAMES, v, max_size=4), max_leaves=12
)
TYPES = st.sampled_from(["string", "number", "integer", "boolean", "null", "object", "array"])
FEW = st.integers(0, 3)


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some, by_name = st.lists(inner, min_size=1, max_size=3), st.dictionaries(NAMES, inner, max_size=3)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
            "properties": by_name,
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "b$", "."]), inner, max_size=2),
            "additionalProperties": inner,
            "propertyNames": inner,
            "required": st.lists(NAMES, max_size=2, unique=True),
            "dependencies": st.dictionaries(
                NAMES, inner | st.lists(NAMES, max_size=2, unique=True), max_size=2
            ),
            "items": inner | some,
            "additionalItems": inner,
            "contains": inner,
            "uniqueItems": st.booleans(),
            **dict.fromkeys(("allOf", "anyOf", "oneOf"), some),
            **dict.fromkeys(("not", "if", "then", "else"), inner),
            **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "minLength", "maxLength"), FEW),
            **dict.fromkeys(("minItems", "maxItems", "minProperties", "maxProperties"), FEW),
            "enum": st.lists(VALUES, min_size=1, max_size=2),
            "const": VALUES,
            "pattern": st.sampled_from(["^a", "(?i)B"]),
            "format": st.sampled_from(["date-time", "uuid", "email"]),
            "$ref": st.sampled_from(["#/definitions/d", "#/definitions/e"]),
        },
    )


SCHEMAS: st.SearchStrategy[Any] = st.recursive(st.booleans() | st.just({}), _schemas, max_leaves=8)
ROOTS = st.fixed_dictionaries({"properties": st.dictionaries(NAMES, SCHEMAS, max_size=4)})
CONTROLS = st.builds(
    Controls,
    allow_unplanned_track_event_properties=st.booleans(),
    allow_track_properties_on_violations=st.booleans(),
    common_track_event_on_violations=st.sampled_from(["ALLOW", "OMIT_PROPERTIES", "BLOCK"]),
)


def _about(inner: Json, d: Any, e: Any) -> Json:
    return {"properties": {"properties": inner}, "definitions": {"d": d, "e": e}}


@pytest.mark.timeout(600)
@settings(max_examples=200, deadline=None)
@given(ROOTS, ROOTS, SCHEMAS, SCHEMAS, st.dictionaries(NAMES, VALUES, max_size=4), CONTROLS)
def test_every_event_is_judged(
    rule: Json, common: Json, d: Any, e: Any, held: Json, controls: Controls
) -> None:
    raw = {"rules": {"events": [{"name": "A", "rules": _about(rule, d, e)}], "global": _about(common, d, e)}}
    plan, mistakes = read_plan(raw)
    compiled, more = compile_plan(plan)
    assume(not any(mistake.endswith("without end") for mistake in more))  # what says nothing, in a circle
    assert mistakes + more == []
    event = {"type": "track", "event": "A", "sourceId": "s", "properties": held}
    ruling = Enforcer(compiled, controls)(event)
    of_event = compiled.rule_of(event)
    assert of_event is not None
    assert bool(of_event.violations(event, "properties")) is not of_event.is_valid(event)
    assert of_event.plans_all("properties", held) is not any(of_event.names("properties").unplanned(held))
    if ruling is not None:
        assert decode_ruling(encode_ruling(ruling)) == ruling
        left = ruling.applied(event)
        assert left.keys() >= event.keys()
        assert not any(_is_there(left, path) for path in (*ruling.omitted, *ruling.omitted_on_violation))


def _is_there(value: Any, path: tuple[str | int, ...]) -> bool:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True
