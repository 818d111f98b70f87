"""Mappings in a form to be read.

    {"@path": "$.properties.order_id"}    properties.order_id
    one path, or else another             userId, else anonymousId
    {"@template": "Viewed {{name}}"}      Viewed {{name}}
    {"@arrayPath": [at, shape]}           each of properties.products: {price: price, …}
    a value                               as JSON, so that text stands in quotes

Other directives are shown as JSON.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

WHOLE = "the whole event"


class Place(NamedTuple):
    """A mapping, and what its paths begin with: `properties.products[].` inside a list of objects."""

    mapping: Any
    base: str = ""


def readable(place: Place, known: Collection[str] = ()) -> str:
    """The mapping in words. `known`: keys that are shown elsewhere, and left out of an object."""
    mapping, base = place
    name, argument = _directive(mapping)
    if name == "@path":
        return _path(argument, base)
    if name == "@template":
        return str(argument)
    if name == "@if" and _is_either(argument):
        first, rest = Place(argument["then"], base), argument.get("else")
        return readable(first) + (f", else {readable(Place(rest, base))}" if "else" in argument else "")
    if name == "@arrayPath" and len(argument) > 1:
        at, shape = argument
        shown = _object(Place(shape), known)
        return f"each of {readable(Place(at, base)) if isinstance(at, dict) else _path(at, base)}" + (
            f": {shown}" if shown else ""
        )
    if name or not isinstance(mapping, Mapping) or not mapping:
        return json.dumps(mapping, ensure_ascii=False, separators=(",", ":"))
    return _object(place, known)


def inside_of(place: Place | None) -> dict[str, Place] | None:
    """The mappings of an object's properties, or of those of each object in a list; None: it is not told singly."""
    if place is None or not isinstance(place.mapping, Mapping):
        return None
    name, argument = _directive(place.mapping)
    if name == "@arrayPath" and len(argument) > 1 and isinstance(argument[0], str):
        base = f"{_path(argument[0], place.base)}[]."
        return {key: Place(one, base) for key, one in argument[1].items()}
    return None if name else {key: Place(one, place.base) for key, one in place.mapping.items()}


def _object(place: Place, known: Collection[str]) -> str:
    """`{key: …}`; "" when nothing is left of it."""
    shown = [
        f"{key}: {readable(Place(one, place.base))}" for key, one in place.mapping.items() if key not in known
    ]
    return f"{{{', '.join(shown)}}}" if shown else ""


def _directive(mapping: Any) -> tuple[str, Any]:
    if isinstance(mapping, Mapping) and len(mapping) == 1:
        ((name, argument),) = mapping.items()
        if name.startswith("@"):
            return name, argument
    return "", None


def _is_either(argument: Any) -> bool:
    return "exists" in argument and argument["exists"] == argument.get("then")


def _path(at: str, base: str) -> str:
    inner = at.removeprefix("$").removeprefix(".")
    return base + inner if inner else base.removesuffix(".") or WHOLE
