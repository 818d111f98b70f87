"""`@merge`, `@flatten` and `@excludeWhenNull`: objects made of other objects."""

from typing import Any

from relay.destinations.mapping.checks import is_directive, kind, needs_object, options, text_option
from relay.destinations.mapping.gaps import closed, may_have_gaps, may_have_gaps_below
from relay.destinations.mapping.javascript import MISSING, entries, is_falsy
from relay.destinations.mapping.place import Gaps, Place, Run


def compile_merge(argument: Any, place: Place) -> Run:
    """`objects` laid over each other, not deep; `direction` right: the later one wins, left: the earlier.

    A key whose value is missing still wins: it takes the other one's away.
    """
    given = options(argument, place, "objects", "direction")
    nodes, direction = given.get("objects"), text_option(given, "direction", place)
    if direction.lower() not in ("left", "right"):
        raise place.at("direction").error(f"must be left or right, not {direction!r}")
    if not isinstance(nodes, list):
        raise place.at("objects").error(f"must be a list, not {kind(nodes)}")
    run = merged(compile_operands(nodes, place), is_left=direction == "left")
    return closed_as_needed(run, nodes, place.gaps)


def compile_operands(nodes: list[Any], place: Place) -> list[Run]:
    inside = place.at("objects").with_gaps(Gaps.KEEP)
    for index, node in enumerate(nodes):
        needs_object(node, inside.at(index))
    return [inside.compile(node, index) for index, node in enumerate(nodes)]


def merged(operands: list[Run], *, is_left: bool) -> Run:
    order = -1 if is_left else 1

    def run(payload: Any) -> Any:
        made: dict[str, Any] = {}
        for values in [operand(payload) for operand in operands][::order]:
            made.update(values if type(values) is dict else entries(values))
        return made

    return run


def closed_as_needed(run: Run, nodes: list[Any], gaps: Gaps) -> Run:
    """`run` rid of missing values: not at all where none can be, deep only where they can be deep."""
    if gaps is Gaps.KEEP or not any(map(may_have_gaps, nodes)):
        return run
    if any(may_have_gaps(node) if is_directive(node) else may_have_gaps_below(node) for node in nodes):
        return closed(run, gaps)
    return lambda payload: {key: value for key, value in run(payload).items() if value is not MISSING}


def compile_flatten(argument: Any, place: Place) -> Run:
    """`value` as one object without depth, keys joined by `separator`; lists too unless `omitArrays`."""
    given = options(argument, place, "value", "separator", "omitArrays")
    if "value" not in given:
        raise place.error("needs a `value`")
    separator = text_option(given, "separator", place)
    if not separator:
        raise place.at("separator").error("must not be empty")
    value = place.with_gaps(Gaps.KEEP).compile(given["value"], "value")
    run = flattened(value, separator, with_lists=is_falsy(given.get("omitArrays")), gaps=place.gaps)
    return closed(run, place.gaps) if may_have_gaps(given["value"]) else run


def flattened(value: Run, separator: str, *, with_lists: bool, gaps: Gaps) -> Run:
    spread = (dict, list) if with_lists else (dict,)

    def run(payload: Any) -> Any:
        made: dict[str, Any] = {}
        collect(made, value(payload), "", separator, spread)
        if gaps is Gaps.KEEP or MISSING not in made.values():
            return made
        return {key: leaf for key, leaf in made.items() if leaf is not MISSING}

    return run


def collect(made: dict[str, Any], value: Any, prefix: str, separator: str, spread: tuple[type, ...]) -> None:
    """Put every value inside `value` that is not itself spread into `made`, under its joined key."""
    if type(value) not in spread:
        made[prefix] = value
        return
    start = prefix + separator if prefix else ""
    for key, item in value.items() if type(value) is dict else enumerate(value):
        if type(item) in spread:
            collect(made, item, f"{start}{key}", separator, spread)
        else:
            made[f"{start}{key}"] = item


def compile_exclude_when_null(argument: Any, place: Place) -> Run:
    """The argument without its nulls: null itself is missing, objects lose them at any depth, lists don't."""
    value = place.compiler(argument, place)
    keep = place.gaps is Gaps.KEEP

    def run(payload: Any) -> Any:
        found = value(payload)
        return MISSING if found is None else without_nulls(found, keep=keep)

    return run


def without_nulls(value: Any, *, keep: bool) -> Any:
    """`value` without the nulls of its objects, or, to `keep` the keys, with missing values instead."""
    if not isinstance(value, dict):
        return value
    inside = {key: MISSING if item is None else without_nulls(item, keep=keep) for key, item in value.items()}
    return inside if keep else {key: item for key, item in inside.items() if item is not MISSING}
