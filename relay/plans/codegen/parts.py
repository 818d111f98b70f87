"""A schema taken apart: the ways in which a value can keep it, each a list of parts that all count at once.

`allOf` and `$ref` add parts to every way, each branch of `anyOf` and `oneOf` makes a way of its own. Of `if`, `then`,
`else` and `dependencies`, which types cannot say, only the names that they list are taken: they are planned. So it is
with alternatives when there are too many.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

MAX_WAYS = 100  # a `const` in each branch is a usual way to describe values; combinations grow fast
MAX_DEPTH = 50  # alternatives in alternatives, and references to references

_ALTERNATIVES = ("anyOf", "oneOf")
_CONDITIONS = ("if", "then", "else")

Schema = dict[str, Any]


class Part(NamedTuple):
    """A schema, the rule in which its references are looked up, and whether only its names count."""

    schema: Schema
    whole: Schema
    is_loose: bool = False


Way = tuple[Part, ...]


def parts_of(schema: Any, whole: Schema) -> Iterator[Part]:
    """`schema` itself and what must be kept along with it, whatever else is."""
    yield from _reached([schema], whole, ("allOf",), is_loose=False)


class Ways:
    """Finds the ways to keep a schema; each is looked at once, however often it is referred to."""

    def __init__(self) -> None:
        self._found: dict[int, list[Way]] = {}
        self._depth = 0

    def __call__(self, schema: Any, whole: Schema) -> list[Way]:
        """None, if no value can keep it."""
        if not isinstance(schema, dict):
            return [] if schema is False else [()]
        if id(schema) not in self._found:
            self._found[id(schema)] = [()]  # until it is known: that it refers to itself says nothing
            if self._depth < MAX_DEPTH:
                self._depth += 1
                self._found[id(schema)] = self._ways(schema, whole)
                self._depth -= 1
        return self._found[id(schema)]

    def _ways(self, schema: Schema, whole: Schema) -> list[Way]:
        if isinstance(schema.get("$ref"), str):  # in draft 7 nothing beside it counts
            return self(_referred(schema["$ref"], whole), whole)
        found: list[Way] = [(Part(schema, whole), *_loose(_conditional(schema), whole))]
        for one in schema.get("allOf") or ():
            found = combined(found, self(one, whole), [one], whole)
        for key in _ALTERNATIVES:
            if key in schema:
                branches = [way for one in schema[key] for way in self(one, whole)]
                found = combined(found, branches, schema[key], whole)
        return found


def combined(some: list[Way], others: list[Way], schemas: Iterable[Any], whole: Schema) -> list[Way]:
    """Every one of `some` with every one of `others`, which are those of `schemas`, if that is not too many."""
    if len(some) * len(others) > MAX_WAYS:
        others = [tuple(_loose(schemas, whole))]
    ways = [_once((*one, *other)) for one in some for other in others]
    return list({tuple(id(part.schema) for part in way): way for way in ways}.values())


def _once(way: Way) -> Way:
    """Each part once; one that is loose and is not, is not."""
    found = {id(part.schema): part for part in sorted(way, key=lambda part: not part.is_loose)}
    return tuple(found[key] for key in dict.fromkeys(id(part.schema) for part in way))


def _conditional(schema: Schema) -> list[Any]:
    by_name = schema.get("dependencies")
    depending = (
        [one for one in by_name.values() if isinstance(one, dict)] if isinstance(by_name, dict) else []
    )
    return [schema[key] for key in _CONDITIONS if key in schema] + depending


def _loose(schemas: Iterable[Any], whole: Schema) -> Iterator[Part]:
    """Whatever is about the same value, however deep in conditions and alternatives."""
    yield from _reached(schemas, whole, ("allOf", *_ALTERNATIVES), is_loose=True)


def _reached(schemas: Iterable[Any], whole: Schema, keys: Iterable[str], *, is_loose: bool) -> Iterator[Part]:
    waiting, seen = list(schemas), set[int]()
    while waiting:
        schema = waiting.pop(0)
        if not isinstance(schema, dict) or id(schema) in seen:
            continue
        seen.add(id(schema))
        if isinstance(schema.get("$ref"), str):
            waiting.append(_referred(schema["$ref"], whole))
            continue
        yield Part(schema, whole, is_loose=is_loose)
        waiting += _conditional(schema) if is_loose else []
        for key in keys:
            waiting += schema.get(key) or ()


def _referred(reference: str, whole: Schema) -> Any:
    found: Any = whole
    for step in reference.removeprefix("#").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    return True if found is None else found
