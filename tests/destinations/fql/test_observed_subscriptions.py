"""Every observed case: what Segment's own package made of a text, a tree or an event."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from relay.destinations.fql.subscriptions import compile_subscription, compile_tree, text_of

OBSERVED = orjson.loads((Path(__file__).parents[2] / "fixtures/mapping/fql.json").read_bytes())


def cases(op: str) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in OBSERVED["cases"] if case["op"] == op]


def test_no_case_is_left_out() -> None:
    known = ("parse", "generate", "validate", "match")
    assert sum(len(cases(op)) for op in known) == OBSERVED["count"] == 532


@pytest.mark.parametrize("case", cases("parse"))
def test_a_text_has_the_observed_tree(case: dict[str, Any]) -> None:
    subscription = compile_subscription(case["fql"])
    assert (subscription.error is not None) is case.get("error", False)
    assert subscription.tree == case.get("ast")


@pytest.mark.parametrize("case", cases("generate"))
def test_a_tree_has_the_observed_text(case: dict[str, Any]) -> None:
    assert text_of(case["ast"]) == case["fql"]


@pytest.mark.parametrize("case", cases("validate"))
def test_a_tree_matches_as_observed(case: dict[str, Any]) -> None:
    # one case has "" for an event; the log holds nothing but objects, and as one it has no fields
    assert compile_tree(case["ast"])(case["event"] or {}) is case["match"]


@pytest.mark.parametrize("case", cases("match"))
def test_a_text_matches_as_observed(case: dict[str, Any]) -> None:
    assert compile_subscription(case["fql"]).matches(OBSERVED["events"][case["event_ref"]]) is case["match"]
