"""What changed from one version's catalogue to another's, as far as a configuration can notice."""

from collections.abc import Iterable

import msgspec

from relay.destinations.bridge.catalogue import Bridged, Catalogue


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is new and what is gone in one destination: `settings.apiKey`, `trackEvent`, `trackEvent.time`."""

    type: str
    added: list[str] = []
    removed: list[str] = []


class Differences(msgspec.Struct, frozen=True):
    """Whole destinations first, then those that changed."""

    added: list[str]
    removed: list[str]
    changed: list[Change]


def compare(old: Catalogue, new: Catalogue) -> Differences:
    both = [name for name in old.by_type if name in new.by_type]
    changes = [_change(old.by_type[name], new.by_type[name]) for name in both]
    return Differences(
        added=_only(new.by_type, old.by_type),
        removed=_only(old.by_type, new.by_type),
        changed=[change for change in changes if change.added or change.removed],
    )


def _change(old: Bridged, new: Bridged) -> Change:
    before, now = set(_names(old)), set(_names(new))
    return Change(new.type, _outermost(now - before), _outermost(before - now))


def _names(it: Bridged) -> Iterable[str]:
    yield from (f"settings.{name}" for name in it.settings)
    for action in it.actions:
        yield action["name"]
        yield from (f"{action['name']}.{field}" for field in action["fields"])


def _outermost(names: set[str]) -> list[str]:
    """Without the fields of an action that is there as a whole."""
    return sorted(name for name in names if name.partition(".")[0] not in names or "." not in name)


def _only(these: Iterable[str], others: Iterable[str]) -> list[str]:
    return sorted(set(these) - set(others))
