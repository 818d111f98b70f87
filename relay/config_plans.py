"""`plan` and `[sources.controls]` of sources: read, checked, and compiled once for all sources that name the same file."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from relay.config_errors import Problems, Table, read_table
from relay.plans.compile import CompiledPlan
from relay.plans.connections import Connections
from relay.plans.controls import Controls
from relay.plans.files import load_plan

FORWARDING = ("forwarding_violations_to", "forwarding_blocked_events_to")


def read_controls(raw: dict[str, Any], problems: Problems) -> None:
    """Complain of every control that is wrong, and leave the others in the tables of the sources."""
    tables = raw.get("sources")
    for index, table in enumerate(tables if isinstance(tables, list) else ()):
        if not isinstance(table, dict) or not isinstance(table.get("controls"), dict):
            continue
        place = ("sources", index, "controls")
        good = read_table(Controls, table["controls"], place, problems, word="control").values
        table["controls"] = {key: value for key, value in good.items() if key in table["controls"]}


def check_forwarding(sources: Iterable[Table], problems: Problems) -> None:
    """Complain of events that are to be forwarded to a source that is not there, or to where they come from."""
    tables = list(sources)
    names = {table.values.get("name") for table in tables}
    for table in tables:
        controls = table.values.get("controls", Controls())
        for control in FORWARDING:
            target = getattr(controls, control)
            if target is None:
                continue
            place = (*table.place, "controls", control)
            if target not in names:
                problems.add(place, f"`{control}`: there is no source `{target}`")
            elif target == table.values.get("name"):
                problems.add(place, f"`{control}`: must be another source than `{target}` itself")


def load_plans(
    sources: Iterable[Table], folder: Path, problems: Problems, connections: Connections
) -> Mapping[str, CompiledPlan]:
    """The plans of sources, by the source's name. `connections`: who else has a plan, by API."""
    files: dict[str, tuple[CompiledPlan, list[str]]] = {}
    plans: dict[str, CompiledPlan] = {}
    for source in sources:
        file = source.values.get("plan")
        if file is None:
            has_none = "plan" in source.values and connections.of(source.values.get("name", "")).plan is None
            if has_none and source.values.get("strict"):
                problems.add((*source.place, "strict"), "`strict` needs a `plan`: what breaks it is refused")
            if has_none and source.values.get("controls", Controls()) != Controls():
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


def plan_files(sources: Iterable[Table], folder: Path) -> Mapping[str, Path]:
    """The file of each source's plan."""
    said = {source.values["name"]: source.values["plan"] for source in sources}
    return {name: (folder / file).resolve() for name, file in said.items() if file is not None}


def in_file(
    raw: Mapping[str, Any], sources: Iterable[Table], path: Path, problems: Problems
) -> Mapping[tuple[str, str], str]:
    """Where the file says something about plans, which no API changes then."""
    return {
        (source.values["name"], key): f"{path}:{problems.line((*source.place, key))}"
        for source, table in zip(sources, raw.get("sources", ()), strict=True)
        for key in ("plan", "controls", "strict")
        if key in table and table[key] is not False
    }
