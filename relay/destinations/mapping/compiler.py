"""From a mapping to one closure: literals, objects, lists, and the directives by name."""

from collections.abc import Callable, Mapping
from typing import Any

from relay.destinations.mapping.case import compile_case
from relay.destinations.mapping.checks import kind
from relay.destinations.mapping.conditions import compile_if
from relay.destinations.mapping.javascript import MISSING, entries
from relay.destinations.mapping.json_text import compile_json
from relay.destinations.mapping.liquid import compile_liquid
from relay.destinations.mapping.objects import compile_exclude_when_null, compile_flatten, compile_merge
from relay.destinations.mapping.paths import compile_path
from relay.destinations.mapping.place import Gaps, MappingError, Place, Run
from relay.destinations.mapping.replace import compile_replace
from relay.destinations.mapping.shapes import compile_array_path, compile_transform
from relay.destinations.mapping.siblings import families, gather
from relay.destinations.mapping.templates import compile_template

ROOT_DIRECTIVE = "__segment_internal_directive"  # at the root: all other keys are its `mapping`
METADATA = "_metadata"  # beside a directive: notes of the editor that wrote it

Directive = Callable[[Any, Place], Run]


def compile_mapping(mapping: Any) -> Callable[[Mapping[str, Any]], Any]:
    """A function from an event to what `mapping` makes of it, or `MISSING`.

    Raises `MappingError` when the mapping is wrong; so does the function for an event that asks the
    impossible (a path computed from a number, say). The event is never changed; what is taken from it
    unchanged is shared with it, not copied.
    """
    try:
        run = compile_node(root_of(mapping), Place(compile_node))
    except RecursionError:
        raise MappingError("$", "nested too deeply") from None

    def mapped(event: Mapping[str, Any]) -> Any:
        if type(event) is not dict:
            event = as_object(event)
        try:
            return run(event)
        except RecursionError:
            raise MappingError("$", "the event is nested too deeply") from None

    return mapped


def as_object(event: Any) -> dict[str, Any]:
    if not isinstance(event, Mapping):
        raise MappingError("$", f"an event is an object, not {kind(event)}")
    return dict(event)


def root_of(mapping: Any) -> dict[str, Any]:
    """The root as an object: lists and texts by index, with `ROOT_DIRECTIVE` taken to the top."""
    if mapping is None:
        raise MappingError("$", "a mapping is an object, not null")
    if not isinstance(mapping, dict) or ROOT_DIRECTIVE not in mapping:
        return entries(mapping)
    root = mapping[ROOT_DIRECTIVE]
    argument = next(iter(root.values())) if isinstance(root, dict) and len(root) == 1 else None
    if not isinstance(argument, dict):
        raise MappingError(f"$.{ROOT_DIRECTIVE}", "must be a single directive with an object")
    rest = {key: node for key, node in mapping.items() if key != ROOT_DIRECTIVE}
    return {next(iter(root)): {**argument, "mapping": rest}}


def compile_node(node: Any, place: Place) -> Run:
    if isinstance(node, dict):
        return compile_directive(node, place) if has_at(node, place) else compile_object(node, place)
    if isinstance(node, list):
        return compile_list(node, place)
    if node is None or isinstance(node, (str, int, float)):
        return lambda _payload: node
    raise place.error(f"is {kind(node)}")


def has_at(node: dict[Any, Any], place: Place) -> bool:
    if not all(isinstance(key, str) for key in node):
        raise place.error("has a key that is not text")
    return any(key.startswith("@") for key in node)


def compile_directive(node: dict[str, Any], place: Place) -> Run:
    name, *others = sorted(node.keys() - {METADATA}, key=lambda key: not key.startswith("@"))
    if others:
        raise place.error(f"has {name} and {others[0]}; beside a directive only {METADATA} may stand")
    if name not in DIRECTIVES:
        raise place.error(f"{name} is no directive; there are {', '.join(DIRECTIVES)}")
    return DIRECTIVES[name](node[name], place.at(name))


def compile_object(node: dict[str, Any], place: Place) -> Run:
    """A new object for every event, keys in the mapping's order.

    It starts as a copy of a frame with the constants filled in, so that only directives cost a call, and plain paths
    not even that.
    """
    frame = {key: child if is_scalar(child) else MISSING for key, child in node.items()}
    parts = [(key, place.compile(child, key)) for key, child in node.items() if not is_scalar(child)]
    if place.gaps is Gaps.KEEP:
        return with_all(frame, parts)
    related = families(node)
    plain = {key for _, members in related for key, _, _ in members}
    others = [(key, run) for key, run in parts if key not in plain]

    def without_missing(payload: Any) -> Any:
        made: dict[str, Any] = frame.copy()
        gather(payload, related, made)
        for key, run in others:
            value = run(payload)
            if value is MISSING:
                del made[key]
            else:
                made[key] = value
        return made

    return without_missing


def with_all(frame: dict[str, Any], parts: list[tuple[str, Run]]) -> Run:
    def run_all(payload: Any) -> Any:
        made = frame.copy()
        for key, run in parts:
            made[key] = run(payload)
        return made

    return run_all


def compile_list(node: list[Any], place: Place) -> Run:
    parts = [place.compile(child, index) for index, child in enumerate(node)]
    if place.gaps is not Gaps.CLOSE:
        return lambda payload: [run(payload) for run in parts]

    def with_nulls(payload: Any) -> Any:
        items = [run(payload) for run in parts]
        return [None if item is MISSING else item for item in items]

    return with_nulls


def is_scalar(node: Any) -> bool:
    return node is None or isinstance(node, (str, int, float))


def compile_literal(argument: Any, place: Place) -> Run:
    """`@literal`: the argument, resolved all the same, so a directive inside still runs."""
    return place.compiler(argument, place)


DIRECTIVES: dict[str, Directive] = {
    "@path": compile_path,
    "@template": compile_template,
    "@literal": compile_literal,
    "@if": compile_if,
    "@case": compile_case,
    "@replace": compile_replace,
    "@arrayPath": compile_array_path,
    "@flatten": compile_flatten,
    "@json": compile_json,
    "@merge": compile_merge,
    "@transform": compile_transform,
    "@excludeWhenNull": compile_exclude_when_null,
    "@liquid": compile_liquid,
}
