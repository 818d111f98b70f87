"""What no type can say of a value, in sentences."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from relay.plans.codegen.parts import Part, parts_of

MAX_INTEGER = 2**53 - 1  # JavaScript: the last that is told from its neighbours
MAX_DEPTH = 3  # lists in lists of which something is said


def _limit(sentence: str) -> Callable[[Any], str]:
    return lambda value: sentence.format(_json(value))


def _fixed(sentence: str) -> Callable[[Any], str]:
    return lambda _: sentence


def _names(sentence: str) -> Callable[[Any], str]:
    return lambda value: sentence.format(", ".join(f"`{name}`" for name in value))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _one_of(branches: list[Any]) -> str:
    """Nothing, when they differ in their types: that is in the type."""
    if all(isinstance(one, dict) and one.keys() <= {"type"} for one in branches):
        return ""
    return f"Keeps exactly one of {len(branches)} alternatives."


_SENTENCES: dict[str, Callable[[Any], str]] = {
    "pattern": lambda pattern: f"Matches `{pattern}`.",
    "format": lambda name: f"Has the format `{name}`.",
    "minLength": _limit("Characters: at least {}."),
    "maxLength": _limit("Characters: at most {}."),
    "minimum": _limit("Is at least {}."),
    "maximum": _limit("Is at most {}."),
    "exclusiveMinimum": _limit("Is more than {}."),
    "exclusiveMaximum": _limit("Is less than {}."),
    "multipleOf": _limit("Is a multiple of {}."),
    "minItems": _limit("Items: at least {}."),
    "maxItems": _limit("Items: at most {}."),
    "contains": _fixed("Has an item that the plan describes (`contains`)."),
    "minProperties": _limit("Names: at least {}."),
    "maxProperties": _limit("Names: at most {}."),
    "patternProperties": _names("May also have names that match {}."),
    "propertyNames": _fixed("Not every name is allowed (`propertyNames`)."),
    "dependencies": _names("Other rules hold for it when it has {}."),
    "not": _fixed("There is something that it must not be (`not`)."),
    "if": _fixed("Other rules hold for it under a condition (`if`)."),
    "oneOf": _one_of,
}


def sentences(parts: Iterable[Part], depth: int = MAX_DEPTH) -> Iterator[str]:
    """About what must keep all of `parts`; an item of a list is spoken of if it has no names of its own."""
    for schema, whole, is_loose in parts:
        if is_loose:
            continue
        for keyword, sentence in _SENTENCES.items():
            if keyword in schema and (said := sentence(schema[keyword])):
                yield said
        if schema.get("uniqueItems") is True:
            yield "Has no item twice."
        for values in limits(schema):
            if not all(map(is_sayable, values)):
                yield f"Is one of {', '.join(map(_json, values))}."
        if depth and isinstance(schema.get("items"), dict):
            below = list(parts_of(schema["items"], whole))
            if not any("properties" in one.schema for one in below):
                yield from (f"Each item: {said}" for said in sentences(below, depth - 1))


def limits(schema: dict[str, Any]) -> Iterator[list[Any]]:
    """The values to which `enum` and `const` limit it, each."""
    if isinstance(schema.get("enum"), list):
        yield schema["enum"]
    if "const" in schema:
        yield [schema["const"]]


def is_sayable(value: Any) -> bool:
    """Whether a type of every language can be this very value."""
    if isinstance(value, float):
        return value.is_integer() and abs(value) <= MAX_INTEGER
    return value is None or isinstance(value, str) or (isinstance(value, int) and abs(value) <= MAX_INTEGER)
