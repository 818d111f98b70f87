"""Violations: what a validator found, in Segment's names and sentences, which are those of Go's gojsonschema.

No value of an event is in one: sentences have names, types, and what the plan itself says.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

MAX_VIOLATIONS = 100  # noted of one event; more help nobody, and are kept with the event

_ROOT = "(root)"

Path = tuple[str | int, ...]
Said = tuple[str, str]  # type and description
Found = tuple[tuple[str, str, str], Path | None]  # a violation, and the path of the offending value


def violations(
    errors_in: Callable[[Any], Iterable[Any]], message: Any, schema: dict[str, Any]
) -> list[Found]:
    """Every violation that the errors of jsonschema-rs stand for, as (type, field, description), each once.

    With each the path of what offends, None where something is missing.
    """
    found: dict[Found, None] = {}
    parents: dict[Found, None] = {}
    try:
        for error in errors_in(message):
            found |= dict.fromkeys(_of(error, message, schema))
            parents |= dict.fromkeys(_around(error))
    except ValueError:  # it will not copy what is nested deeper than 254 levels
        found[("Nesting", _ROOT, "Nested too deeply to be validated"), None] = None
    return list(found | parents)


def noted(found: Iterable[Found]) -> tuple[tuple[str, str, str], ...]:
    """The violations themselves, as many as are kept."""
    return tuple(islice(dict.fromkeys(violation for violation, _ in found), MAX_VIOLATIONS))


def dotted(path: Sequence[str | int]) -> str:
    """A path as violations have it."""
    return ".".join(map(str, path)) or _ROOT


def _of(error: Any, message: Any, schema: dict[str, Any]) -> Iterator[Found]:
    kind, path = error.kind, tuple(error.instance_path)
    match kind.name:
        case "required":
            missing = dotted((*path, kind.property))
            if "dependencies" in error.schema_path[-1:]:
                yield ("Missing Dependency", dotted(path), f"Has a dependency on {kind.property}"), None
            else:
                yield ("Required", missing, f"{missing} is required"), None
        case "additionalProperties":
            for name in kind.unexpected:
                where = (*path, name)
                said = f"Additional property {name} is not allowed"
                yield ("Additional Property Not Allowed", dotted(where), said), where
        case "propertyNames":
            where = (*path, kind.error.instance)
            said = f'Property name of "{where[-1]}" does not match'
            yield ("Invalid Property Name", dotted(where), said), where
        case "type":
            expected = _listed(_in_schema(schema, error.schema_path) or kind.types)
            said = f"Invalid type. Expected: {expected}, given: {_type(_at(message, path))}"
            yield ("Invalid Type", dotted(path), said), path
        case "pattern":
            pattern = _in_schema(schema, error.schema_path) or kind.pattern
            yield ("Pattern", dotted(path), f"Does not match pattern '{pattern}'"), path
        case "uniqueItems":
            one, other = _twins(_at(message, path))
            yield ("Unique", dotted(path), f"array items[{one},{other}] must be unique"), path
        case name:
            title, said = _SAID[name](kind, dotted(path)) if name in _SAID else (name, f"Violates `{name}`")
            yield (title, dotted(path), said), path


def _around(error: Any) -> Iterator[Found]:
    """The `allOf`, `then` and `else` that an error lies in: they are violated too, and nobody offends by them."""
    depth = 0  # of the value that the keyword is about
    steps = iter(error.evaluation_path)
    for step in steps:
        if step in _PARENTS:
            title, said = _PARENTS[step]
            yield (title, dotted(error.instance_path[:depth]), said), None
        depth += step in _INWARDS
        if step in _BEFORE_A_NAME:
            next(steps, None)


_INWARDS = frozenset(("properties", "patternProperties", "additionalProperties", "items", "additionalItems"))
_BEFORE_A_NAME = frozenset(("properties", "patternProperties", "dependencies"))
_PARENTS: dict[str | int, Said] = {
    "allOf": ("Number All Of", "Must validate all the schemas (allOf)"),
    "then": ("Condition Then", 'Must validate "then" as "if" was valid'),
    "else": ("Condition Else", 'Must validate "else" as "if" was not valid'),
}


def _limit(title: str, sentence: str) -> Callable[[Any, str], Said]:
    return lambda kind, _: (title, sentence.format(kind.limit))


def _fixed(title: str, sentence: str) -> Callable[[Any, str], Said]:
    return lambda _, __: (title, sentence)


_SAID: dict[str, Callable[[Any, str], Said]] = {
    "enum": lambda kind, field: (
        "Enum",
        f"{field} must be one of the following: {', '.join(map(_json, kind.options))}",
    ),
    "const": lambda kind, field: ("Const", f"{field} does not match: {_json(kind.expected_value)}"),
    "format": lambda kind, _: ("Format", f"Does not match format '{kind.format}'"),
    "minLength": _limit("String Gte", "String length must be greater than or equal to {}"),
    "maxLength": _limit("String Lte", "String length must be less than or equal to {}"),
    "minimum": _limit("Number Gte", "Must be greater than or equal to {}"),
    "maximum": _limit("Number Lte", "Must be less than or equal to {}"),
    "exclusiveMinimum": _limit("Number Gt", "Must be greater than {}"),
    "exclusiveMaximum": _limit("Number Lt", "Must be less than {}"),
    "multipleOf": lambda kind, _: ("Multiple Of", f"Must be a multiple of {kind.multiple_of}"),
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


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _in_schema(schema: Any, path: Sequence[str | int]) -> Any:
    """What stands there in the plan: the error has types in another order, and patterns as the compiler wants them."""
    try:
        return _at(schema, path)
    except (KeyError, IndexError, TypeError):
        return None


def _at(value: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        value = value[step]
    return value


def _listed(types: str | Sequence[str]) -> str:
    if isinstance(types, str):
        return types
    return types[0] if len(types) == 1 else f"[{','.join(types)}]"


def _type(value: Any) -> str:
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


def _twins(items: list[Any]) -> tuple[int, int]:
    """The first two that are equal, told by their JSON: to Python 1 is True."""
    seen: dict[str, int] = {}
    for number, item in enumerate(items):
        first = seen.setdefault(json.dumps(item, sort_keys=True), number)
        if first != number:
            return first, number
    return 0, len(items) - 1  # 1 and 1.0, say
