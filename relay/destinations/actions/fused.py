"""Mapping and fields in one pass: a function written for a subscription, and compiled by Python.

Most of a mapping are plain paths into the event, and most values are of the type that the field wants. For those the
written function reads each object of the event once and keeps what it finds; everything else calls the closures of
the mapping and of the field. Where the event is of another shape than a mapping expects (a text where an object was to
be), the two passes are made one after the other, so that there is one meaning and a faster way to it.

    def fused(e):
        try:
            o1 = e.get("properties", N)
            v0 = o1.get("price", M)
        except AttributeError:
            return general(e)
        made, errors = {}, {}
        if v0 is not M and v0 is not None and v0 != "": made["price"] = c0(v0, "price", errors)
        return finish(made, errors)
"""

from collections.abc import Callable, Mapping
from typing import Any

from relay.destinations.actions.fields import Field
from relay.destinations.actions.schema import Fitting, Payload
from relay.destinations.mapping import MISSING
from relay.destinations.mapping.checks import is_directive
from relay.destinations.mapping.compiler import compile_node
from relay.destinations.mapping.paths import plain_names
from relay.destinations.mapping.place import Place
from relay.destinations.mapping.siblings import plain_path

Event = Mapping[str, Any]
Fused = Callable[[Event], Payload]

_NOTHING: dict[str, Any] = {}
_TEXTS = ("string", "datetime")
_PLAIN = {"string": "str", "object": "dict", "boolean": "bool"}  # values that need no look


def compile_fused(
    mapping: Mapping[str, Any], fitting: Fitting, general: Fused, *, keeps_empty: bool = False
) -> Fused:
    """A function with the results of `general`, which maps and then fits. Raises what `compile_mapping` does.

    `keeps_empty` as in `Fitting.fit`.
    """
    if not all(isinstance(key, str) and not key.startswith(("@", "__")) for key in mapping):
        return general
    writer = _Writer(general, fitting, keeps_empty=keeps_empty)
    for key, node in mapping.items():
        if key in fitting.fields:
            writer.add("made", key, node, fitting, key)
    return writer.compiled()


class _Writer:
    """The lines of one function and the names they use."""

    def __init__(self, general: Fused, fitting: Fitting, *, keeps_empty: bool) -> None:
        self._keeps_empty = keeps_empty
        self._names: dict[str, Any] = {
            "M": MISSING,
            "N": _NOTHING,
            "general": general,
            "finish": fitting.finish,
        }
        self._objects: dict[tuple[str, ...], str] = {(): "e"}
        self._count = 0
        self._reads: list[str] = []
        self._keeps: list[str] = []

    def add(self, target: str, key: str, node: Any, fitting: Fitting, at: str) -> None:
        """Put into the object `target` what the field `key` gets from `node`; `at` is what errors call it."""
        field = fitting.fields[key]
        if _is_plain_object(node) and field.type == "object" and not field.multiple:
            self._add_object(target, key, node, field, at)
            return
        value = self._read(node, at)
        kind = _PLAIN.get(field.type) if key in fitting.as_it_is else None
        check = self._named("c", fitting.checks[key])
        is_root = target == "made" and not self._keeps_empty
        empty = ("" if field.allow_null else f" and {value} is not None") + (
            f' and {value} != ""' if is_root or field.multiple or field.type not in _TEXTS else ""
        )
        checked = f"{target}[{key!r}] = {check}({value}, {at!r}, errors)"
        if kind is None:
            self._keeps.append(f"if {value} is not M{empty}: {checked}")
            return
        filled = f"if {value}: " if kind == "str" and is_root else ""
        self._keeps.append(f"if type({value}) is {kind}:")
        self._keeps.append(f"    {filled}{target}[{key!r}] = {value}")
        self._keeps.append(f"elif {value} is not M{empty}: {checked}")

    def _add_object(self, target: str, key: str, node: dict[str, Any], field: Field, at: str) -> None:
        inner = self._new("n")
        self._keeps.append(f"{inner} = {target}[{key!r}] = {{}}")
        if field.properties is None:
            for name, child in node.items():
                value = self._read(child, f"{at}.{name}")
                self._keeps.append(f"if {value} is not M: {inner}[{name!r}] = {value}")
            return
        fitting = Fitting(field.properties)
        for name, child in node.items():
            if name in fitting.fields:
                self.add(inner, name, child, fitting, f"{at}.{name}")
            elif field.more:
                value = self._read(child, f"{at}.{name}")
                self._keeps.append(f"if {value} is not M: {inner}[{name!r}] = {value}")
        for name in fitting.required:
            place = f"{at}.{name}"
            self._keeps.append(f'if {name!r} not in {inner}: errors[{place!r}] = "is missing"')

    def _read(self, node: Any, at: str) -> str:
        """The name of the value that `node` gives, or M."""
        value = self._new("v")
        first_of = _first_of_two(node)
        if (path := plain_path(node)) is not None:
            self._reads.append(f"{value} = {self._get(path)}")
        elif first_of is not None:
            first, second = map(self._get, first_of)
            self._reads.append(f"{value} = {first}")
            self._reads.append(f"if {value} is M or {value} is None: {value} = {second}")
        else:
            run = self._named("r", compile_node(node, Place(compile_node).at(at)))
            self._reads.append(f"{value} = {run}(e)")
        return value

    def _get(self, path: str) -> str:
        *parents, last = plain_names(path)
        return f"{self._object(tuple(parents))}.get({last!r}, M)"

    def _object(self, path: tuple[str, ...]) -> str:
        """The name of the object at `path`, read when it is first asked for."""
        if path not in self._objects:
            parent = self._object(path[:-1])
            self._objects[path] = self._new("o")
            self._reads.append(f"{self._objects[path]} = {parent}.get({path[-1]!r}, N)")
        return self._objects[path]

    def _named(self, letter: str, thing: Any) -> str:
        name = self._new(letter)
        self._names[name] = thing
        return name

    def _new(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"

    def compiled(self) -> Fused:
        lines = ["def fused(e):", "    try:", "        pass"]
        lines += [f"        {line}" for line in self._reads]
        lines += ["    except AttributeError:", "        return general(e)", "    made, errors = {}, {}"]
        lines += [f"    {line}" for line in self._keeps]
        lines += ["    return finish(made, errors)"]
        exec("\n".join(lines), self._names)  # noqa: S102  written above; what is the operator's is quoted by repr
        fused: Fused = self._names["fused"]
        return fused


def _is_plain_object(node: Any) -> bool:
    return isinstance(node, dict) and not is_directive(node) and all(isinstance(key, str) for key in node)


def _first_of_two(node: Any) -> tuple[str, str] | None:
    """The two paths of an `@if` that takes the first that is there, or the second."""
    given = node.get("@if") if isinstance(node, dict) and node.keys() == {"@if"} else None
    if not isinstance(given, dict) or given.keys() != {"exists", "then", "else"}:
        return None
    first, second = plain_path(given["then"]), plain_path(given["else"])
    if first is None or second is None or given["exists"] != given["then"]:
        return None
    return first, second
