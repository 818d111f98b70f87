"""What stands in the cells of a plan that is a table: types, choices, labels, yes and no."""

import json
import re
from typing import Any

_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_ALIASES = {
    "text": "string",
    "str": "string",
    "bool": "boolean",
    "list": "array",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "int": "integer",
}
_ANY = ("any", "enum", "")  # the column `Enum` says the rest
_FORMATS = {"datetime": "date-time", "date": "date"}
_YES = frozenset(("required", "true", "yes", "y", "1", "x"))
_NO = frozenset(("optional", "false", "no", "n", "0", ""))
_SHOWN = 40  # characters of a cell in a sentence


class BadCell(Exception):
    """A cell that cannot be read; the sentence names the column."""


def is_required(cell: str) -> bool:
    """Of the column that says required or optional."""
    word = cell.casefold()
    if word not in _YES and word not in _NO:
        raise BadCell(f"required: must be `required` or `optional`, not {_shown(cell)}")
    return word in _YES


def types(cell: str) -> tuple[list[str], dict[str, Any]]:
    """The types that are allowed (empty: any), and the format that goes with them."""
    found: list[str] = []
    form: dict[str, Any] = {}
    for word in _list(cell, "type", r"[,|;/\n]"):
        name = "".join(filter(str.isalpha, str(word).casefold()))
        if name in _ANY:
            return [], {}
        if name in _FORMATS:
            form, name = {"format": _FORMATS[name]}, "string"
        name = _ALIASES.get(name, name)
        if name not in _TYPES:
            raise BadCell(f"type: must be one of any, date-time, {', '.join(_TYPES)}, not {_shown(word)}")
        found.append(name)
    return list(dict.fromkeys(found)), form


def pattern(cell: str) -> dict[str, Any]:
    """Allowed values of a text are a pattern, as Segment has it: `fall|winter|spring`."""
    return {"pattern": cell} if cell else {}


def choices(cell: str, kinds: list[str]) -> dict[str, Any]:
    """The values of an enum: a JSON array, or texts between commas (or bars, if there are any)."""
    if not cell:
        return {}
    values = _list(cell, "enum", r"\|" if "|" in cell else r"[,\n]")
    if not cell.startswith("["):
        values = [_value(str(value), kinds) for value in values]
    if not values:
        raise BadCell("enum: has no value")
    if "null" in kinds and None not in values:
        values.append(None)
    return {"enum": values}


def labels(cell: str) -> dict[str, str]:
    """`team:checkout, priority:1`, or a JSON object."""
    if cell.startswith("{"):
        found = _json(cell, "labels")
        return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}
    made: dict[str, str] = {}
    for one in filter(None, map(str.strip, re.split(r"[,;\n]", cell))):
        key, colon, value = one.partition(":")
        if not colon:
            raise BadCell(f"labels: must be `key:value`, not {_shown(one)}")
        made[key.strip()] = value.strip()
    return made


def _list(cell: str, column: str, between: str) -> list[Any]:
    if cell.startswith("["):
        found = _json(cell, column)
        return found if isinstance(found, list) else [found]
    return [part for part in map(str.strip, re.split(between, cell)) if part]


def _json(cell: str, column: str) -> Any:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        raise BadCell(f"{column}: begins like JSON and is none: {_shown(cell)}") from None


def _value(text: str, kinds: list[str]) -> Any:
    """A choice as the type wants it: `1` of a number is 1, of a text "1"."""
    if text == "null" and "null" in kinds:
        return None
    if not kinds or "string" in kinds:
        return text
    try:
        value = json.loads(text.lower())
    except (ValueError, RecursionError):
        value = None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if (isinstance(value, bool) and "boolean" in kinds) or (is_number and {"number", "integer"} & set(kinds)):
        return value
    raise BadCell(f"enum: {_shown(text)} is no {' or '.join(kinds)}")


def _shown(cell: Any) -> str:
    text = str(cell)
    return f"`{text}`" if len(text) <= _SHOWN else f"`{text[:_SHOWN]}…`"
