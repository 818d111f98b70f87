"""The objects of a plan's calls, in the order in which one reads: each once, with what its type is to be called."""

from collections.abc import Iterable
from typing import NamedTuple

from relay.plans.codegen.model import Array, Call, Calls, Object, Type, members
from relay.plans.codegen.names import Style, named
from relay.plans.rules import ROOT


class Found(NamedTuple):
    """`texts` are what its name is made of, `id` is its own, `title` is for people, `path` leads there."""

    object: Object
    texts: tuple[str, ...]
    id: str
    title: str
    path: str = ""

    @property
    def description(self) -> str:
        """What it is, in a sentence."""
        return f"`{self.path.removeprefix('.')}` in the {self.title}." if self.path else f"The {self.title}."


def is_named(one: Object) -> bool:
    """Whether it gets a type of its own: one that may hold anything whatever does not need it."""
    return bool(one.fields) or one.others is None


def objects_of(calls: Calls) -> list[Found]:
    """Those that get a type of their own."""
    found: dict[Object, Found] = {}
    for call in calls.calls:
        _walk(call.data, Found(Object(), _texts(call), call.id, _title(call)), found)
    return list(found.values())


def title_of(call: Call) -> str:
    """What it is, for people: the event with its version."""
    what = f"`{call.key}`" if call.key else ""
    version = f"version {call.version}" if call.sent_version is not None else ""
    return ", ".join(filter(None, (f"{call.type} {what}".strip(), version)))


def methods(calls: Calls, style: Style, reserved: Iterable[str]) -> dict[str, str]:
    """The name of each call's method, by its id. An event never takes a name that a call of another type has."""
    others = {call.id: (call.type, call.key, call.suffix) for call in calls.calls if call.type != "track"}
    events = {call.id: (call.key, call.suffix) for call in calls.calls if call.type == "track"}
    found = named(others, style, reserved, "event")
    return found | named(events, style, {*reserved, *found.values(), *ROOT}, "event")


def _title(call: Call) -> str:
    return f"{ROOT[call.type]} of {title_of(call)}"


def _texts(call: Call) -> tuple[str, ...]:
    if call.type == "track":
        return call.key, call.suffix
    return call.type, call.key or ROOT[call.type], call.suffix


def _walk(type_: Type, place: Found, found: dict[Object, Found]) -> None:
    if isinstance(type_, Array):
        _walk(type_.item, _below(place, "item", "[]"), found)
        return
    objects = [one for one in members(type_) if isinstance(one, Object)]
    own = [one for one in objects if is_named(one)]
    for number, one in enumerate(own, 1):
        _enter(one, _below(place, f"option {number}", "") if len(own) > 1 else place, found)
    for other in members(type_):
        if isinstance(other, Array):
            _walk(other, place, found)
        elif isinstance(other, Object) and not is_named(other) and other.others is not None:
            _walk(other.others, _below(place, "value", "[]"), found)


def _enter(one: Object, place: Found, found: dict[Object, Found]) -> None:
    if one in found:
        return
    found[one] = place._replace(object=one)
    for field in one.fields:
        _walk(field.type, _below(place, field.name, f".{field.name}"), found)


def _below(place: Found, text: str, path: str) -> Found:
    return Found(Object(), (*place.texts, text), f"{place.id} {path or text}", place.title, place.path + path)
