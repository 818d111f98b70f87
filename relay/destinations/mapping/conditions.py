"""`@if`: one of two values, by whether a third exists or is blank.

`blank` holds for what is *not* blank: the name is inverted upstream and mappings rely on it. `exists`
is looked at first whenever it is given. An `else` that is falsy is no `else`.
"""

from typing import Any

from relay.destinations.mapping.checks import options
from relay.destinations.mapping.javascript import MISSING, is_falsy, is_loosely_empty
from relay.destinations.mapping.place import Place, Run
from relay.destinations.mapping.siblings import plain_path


def compile_if(argument: Any, place: Place) -> Run:
    """`exists` or `blank`, `then` and `else`."""
    given = options(argument, place, "exists", "blank", "then", "else")
    if is_falsy(given.get("exists")) and is_falsy(given.get("blank")):
        raise place.error("needs `exists` or `blank`, and neither may be null, false, 0 or empty")
    then = place.compile(given["then"], "then") if "then" in given else give_missing
    otherwise = give_missing if is_falsy(given.get("else")) else place.compile(given["else"], "else")
    blank = place.compile(given.get("blank"), "blank")
    if "exists" in given:
        exists = place.compile(given["exists"], "exists")
        is_then = plain_path(given["exists"]) is not None and given["exists"] == given.get("then")
        return itself_or(exists, otherwise) if is_then else if_exists(exists, then, otherwise)
    return unless_blank(blank, then, otherwise)


def give_missing(_payload: Any) -> Any:
    return MISSING


def if_exists(condition: Run, then: Run, otherwise: Run) -> Run:
    def run(payload: Any) -> Any:
        value = condition(payload)
        return otherwise(payload) if value is MISSING or value is None else then(payload)

    return run


def itself_or(condition: Run, otherwise: Run) -> Run:
    """What most mappings ask for: one path, or else another."""

    def run(payload: Any) -> Any:
        value = condition(payload)
        return otherwise(payload) if value is MISSING or value is None else value

    return run


def unless_blank(condition: Run, then: Run, otherwise: Run) -> Run:
    def run(payload: Any) -> Any:
        value = condition(payload)
        is_blank = value is MISSING or value is None or is_loosely_empty(value)
        return otherwise(payload) if is_blank else then(payload)

    return run
