"""Two JSON Schemas about the same thing: what is different, in words, and whether it breaks.

A change is breaking when something that kept the old schema may not keep the new one. What is not understood
(`anyOf`, `if`, `dependencies`, …) counts as breaking when it has changed: nobody should be told that all is well by
somebody who has not looked. There is one exception, without which every addition were one: a property that is new and not
required is not breaking, though an event may have had it already, unplanned and of another type.

Descriptions, labels and the like are no difference.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_SAYS_NOTHING = frozenset(
    (
        *("$schema", "$id", "id", "$comment", "title", "description", "labels", "eventMetadata"),
        *("default", "examples", "deprecated", "readOnly", "writeOnly"),
    )
)
_UNDERSTOOD = frozenset(
    (
        *("type", "properties", "required", "enum", "const", "additionalProperties", "items", "uniqueItems"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern", "format"),
        *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
    )
)
_ALL_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_LENGTHS = {"Length": "length", "Items": "number of items", "Properties": "number of properties"}
_OBJECTS = ((), ("context",), ("properties",), ("traits",))  # of any message, whatever a schema says
_SHOWN = 80  # characters of a value in a sentence


class Difference(NamedTuple):
    """`field` is a path from the message's root, `$` for the items of a list; empty for the message itself."""

    field: str
    is_breaking: bool
    said: str


Path = tuple[str, ...]
Found = Iterator[Difference]


def differences(old: Any, new: Any, path: Path = ()) -> Found:
    """What became of the schema `old`, prepared, which is now `new`."""
    if _same(old, new):
        return
    if not isinstance(old, dict) or not isinstance(new, dict):
        yield from _switched(old, new, path)
        return
    if "$ref" in old or "$ref" in new:
        yield _change(path, is_breaking=True, said="`$ref` has changed, which may be breaking")
        return
    for compare in (_types, _values, _bounds, _lengths, _texts, _multiples, _lists, _objects, _others):
        yield from compare(old, new, path)


def _change(path: Path, *, is_breaking: bool, said: str) -> Difference:
    return Difference(".".join(path), is_breaking, said)


def _switched(old: Any, new: Any, path: Path) -> Found:
    """One of both is `true` or `false`."""
    as_schema: dict[bool, Any] = {True: {}}
    if old is False:
        yield _change(path, is_breaking=False, said="is allowed now")
    elif new is False:
        yield _change(path, is_breaking=True, said="is not allowed any more")
    else:
        one, other = (as_schema.get(side, side) if isinstance(side, bool) else side for side in (old, new))
        if isinstance(one, dict) and isinstance(other, dict):
            yield from differences(one, other, path)


# --- any value -----------------------------------------------------------------------------------


def _types(old: Any, new: Any, path: Path) -> Found:
    before, after = _type_set(old), _type_set(new)
    if path in _OBJECTS:
        before, after = before & {"object"}, after & {"object"}
    if before == after:
        return
    lost, won = before - after, after - before
    said = f"{_type_names(old)} → {_type_names(new)}"
    if not lost:
        yield _change(path, is_breaking=False, said=f"type widened: {said}")
    elif not won:
        yield _change(path, is_breaking=True, said=f"type narrowed: {said}")
    else:
        yield _change(path, is_breaking=True, said=f"type changed: {said}")


def _type_set(schema: Any) -> set[str]:
    kind = schema.get("type")
    if kind is None:
        return set(_ALL_TYPES)
    found = {kind} if isinstance(kind, str) else set(kind)
    return found | {"integer"} if "number" in found else found


def _type_names(schema: Any) -> str:
    kind = schema.get("type")
    if kind is None:
        return "any"
    return kind if isinstance(kind, str) else " or ".join(kind)


def _values(old: Any, new: Any, path: Path) -> Found:
    """`enum` and `const`."""
    before, after = _choices(old), _choices(new)
    if before == after:
        return
    if before is None or after is None:
        some = after if before is None else before
        said = f"allows only {_listed(some or {})}" if before is None else "allows any value"
        yield _change(path, is_breaking=before is None, said=f"{said} now")
        return
    if removed := {key: value for key, value in before.items() if key not in after}:
        yield _change(path, is_breaking=True, said=f"does not allow {_listed(removed)} any more")
    if added := {key: value for key, value in after.items() if key not in before}:
        yield _change(path, is_breaking=False, said=f"allows {_listed(added)} too")


def _choices(schema: Any) -> dict[str, Any] | None:
    """The values that are allowed, by their JSON."""
    enum, const = schema.get("enum"), schema.get("const", _NOTHING)
    if const is not _NOTHING:
        return {_json(const): const} if enum is None or const in enum else {}
    return {_json(value): value for value in enum} if isinstance(enum, list) else None


_NOTHING = object()


def _others(old: Any, new: Any, path: Path) -> Found:
    """What is not understood."""
    for key in sorted((old.keys() | new.keys()) - _UNDERSTOOD - _SAYS_NOTHING):
        if not _same(old.get(key, _NOTHING), new.get(key, _NOTHING)):
            verb = "added" if key not in old else "removed" if key not in new else "changed"
            yield _change(path, is_breaking=True, said=f"`{key}` was {verb}, which may be breaking")


# --- numbers and texts ---------------------------------------------------------------------------


def _bounds(old: Any, new: Any, path: Path) -> Found:
    for inclusive, exclusive, word, sign in (
        ("minimum", "exclusiveMinimum", "minimum", 1),
        ("maximum", "exclusiveMaximum", "maximum", -1),
    ):
        before, after = _bound(old, inclusive, exclusive, sign), _bound(new, inclusive, exclusive, sign)
        yield from _limit(before, after, word, path, _bound_shown(sign))


def _bound(schema: Any, inclusive: str, exclusive: str, sign: int) -> tuple[float, bool] | None:
    """The bound that counts, as if it were one from below; and whether it is itself left out."""
    some = [
        (sign * schema[key], key == exclusive)
        for key in (inclusive, exclusive)
        if _is_number(schema.get(key))
    ]
    return max(some, default=None)


def _bound_shown(sign: int) -> Callable[[Any], str]:
    words = "more than" if sign > 0 else "less than"
    return lambda bound: f"{words} {sign * bound[0]}" if bound[1] else f"{sign * bound[0]}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _lengths(old: Any, new: Any, path: Path) -> Found:
    for key, word in _LENGTHS.items():
        least = (old.get(f"min{key}") or None, new.get(f"min{key}") or None)
        yield from _limit(*least, f"least {word}", path, str)
        most = [None if side.get(f"max{key}") is None else -side[f"max{key}"] for side in (old, new)]
        yield from _limit(most[0], most[1], f"greatest {word}", path, lambda limit: str(-limit))


def _limit(before: Any, after: Any, word: str, path: Path, show: Callable[[Any], str]) -> Found:
    """A limit from below: the higher, the tighter. None: there is none."""
    if before == after:
        return
    if after is None:
        yield _change(path, is_breaking=False, said=f"{word} removed: was {show(before)}")
    elif before is None:
        yield _change(path, is_breaking=True, said=f"{word} added: {show(after)}")
    else:
        verb = "tightened" if after > before else "loosened"
        yield _change(path, is_breaking=after > before, said=f"{word} {verb}: {show(before)} → {show(after)}")


def _texts(old: Any, new: Any, path: Path) -> Found:
    for key in ("pattern", "format"):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if after is None:
            yield _change(path, is_breaking=False, said=f"{key} removed: was {_short(before)}")
        elif before is None:
            yield _change(path, is_breaking=True, said=f"{key} added: {_short(after)}")
        else:
            said = f"{key} changed, which may be breaking: {_short(before)} → {_short(after)}"
            yield _change(path, is_breaking=True, said=said)


def _multiples(old: Any, new: Any, path: Path) -> Found:
    before, after = old.get("multipleOf"), new.get("multipleOf")
    if before == after:
        return
    if after is None:
        yield _change(path, is_breaking=False, said=f"need not be a multiple of {before} any more")
        return
    is_looser = isinstance(before, int) and isinstance(after, int) and before % after == 0
    yield _change(path, is_breaking=not is_looser, said=f"must be a multiple of {after} now")


# --- lists and objects ---------------------------------------------------------------------------


def _lists(old: Any, new: Any, path: Path) -> Found:
    if bool(old.get("uniqueItems")) is not bool(new.get("uniqueItems")):
        is_tighter = bool(new.get("uniqueItems"))
        said = "items must be different from each other now" if is_tighter else "items may be the same now"
        yield _change(path, is_breaking=is_tighter, said=said)
    before, after = old.get("items", True), new.get("items", True)
    if isinstance(before, list) or isinstance(after, list):
        if not _same(before, after):
            yield _change(path, is_breaking=True, said="`items` has changed, which may be breaking")
    else:
        yield from differences(before, after, (*path, "$"))


def _objects(old: Any, new: Any, path: Path) -> Found:
    before, after = _listed_names(old, path), _listed_names(new, path)
    was, now = set(old.get("required") or ()), set(new.get("required") or ())
    for name in before:
        where = (*path, name)
        if name not in after:
            yield _removed(new, where)
        else:
            yield from differences(before[name], after[name], where)
    for name in after:
        if name not in before:
            yield from _added(old, after[name], (*path, name), is_required=name in now - was)
    for name in sorted(now - was):
        if name in before or name not in after:
            yield _change((*path, name), is_breaking=True, said="is required now")
    for name in sorted(was - now):
        yield _change((*path, name), is_breaking=False, said="is not required any more")
    yield from _additional(old, new, path)


def _listed_names(schema: Any, path: Path) -> dict[str, Any]:
    found = schema.get("properties") or {}
    if not path:  # a message has these, listed or not
        found = {"context": {}, "properties": {}, "traits": {}, **found}
    return dict(found)


def _removed(new: Any, path: Path) -> Difference:
    rest = new.get("additionalProperties", True)
    if rest is False:
        return _change(
            path, is_breaking=True, said="property removed, and others than those listed are not allowed"
        )
    if rest is not True:
        return _change(
            path, is_breaking=True, said="property removed: `additionalProperties` counts for it now"
        )
    said = "property removed: it is unplanned now, and omitted where the source's controls omit what is unplanned"
    return _change(path, is_breaking=False, said=said)


def _added(old: Any, schema: Any, path: Path, *, is_required: bool) -> Found:
    kind = f" ({_type_names(schema)})" if isinstance(schema, dict) else ""
    if is_required:
        yield _change(path, is_breaking=True, said=f"property added{kind}, required")
        return
    rest = old.get("additionalProperties", True)
    if isinstance(rest, dict) and not _same(rest, schema):
        found = list(differences(rest, schema, path))
        yield _change(path, is_breaking=any(one.is_breaking for one in found), said=f"property added{kind}")
    else:
        yield _change(path, is_breaking=schema is False, said=f"property added{kind}")


def _additional(old: Any, new: Any, path: Path) -> Found:
    before, after = old.get("additionalProperties", True), new.get("additionalProperties", True)
    if after is False and before is not False:
        yield _change(path, is_breaking=True, said="properties that are not listed are not allowed any more")
    elif before is False and after is not False:
        yield _change(path, is_breaking=False, said="properties that are not listed are allowed now")
    else:
        yield from differences(before, after, (*path, "*"))


# --- words ---------------------------------------------------------------------------------------


def _same(one: Any, other: Any) -> bool:
    if one is _NOTHING or other is _NOTHING:
        return one is other
    return _json(one) == _json(other)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _listed(values: dict[str, Any]) -> str:
    return _short(", ".join(values))


def _short(text: Any) -> str:
    shown = str(text)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
