"""The settings of a type, by their names in relay.toml; those of a table inside (`oauth.clientId`) after it."""

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

_CALLED = {str: "text", bool: "boolean", int: "whole number", float: "number", Any: "any value"}


class Setting(msgspec.Struct, frozen=True, rename="camel"):
    """One setting. `default` None: none."""

    name: str
    type: str
    required: bool
    secret: bool
    default: Any
    about: str


def settings_of(kind: type[msgspec.Struct], inside: str = "") -> Iterator[Setting]:
    """Every setting in the order of the declaration."""
    hints = get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        hint, metas = _unwrapped(hints[field.name])
        name = inside + field.encode_name
        yield Setting(
            name,
            in_words(hint),
            field.required,
            any((meta.extra or {}).get("secret") for meta in metas),
            _default(field),
            next((meta.description for meta in metas if meta.description), ""),
        )
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            yield from settings_of(hint, f"{name}.")


def in_words(hint: Any) -> str:
    """A type as docs/configuration.md calls it."""
    hint, _ = _unwrapped(hint)
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return alternatives([f'"{part}"' for part in parts])
    if origin in (Union, types.UnionType):
        return alternatives([in_words(part) for part in parts if part is not type(None)])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"table of {in_words(parts[1])}"
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return f"list of {in_words(parts[0])}"
    return _CALLED.get(hint, "table")


def alternatives(words: Sequence[str]) -> str:
    """`a, b or c`."""
    return " or ".join(word for word in (", ".join(words[:-1]), *words[-1:]) if word)


def _unwrapped(hint: Any) -> tuple[Any, list[msgspec.Meta]]:
    """A type without what it is annotated with."""
    if get_origin(hint) is not Annotated:
        return hint, []
    inner, *annotations = get_args(hint)
    return inner, [one for one in annotations if isinstance(one, msgspec.Meta)]


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    is_none = field.required or field.default in (None, "") or isinstance(field.default, msgspec.Struct)
    return None if is_none else field.default
