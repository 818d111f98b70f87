"""`@case`: a text in lower or upper case, by Unicode's full rules (ß becomes SS)."""

from typing import Any

from relay.destinations.mapping.checks import needs_text, options, text_option
from relay.destinations.mapping.conditions import give_missing
from relay.destinations.mapping.place import Place, Run

OPERATORS = {"lower": str.lower, "upper": str.upper}


def compile_case(argument: Any, place: Place) -> Run:
    """`operator` lower or upper, `value`. What is not text passes unchanged."""
    given = options(argument, place, "operator", "value")
    operator = text_option(given, "operator", place)
    if operator not in OPERATORS:
        raise place.at("operator").error(f"must be {' or '.join(OPERATORS)}, not {operator!r}")
    node = given.get("value", "")
    needs_text(node, place.at("value"))
    value, change = place.compile(node, "value"), OPERATORS[operator]

    def run(payload: Any) -> Any:
        found = value(payload)
        return change(found) if isinstance(found, str) else found

    return run if node != "" else give_missing
