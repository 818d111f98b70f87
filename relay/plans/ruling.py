"""A ruling: what a plan decided about one event, enough to make of the event again what was made of it then.

It is written down beside the log, which keeps what arrived, and is applied whenever the event is read: a plan that
changes later changes nothing that was decided. It holds names and sentences, never a value that was omitted.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from relay.plans.names import Path
from relay.plans.violations import dotted

Data = dict[str, Any]

MAX_NAMES = 100  # of omitted names that an event tells of; all are omitted


class Ruling(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """`blocked` is the reason, None for an event that goes on: then without what is at the paths, and decorated."""

    blocked: str | None = None
    violations: tuple[tuple[str, str, str], ...] = ()  # type, field, description
    omitted: tuple[Path, ...] = ()  # because they are not planned
    omitted_on_violation: tuple[Path, ...] = ()

    def notes(self) -> tuple[str, ...]:
        """What is to be said of the event to whoever looks at it."""
        said = [f"tracking plan: {field}: {description}" for _, field, description in self.violations]
        if self.omitted:
            said.append(f"tracking plan: not planned, omitted: {', '.join(names(self.omitted))}")
        if self.omitted_on_violation:
            said.append(f"tracking plan: omitted: {', '.join(names(self.omitted_on_violation))}")
        return tuple(said)

    def applied(self, data: Data) -> Data:
        """What becomes of `data`: itself when it is blocked, else a copy."""
        if self.blocked is not None:
            return data
        left = without(data, (*self.omitted, *self.omitted_on_violation))
        context = left.get("context") or {}
        own = context.get("protocols")
        protocols = {**(own if type(own) is dict else {}), **self._decoration(data)}
        return {**left, "context": {**context, "protocols": protocols}}

    def _decoration(self, data: Data) -> Data:
        shown: Data = {"sourceId": data.get("sourceId")}
        if self.violations:
            shown["violations"] = described(self.violations)
        if self.omitted:
            shown["omitted"] = names(self.omitted)
        if self.omitted_on_violation:
            shown["omitted_on_violation"] = names(self.omitted_on_violation)
        return shown


encode_ruling = msgspec.json.Encoder().encode
decode_ruling = msgspec.json.Decoder(Ruling).decode


def described(violations: Iterable[tuple[str, str, str]]) -> list[dict[str, str]]:
    """Violations as events have them."""
    return [{"type": kind, "field": field, "description": said} for kind, field, said in violations]


def names(paths: Iterable[Path]) -> list[str]:
    """What was omitted, as events have it: without the `properties` or `traits` that all begin with."""
    return [dotted(path[1:]) for path in paths][:MAX_NAMES]


def without(data: Data, paths: Sequence[Path]) -> Data:
    """A copy of `data` without what is at the paths, each of which ends in a key; `data` itself when there are none."""
    if not paths:
        return data
    tree: _Tree = {}
    for path in paths:
        node: _Tree | None = tree
        for step in path[:-1]:
            if node is not None:
                node = node.setdefault(step, {})
        if node is not None:
            node[path[-1]] = None
    pruned: Data = _pruned(data, tree)
    return pruned


_Tree = dict[str | int, Any]  # a step to what is to be done below it; None: it goes


def _pruned(value: Any, tree: _Tree) -> Any:
    if type(value) is dict:
        return {
            key: _pruned(inner, tree[key]) if key in tree else inner
            for key, inner in value.items()
            if tree.get(key, tree) is not None
        }
    if type(value) is list:
        return [_pruned(inner, tree[n]) if n in tree else inner for n, inner in enumerate(value)]
    return value
