"""What is wrong with a transformation: each mistake with its place in the object. No value that may be secret is told."""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from relay.destinations.fql import FqlError, compile_filter, compile_value
from relay.destinations.transformations.compile import CONSENT
from relay.destinations.transformations.hashing import ALGORITHMS, ENCODINGS
from relay.destinations.transformations.objects import Transformation
from relay.destinations.transformations.places import split

MAX_VALUES = 10  # Segment: property_value_transformations of one transformation
MAX_PATHS = 10  # Segment: property_paths of one of them
MAX_FQL_DEFINED = 1  # Segment
MAX_DEPTH = 4  # Segment: keys of a path under `properties`, `traits` or `context`
ROOTS = ("properties", "traits", "context")

_PATH = re.compile(r"(?:\\.|[^.\\])+(?:\.(?:\\.|[^.\\])+)*", re.DOTALL)
_MAX_INTEGER = 2**63  # what JSON writers take

Mistake = tuple[tuple[str | int, ...], str]


def mistakes(each: Transformation) -> Iterator[Mistake]:
    """Every mistake: the place under the transformation, and a sentence that names the key."""
    yield from _fql(("if",), each.condition, compile_filter)
    yield from _kinds(each)
    yield from _limits(each)
    for place, path in _paths(each):
        if complaint := _path(path):
            yield place, f"`{_key(place)}` {complaint}"
    yield from _twice(each)
    for number, one in enumerate(each.property_value_transformations):
        if not _is_json(one.property_value):
            place = ("property_value_transformations", number, "property_value")
            yield place, "`property_value` must be a text, a number, a boolean, a list or a table of these"
    for number, defined in enumerate(each.fql_defined_properties):
        yield from _fql(("fql_defined_properties", number, "fql"), defined.fql, compile_value)
    yield from _hash(each)


def _fql(place: tuple[str | int, ...], text: str, compiled: Callable[[str], object]) -> Iterator[Mistake]:
    try:
        compiled(text)
    except FqlError as error:
        yield place, f"`{place[-1]}` cannot be read: {error}"


_RENAMES = ("new_event_name", "property_renames")
_KINDS = (
    *_RENAMES,
    "property_value_transformations",
    "fql_defined_properties",
    "allow_properties",
    "hash_properties",
)


def _kinds(each: Transformation) -> Iterator[Mistake]:
    """What does not go together."""
    given = [kind for kind in _KINDS if getattr(each, kind) not in (None, ())]
    if not given and not each.drop:
        yield (), f"a transformation needs one of `drop`, {', '.join(f'`{kind}`' for kind in _KINDS)}"
    if each.drop and given:
        yield ("drop",), f"`drop` does not go with `{given[0]}`: an event that is dropped is not changed"
    if each.fql_defined_properties:
        for kind in _RENAMES:
            if kind in given:
                yield (kind,), f"`{kind}` does not go with `fql_defined_properties`: make two transformations"
    if each.new_event_name is not None and not each.new_event_name.strip():
        yield ("new_event_name",), "`new_event_name` must not be empty"


def _limits(each: Transformation) -> Iterator[Mistake]:
    if len(each.property_value_transformations) > MAX_VALUES:
        kind = "property_value_transformations"
        yield (kind,), f"`{kind}` are {MAX_VALUES} at most"
    if len(each.fql_defined_properties) > MAX_FQL_DEFINED:
        yield ("fql_defined_properties",), f"`fql_defined_properties` is {MAX_FQL_DEFINED} at most"
    for number, one in enumerate(each.property_value_transformations):
        if not 1 <= len(one.property_paths) <= MAX_PATHS:
            place = ("property_value_transformations", number, "property_paths")
            yield place, f"`property_paths` are 1 to {MAX_PATHS}"
    if each.hash_properties is not None and not each.hash_properties.paths:
        yield ("hash_properties", "paths"), "`paths` must name what to hash"


def _paths(each: Transformation) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every path, with its place."""
    for number, rename in enumerate(each.property_renames):
        yield ("property_renames", number, "old_name"), rename.old_name
        yield ("property_renames", number, "new_name"), rename.new_name
    for number, one in enumerate(each.property_value_transformations):
        for index, path in enumerate(one.property_paths):
            yield ("property_value_transformations", number, "property_paths", index), path
    for number, defined in enumerate(each.fql_defined_properties):
        yield ("fql_defined_properties", number, "property_name"), defined.property_name
    for number, path in enumerate(each.allow_properties):
        yield ("allow_properties", number), path
    if each.hash_properties is not None:
        for number, path in enumerate(each.hash_properties.paths):
            yield ("hash_properties", "paths", number), path


def _key(place: tuple[str | int, ...]) -> str:
    return [part for part in place if isinstance(part, str)][-1]


def _path(path: str) -> str | None:
    """What is wrong with one path."""
    if not _PATH.fullmatch(path):
        return "must be keys with dots between them"
    root, *keys = split(path)
    if root not in ROOTS:
        return f"must begin with {', '.join(f'`{name}.`' for name in ROOTS[:-1])} or `{ROOTS[-1]}.`"
    if not 1 <= len(keys) <= MAX_DEPTH:
        return f"must name what is 1 to {MAX_DEPTH} keys deep under `{root}`"
    if "$" in keys:
        return "cannot go into lists: `$` is not supported"
    is_consent = (root, keys[0]) == CONSENT
    return "cannot be in `context.consent`: consent stays as it was given" if is_consent else None


def _twice(each: Transformation) -> Iterator[Mistake]:
    """Paths that are renamed or set twice: which of the two counts would be a riddle."""
    renamed: set[tuple[str, ...]] = set()
    written: set[tuple[str, ...]] = set()
    for place, path in _paths(each):
        key, parts = _key(place), split(path)
        if key in ("property_paths", "property_name") and parts in renamed:
            yield place, f"`{key}` names a path that is renamed"
        if key in _ROLES:
            seen = renamed if key == "old_name" else written
            if parts in seen:
                yield place, f"`{key}` names a path a second time"
            seen.add(parts)


_ROLES = frozenset(("old_name", "new_name", "property_paths", "property_name"))


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_json, value.values()))
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return -_MAX_INTEGER <= value < _MAX_INTEGER
    return value is None or isinstance(value, str | bool)


def _hash(each: Transformation) -> Iterator[Mistake]:
    said = each.hash_properties
    if said is None:
        return
    if said.algorithm.lower() not in ALGORITHMS:
        yield ("hash_properties", "algorithm"), f"`algorithm` must be one of {_listed(ALGORITHMS)}"
    if said.encoding.lower() not in ENCODINGS:
        yield ("hash_properties", "encoding"), f"`encoding` must be one of {_listed(ENCODINGS)}"
    if said.key is not None and not said.key:
        yield ("hash_properties", "key"), "`key` must not be empty"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
