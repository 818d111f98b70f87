"""What there is to say about one event and a plan, for people who test their tracking: `plan check` and `/v1/validate`."""

from typing import Any

import msgspec

from relay.plans.compile import CompiledPlan
from relay.plans.rules import ROOT
from relay.plans.ruling import Ruling, described, names
from relay.plans.violations import dotted

Data = dict[str, Any]


class Checked(msgspec.Struct, frozen=True):
    """`verdict` is `admitted`, `blocked` or `rejected`. `unplanned` are names that the rule does not list."""

    verdict: str
    reason: str | None = None
    planned: bool = True  # only track events can be unplanned
    unplanned: list[str] = []
    violations: list[dict[str, str]] = []
    omitted: list[str] = []
    omitted_on_violation: list[str] = []

    @property
    def is_right(self) -> bool:
        """Whether the event is one that the plan wants."""
        return self.verdict == "admitted" and self.planned and not self.unplanned and not self.violations


def checked(
    compiled: CompiledPlan | None, data: Data, ruling: Ruling | None, *, is_planned: bool = False
) -> Checked:
    """About an event, as it arrived, on which there is this ruling. None: its source has no plan.

    `is_planned`: whether it is part of every plan.
    """
    ruling = ruling or Ruling()
    rule = None if compiled is None else compiled.rule_of(data)
    root = ROOT.get(data["type"], "")
    strange = [] if rule is None else rule.names(root).unplanned(data.get(root), (root,))
    return Checked(
        "admitted" if ruling.blocked is None else "blocked",
        ruling.blocked,
        is_planned or compiled is None or rule is not None or data["type"] != "track",
        [dotted(path) for path in strange],
        described(ruling.violations),
        names(ruling.omitted),
        names(ruling.omitted_on_violation),
    )
