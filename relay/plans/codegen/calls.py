"""A plan's calls: one for each rule but the common one, which counts for all.

Pages and screens are planned by rules of their own or, as most plans do it, by the events `Page Viewed` and `Screen
Viewed`, which are then calls of both kinds. relay puts the name and the category of a page into its properties, and a
browser's SDK its address, so no caller has to.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from relay.plans.codegen.model import Call, Calls, CallType, Field, Object, Type, members, union
from relay.plans.codegen.parts import Schema, parts_of
from relay.plans.codegen.reading import Reader, description_of
from relay.plans.codegen.sentences import sentences
from relay.plans.compile import VIEWED
from relay.plans.rules import ROOT, Plan, Rule
from relay.plans.schemas import prepared

_TYPES: dict[str, CallType] = {
    "TRACK": "track",
    "IDENTIFY": "identify",
    "GROUP": "group",
    "PAGE": "page",
    "SCREEN": "screen",
}
_NAMED = frozenset(("name", "category"))


def calls_of(plan: Plan, given: frozenset[str] = frozenset()) -> Calls:
    """In the order of the plan. `given`: the properties of pages that the SDK adds itself."""
    common = sorted((rule for rule in plan.rules if rule.kind == "COMMON"), key=lambda rule: rule.version)[:1]
    found: dict[tuple[CallType, str], list[Rule]] = {}
    for type_, key, rule in _called(plan):
        found.setdefault((type_, key), []).append(rule)
    calls = [
        call
        for (type_, key), rules in found.items()
        for call in _versions(
            type_, key, rules, [*map(_ready, common)], _NAMED | given if type_ == "page" else _NAMED
        )
    ]
    return Calls(plan.name, tuple(calls))


def _called(plan: Plan) -> Iterator[tuple[CallType, str, Rule]]:
    """What each rule is for; a `Page Viewed` stands back behind a rule for every page."""
    any_name = {rule.kind for rule in plan.rules if not rule.key}
    for rule in plan.rules:
        if rule.kind == "COMMON":
            continue
        yield _TYPES[rule.kind], rule.key, rule
        for type_, event in VIEWED.items():
            if rule.kind == "TRACK" and rule.key == event and type_.upper() not in any_name:
                yield _TYPES[type_.upper()], "", rule


def _versions(
    type_: CallType, key: str, rules: list[Rule], common: list[Schema], given: frozenset[str]
) -> Iterator[Call]:
    """The oldest, which counts when none is said, has the plain name."""
    rules = sorted(rules, key=lambda rule: rule.version)
    for rule in rules:
        version = rule.version if len(rules) > 1 else None
        suffix = f" v{rule.version}" if rule is not rules[0] else ""
        schema, root = _ready(rule), ROOT[type_]
        data = _data(Reader(), root, [schema, *common])
        if type_ in VIEWED:
            data = _without_need(data, given)
        inner = [part for about in _inner(schema, root) for part in parts_of(about, schema)]
        description = rule.description or description_of([*parts_of(schema, schema), *inner])
        notes = tuple(dict.fromkeys(sentences(inner)))
        yield Call(type_, key, rule.version, version, suffix, data, description, notes)


def _ready(rule: Rule) -> Schema:
    return prepared(rule.schema, lambda _, __: None)  # a plan with mistakes does not come here


def _inner(schema: Schema, root: str) -> Iterator[Any]:
    for part in parts_of(schema, schema):
        listed = part.schema.get("properties")
        if isinstance(listed, dict) and root in listed:
            yield listed[root]


def _data(reader: Reader, root: str, schemas: Iterable[Schema]) -> Type:
    """What may stand under `root` of a message that keeps all of `schemas`: objects, whose names must be listed."""
    message = reader.type_of((schema, schema) for schema in schemas)
    fields = [field for one in members(message) if isinstance(one, Object) for field in one.fields]
    found = union(field.type for field in fields if field.name == root)
    objects = [_closed(one) for one in members(found) if isinstance(one, Object)]
    return union(objects or [Object()])


def _closed(one: Object) -> Object:
    return Object(one.fields) if one.is_unsaid else one


def _without_need(data: Type, given: frozenset[str]) -> Type:
    """None of `given` is required."""
    return union(Object(_relaxed(one, given), one.others) for one in members(data) if isinstance(one, Object))


def _relaxed(one: Object, given: frozenset[str]) -> tuple[Field, ...]:
    return tuple(
        msgspec.structs.replace(field, is_required=field.is_required and field.name not in given)
        for field in one.fields
    )
