"""`@path`: a value of the event by its path, as in `$.properties.products[0].price`.

Most paths are a few names. Those become a chain of `dict.get`, which raises only where the event has
something other than an object on the way; `walk` then knows what JavaScript gives there.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from relay.destinations.mapping.checks import kind, needs_text
from relay.destinations.mapping.javascript import MISSING, is_falsy, length, unit
from relay.destinations.mapping.place import Place, Run

# `.` and a bracket before a quote or digit part two names, as do brackets after one
SEPARATOR = re.compile(r"""\[(?=["'0-9])|\.|(?<=["'0-9])\]+""")
INDEX = re.compile(r"0|[1-9][0-9]*")
NOTHING: dict[str, Any] = {}

Step = tuple[str, int]  # a name, and the number it is as an index of a list (or -1)


def compile_path(argument: Any, place: Place) -> Run:
    """A path, or a directive that gives one for each event."""
    needs_text(argument, place)
    if isinstance(argument, str):
        return dollar_path(argument)
    inner = place.compiler(argument, place)

    def computed(payload: Any) -> Any:
        path = inner(payload)
        if not isinstance(path, str):
            raise place.error(f"the path is {'missing' if path is MISSING else kind(path)}, not a text")
        return dollar_path(path)(payload)

    return computed


@lru_cache(maxsize=1024)
def dollar_path(path: str) -> Run:
    """The getter of a path that may begin with `$.`, which is taken out wherever it first stands."""
    return getter(path.replace("$.", "", 1))


@lru_cache(maxsize=1024)
def getter(path: str) -> Run:
    """A function from a value to the one at `path` inside it, or `MISSING`."""
    if path in ("", "."):
        return lambda payload: payload
    steps = steps_of(path)
    if not are_names(steps):
        return lambda payload: walk(payload, steps)
    return BY_NAMES.get(len(steps), by_many_names)(steps)


def steps_of(path: str) -> list[Step]:
    names = [name.replace('"', "").replace("'", "") for name in SEPARATOR.split(path) if name]
    return [(name, int(name) if INDEX.fullmatch(name) else -1) for name in names]


def are_names(steps: Sequence[Step]) -> bool:
    """Whether each step can only be the key of an object."""
    return bool(steps) and not any(index >= 0 or name == "length" for name, index in steps)


def plain_names(path: str) -> list[str]:
    """The names that a path, as `dollar_path` takes it, is made of; none for one that is more than that."""
    steps = steps_of(path.replace("$.", "", 1))
    names = [name for name, _ in steps]
    is_plain = are_names(steps) and all(SEPARATOR.split(name) == [name] for name in names)
    return names if is_plain else []


def walk(value: Any, steps: Sequence[Step]) -> Any:
    """`value` followed along `steps`. A falsy value on the way is the result, as in `a && a.b`."""
    for name, index in steps:
        if isinstance(value, dict):
            value = value.get(name, MISSING)
        elif is_falsy(value):
            return value
        else:
            value = member(value, name, index)
    return value


def member(value: Any, name: str, index: int) -> Any:
    """`value[name]` of a list, a text, a number or true."""
    if not isinstance(value, (list, str)):
        return MISSING
    size = len(value) if isinstance(value, list) else length(value)
    if name == "length":
        return size
    if not 0 <= index < size:
        return MISSING
    return value[index] if isinstance(value, list) else unit(value, index)


def by_one_name(steps: Sequence[Step]) -> Run:
    (first, _) = steps[0]

    def get(payload: Any) -> Any:
        try:
            return payload.get(first, MISSING)
        except AttributeError:
            return walk(payload, steps)

    return get


def by_two_names(steps: Sequence[Step]) -> Run:
    (first, _), (second, _) = steps

    def get(payload: Any) -> Any:
        try:
            return payload.get(first, NOTHING).get(second, MISSING)
        except AttributeError:
            return walk(payload, steps)

    return get


def by_three_names(steps: Sequence[Step]) -> Run:
    (first, _), (second, _), (third, _) = steps

    def get(payload: Any) -> Any:
        try:
            return payload.get(first, NOTHING).get(second, NOTHING).get(third, MISSING)
        except AttributeError:
            return walk(payload, steps)

    return get


def by_many_names(steps: Sequence[Step]) -> Run:
    *parents, last = [name for name, _ in steps]

    def get(payload: Any) -> Any:
        value = payload
        try:
            for name in parents:
                value = value.get(name, NOTHING)
            return value.get(last, MISSING)
        except AttributeError:
            return walk(payload, steps)

    return get


BY_NAMES = {1: by_one_name, 2: by_two_names, 3: by_three_names}
