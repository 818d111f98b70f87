"""The fields of an action: what it takes of an event, of which type, and where from by default.

    fields = {
        "email": text("The person's address.", default=path("$.traits.email"), format="email"),
        "price": number("What it cost.", default=path("$.properties.price")),
    }

`Field` says it all; the functions below are how declarations are written. A default is a mapping, or a value.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Type = Literal["string", "number", "integer", "boolean", "datetime", "object"]


class Condition(msgspec.Struct, frozen=True):
    """A field is needed when another `is` (or is not) `value`; without a value: when that one is missing."""

    field: str  # `a`, or `a.b` inside an object
    value: Any = None
    is_not: bool = False


class When(msgspec.Struct, frozen=True):
    """A field is needed when all, or any, of these hold."""

    conditions: tuple[Condition, ...]
    is_any: bool = False


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field. `required` may depend on others; `properties` are those of an object, which may have `more`."""

    about: str
    type: Type
    required: bool | When = False
    multiple: bool = False
    allow_null: bool = False
    default: Any = msgspec.UNSET
    choices: tuple[Any, ...] = ()
    properties: Mapping[str, "Field"] | None = None
    more: bool = False
    format: str | None = None
    minimum: float | None = None  # of a number; of a string: characters
    maximum: float | None = None


Fields = Mapping[str, Field]


def text(about: str, **more: Any) -> Field:
    return Field(about=about, type="string", **more)


def number(about: str, **more: Any) -> Field:
    return Field(about=about, type="number", **more)


def integer(about: str, **more: Any) -> Field:
    return Field(about=about, type="integer", **more)


def boolean(about: str, **more: Any) -> Field:
    return Field(about=about, type="boolean", **more)


def moment(about: str, **more: Any) -> Field:
    return Field(about=about, type="datetime", **more)


def record(about: str, properties: Fields | None = None, **more: Any) -> Field:
    """An object: of any keys, or of `properties` (and, with `more=True`, any others)."""
    return Field(about=about, type="object", properties=properties, **more)


def path(at: str) -> dict[str, Any]:
    """The value at `at`, as in `$.properties.price`."""
    return {"@path": at}


def either(at: str, *others: str) -> dict[str, Any]:
    """The value at the first of these paths that has one."""
    return {"@if": {"exists": path(at), "then": path(at), "else": either(*others)}} if others else path(at)


def each(at: str, shape: Mapping[str, Any]) -> dict[str, Any]:
    """A list: each item at `at` in `shape`."""
    return {"@arrayPath": [at, dict(shape)]}


def template(of: str) -> dict[str, Any]:
    """Text with `{{ }}`."""
    return {"@template": of}


def defaults(fields: Fields) -> dict[str, Any]:
    """The mapping that fields make when nobody says otherwise."""
    return {name: field.default for name, field in fields.items() if field.default is not msgspec.UNSET}
