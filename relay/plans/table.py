"""Rules that are put together from properties in any order: a list may come after what is said about its items."""

from collections.abc import Iterator
from typing import Any

from relay.plans.infer import SCHEMA
from relay.plans.rules import ROOT

MAX_DEPTH = 40  # names inside each other; a schema takes two levels for each

_ITEMS = "$"

Json = dict[str, Any]


class _Place:
    """A property, and what is inside it."""

    def __init__(self) -> None:
        self.line: int | None = None  # None: it has no row of its own
        self.first_line = 0  # that needs it
        self.is_required = False
        self.types: list[str] = []
        self.said: Json = {}
        self.properties: dict[str, _Place] = {}
        self.items: _Place | None = None


class RuleOfTable:
    """One rule: its description and labels, and a tree of its properties."""

    def __init__(self, kind: str, key: str, version: int, mistakes: list[str]) -> None:
        self._about = {"type": kind, "key": key, "version": version}
        self._root = _Place()
        self._description = ""
        self._labels: dict[str, str] = {}
        self._mistakes = mistakes

    def describe(self, description: str) -> None:
        self._description = self._description or description

    def label(self, labels: dict[str, str]) -> None:
        self._labels |= labels

    def add(
        self, line: int, name: str, *, is_required: bool, description: str, types: list[str], said: Json
    ) -> None:
        """A property by its path."""
        steps = name.split(".")
        if not all(steps) or steps[0] == _ITEMS or len(steps) > MAX_DEPTH:
            self._mistakes.append(
                f"{line}: property name: `{name[:100]}` is no path of names, such as `products.$.sku`"
            )
            return
        place = self._root
        for step in steps:
            place = self._inside(place, step, line)
        if place.line is not None:
            self._mistakes.append(f"{line}: property name: `{name}` stands in line {place.line} already")
            return
        place.line, place.is_required, place.types = line, is_required, types
        place.said = ({"description": description} if description else {}) | said

    def _inside(self, place: _Place, step: str, line: int) -> _Place:
        if step == _ITEMS:
            place.items = found = place.items or _Place()
        else:
            found = place.properties.setdefault(step, _Place())
        found.first_line = found.first_line or line
        return found

    def built(self) -> Json:
        """As the Public API has a rule."""
        sections: Json = {"context": {}, "traits": {}, "properties": {}}
        kind = str(self._about["type"])
        inner = {"type": "object", **self._members(self._root)}
        schema = {"$schema": SCHEMA, "type": "object", "labels": self._labels}
        root = ROOT.get(kind.lower(), "properties")
        made = {**self._about, "jsonSchema": {**schema, "properties": {**sections, root: inner}}}
        return made | ({"description": self._description} if self._description else {})

    def _schema(self, place: _Place) -> Json:
        types = place.types
        for members, needed in ((place.properties, "object"), (place.items, "array")):
            if members and needed not in types:
                if types:
                    said = (
                        f"type: is {' or '.join(types)}, and must be {needed} to have what stands inside it"
                    )
                    self._mistakes.append(f"{place.line or place.first_line}: {said}")
                types = [*types, needed]
        schema = dict(place.said)
        if types:
            schema["type"] = types[0] if len(types) == 1 else types
        schema |= self._members(place)
        if place.items is not None:
            schema["items"] = self._schema(place.items)
        return schema

    def _members(self, place: _Place) -> Json:
        required = [name for name, inner in place.properties.items() if inner.is_required]
        properties = {name: self._schema(inner) for name, inner in place.properties.items()}
        return ({"required": required} if required else {}) | (
            {"properties": properties} if properties else {}
        )


class Rules:
    """The rules of a table."""

    def __init__(self) -> None:
        self.mistakes: list[str] = []
        self._rules: dict[tuple[str, str, int], RuleOfTable] = {}

    def rule(self, kind: str, key: str, version: int) -> RuleOfTable:
        found = self._rules.get((kind, key, version))
        if found is None:
            found = self._rules[kind, key, version] = RuleOfTable(kind, key, version, self.mistakes)
        return found

    def built(self) -> Iterator[Json]:
        return (rule.built() for rule in self._rules.values())
