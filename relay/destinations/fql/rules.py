"""The filters of a destination as browsers keep to them: a routing rule of Segment's settings document.

    {"matchers": [{"type": "fql", "ir": "…"}], "transformers": [[{"type": "drop"}]]}

Each matcher, in order, is asked of the event as those before it left it, and its transformers act when it matches. relay asks
every condition of the event as it came; so what takes properties away stands behind the conditions that look at
them. In what order properties are taken away makes no difference.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import orjson

from relay.destinations.fql.actions import AllowProperties, AnyAction, Drop, DropProperties, Filter, Sample
from relay.destinations.fql.paths import split
from relay.destinations.fql.tree import Judgement, Tree, judgement, negated, path_of, reads
from relay.errors import RelayError

MAX_RULE = 32 * 1024  # bytes of a condition: every visitor fetches it
_ROOTS = ("properties", "traits", "context")  # what properties may be taken from
_CONSENT = ("context", "consent")

Parts = tuple[str, ...]
Transformer = dict[str, Any]


class CannotAct(RelayError):
    """What a filter does that a browser cannot do. Of a condition FqlError tells."""


class Step(msgspec.Struct, frozen=True):
    """A matcher with its transformers."""

    matcher: dict[str, str]
    transformers: list[Transformer]


class Rule(msgspec.Struct, frozen=True):
    """What a destination's rule says; the i-th of `transformers` are those of the i-th of `matchers`."""

    matchers: tuple[dict[str, str], ...]
    transformers: tuple[list[Transformer], ...]


def rule_of(condition: str | None, filters: Sequence[Filter]) -> Rule | None:
    """None when there is nothing to keep to. Raises FqlError and CannotAct for what a browser cannot do."""
    enabled = [each for each in filters if each.enabled]
    steps = [*([] if condition is None else keeping(condition)), *_steps(enabled)]
    if not steps:
        return None
    return Rule(tuple(each.matcher for each in steps), tuple(each.transformers for each in steps))


def keeping(condition: str) -> list[Step]:
    """Drops what the `filter` of a destination does not keep, and what it cannot judge."""
    return [] if condition.strip() == "all" else [_step(negated(judgement(condition).yes), {"type": "drop"})]


def check(one: Filter) -> None:
    """Raises FqlError and CannotAct for a filter that a browser cannot keep to."""
    _judged(one)
    for action in one.actions:
        _transformer(action)


def _steps(filters: list[Filter]) -> Iterator[Step]:
    for one in filters:
        judged = _judged(one)
        if judged.no is not None:  # what it cannot judge
            yield _step(negated(["or", judged.yes, judged.no]), {"type": "drop"})
    for kinds in ((Sample,), (Drop,)):
        for one in filters:
            yield from _acting(one, kinds)
    for one in _in_order(filters):
        yield from _acting(one, (DropProperties, AllowProperties))


def _judged(one: Filter) -> Judgement:
    judged = judgement(one.condition)
    for tree in (judged.yes, judged.no):
        _check_size(orjson.dumps(tree))
    return judged


def _check_size(tree: bytes) -> None:
    if len(tree) > MAX_RULE:
        raise CannotAct("the condition becomes too long for browsers")


def _acting(one: Filter, kinds: tuple[type[AnyAction], ...]) -> Iterator[Step]:
    actions = [action for action in one.actions if isinstance(action, kinds)]
    if actions:
        yield _step(_judged(one).yes, *map(_transformer, actions))


def _step(tree: Tree, *transformers: Transformer) -> Step:
    text = orjson.dumps(tree)
    _check_size(text)
    is_all = tree == {"value": True}
    matcher = {"type": "all", "ir": ""} if is_all else {"type": "fql", "ir": text.decode()}
    return Step(matcher, list(transformers))


def _transformer(action: AnyAction) -> Transformer:
    match action:
        case Drop():
            return {"type": "drop"}
        case Sample(percent=percent, path=path):
            if path and 0 < percent < 1:
                raise CannotAct("the browser can sample by chance only: leave out `path`")
            return {"type": "sample_event", "config": {"sample": {"percent": percent}}}
        case DropProperties(fields=fields):
            return {"type": "drop_properties", "config": {"drop": dict(_dropped(fields))}}
        case AllowProperties(fields=fields):
            return {"type": "allow_properties", "config": {"allow": dict(_allowed(fields))}}


def _dropped(fields: dict[str, Parts]) -> Iterator[tuple[str, list[str]]]:
    for path, keys in fields.items():
        parent = _parent(path)
        if parent[:2] == _CONSENT or (parent == _CONSENT[:1] and _CONSENT[1] in keys):
            raise CannotAct("the browser needs `context.consent` whole")
        yield ".".join(parent), list(keys)


def _allowed(fields: dict[str, Parts]) -> Iterator[tuple[str, list[str]]]:
    """Consent stays: a plug-in looks at it after the filters."""
    for path, keys in fields.items():
        parent = _parent(path)
        if parent[:2] == _CONSENT:
            raise CannotAct("the browser needs `context.consent` whole")
        kept = (_CONSENT[1],) if parent == _CONSENT[:1] and _CONSENT[1] not in keys else ()
        yield ".".join(parent), [*keys, *kept]


def _parent(path: str) -> Parts:
    parts = split(path)
    if not parts or parts[0] not in _ROOTS:
        listed = ", ".join(f"`{name}`" for name in _ROOTS)
        raise CannotAct(f"the browser can take properties only from what is in {listed}")
    path_of(parts)
    return parts


def _in_order(filters: list[Filter]) -> Iterator[Filter]:
    """Those that take properties away, each behind all others whose condition looks at these."""
    taking = [one for one in filters if any(_takes(one))]
    while taking:
        free = next(
            (one for one in taking if not any(_hides(one, other) for other in taking if other is not one)),
            None,
        )
        if free is None:
            raise CannotAct("the browser cannot keep to filters that each take away what another looks at")
        yield free
        taking.remove(free)


def _takes(one: Filter) -> Iterator[tuple[Parts, Parts, bool]]:
    """Parent, keys, and whether it is these that stay."""
    for action in one.actions:
        if isinstance(action, DropProperties | AllowProperties):
            for path, keys in action.fields.items():
                yield split(path), keys, isinstance(action, AllowProperties)


def _hides(one: Filter, other: Filter) -> bool:
    """Whether `one` may take away what the condition of `other` looks at."""
    return any(
        _is_hidden(path, parent, keys, is_allowing=is_allowing)
        for path in reads(other.condition)
        for parent, keys, is_allowing in _takes(one)
    )


def _is_hidden(path: Parts, parent: Parts, keys: Parts, *, is_allowing: bool) -> bool:
    if len(path) <= len(parent):
        return path == parent[: len(path)]
    if path[: len(parent)] != parent:
        return False
    key = path[len(parent)]
    return key.isdigit() or (key in keys) is not is_allowing  # a digit: maybe one of several in a list
