"""A tree to text again, as Segment writes it."""

import re
from collections.abc import Mapping
from typing import Any

from relay.destinations.fql.subscriptions.fields import NAMED, ROOTS
from relay.destinations.fql.subscriptions.values import Value, to_number, to_text

_FIXED = {"exists": "!= null", "not_exists": "= null", "is_true": "= true", "is_false": "= false"}
_NUMERIC = {"number_equals": "=", "number_not_equals": "!="} | {sign: sign for sign in ("<", "<=", ">", ">=")}
_FUNCTIONS = {
    "contains": "contains({field}, {quoted})",
    "starts_with": 'match({field}, "{value}*")',
    "ends_with": 'match({field}, "*{value}")',
}


def text_of(tree: Mapping[str, Any]) -> str:
    """The FQL of a group: its own parentheses are left out, those of a lone group inside it too."""
    text = _group(tree)
    is_one_group = text.startswith("(") and text.endswith(")") and text.count("(") + text.count(")") == 2  # noqa: PLR2004 - a pair
    return text[1:-1] if is_one_group else text


def _group(tree: Mapping[str, Any]) -> str:
    return f" {tree['operator']} ".join(
        f"({_group(child)})" if child["type"] == "group" else _condition(child) for child in tree["children"]
    )


def _condition(condition: Mapping[str, Any]) -> str:
    field, operator, value = _field(condition), condition["operator"], condition.get("value")
    if operator in _FIXED:
        return f"{field} {_FIXED[operator]}"
    if operator in _NUMERIC:
        return f"{field} {_NUMERIC[operator]} {to_text(to_number(value))}"
    positive = operator.removeprefix("not_")
    if positive in _FUNCTIONS:
        negation = "" if positive == operator else "!"
        values = {"value": to_text(value), "quoted": _quoted(value)}
        return negation + _FUNCTIONS[positive].format(field=field, **values)
    return f"{field} {operator} {_quoted(value)}"


def _field(condition: Mapping[str, Any]) -> str:
    root = ROOTS[condition["type"]]
    if condition["type"] not in NAMED:
        return root
    # dots stay: nobody can tell whether they part names or belong to one
    return f"{root}." + re.sub(r"[^a-zA-Z0-9._-]", r"\\\g<0>", condition["name"])


def _quoted(value: Value | None) -> str:
    return to_text(value) if isinstance(value, bool | int | float) else f'"{to_text(value)}"'
