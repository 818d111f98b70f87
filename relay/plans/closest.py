"""Which branch of a failing `anyOf` or `oneOf` a value comes closest to: gojsonschema tells that one's errors too.

As there, a branch scores a point for every group of keywords that was looked at (three of any value, one more of
numbers, strings, lists and objects), one for every required name that is there, and loses two for every error. A
value of the wrong type scores nothing, and nothing else is said of it. Unlike there, what lies in `contains`, under
`propertyNames` or behind `patternProperties` scores nothing.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from typing import Any

from relay.plans.schemas import Schema, referred

ERROR_POINTS = 2

Place = tuple[
    tuple[str, ...], tuple[str, ...]
]  # of a sub-schema, as it was come to, and of the value it is about

_INWARDS = frozenset(("properties", "patternProperties", "additionalProperties", "items", "additionalItems"))
_BEFORE_A_NAME = frozenset(("properties", "patternProperties", "dependencies"))


def keywords(error: Any) -> Iterator[tuple[int, int]]:
    """Of each keyword on the way to an error its number in the path, and the depth of the value it is about."""
    depth = 0
    steps = iter(enumerate(error.evaluation_path))
    for number, step in steps:
        yield number, depth
        depth += step in _INWARDS
        if step in _BEFORE_A_NAME:
            next(steps, None)


def _words(path: Iterable[str | int]) -> tuple[str, ...]:
    return tuple(map(str, path))


def wrong_types(errors: Iterable[Any]) -> set[Place]:
    """Where a value has the wrong type."""
    return {
        (_words(error.evaluation_path[:-1]), _words(error.instance_path))
        for error in errors
        if error.kind.name == "type"
    }


def that_count(errors: list[Any], mistyped: set[Place]) -> list[Any]:
    """The errors without those of a value that has the wrong type anyway."""
    return [error for error in errors if not _is_beside(error, mistyped)] if mistyped else errors


def _is_beside(error: Any, mistyped: set[Place]) -> bool:
    way, where = _words(error.evaluation_path), _words(error.instance_path)
    last = len(way) - 1 if error.kind.name == "type" else len(way)  # which is the wrong type itself
    return any(
        (way[:number], where[:depth]) in mistyped for number, depth in keywords(error) if number < last
    )


def conditions(errors: Iterable[Any]) -> set[Place]:
    """The `then` and `else` in which there are errors."""
    found = set()
    for error in errors:
        if not {"then", "else"}.isdisjoint(error.evaluation_path):
            way, where = _words(error.evaluation_path), _words(error.instance_path)
            found |= {
                (way[: n + 1], where[:depth]) for n, depth in keywords(error) if way[n] in {"then", "else"}
            }
    return found


def points(whole: Schema, branch: Any, value: Any, place: Place, errors: list[Any]) -> int:
    """The score of a branch at `place`, before its errors are taken off."""
    mistyped, failing = wrong_types(errors), conditions(errors)
    scored = 0
    waiting = [(branch, value, place)]
    while waiting:
        part, value, (way, where) = waiting.pop()
        if not isinstance(part, dict) or (way, where) in mistyped:
            continue
        if isinstance(part.get("$ref"), str):
            waiting.append((referred(whole, part["$ref"]), value, ((*way, "$ref"), where)))
            continue
        scored += 3 + (value is not None and type(value) is not bool)
        if type(value) is dict:
            scored += sum(name in value for name in _list(part, "required"))
        waiting += [
            (inner, about, ((*way, *steps), (*where, *inside)))
            for inner, about, steps, inside in chain(_here(part, value), _below(part, value))
            if steps[0] not in {"then", "else"} or ((*way, *steps), where) in failing
        ]
    return scored


Step = tuple[Any, Any, tuple[str, ...], tuple[str, ...]]  # sub-schema, value, and how they were come to


def _here(part: Schema, value: Any) -> Iterator[Step]:
    for number, inner in enumerate(_list(part, "allOf")):
        yield inner, value, ("allOf", str(number)), ()
    for key in ("then", "else"):
        yield part.get(key), value, (key,), ()
    if type(value) is dict:
        for name, inner in _dict(part, "dependencies").items():
            if name in value:
                yield inner, value, ("dependencies", name), ()


def _below(part: Schema, value: Any) -> Iterator[Step]:
    if type(value) is dict:
        properties, others = _dict(part, "properties"), part.get("additionalProperties")
        for name, inner in value.items():
            if name in properties:
                yield properties[name], inner, ("properties", name), (name,)
            elif not _dict(part, "patternProperties"):
                yield others, inner, ("additionalProperties",), (name,)
    elif type(value) is list:
        items, others = part.get("items"), part.get("additionalItems")
        if isinstance(items, list):
            ways = chain(
                ((inner, ("items", str(n))) for n, inner in enumerate(items)),
                repeat((others, ("additionalItems",))),
            )
        else:
            ways = chain(repeat((items, ("items",))))
        for number, (inner, (each, steps)) in enumerate(zip(value, ways, strict=False)):
            yield each, inner, steps, (str(number),)


def _dict(part: Schema, key: str) -> dict[str, Any]:
    found = part.get(key)
    return found if isinstance(found, dict) else {}


def _list(part: Schema, key: str) -> list[Any]:
    found = part.get(key)
    return found if isinstance(found, list) else []
