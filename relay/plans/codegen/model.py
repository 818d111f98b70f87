"""What is written, in whatever language: the calls of a plan, and the types of what they send.

Types accept whatever keeps the plan and as little else as they can; what they cannot say is said in `notes`, in
sentences. One thing is narrower than JSON Schema: an object that lists names takes no others unless the plan says that
it does, since those are unplanned.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

Primitive = Literal["string", "date-time", "number", "integer", "boolean", "null"]
CallType = Literal["track", "identify", "group", "page", "screen"]


class Anything(msgspec.Struct, frozen=True):
    """No limit that a type could express."""


class Nothing(msgspec.Struct, frozen=True):
    """No value keeps the plan."""


class Plain(msgspec.Struct, frozen=True):
    """One of JSON's plain types. A `date-time` is a text of that format."""

    kind: Primitive


class Values(msgspec.Struct, frozen=True):
    """One of these texts, whole numbers, booleans and null, in JSON: to Python 1 would be True."""

    texts: tuple[str, ...]


class Array(msgspec.Struct, frozen=True):
    item: "Type"


class Field(msgspec.Struct, frozen=True):
    """A name in an object."""

    name: str
    type: "Type"
    is_required: bool
    description: str = ""
    notes: tuple[str, ...] = ()


class Object(msgspec.Struct, eq=False):
    """An object: two are the same only if they are one, since an object may hold itself.

    `others`: what names it does not list may hold, None if there must not be any. `is_unsaid`: the plan lists none and
    does not say that others are allowed.
    """

    fields: tuple[Field, ...] = ()
    others: "Type | None" = None
    is_unsaid: bool = False

    @property
    def is_optional(self) -> bool:
        """Whether it may be empty."""
        return not any(field.is_required for field in self.fields)


class Union(msgspec.Struct, frozen=True):
    """Any of several, none of which is a union."""

    members: tuple["Type", ...]


Type = Anything | Nothing | Plain | Values | Array | Object | Union


class Call(msgspec.Struct, frozen=True):
    """One rule, to be called: `key` is the event, or the name of a page or screen (empty: any).

    `sent_version` is the version that is sent along, None if there is only one. `suffix` is what its name ends with.
    """

    type: CallType
    key: str
    version: int
    sent_version: int | None
    suffix: str
    data: Type  # objects only
    description: str = ""
    notes: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """What tells it from all others of its plan, whatever their order."""
        return f"{self.type} {self.version} {self.key}"

    @property
    def is_data_optional(self) -> bool:
        return any(isinstance(one, Object) and one.is_optional for one in members(self.data))


class Calls(msgspec.Struct, frozen=True):
    """All of a plan."""

    plan: str
    calls: tuple[Call, ...]


def members(type_: Type) -> tuple[Type, ...]:
    """Those of a union, or the type itself."""
    return type_.members if isinstance(type_, Union) else (type_,)


def union(types: Iterable[Type]) -> Type:
    """What any of `types` accepts."""
    found: dict[Type, None] = {}
    texts: dict[str, None] = {}
    for one in (one for type_ in types for one in members(type_)):
        if isinstance(one, Values):
            texts |= dict.fromkeys(one.texts)
        elif one != Nothing():
            found[one] = None
    if Anything() in found:
        return Anything()
    some = ((Values(tuple(texts)),) if texts else ()) + tuple(found)
    return Union(some) if len(some) > 1 else some[0] if some else Nothing()
