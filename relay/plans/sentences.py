"""What violations are called and what they say: the names and sentences of Go's gojsonschema, titles for its types.

Sentences have names, types, and what the plan itself says; no value of an event.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

MAX_OPTIONS = 50  # of an enum that are told

Said = tuple[str, str]  # type and description


def _limit(title: str, sentence: str) -> Callable[[Any, str], Said]:
    return lambda kind, _: (title, sentence.format(as_json(kind.limit)))


def _fixed(title: str, sentence: str) -> Callable[[Any, str], Said]:
    return lambda _, __: (title, sentence)


SAID: dict[str, Callable[[Any, str], Said]] = {
    "enum": lambda kind, field: (
        "Enum",
        f"{field} must be one of the following: {_choices(kind.options)}",
    ),
    "const": lambda kind, field: ("Const", f"{field} does not match: {as_json(kind.expected_value)}"),
    "format": lambda kind, _: ("Format", f"Does not match format '{kind.format}'"),
    "minLength": _limit("String Gte", "String length must be greater than or equal to {}"),
    "maxLength": _limit("String Lte", "String length must be less than or equal to {}"),
    "minimum": _limit("Number Gte", "Must be greater than or equal to {}"),
    "maximum": _limit("Number Lte", "Must be less than or equal to {}"),
    "exclusiveMinimum": _limit("Number Gt", "Must be greater than {}"),
    "exclusiveMaximum": _limit("Number Lt", "Must be less than {}"),
    "multipleOf": lambda kind, _: ("Multiple Of", f"Must be a multiple of {as_json(kind.multiple_of)}"),
    "minItems": _limit("Array Min Items", "Array must have at least {} items"),
    "maxItems": _limit("Array Max Items", "Array must have at most {} items"),
    "minProperties": _limit("Array Min Properties", "Must have at least {} properties"),
    "maxProperties": _limit("Array Max Properties", "Must have at most {} properties"),
    "additionalItems": _fixed("Array No Additional Items", "No additional items allowed on array"),
    "contains": _fixed("Contains", "At least one of the items must match"),
    "anyOf": _fixed("Number Any Of", "Must validate at least one schema (anyOf)"),
    "oneOf": _fixed("Number One Of", "Must validate one and only one schema (oneOf)"),
    "not": _fixed("Number Not", "Must not validate the schema (not)"),
    "falseSchema": _fixed("False", "False always fails validation"),
}

PARENTS: dict[str | int, Said] = {
    "allOf": ("Number All Of", "Must validate all the schemas (allOf)"),
    "then": ("Condition Then", 'Must validate "then" as "if" was valid'),
    "else": ("Condition Else", 'Must validate "else" as "if" was not valid'),
}


def _choices(options: list[Any]) -> str:
    told = ", ".join(map(as_json, options[:MAX_OPTIONS]))
    return told if len(options) <= MAX_OPTIONS else f"{told} and {len(options) - MAX_OPTIONS} more"


def as_json(value: Any) -> str:
    """Equal values the same: keys sorted, and 1.0 is 1."""
    return json.dumps(_whole(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _whole(value: Any) -> Any:
    if type(value) is float and value.is_integer() and abs(value) < _EXPONENT:
        return int(value)
    if type(value) is list:
        return [_whole(each) for each in value]
    return {key: _whole(each) for key, each in value.items()} if type(value) is dict else value


_EXPONENT = 1e21  # from here on JSON's numbers are written with one


def listed(types: str | Sequence[str]) -> str:
    """The type, or the list of them, that a plan wants."""
    if isinstance(types, str):
        return types
    return types[0] if len(types) == 1 else f"[{','.join(map(str, types))}]"


def type_of(value: Any) -> str:
    """What a value is: 1.0 is an integer."""
    if type(value) is float:
        return "integer" if value.is_integer() else "number"
    return _TYPES[type(value)]


_TYPES: dict[type, str] = {
    dict: "object",
    list: "array",
    str: "string",
    int: "integer",
    bool: "boolean",
    type(None): "null",
}
