"""`plan` and `[sources.controls]` of sources: read, checked, and compiled once for all sources that name the same file."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from relay.config_errors import Problems, Table, read_table
from relay.plans.compile import CompiledPlan
from relay.plans.controls import Controls
from relay.plans.files import load_plan

PLANNED = ("forwarding_violations_to", "forwarding_blocked_events_to")  # come in a later version


def read_controls(raw: dict[str, Any], problems: Problems) -> None:
    """Complain of every control that is wrong, and leave the others in the tables of the sources."""
    tables = raw.get("sources")
    for index, table in enumerate(tables if isinstance(tables, list) else ()):
        if not isinstance(table, dict) or not isinstance(table.get("controls"), dict):
            continue
        place = ("sources", index, "controls")
        good = read_table(
            Controls, table["controls"], place, problems, planned=PLANNED, word="control"
        ).values
        table["controls"] = {key: value for key, value in good.items() if key in table["controls"]}


def load_plans(sources: Iterable[Table], folder: Path, problems: Problems) -> Mapping[str, CompiledPlan]:
    """The plans of sources, by the source's name."""
    files: dict[str, tuple[CompiledPlan, list[str]]] = {}
    plans: dict[str, CompiledPlan] = {}
    for source in sources:
        file = source.values.get("plan")
        if file is None:
            if "plan" in source.values and source.values.get("controls", Controls()) != Controls():
                problems.add(
                    (*source.place, "controls"),
                    "`controls` need a `plan`: they say what becomes of what breaks it",
                )
            continue
        compiled, mistakes = files.get(file) or files.setdefault(file, load_plan(folder / file))
        for mistake in mistakes:
            problems.add((*source.place, "plan"), f"`plan`: {file}: {mistake}")
        if "name" in source.values:
            plans[source.values["name"]] = compiled
    return plans
