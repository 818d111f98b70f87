"""Which names a schema plans, and which of an event's are not among them.

A name is planned where any part of the schema that is about the same object lists it: the schema itself, what it
refers to, its `allOf`, `anyOf`, `oneOf`, `if`, `then`, `else`. An object below the properties of which no names are
listed may hold what it likes, and so may one whose `additionalProperties` is a schema.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jsonschema_rs import Draft7Validator, RegexOptions

from relay.plans.schemas import referred

Path = tuple[str | int, ...]

MAX_DEPTH = 100  # levels of an event below which nobody looks: a schema may refer to itself

_SAME_OBJECT = ("allOf", "anyOf", "oneOf")
_SAME_OBJECT_ONE = ("if", "then", "else")


class Names:
    """What is planned at one place of a message."""

    __slots__ = ("deep", "is_closed", "items", "known", "patterns")

    def __init__(self) -> None:
        self.known: dict[str, Names] = {}
        self.deep: tuple[str, ...] = ()  # names below which there is something to look at
        self.patterns: tuple[str, ...] = ()  # of `patternProperties`
        self.items: Names | None = None
        self.is_closed = False

    @property
    def is_open(self) -> bool:
        """Whether anything may stand here."""
        return not self.is_closed and not self.known and self.items is None

    def unplanned(self, value: Any, path: Path = (), depth: int = MAX_DEPTH) -> Iterator[Path]:
        """The paths of names that are not planned; nothing is said about what is below them."""
        if type(value) is dict:
            if self.is_closed and not value.keys() <= self.known.keys():
                matches = _matcher(self.patterns)
                for name in value:
                    if name not in self.known and not matches(name):
                        yield (*path, name)
            if depth:
                for name in self.deep:
                    if name in value:
                        yield from self.known[name].unplanned(value[name], (*path, name), depth - 1)
        elif type(value) is list and self.items is not None and depth:
            for number, item in enumerate(value):
                yield from self.items.unplanned(item, (*path, number), depth - 1)


def names_of(schema: dict[str, Any], root: str) -> Names:
    """What `schema`, which is about a message, plans under `properties` or `traits`. Names must be listed there."""
    message = _Reading(schema).names([schema])
    found = message.known.get(root) or Names()
    if not found.is_closed and not found.known:
        found = Names()
        found.is_closed = True
    return found


class _Reading:
    """One schema being read. Places that the same parts are about are read once, however they are referred to."""

    def __init__(self, whole: dict[str, Any]) -> None:
        self._whole = whole
        self._made: dict[tuple[int, ...], Names] = {}

    def names(self, schemas: list[Any]) -> Names:
        parts = {id(part): part for schema in schemas for part in self._parts(schema, set())}
        key = tuple(sorted(parts))
        if key in self._made:
            return self._made[key]
        names = self._made[key] = Names()
        listed: dict[str, list[Any]] = {}
        patterns: dict[str, bool] = {}
        items: list[Any] = []
        is_free = False
        for part in parts.values():
            for name, schema in _dict(part.get("properties")).items():
                listed.setdefault(name, []).append(schema)
            patterns |= dict.fromkeys(_dict(part.get("patternProperties")), True)
            each = part.get("items")
            items += each if isinstance(each, list) else [] if each is None else [each]
            is_free = is_free or bool(_dict(part.get("additionalProperties")))
        names.is_closed = bool(listed or patterns) and not is_free
        names.patterns = tuple(patterns)
        names.known = {name: self.names(some) for name, some in listed.items()}
        names.deep = tuple(name for name, below in names.known.items() if not below.is_open)
        below = self.names(items) if items else None
        names.items = None if below is None or below.is_open else below
        return names

    def _parts(self, schema: Any, seen: set[int]) -> Iterator[dict[str, Any]]:
        """All schemas that are about the same value as `schema`."""
        if not isinstance(schema, dict) or id(schema) in seen:
            return
        seen.add(id(schema))
        if isinstance(schema.get("$ref"), str):  # in draft 7 nothing beside it counts
            yield from self._parts(referred(self._whole, schema["$ref"]), seen)
            return
        yield schema
        for key in _SAME_OBJECT:
            for one in schema.get(key) or ():
                yield from self._parts(one, seen)
        for key in _SAME_OBJECT_ONE:
            yield from self._parts(schema.get(key), seen)
        for one in _dict(schema.get("dependencies")).values():
            yield from self._parts(one, seen)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether a name matches any of the patterns, as the validator itself would say."""
    schema = {"anyOf": [{"pattern": pattern} for pattern in patterns]} if patterns else False
    return Draft7Validator(schema, pattern_options=RegexOptions()).is_valid


def keeping(names: Names) -> Callable[[Any], bool]:
    """Whether every name in a value is planned: what `unplanned` finds one by one, in a microsecond."""
    definitions: dict[str, Any] = {}

    def refer(one: Names) -> dict[str, Any]:
        key = str(id(one))
        if key not in definitions:
            made = definitions[key] = {}
            made["properties"] = {
                name: {} if below.is_open else refer(below) for name, below in one.known.items()
            }
            if one.is_closed:
                made["additionalProperties"] = False
                made["patternProperties"] = {pattern: {} for pattern in one.patterns}
            if one.items is not None:
                made["items"] = refer(one.items)
        return {"$ref": f"#/definitions/{key}"}

    schema = {**refer(names), "definitions": definitions}
    return Draft7Validator(schema, offline=True, pattern_options=RegexOptions()).is_valid
