"""An action's fields as rows: one for each field, and one for each property of an object.

`items[].price` is a property of each object in the list `items`. Its default is told with the path it has in the
event: `properties.products[].price`.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from relay.destinations.actions.fields import Condition, Field, Fields, When
from relay.destinations.describe.mapping import Place, inside_of, readable
from relay.destinations.describe.settings import alternatives

_CALLED = {"string": "text", "integer": "whole number", "datetime": "date"}
_MANY = 20  # choices; of more, the first few are enough to know which kind they are
_FEW = 3
_FORMATS = {"email": "e-mail address", "uri": "URL", "date-like": "date", "date-time": "date"}


class FieldRow(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A field. `required` is "yes", "" or when. `default`: the mapping; `default_text`: the same to be read."""

    name: str
    type: str
    required: str
    default_text: str
    about: str
    default: Any = msgspec.UNSET


def rows_of(fields: Fields) -> Iterator[FieldRow]:
    """Every field, an object's properties after it."""
    for name, field in fields.items():
        place = None if field.default is msgspec.UNSET else Place(field.default)
        yield from _rows(name, field, place, field.default)


def _rows(name: str, field: Field, place: Place | None, default: Any) -> Iterator[FieldRow]:
    inside = inside_of(place) if field.properties else None
    text = "" if place is None else readable(place, known=field.properties or {})
    yield FieldRow(name, _type(field), _required(field), text, field.about, default)
    for inner, one in (field.properties or {}).items():
        joint = "[]." if field.multiple else "."
        yield from _rows(f"{name}{joint}{inner}", one, (inside or {}).get(inner), msgspec.UNSET)


def _type(field: Field) -> str:
    one = _choices(field) or _FORMATS.get(field.format or "") or _CALLED.get(field.type, field.type)
    if field.multiple:
        one = f"list of {one if field.choices else _several(one)}"
    bounds = _bounds(field)
    return f"{one}, {bounds}" if bounds else one


def _several(one: str) -> str:
    return "text" if one == "text" else f"{one}es" if one.endswith("s") else f"{one}s"


def _choices(field: Field) -> str:
    shown = [json.dumps(choice, ensure_ascii=False) for choice in field.choices]
    if len(shown) <= _MANY:
        return alternatives(shown)
    return f"{', '.join(shown[:_FEW])} or another of {len(shown)}"


def _bounds(field: Field) -> str:
    unit = " characters" if field.type == "string" else ""
    least, most = field.minimum, field.maximum
    if least and most:
        return f"{least:,g} to {most:,g}{unit}"
    if most:
        return f"at most {most:,g}{unit}"
    return f"at least {least:,g}{unit}" if least else ""


def _required(field: Field) -> str:
    if isinstance(field.required, When):
        joint = " or " if field.required.is_any else " and "
        return "when " + joint.join(_condition(one) for one in field.required.conditions)
    return "yes" if field.required else ""


def _condition(condition: Condition) -> str:
    if condition.value is None:
        return f"{condition.field} is there" if condition.is_not else f"{condition.field} is missing"
    return f"{condition.field} is {'not ' if condition.is_not else ''}{readable(Place(condition.value))}"
