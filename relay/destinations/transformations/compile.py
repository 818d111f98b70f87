"""Transformations to one closure. An event that none of them matches costs their conditions, and comes back as it is."""

from collections.abc import Callable, Iterable, Sequence

from relay.destinations.fql import compile_filter, compile_value
from relay.destinations.transformations.hashing import hashing
from relay.destinations.transformations.objects import (
    FqlDefinedProperty,
    HashProperties,
    PropertyRename,
    PropertyValueTransformation,
    Transformation,
)
from relay.destinations.transformations.places import MISSING, Object, Parts, find, put, replace, split, take

Step = Callable[[Object], Object | None]
Change = Callable[[Object], Object]

CONSENT = ("context", "consent")


def compile_transformations(transformations: Iterable[Transformation]) -> Step | None:
    """What all that are enabled make of an event: itself, a changed copy, or None: dropped. None: there are none.

    They act in the order given, each on what the one before made. Raises FqlError, when called, for an event that
    one cannot judge: the caller drops it. What `mistakes` complains about must not come here.
    """
    steps = [(compile_filter(each.condition), _step(each)) for each in transformations if each.enabled]
    if not steps:
        return None

    def apply(event: Object) -> Object | None:
        current = event
        for test, step in steps:
            if test(current):
                left = step(current)
                if left is None:
                    return None
                current = left
        return current

    return apply


def _step(each: Transformation) -> Step:
    """Renames come first, so that the other parts of one transformation know the new names; digests last."""
    if each.drop:
        return lambda _event: None
    changes: list[Change] = []
    if each.new_event_name is not None:
        changes.append(_renaming_event(each.new_event_name))
    if each.property_renames:
        changes.append(_renaming(each.property_renames))
    changes += [change for some in each.property_value_transformations for change in _setting(some)]
    changes += [_defining(defined) for defined in each.fql_defined_properties]
    if each.allow_properties:
        changes.append(_allowing(each.allow_properties))
    if each.hash_properties is not None:
        changes += _hashing(each.hash_properties)
    return _one_after_the_other(changes)


def _one_after_the_other(changes: Sequence[Change]) -> Step:
    if len(changes) == 1:
        return changes[0]

    def change_all(event: Object) -> Object:
        for change in changes:
            event = change(event)
        return event

    return change_all


def _renaming_event(name: str) -> Change:
    return lambda event: {**event, "event": name} if event.get("type") == "track" else event


def _renaming(renames: Sequence[PropertyRename]) -> Change:
    """All renames of one transformation happen at once, so two names can be swapped."""
    pairs = [(split(rename.old_name), split(rename.new_name)) for rename in renames]

    def change(event: Object) -> Object:
        found = [(old, new, value) for old, new in pairs if (value := find(event, old)) is not MISSING]
        for old, _, _ in found:
            event = take(event, old)
        for old, new, value in found:
            moved = put(event, new, value)
            event = put(event, old, value) if moved is event else moved  # in the way is no object: back
        return event

    return change


def _setting(some: PropertyValueTransformation) -> list[Change]:
    value = some.property_value
    return [_putting(split(path), value) for path in some.property_paths]


def _putting(parts: Parts, value: object) -> Change:
    return lambda event: put(event, parts, value)


def _defining(defined: FqlDefinedProperty) -> Change:
    read, parts = compile_value(defined.fql), split(defined.property_name)

    def change(event: Object) -> Object:
        value = read(event)
        return event if value is None else put(event, parts, value)

    return change


def _allowing(paths: Sequence[str]) -> Change:
    """Of `properties`, `traits` and `context`, as far as a path begins with it, only what paths lead to."""
    wanted = [split(path) for path in paths]
    roots = {parts[0] for parts in wanted}
    if CONSENT[0] in roots:
        wanted.append(CONSENT)

    def change(event: Object) -> Object:
        left = {key: {} if key in roots and type(value) is dict else value for key, value in event.items()}
        for parts in wanted:
            value = find(event, parts)
            if value is not MISSING:
                left = put(left, parts, value)
        return left

    return change


def _hashing(properties: HashProperties) -> list[Change]:
    digest = hashing(properties.algorithm.lower(), properties.encoding.lower(), properties.key)
    return [_replacing(split(path), digest) for path in properties.paths]


def _replacing(parts: Parts, digest: Callable[[object], str]) -> Change:
    return lambda event: replace(event, parts, digest)
