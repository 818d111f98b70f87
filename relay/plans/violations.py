"""Violations: what a validator found, in Segment's names and sentences, which are those of Go's gojsonschema.

No value of an event is in one: sentences have names, types, and what the plan itself says.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import jsonschema_rs

MAX_VIOLATIONS = 30  # noted of one event; more help nobody, and they are kept and sent with it
MAX_VALUES = 3000  # of an event that is gone through for all its violations: 30 ms if every one is wrong

_ROOT = "(root)"

Path = tuple[str | int, ...]
Said = tuple[str, str]  # type and description
Found = tuple[tuple[str, str, str], Path | None]  # a violation, and the path of the offending value

_TOO_DEEP: Found = (("Nesting", _ROOT, "Nested too deeply to be validated"), None)


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
            parents |= dict.fromkeys(_around(error, message))
    except ValueError:  # it will not copy what is nested deeper than 254 levels
        found[_TOO_DEEP] = None
    return list(found | parents)


def first_violation(
    validate: Callable[[Any], None], message: dict[str, Any], schema: dict[str, Any], root: str
) -> list[Found]:
    """Of an event with very many values: the first violation, for which everything under `root` is to blame."""
    try:
        validate(message)
    except jsonschema_rs.ValidationError as error:
        said = next(_of(error, message, schema))[0]
    except ValueError:
        said = _TOO_DEEP[0]
    else:
        return []
    return [(said, None), *((said, (root, name)) for name in message.get(root) or ())]


def has_many_values(message: dict[str, Any]) -> bool:
    """Whether there are more than MAX_VALUES, on all levels together."""
    left = MAX_VALUES
    waiting: list[Any] = [message]
    while waiting and left >= 0:
        value = waiting.pop()
        left -= len(value)
        inside = value.values() if type(value) is dict else value
        waiting += [each for each in inside if type(each) is dict or type(each) is list]
    return left < 0


def noted(found: Iterable[Found]) -> tuple[tuple[str, str, str], ...]:
    """The violations themselves, as many as are kept."""
    return tuple(islice(dict.fromkeys(violation for violation, _ in found), MAX_VIOLATIONS))


def dotted(path: Sequence[str | int]) -> str:
    """A path as violations have it."""
    return ".".join(map(str, path)) or _ROOT


def _of(error: Any, message: Any, schema: dict[str, Any]) -> Iterator[Found]:
    kind, path = error.kind, _named(error.instance_path, message)
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
            types = _at(schema, _named(error.schema_path, schema))  # in the order of the plan
            expected = _listed(types if isinstance(types, str | list) else kind.types)
            said = f"Invalid type. Expected: {expected}, given: {_type(_at(message, path))}"
            yield ("Invalid Type", dotted(path), said), path
        case "pattern":
            pattern = _at(schema, _named(error.schema_path, schema))  # not as the compiler wants it
            said = f"Does not match pattern '{pattern if isinstance(pattern, str) else kind.pattern}'"
            yield ("Pattern", dotted(path), said), path
        case "uniqueItems":
            one, other = _twins(_at(message, path) or [])
            yield ("Unique", dotted(path), f"array items[{one},{other}] must be unique"), path
        case name:
            title, said = _SAID[name](kind, dotted(path)) if name in _SAID else (name, f"Violates `{name}`")
            yield (title, dotted(path), said), path


def _around(error: Any, message: Any) -> Iterator[Found]:
    """The `allOf`, `then` and `else` that an error lies in: they are violated too, and nobody offends by them."""
    depth = 0  # of the value that the keyword is about
    steps = iter(error.evaluation_path)
    for step in steps:
        if step in _PARENTS:
            title, said = _PARENTS[step]
            yield (title, dotted(_named(error.instance_path, message)[:depth]), said), None
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


def _named(path: Sequence[str | int], value: Any) -> Path:
    """`path` with keys as `value` has them.

    jsonschema-rs takes the name `7` for a number, `007` and `+7` too, and leaves out an empty one: then nothing may
    stand at a path.
    """
    named: list[str | int] = []
    for step in path:
        key = step
        if type(step) is int and type(value) is dict:
            key = str(step)
            if key not in value:
                key = next((k for k in value if _NUMBER.fullmatch(k) and int(k) == step), key)
        named.append(key)
        value = _inside(value, key)
    return tuple(named)


_NUMBER = re.compile(r"\+?[0-9]{1,20}")


def _at(value: Any, path: Sequence[str | int]) -> Any:
    """What stands there, None if nothing does."""
    for step in path:
        value = _inside(value, step)
    return value


def _inside(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None


def _listed(types: str | Sequence[str]) -> str:
    if isinstance(types, str):
        return types
    return types[0] if len(types) == 1 else f"[{','.join(map(str, types))}]"


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
