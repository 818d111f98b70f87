"""Two tracking plans: what became of the old one, in words, and whether it breaks what events keep today.

Rules are told apart by type, name and version; the shape of the files makes no difference. Of an event whose versions
come and go it is said what that means for the events: those without a version are held to the oldest, and so are those
whose version is gone.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from relay.plans.compile import VIEWED
from relay.plans.rules import Kind, Plan, Rule
from relay.plans.schema_diff import differences
from relay.plans.schemas import prepared

Schemas = dict[int, Any]  # by version

_VIEWED = frozenset(VIEWED.values())  # track rules, but for calls that there are without them
_ANYWAY = frozenset(("IDENTIFY", "GROUP", "PAGE", "SCREEN", "COMMON"))  # calls that a plan need not name
_CALLED = {
    "IDENTIFY": "identify",
    "GROUP": "group",
    "COMMON": "common schema",
    "PAGE": "page",
    "SCREEN": "screen",
}


class Change(NamedTuple):
    """One difference. `event` is what people call the rule."""

    event: str
    version: int | None
    field: str
    is_breaking: bool
    said: str

    def __str__(self) -> str:
        version = "" if self.version is None else f" (version {self.version})"
        return (
            f"{self.event}{version}: {self.field}: {self.said}"
            if self.field
            else f"{self.event}{version}: {self.said}"
        )


def plan_changes(old: Plan, new: Plan) -> list[Change]:
    """Every change from `old` to `new`, by event."""
    before, after = _by_event(old), _by_event(new)
    found: list[Change] = []
    for kind, key in sorted(
        before.keys() | after.keys(), key=lambda event: (event[0] != "COMMON", event[1], event[0])
    ):
        was, now = before.get((kind, key), {}), after.get((kind, key), {})
        found += _Event(kind, key, was, now, _instead(kind, after)).changes()
    return found


def _instead(kind: Kind, rules: dict[tuple[Kind, str], Schemas]) -> Schemas:
    """What pages and screens are held to that have no rule of their own."""
    viewed = VIEWED.get(kind.lower())
    return {} if viewed is None else rules.get((kind, "")) or rules.get(("TRACK", viewed)) or {}


def _by_event(plan: Plan) -> dict[tuple[Kind, str], Schemas]:
    found: dict[tuple[Kind, str], Schemas] = {}
    for rule in plan.rules:
        found.setdefault((rule.kind, rule.key), {})[rule.version] = _schema(rule)
    return found


def _schema(rule: Rule) -> Any:
    return prepared(rule.schema, lambda _place, _sentence: None)


class _Event:
    def __init__(self, kind: Kind, key: str, was: Schemas, now: Schemas, instead: Schemas) -> None:
        self._kind = kind
        called = _CALLED.get(kind, "")
        self._event = f"{called} {key}".strip() if called else key
        self._was, self._now, self._instead = was, now, instead
        self._is_there_anyway = kind in _ANYWAY or key in _VIEWED

    def changes(self) -> Iterator[Change]:
        was, now = self._was, self._now
        if not was:
            yield from self._appeared()
        elif not now:
            yield from self._gone()
        else:
            for version in sorted(was.keys() & now.keys()):
                yield from self._compared(was[version], now[version], version)
            yield from self._versions()

    def _appeared(self) -> Iterator[Change]:
        what = "event added" if self._kind == "TRACK" else "rule added"
        yield self._change(what)
        if self._is_there_anyway:
            yield from self._compared({}, self._now[min(self._now)], None, only_breaking=True)

    def _gone(self) -> Iterator[Change]:
        if self._instead:
            yield from self._held(
                f"rule removed: the rule of other {self._kind.lower()} calls counts", self._was, self._instead
            )
        elif self._kind == "COMMON":
            yield self._change("rule removed")
        elif self._is_there_anyway:
            said = "rule removed: nothing is required of these calls now, and all that they hold is unplanned"
            yield self._change(said)
        else:
            yield self._change("event removed: it is unplanned now", is_breaking=True)

    def _held(self, said: str, was: Schemas, now: Schemas, version: int | None = None) -> Iterator[Change]:
        """Calls that were held to the oldest of some rules, and are held to the oldest of others."""
        found = list(self._compared(was[min(was)], now[min(now)], version))
        yield self._change(said, is_breaking=any(one.is_breaking for one in found))
        yield from found

    def _versions(self) -> Iterator[Change]:
        was, now = self._was, self._now
        for version in sorted(was.keys() - now.keys()):
            said = f"version {version} removed: its events are held to version {min(now)}"
            yield from self._held(said, {version: was[version]}, now, version)
        for version in sorted(now.keys() - was.keys()):
            yield self._change(f"version {version} added")
        if min(now) < min(was) and min(was) in now:
            yield from self._held(f"events without a version are held to version {min(now)} now", was, now)

    def _compared(
        self, before: Any, after: Any, version: int | None, *, only_breaking: bool = False
    ) -> Iterator[Change]:
        shown = version if len(self._was) > 1 or len(self._now) > 1 else None
        for found in differences(before, after):
            if found.is_breaking or not only_breaking:
                yield Change(self._event, shown, found.field, found.is_breaking, found.said)

    def _change(self, said: str, *, is_breaking: bool = False) -> Change:
        return Change(self._event, None, "", is_breaking, said)
