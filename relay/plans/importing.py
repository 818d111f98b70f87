"""One plan from what Segment gives out: the CSV of a tracking plan, or what the Public API answers.

Of the Public API there may be several pieces: the plan itself (`GET /tracking-plans/{id}`), and the pages of its rules
(`GET /tracking-plans/{id}/rules`), which are put together; that all are there is told by the number that they give. What
comes out has the form of relay's own plan files.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from relay.plans.csv_plan import read_table
from relay.plans.rules import Plan
from relay.plans.shapes import read_plan, unwrapped
from relay.plans.stored import PLAN_TYPES, StoredPlan, file_form, resource_id

Json = dict[str, Any]


class Imported(NamedTuple):
    """The plan as a file has it, what is wrong with what it was made from, and what is worth saying."""

    plan: Json
    mistakes: list[str]
    notes: list[str]


def from_csv(text: str, name: str) -> Imported:
    """The plan that a table holds."""
    table = read_table(text)
    plan, mistakes = read_plan({"rules": table.rules})
    notes = [f"column `{column}` is not read" for column in table.passed_over]
    if not table.mistakes and not table.rules:
        mistakes.append("there is no event in it")
    return Imported(_file(plan, {"name": name}), table.mistakes or mistakes, notes)


def from_api(pieces: Iterable[Any], name: str) -> Imported:
    """The plan whose pieces, decoded JSON, these are."""
    about: Json = {}
    rules: list[Any] = []
    expected = 0
    for piece in pieces:
        inside = unwrapped(piece)
        if not isinstance(inside, dict):
            return Imported({}, ["a piece is no JSON object of the Public API"], [])
        if isinstance(inside.get("rules"), dict):
            return Imported(
                {}, ["`rules` is an object: this is a plan of the Config API, which relay reads as it is"], []
            )
        if isinstance(inside.get("rules"), list):
            rules += inside["rules"]
        if "id" in inside or "name" in inside:
            about = inside | about
        expected = max(expected, _total(inside), _total(piece))
    plan, mistakes = read_plan({"rules": rules})
    if expected > len(rules):
        mistakes.append(f"rules: {len(rules):,} of {expected:,} are here: a page is missing")
    if not rules:
        mistakes.append("rules: there are none")
    return Imported(_file(plan, {"name": name} | about), mistakes, [])


def _total(piece: Any) -> int:
    pagination = piece.get("pagination") if isinstance(piece, dict) else None
    total = pagination.get("totalEntries") if isinstance(pagination, dict) else None
    return total if type(total) is int else 0


def _file(plan: Plan, about: Json) -> Json:
    """Without the fields that nothing is known of."""
    given = about.get("resourceSchemaId") or about.get("id")
    plan_id = resource_id(given) if isinstance(given, str) else None
    kind = about.get("type")
    texts = {key: value for key, value in about.items() if isinstance(value, str)}
    stored = StoredPlan(
        plan_id or "",
        texts.get("name", ""),
        plan.rules,
        texts.get("description", ""),
        kind if kind in PLAN_TYPES else PLAN_TYPES[0],
        texts.get("createdAt"),
        texts.get("updatedAt"),
    )
    made = file_form(stored)
    if plan_id is None:
        del made["name"]
    made["rules"] = {key: value for key, value in made["rules"].items() if value or key == "events"}
    return {key: value for key, value in made.items() if value not in (None, "")}
