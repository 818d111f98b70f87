"""Subscriptions: the FQL that says which events an action is for, read exactly as Segment reads it.

    type = "track" and (event = "Signed Up" or match(properties.plan, "pro*"))

lexer.py     text to tokens, with the oddities of Segment's own
segment.py   tokens to a tree, as Segment does it: what is not understood is skipped
ordinary.py  the same text as a person reads it, to tell the operator when that is something else
match.py     a tree to a closure
text.py      a tree to text again

Segment's reading is kept where it surprises, because mappings are moved from there and must send the same
events; `differs` says so in a sentence. What surprises most: a flat list has one connective, the last; a
group ends at the first `)`, even one that belongs to a function.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from relay.destinations.fql.errors import FqlError
from relay.destinations.fql.logic import Test, never
from relay.destinations.fql.subscriptions import ordinary, segment
from relay.destinations.fql.subscriptions.match import compile_tree
from relay.destinations.fql.subscriptions.text import text_of

__all__ = ["Subscription", "compile_subscription", "compile_tree", "text_of"]


class Subscription(msgspec.Struct, frozen=True):
    """A subscription, compiled. One that is invalid matches nothing and says why in `error`.

    `tree` is Segment's: {type: "group", operator, children}. `differs` says in a sentence what Segment makes
    of the text when a person would read it otherwise.
    """

    text: str
    matches: Test = never
    tree: Mapping[str, Any] | None = None
    error: str | None = None
    differs: str | None = None


def compile_subscription(text: str) -> Subscription:
    """The subscription that `text` describes. Never raises: see `error`."""
    try:
        tree = segment.read(text)
    except FqlError as problem:
        return Subscription(text, error=f"not a subscription: {_reason(text, problem)}")
    return Subscription(text, compile_tree(tree), tree, differs=_difference(text, tree))


def _reason(text: str, problem: FqlError) -> FqlError:
    """What a reader who skips nothing stumbles over: it comes first, and says more."""
    try:
        ordinary.read(text)
    except FqlError as first:
        return first if first.position <= problem.position else problem
    return problem


def _difference(text: str, tree: dict[str, Any]) -> str | None:
    meant = text_of(tree)
    try:
        usual = ordinary.read(text)
    except FqlError as problem:
        return f"Segment reads this as `{meant}`: {problem}"
    if usual == tree:
        return None
    why = "a list has one connective, the last, and a group ends at the first `)`, even that of a function"
    return f"Segment reads this as `{meant}`, not as `{text_of(usual)}`: {why}"
