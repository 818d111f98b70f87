"""From schemas to types.

A schema without `type` is of the type that its keywords are about, if that is one. Whatever a type cannot be made of
widens it, up to anything: no call that keeps the plan is refused.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from relay.plans.codegen.model import (
    Anything,
    Array,
    Field,
    Nothing,
    Object,
    Plain,
    Primitive,
    Type,
    Values,
    members,
    union,
)
from relay.plans.codegen.parts import Part, Schema, Way, Ways, combined, parts_of
from relay.plans.codegen.sentences import is_sayable, limits, sentences

MAX_DEPTH = 30  # levels of objects and lists; people write five
MAX_OBJECTS = 2000  # of one rule: alternatives in alternatives make ever more

# `integer` and what only `number` is
_KINDS = {
    "string": ("string",),
    "number": ("integer", "fraction"),
    "integer": ("integer",),
    "boolean": ("boolean",),
    "object": ("object",),
    "array": ("array",),
    "null": ("null",),
}
_KEYWORDS = {
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "array": ("items", "minItems", "maxItems", "uniqueItems", "contains", "additionalItems"),
    "object": (
        *("properties", "required", "additionalProperties", "patternProperties", "propertyNames"),
        *("minProperties", "maxProperties", "dependencies"),
    ),
}

Key = tuple[tuple[int, bool], ...]  # of a way


class Reader:
    """Reads the schemas of one rule. Objects that are the same in the plan are one."""

    def __init__(self) -> None:
        self._ways = Ways()
        self._objects: dict[Key, Object] = {}
        self._items: dict[Key, Type] = {}

    def type_of(self, parts: Iterable[tuple[Any, Schema]], depth: int = MAX_DEPTH) -> Type:
        """The type of what must keep each of `parts`: schemas, each with the rule it is in."""
        if depth == 0:
            return Anything()
        ways: list[Way] = [()]
        for schema, whole in parts:
            ways = combined(ways, self._ways(schema, whole), [schema], whole)
        return union(self._type(way, depth) for way in ways)

    def _type(self, way: Way, depth: int) -> Type:
        kinds = _kinds(way)
        values = _values(way)
        if values is not None:
            return _listed(values, kinds)
        return Anything() if kinds is None else union(self._types(way, kinds, depth))

    def _types(self, way: Way, kinds: frozenset[str], depth: int) -> Iterator[Type]:
        if "object" in kinds:
            yield self._object(way, depth)
        if "array" in kinds:
            yield Array(self._item(way, depth))
        if "string" in kinds:
            formats = {part.schema.get("format") for part in way}
            yield Plain("date-time" if formats & {"date-time"} else "string")
        if "fraction" in kinds:
            yield Plain("number")
        elif "integer" in kinds:
            yield Plain("integer")
        plain: tuple[Primitive, ...] = ("boolean", "null")
        yield from (Plain(kind) for kind in plain if kind in kinds)

    def _item(self, way: Way, depth: int) -> Type:
        key = _key(way)
        if key not in self._items:
            self._items[key] = Anything()  # what a list holds that holds itself
            self._items[key] = self._item_of(way, depth)
        return self._items[key]

    def _item_of(self, way: Way, depth: int) -> Type:
        items = [(part.schema["items"], part.whole) for part in way if "items" in part.schema]
        if not any(isinstance(schema, list) for schema, _ in items):
            return self.type_of(items, depth - 1)
        return union(self._places(way, depth - 1))

    def _places(self, way: Way, depth: int) -> Iterator[Type]:
        """Of lists in which every place has a schema: what any of them may hold."""
        for part in way:
            items = part.schema.get("items")
            if isinstance(items, list):
                more = part.schema.get("additionalItems", True)
                for schema in (*items, more):
                    yield self.type_of([(schema, part.whole)], depth)

    def _object(self, way: Way, depth: int) -> Type:
        key = _key(way)
        made = self._objects.get(key)
        if made is None:
            if len(self._objects) == MAX_OBJECTS:
                return Anything()
            made = self._objects[key] = Object()  # known before what it holds, which may be itself
            made.fields = tuple(self._fields(way, depth))
            made.others, made.is_unsaid = self._others(way, depth)
            if not made.fields and made.others is not None and _is_in(made, made.others):
                made.others = Anything()  # without names it has no type of its own that could be referred to
        return made

    def _fields(self, way: Way, depth: int) -> Iterator[Field]:
        listed: dict[str, list[Part]] = {}
        for part in way:
            for name, schema in _names(part.schema):
                listed.setdefault(name, []).append(Part(schema, part.whole, part.is_loose))
        required = {name: True for part in way if not part.is_loose for name in _required(part.schema)}
        for name in dict.fromkeys((*listed, *required)):
            firm = [(part.schema, part.whole) for part in listed.get(name, ()) if not part.is_loose]
            yield self._field(name, firm, depth, is_required=name in required)

    def _field(self, name: str, firm: list[tuple[Any, Schema]], depth: int, *, is_required: bool) -> Field:
        parts = [part for schema, whole in firm for part in parts_of(schema, whole)]
        notes = tuple(dict.fromkeys(sentences(parts)))
        return Field(name, self.type_of(firm, depth - 1), is_required, description_of(parts), notes)

    def _others(self, way: Way, depth: int) -> tuple[Type | None, bool]:
        firm = [part for part in way if not part.is_loose]
        others = [
            (part.schema["additionalProperties"], part.whole)
            for part in firm
            if "additionalProperties" in part.schema
        ]
        if any("patternProperties" in part.schema for part in way):
            return Anything(), False
        if not others:
            is_unsaid = not any(name for part in way for name in _names(part.schema))
            return (Anything() if is_unsaid else None), is_unsaid
        found = self.type_of(others, depth - 1)
        return (None if isinstance(found, Nothing) else found), False


def _key(way: Way) -> Key:
    return tuple(sorted((id(part.schema), part.is_loose) for part in way))


def _is_in(one: Object, type_: Type) -> bool:
    """Whether `one` is met in `type_` before an object that lists names."""
    for other in members(type_):
        if other is one:
            return True
        below = other.item if isinstance(other, Array) else None
        if isinstance(other, Object) and not other.fields:
            below = other.others
        if below is not None and _is_in(one, below):
            return True
    return False


def description_of(parts: Iterable[Part]) -> str:
    """The first that there is."""
    said = (part.schema.get("description") for part in parts)
    return next((text for text in said if isinstance(text, str) and text), "")


def _names(schema: Schema) -> Iterable[tuple[str, Any]]:
    listed = schema.get("properties")
    return listed.items() if isinstance(listed, dict) else ()


def _required(schema: Schema) -> list[str]:
    names = schema.get("required")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _kinds(way: Way) -> frozenset[str] | None:
    """The types that all parts allow, None for all: of those that say so, else by their keywords."""
    firm = [part.schema for part in way if not part.is_loose]
    said = [_said(schema["type"]) for schema in firm if "type" in schema]
    if said:
        return frozenset.intersection(*said)
    about = {kind for kind, keywords in _KEYWORDS.items() if any(k in one for one in firm for k in keywords)}
    return frozenset(_KINDS[about.pop()]) if len(about) == 1 else None


def _said(types: str | list[str]) -> frozenset[str]:
    names = [types] if isinstance(types, str) else types
    return frozenset(kind for name in names for kind in _KINDS[name])


def _values(way: Way) -> list[Any] | None:
    """The values that all parts allow, None if they are not limited."""
    limited = [values for part in way if not part.is_loose for values in limits(part.schema)]
    if not limited:
        return None
    first, *rest = limited
    return [value for value in first if all(json_of(value) in map(json_of, values) for values in rest)]


def _listed(values: Iterable[Any], kinds: frozenset[str] | None) -> Type:
    """One of `values`; of those that no type can say, what they are."""
    texts: list[str] = []
    wider: list[Type] = []
    for value in values:
        kind = _kind(value)
        if kinds is not None and kind not in kinds:
            continue
        if is_sayable(value):
            texts.append(json_of(value))
        else:
            wider.append(_WIDER[kind])
    exact: list[Type] = [Values(tuple(dict.fromkeys(texts)))] if texts else []
    return union(exact + wider)


_WIDER: dict[str, Type] = {
    "fraction": Plain("number"),
    "integer": Plain("integer"),
    "object": Object(others=Anything()),
    "array": Array(Anything()),
}


def _kind(value: Any) -> str:
    if isinstance(value, float):
        return "integer" if value.is_integer() else "fraction"
    return _OF_PYTHON[type(value)]


_OF_PYTHON: dict[type, str] = {
    str: "string",
    int: "integer",
    bool: "boolean",
    type(None): "null",
    dict: "object",
    list: "array",
}


def json_of(value: Any) -> str:
    """So that what is equal in JSON is the same text."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
