"""Whatever a plan says, what is written is code, the same each time."""

import ast
from typing import Any

from hypothesis import given, settings

from tests.plans.codegen.written import PLANS, for_browser, for_node, in_python, read
from tests.plans.plans import Json


@settings(max_examples=200, deadline=None)
@given(PLANS)
def test_a_module_of_any_plan_runs(raw: Json) -> None:
    text = in_python(raw)
    ast.parse(text, type_comments=True)  # as mypy reads it
    names: dict[str, Any] = {"__name__": "plan"}
    exec(compile(text, "plan.py", "exec"), names)
    methods = [name for name in vars(names["Tracker"]) if not name.startswith("__")]
    assert len(methods) == len(_called(raw))
    assert in_python(raw) == text


@settings(max_examples=200, deadline=None)
@given(PLANS)
def test_what_is_written_depends_on_the_rules_and_not_on_who_writes(raw: Json) -> None:
    turned = {**raw, "rules": raw["rules"][::-1]}
    for write in (in_python, for_browser, for_node):
        assert sorted(write(turned).splitlines()) == sorted(write(raw).splitlines())


def _called(raw: Json) -> list[str]:
    return [rule.kind for rule in read(raw).rules if rule.kind != "COMMON"]
