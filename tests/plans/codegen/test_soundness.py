"""No call that keeps the plan is refused by the types, whatever the schema.

But for the two limits that are wanted: names that an object does not list, and schemas that name no type. So every
schema here names one, and objects with names beyond those listed are left out.
"""

from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from relay.plans.codegen.calls import calls_of
from relay.plans.codegen.model import Anything, Array, Nothing, Object, Plain, Type, Union, Values
from relay.plans.codegen.reading import json_of
from relay.plans.compile import compile_plan
from tests.plans.codegen.written import read
from tests.plans.plans import Json
from tests.plans.test_any_plan import NAMES, ROOTS, SCHEMAS, VALUES

TYPES = ["string", "number", "boolean", "null", "object", "array"]
PLAIN: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "date-time": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def typed(schema: Any) -> Any:
    """With a type in each schema. Data that looks like one may get a type too: it is still data."""
    if isinstance(schema, list):
        return [typed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inside = {k: v if k in ("enum", "const") else typed(v) for k, v in schema.items()}
    for key in ("properties", "patternProperties", "dependencies"):
        if isinstance(schema.get(key), dict):
            inside[key] = {name: typed(below) for name, below in schema[key].items()}
    return inside if "$ref" in inside else {"type": TYPES, **inside}


class Unlisted(Exception):
    """An object has a name that is not listed."""


def accepts(type_: Type, value: Any) -> bool:  # noqa: PLR0911  a line for each type
    match type_:
        case Anything():
            return True
        case Nothing():
            return False
        case Plain("integer"):
            return type(value) is int or (type(value) is float and value.is_integer())
        case Plain(kind):
            return type(value) in PLAIN[kind]
        case Values(texts):
            return json_of(value) in texts
        case Array(item):
            return type(value) is list and all(accepts(item, each) for each in value)
        case Object():
            return type(value) is dict and _holds(type_, value)
        case Union(members):
            return _any(members, value)


def _any(members: tuple[Type, ...], value: Any) -> bool:
    is_unlisted = False
    for one in members:
        try:
            if accepts(one, value):
                return True
        except Unlisted:
            is_unlisted = True
    if is_unlisted:
        raise Unlisted
    return False


def _holds(one: Object, value: Json) -> bool:
    listed = {field.name: field for field in one.fields}
    if one.others is None and not value.keys() <= listed.keys():
        raise Unlisted
    is_complete = all(field.name in value for field in one.fields if field.is_required)
    return is_complete and all(accepts(listed[name].type, value[name]) for name in value if name in listed)


@settings(max_examples=80, deadline=None)
@given(ROOTS, SCHEMAS, SCHEMAS, st.dictionaries(NAMES, VALUES, max_size=4))
def test_what_keeps_the_plan_is_accepted(root: Json, d: Any, e: Any, held: Json) -> None:
    inner = {name: typed(schema) for name, schema in root["properties"].items()}
    rule = {
        "properties": {"properties": {"type": "object", "properties": inner}},
        "definitions": {"d": typed(d), "e": typed(e)},
    }
    raw = {"rules": {"events": [{"name": "A", "rules": rule}]}}
    message = {"type": "track", "event": "A", "properties": {k: v for k, v in held.items() if k in inner}}
    plan, mistakes = compile_plan(read(raw))
    assume(mistakes == [])  # one that refers to itself without end
    of_event = plan.rule_of(message)
    assert of_event is not None
    assume(of_event.is_valid(message))
    (call,) = calls_of(read(raw)).calls
    try:
        assert accepts(call.data, message["properties"])
    except Unlisted:
        assume(False)
