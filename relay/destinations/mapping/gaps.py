"""Missing values inside a result: where they can be, and how they are closed."""

from typing import Any

from relay.destinations.mapping.checks import is_directive
from relay.destinations.mapping.javascript import MISSING
from relay.destinations.mapping.place import Gaps, Run

GIVE_GAPS = {"@excludeWhenNull", "@arrayPath"}  # nulls turned missing; items of a shape that are missing


def may_have_gaps(node: Any) -> bool:
    """Whether what `node` gives may be an object or list with a missing value inside.

    Only a literal object or list with a directive in it can, and what some directives make: an event has
    none. Costly clean-up is compiled in only where this says yes.
    """
    if isinstance(node, list):
        return any(map(has_directive, node))
    if not isinstance(node, dict):
        return False
    if is_directive(node):
        return not GIVE_GAPS.isdisjoint(node) or any(map(may_have_gaps_inside, node.values()))
    return any(map(has_directive, node.values()))


def may_have_gaps_inside(argument: Any) -> bool:
    """Whether a directive's `argument` may give a gap: as it is, or by one of its options."""
    return may_have_gaps(argument) or may_have_gaps_below(argument)


def may_have_gaps_below(node: Any) -> bool:
    """Whether anything inside `node` may give a gap, `node` itself being no part of the result."""
    return any(map(may_have_gaps, children(node)))


def has_directive(node: Any) -> bool:
    return is_directive(node) or any(map(has_directive, children(node)))


def children(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []


def closed(run: Run, gaps: Gaps) -> Run:
    """`run`, its result rid of missing values as `gaps` asks."""
    return run if gaps is Gaps.KEEP else lambda payload: close(run(payload), gaps)


def close(value: Any, gaps: Gaps) -> Any:
    """A copy of `value` in which no object has a missing value, and, unless `gaps` lets it, no list."""
    if isinstance(value, dict):
        return {key: close(item, gaps) for key, item in value.items() if item is not MISSING}
    if isinstance(value, list):
        filled = None if gaps is Gaps.CLOSE else MISSING
        return [filled if item is MISSING else close(item, gaps) for item in value]
    return value
