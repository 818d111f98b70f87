"""`@arrayPath` and `@transform`: mappings that see something other than the event."""

from typing import Any

from relay.destinations.mapping.checks import is_directive, kind, needs_object, needs_text, options
from relay.destinations.mapping.gaps import closed, may_have_gaps, may_have_gaps_below
from relay.destinations.mapping.javascript import MISSING
from relay.destinations.mapping.paths import dollar_path
from relay.destinations.mapping.place import Gaps, Place, Run


def compile_array_path(argument: Any, place: Place) -> Run:
    """`[path or directive, shape?]`: every item of a list (or a lone object) in that shape.

    Without a shape, and for what is neither list nor object, the value as found.
    """
    if not isinstance(argument, list) or not argument:
        raise place.error(f"takes a list of a path and a shape, not {kind(argument)}")
    node, shape = argument[0], argument[1] if len(argument) > 1 else None
    needs_text(node, place.at(0))
    root = dollar_path(node) if isinstance(node, str) else place.with_gaps(Gaps.KEEP).compile(node, 0)
    item = place.compile(shape, 1)
    run = shaped(root, item, place.gaps) if isinstance(shape, dict) and shape else root
    return closed(run, place.gaps) if may_have_gaps(node) else run


def shaped(root: Run, item: Run, gaps: Gaps) -> Run:
    filler = None if gaps is Gaps.CLOSE else MISSING

    def run(payload: Any) -> Any:
        found = root(payload)
        if isinstance(found, dict):
            found = [found]
        if not isinstance(found, list):
            return found
        made = [item(each) for each in found]
        return [filler if each is MISSING else each for each in made]

    return run


def compile_transform(argument: Any, place: Place) -> Run:
    """`apply` makes a new event, `mapping` sees that one only."""
    given = options(argument, place, "apply", "mapping")
    for key in ("apply", "mapping"):
        needs_object(given.get(key), place.at(key))
    apply = place.with_gaps(Gaps.IN_LISTS).compile(given["apply"], "apply")
    run = chained(apply, place.compile(given["mapping"], "mapping"), place)
    return closed(run, place.gaps) if leaves_gaps(given["apply"]) else run


def leaves_gaps(apply: Any) -> bool:
    """Whether the new event may have lists with a missing item, which `mapping` then finds."""
    return may_have_gaps(apply) if is_directive(apply) else may_have_gaps_below(apply)


def chained(apply: Run, mapping: Run, place: Place) -> Run:
    def run(payload: Any) -> Any:
        if isinstance(payload, dict):
            return mapping(apply(payload))
        if payload is MISSING:  # an item of `@arrayPath` that is not there counts as an empty event
            return mapping(apply({}))
        raise place.error(f"needs an object to work on, not {kind(payload)}")

    return run
