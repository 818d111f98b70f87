"""What a plan and a source's controls make of an event: a pure function, from the event's data to a ruling.

None is the answer for an event that keeps the plan, which costs little more than the validator does. In order: is
the event planned, are its names, does it keep its rule, and (what is left of it) the common schema. A rule is about
what arrived; so a name that is omitted as unplanned may be in a violation too.

An event without `properties` (or `traits`) is looked at as if they were empty: what a rule requires is missing
either way. What is omitted on a violation is the innermost value that has a name: a wrong item of a list takes the
list with it, since what is left would be another list. An event with thousands of values is not gone through for all
its violations, which would hold everybody up: it has the first, and loses all when what offends is omitted.
"""

from collections.abc import Iterable
from typing import Any

from relay.event import PREFERENCE_UPDATED
from relay.plans.compile import CompiledPlan, CompiledRule
from relay.plans.controls import Controls, Policy, policies
from relay.plans.names import Names, Path
from relay.plans.rules import ROOT
from relay.plans.ruling import Ruling, without
from relay.plans.violations import Found, Violation, dotted, noted

UNPLANNED = "unplanned"
VIOLATION = "schema_violation"
BOTH = "unplanned_and_schema_violation"
COMMON = "common_schema_violation"

_NOTHING_PLANNED = Names()
_NOTHING_PLANNED.is_closed = True

Data = dict[str, Any]


class Enforcer:
    """A source's plan with its controls: call it with an event's data.

    With `has_consent` a change of consent is planned, whether the plan has a rule for it or not.
    """

    def __init__(self, compiled: CompiledPlan, controls: Controls, *, has_consent: bool = False) -> None:
        self.compiled = compiled
        self._has_consent = has_consent
        self._of = {
            kind: (policy, ROOT.get(kind, ""), policy.omits_unplanned)
            for kind, policy in policies(controls).items()
        }
        self._common = compiled.common
        self._rule_of = compiled.rule_of

    def __call__(self, data: Data) -> Ruling | None:
        """The ruling on an event that does not keep the plan, or None."""
        kind = data["type"]
        policy, root, omits_unplanned = self._of[kind]
        message = data if not root or root in data else {**data, root: {}}
        rule, common = self._rule_of(message), self._common
        if (
            rule is not None
            and rule.is_valid(message)
            and (not omits_unplanned or rule.plans_all(root, message[root]))
            and (common is None or common.is_valid(message))
        ):
            return None
        if rule is None and self.plans_always(data):
            policy = policy._replace(blocks_unplanned=False)
        return _ruling(message, root, rule, common, policy)

    def plans_always(self, data: Data) -> bool:
        """Whether the event is part of every plan."""
        return self._has_consent and data["type"] == "track" and data.get("event") == PREFERENCE_UPDATED

    def breaches(self, data: Data) -> list[Violation]:
        """Everything for which an event is refused where nothing may pass but what the plan wants."""
        ruling = self(data)
        if ruling is None:
            return []
        found = list(ruling.violations)
        if ruling.blocked in (UNPLANNED, BOTH):
            found.insert(0, ("Unplanned Event", "event", "The plan does not name this event"))
        fields = map(dotted, ruling.omitted)
        return found + [("Unplanned Property", field, f"{field} is not planned") for field in fields]


def _names(rule: CompiledRule | None, root: str) -> Names:
    return _NOTHING_PLANNED if rule is None else rule.names(root)


def _ruling(
    message: Data, root: str, rule: CompiledRule | None, common: CompiledRule | None, policy: Policy
) -> Ruling | None:
    if rule is None and policy.blocks_unplanned:
        also = common.violations(message, root) if common is not None else []
        reason = BOTH if also and policy.blocks_common else UNPLANNED
        return Ruling(reason, noted(also))
    found = rule.violations(message, root) if rule is not None else []
    if found and policy.blocks_violations:
        return Ruling(VIOLATION, noted(found))
    unplanned: tuple[Path, ...] = ()
    if policy.omits_unplanned and (rule is not None or message["type"] != "track"):
        unplanned = tuple((root, *path) for path in _names(rule, root).unplanned(message[root]))
    offending = _offending(found, root) if policy.omits_violations else {}
    if common is not None and not common.is_valid(left := without(message, (*unplanned, *offending))):
        more = common.violations(left, root)
        found += more
        if policy.blocks_common:
            return Ruling(COMMON, noted(found))
        if policy.omits_common:
            offending |= _offending(more, root)
    if not found and not unplanned:
        return None
    planned = dict.fromkeys(offending.keys() - set(unplanned))
    return Ruling(None, noted(found), unplanned, tuple(path for path in offending if path in planned))


def _offending(found: Iterable[Found], root: str) -> dict[Path, None]:
    """The paths of values to omit; only what is inside `root` can be."""
    paths: dict[Path, None] = {}
    for _, path in found:
        if path is None or path[:1] != (root,):
            continue
        while isinstance(path[-1], int):
            path = path[:-1]  # noqa: PLW2901
        if len(path) > 1:
            paths[path] = None
    return paths
