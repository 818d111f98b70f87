"""A plan's rules to validators, each compiled once. What a validator cannot be made of is told with its place.

2,000 rules take a fifth of a second; `python -m bench protocols` measures it.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

import jsonschema_rs
import msgspec
from jsonschema_rs import Draft7Validator, RegexOptions

from relay.plans.names import Names, keeping, names_of
from relay.plans.rules import ROOT, Plan, Rule
from relay.plans.schemas import prepared
from relay.plans.violations import (
    TOO_DEEP,
    TOO_LARGE,
    Found,
    Violation,
    all_at_fault,
    dotted,
    first_violation,
    has_many_values,
    is_deep,
    violations,
)
from relay.plans.weight import MOST_VALUES, TooHeavy, has_many_errors, is_too_much, weight_of

PATTERN_BYTES = 1_000_000  # of one compiled pattern, as RE2 limits them too

# names by which a plan means every page and every screen, when it has no rule for the name of the one in hand
VIEWED = {"page": "Page Viewed", "screen": "Screen Viewed"}

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


class CompiledRule:
    """One rule, ready. `is_valid(message)` costs about a microsecond."""

    def __init__(self, rule: Rule, schema: dict[str, Any]) -> None:
        """`schema` is the rule's, prepared. Raises jsonschema_rs.ValidationError, ValueError or TooHeavy."""
        self.rule = rule
        self._schema = schema
        self._weight = weight_of(schema)
        self._validator = Draft7Validator(
            schema,
            mask="[value]",
            offline=True,
            validate_formats=True,
            formats={"uuid": _is_uuid},  # draft 7 has none
            pattern_options=RegexOptions(size_limit=PATTERN_BYTES),
        )
        is_light = self._weight.most_values >= MOST_VALUES and not self._weight.is_recursive
        self.is_valid = self._validator.is_valid if is_light else self._is_bearable_and_valid
        self._names: dict[str, Names] = {}
        self._keeping: dict[str, Callable[[Any], bool]] = {}

    def _is_bearable_and_valid(self, message: dict[str, Any]) -> bool:
        return self._unbearable(message) is None and self._validator.is_valid(message)

    def _unbearable(self, message: dict[str, Any]) -> Violation | None:
        """Why nothing else is said of the event: it would take too long, or too much of the stack."""
        if self._weight.is_recursive and is_deep(message):
            return TOO_DEEP
        if has_many_values(message, self._weight.most_values) and is_too_much(self._schema, message):
            return TOO_LARGE
        return None

    def violations(self, message: dict[str, Any], root: str) -> list[Found]:
        """All of them; of an event that may have too many for that, the first."""
        if (unbearable := self._unbearable(message)) is not None:
            return all_at_fault(unbearable, message, root)
        if has_many_errors(self._schema, message):
            return first_violation(self._validator.validate, message, self.rule.schema, root)
        return violations(self._validator.iter_errors, message, self.rule.schema)

    def names(self, root: str) -> Names:
        """What it plans under `properties` or `traits`."""
        found = self._names.get(root)
        if found is None:
            found = self._names[root] = names_of(self._schema, root)
        return found

    def plans_all(self, root: str, value: Any) -> bool:
        """Whether it plans every name in `value`, which is what a message has under `root`."""
        keeping_names = self._keeping.get(root)
        if keeping_names is None:  # made when it is first asked for: most sources never ask
            keeping_names = self._keeping[root] = keeping(self.names(root))
        return keeping_names(value)


def _is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


class Versions(msgspec.Struct, frozen=True):
    """The rules of one event."""

    oldest: CompiledRule
    by_version: dict[int | float, CompiledRule]
    is_alone: bool


class CompiledPlan:
    """The rules of a plan, found by message."""

    def __init__(self, plan: Plan, rules: Iterable[CompiledRule]) -> None:
        self.plan = plan
        found: dict[tuple[str, Any], list[CompiledRule]] = {}
        for one in sorted(rules, key=lambda one: one.rule.version):
            found.setdefault((one.rule.kind.lower(), one.rule.key), []).append(one)
        self._of = {
            key: Versions(some[0], {one.rule.version: one for one in some}, len(some) == 1)
            for key, some in found.items()
        }
        self._tracks = {key: versions for (kind, key), versions in self._of.items() if kind == "track"}
        common = self._of.get(("common", ""))
        self.common = None if common is None else common.oldest

    def rule_of(self, message: dict[str, Any]) -> CompiledRule | None:
        """The rule that `message` must keep, None when it is not planned.

        Of several versions it is the one that `context.protocols.event_version` names, else the oldest.
        """
        kind = message["type"]
        if kind == "track":
            versions = self._tracks.get(message.get("event"))
        elif kind in VIEWED:
            versions = self._viewed(kind, message.get("name", ""))
        else:
            versions = self._of.get((kind, ""))
        if versions is None:
            return None
        return versions.oldest if versions.is_alone else _said(message, versions)

    def _viewed(self, kind: str, name: Any) -> Versions | None:
        of = self._of
        return of.get((kind, name)) or of.get((kind, "")) or of.get(("track", VIEWED[kind]))


def _said(message: dict[str, Any], versions: Versions) -> CompiledRule:
    protocols = message.get("context", {}).get("protocols")
    version = protocols.get("event_version") if type(protocols) is dict else None
    if type(version) is int or type(version) is float:  # 2.0 is 2, in JSON
        return versions.by_version.get(version, versions.oldest)
    return versions.oldest


def compile_plan(plan: Plan) -> tuple[CompiledPlan, list[str]]:
    """The plan, ready, and what is wrong with its schemas."""
    mistakes: list[str] = []
    made: list[CompiledRule] = []
    for rule in plan.rules:
        complaints: list[str] = []

        def complain(place: str, sentence: str, rule: Rule = rule, to: list[str] = complaints) -> None:
            to.append(f"{rule.place}{place}: {sentence}")

        schema = prepared(rule.schema, complain)
        if not complaints:
            try:
                made.append(CompiledRule(rule, schema))
            except jsonschema_rs.ValidationError as error:
                complaints.append(_complaint(rule, error))
            except TooHeavy as error:
                complaints.append(f"{rule.place}: {error}")
            except ValueError:  # a `const` of 300 levels, say
                complaints.append(f"{rule.place}: nested too deeply")
        mistakes += complaints
    return CompiledPlan(plan, made), mistakes


def _complaint(rule: Rule, error: jsonschema_rs.ValidationError) -> str:
    path = error.instance_path
    place = f"{rule.place}.{dotted(path)}" if path else rule.place
    keyword = path[-1] if path else None
    if keyword == "type":
        said = f"must be one of {', '.join(_TYPES)}, or a list of these"
    elif keyword == "pattern" or "patternProperties" in path[-2:]:
        said = "is no pattern that RE2 can read, or too large a one"
    else:
        said = error.message.replace("[value]", "it").splitlines()[0]
    return f"{place}: {said}"


_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


__all__ = ["ROOT", "CompiledPlan", "CompiledRule", "compile_plan"]
