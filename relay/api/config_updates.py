"""Updates of the Config API: what a body and its `update_mask` change about a plan.

A path that is named and has no value clears what it names; a value that no path names is not looked at. Without a mask
what is there counts.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from relay.api.plan_bodies import Update, WrappedUpdate, checked, rules_of
from relay.plans.rules import Rule
from relay.plans.running import PlanError
from relay.plans.shapes import OTHERS
from relay.plans.stored import StoredPlan, is_config_rule

_PARTS = {"events": "TRACK", "global": "COMMON", "identify": "IDENTIFY", "group": "GROUP"}
_LISTS = ("events", OTHERS)

Change = Callable[[StoredPlan], StoredPlan]


def update_of(body: dict[str, Any]) -> Change:
    """What `body` does to a plan."""
    if "tracking_plan" in body:
        asked = checked(body, WrappedUpdate)
        mask, given = asked.update_mask, body["tracking_plan"] or {}
    else:
        mask = checked(body, Update).update_mask
        given = {name: value for name, value in body.items() if name != "update_mask"}
    if mask is None:
        paths = [name for name in ("display_name", "rules") if given.get(name) is not None]
    else:
        paths = [path.removeprefix("tracking_plan.") for path in mask.paths]
    changes = [_change(path, given) for path in paths]

    def change(plan: StoredPlan) -> StoredPlan:
        for one in changes:
            plan = one(plan)
        return plan

    return change


def _change(path: str, given: dict[str, Any]) -> Change:
    if path == "display_name":
        return _renamed(given.get("display_name"))
    rules = given.get("rules") or {}
    if path == "rules":
        return lambda plan: _with_rules(plan, lambda rule: _is_kept(rule, rules), rules)
    part = path.removeprefix("rules.")
    if path != part and part in (*_PARTS, OTHERS):
        said = {part: rules.get(part) or ([] if part in _LISTS else {})}
        return lambda plan: _with_rules(plan, lambda rule: not _is_of(rule, part), said)
    raise PlanError(400, ("update_mask.paths", f"{path[:100]!r} is no path of a tracking plan"))


def _renamed(name: Any) -> Change:
    if name is None:
        raise PlanError(400, ("display_name", "must not be empty"))
    return lambda plan: msgspec.structs.replace(plan, name=name)


def _with_rules(plan: StoredPlan, keeps: Callable[[Rule], bool], said: dict[str, Any]) -> StoredPlan:
    kept = tuple(rule for rule in plan.rules if keeps(rule))
    return msgspec.structs.replace(plan, rules=kept + rules_of(said))


def _is_kept(rule: Rule, rules: dict[str, Any]) -> bool:
    """Pages and screens, which clients of this API do not know, stay unless the body speaks of them."""
    return OTHERS not in rules and rule.kind in ("PAGE", "SCREEN")


def _is_of(rule: Rule, part: str) -> bool:
    return not is_config_rule(rule) if part == OTHERS else rule.kind == _PARTS[part]
