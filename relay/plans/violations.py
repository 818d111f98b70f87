"""Violations: what a validator found, in Segment's names and sentences, which are those of Go's gojsonschema.

No value of an event is in one: sentences have names, types, and what the plan itself says. As gojsonschema does, of a
value that has the wrong type nothing else is said, and to a failing `anyOf` or `oneOf` come the errors of the branch
that the value is closest to. Nothing offends by these: the branch may be the wrong one.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import jsonschema_rs

from relay.plans.closest import ERROR_POINTS, keywords, points, that_count, wrong_types
from relay.plans.sentences import PARENTS, SAID, as_json, listed, type_of

MAX_VIOLATIONS = 30  # noted of one event; more help nobody, and they are kept and sent with it
MAX_TEXT = 1000  # characters of a field or a sentence
MAX_BRANCHES = 5  # one inside the other that are looked into
MAX_IN_BRANCHES = 1000  # errors of one `anyOf` among which the closest branch is looked for: 20 ms

MAX_DEPTH = 100  # levels of an event; for schemas that refer to themselves, which take stack at each

_ROOT = "(root)"

Path = tuple[str | int, ...]
Violation = tuple[str, str, str]  # type, field and description
Found = tuple[Violation, Path | None]  # a violation, and the path of the offending value

TOO_DEEP: Violation = ("Nesting", _ROOT, "Nested too deeply to be validated")
TOO_LARGE: Violation = ("Size", _ROOT, "Has too many values to be validated")


def violations(
    errors_in: Callable[[Any], Iterable[Any]], message: Any, schema: dict[str, Any]
) -> list[Found]:
    """Every violation that the errors of jsonschema-rs stand for, as (type, field, description), each once.

    With each the path of what offends, None where something is missing.
    """
    try:
        found, parents, _ = _found(list(errors_in(message)), message, schema, MAX_BRANCHES)
    except ValueError:  # it will not copy what is nested deeper than 254 levels
        return [(TOO_DEEP, None)]
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
        said = TOO_DEEP
    else:
        return []
    return all_at_fault(said, message, root)


def all_at_fault(said: Violation, message: dict[str, Any], root: str) -> list[Found]:
    """One violation, for which everything under `root` is to blame."""
    return [(said, None), *((said, (root, name)) for name in message.get(root) or ())]


def has_many_values(message: Any, most: int) -> bool:
    """Whether there are more than `most`, on all levels together."""
    left = most
    waiting: list[Any] = [[message]]
    while waiting and left >= 0:
        value = waiting.pop()
        left -= len(value)
        inside = value.values() if type(value) is dict else value
        waiting += [each for each in inside if type(each) is dict or type(each) is list]
    return left < 0


def is_deep(message: Any) -> bool:
    """Whether it is nested deeper than MAX_DEPTH."""
    waiting: list[tuple[Any, int]] = [([message], MAX_DEPTH + 1)]
    while waiting:
        value, left = waiting.pop()
        if left == 0:
            return True
        inside = value.values() if type(value) is dict else value
        waiting += [(each, left - 1) for each in inside if type(each) is dict or type(each) is list]
    return False


def noted(found: Iterable[Found]) -> tuple[tuple[str, str, str], ...]:
    """The violations themselves, as many as are kept."""
    told = islice(dict.fromkeys(violation for violation, _ in found), MAX_VIOLATIONS)
    return tuple((kind, _cut(field), _cut(said)) for kind, field, said in told)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def dotted(path: Sequence[str | int]) -> str:
    """A path as violations have it."""
    return ".".join(map(str, path)) or _ROOT


_All = dict[Found, None]


def _found(errors: list[Any], message: Any, schema: dict[str, Any], levels: int) -> tuple[_All, _All, int]:
    """What the errors stand for, what they lie in, and the points of the branches that were chosen."""
    found: _All = {}
    parents: _All = {}
    scored = 0
    for error in that_count(errors, wrong_types(errors)):
        found |= dict.fromkeys(_of(error, message, schema))
        parents |= dict.fromkeys(_around(error, message))
        if levels and len(found) < MAX_VIOLATIONS and (branches := _failing(error)):
            inner, around, more = _closest(error, branches, message, schema, levels - 1)
            found |= dict.fromkeys((said, None) for said, _ in inner)
            parents |= around
            scored += more
    return found, parents, scored


def _failing(error: Any) -> list[list[Any]]:
    """The errors of the branches of an `anyOf` or `oneOf` of which none is kept, if there are not too many."""
    if error.kind.name not in {"anyOf", "oneOf"}:
        return []
    branches: list[list[Any]] = error.kind.context
    return branches if all(branches) and sum(map(len, branches)) <= MAX_IN_BRANCHES else []


def _closest(
    error: Any, failing: list[list[Any]], message: Any, schema: dict[str, Any], levels: int
) -> tuple[_All, _All, int]:
    """Of the branch with the highest score, the first of several, the same."""
    where = _named(error.instance_path, message)
    branches = _at(schema, _named(error.schema_path, schema)) or ()
    way, value = tuple(map(str, error.evaluation_path)), _at(message, where)
    best: tuple[_All, _All, int] = {}, {}, 0
    highest: int | None = None
    for number, errors in enumerate(failing):
        found, parents, scored = _found(errors, message, schema, levels)
        branch = branches[number] if number < len(branches) else None
        place = ((*way, str(number)), tuple(map(str, error.instance_path)))
        scored += points(schema, branch, value, place, errors)
        score = scored - ERROR_POINTS * len(found | parents)
        if highest is None or score > highest:
            highest, best = score, (found, parents, scored)
    return best


def _of(error: Any, message: Any, schema: dict[str, Any]) -> Iterator[Found]:
    kind, path = error.kind, _named(error.instance_path, message)
    match kind.name:
        case "required":
            missing = dotted((*path, kind.property))
            if "dependencies" in error.schema_path[-1:]:
                yield ("Missing Dependency", dotted(path), f"Has a dependency on {kind.property}"), None
            else:
                yield ("Required", missing, f"{missing} is required"), None
        case "additionalProperties" | "falseSchema" if error.schema_path[-1:] == ["additionalProperties"]:
            # where the schema lists no name it is a falseSchema, of all of them
            for name in kind.unexpected if kind.name == "additionalProperties" else _at(message, path) or ():
                where = (*path, name)
                said = f"Additional property {name} is not allowed"
                yield ("Additional Property Not Allowed", dotted(where), said), where
        case "propertyNames":
            where = (*path, kind.error.instance)
            said = f'Property name of "{where[-1]}" does not match'
            yield ("Invalid Property Name", dotted(where), said), where
            yield _told(kind.error, path, where[-1], schema), None
        case "uniqueItems":
            for one, other in islice(_twins(_at(message, path) or []), MAX_VIOLATIONS):
                yield ("Unique", dotted(path), f"array items[{one},{other}] must be unique"), path
        case _:
            yield _told(error, path, _at(message, path), schema), path


def _told(error: Any, path: Path, value: Any, schema: dict[str, Any]) -> Violation:
    kind, name, field = error.kind, error.kind.name, dotted(path)
    if name == "type":
        types = _at(schema, _named(error.schema_path, schema))  # in the order of the plan
        expected = listed(types if isinstance(types, str | list) else kind.types)
        return "Invalid Type", field, f"Invalid type. Expected: {expected}, given: {type_of(value)}"
    if name == "pattern":
        pattern = _at(schema, _named(error.schema_path, schema))  # not as the compiler wants it
        said = pattern if isinstance(pattern, str) else kind.pattern
        return "Pattern", field, f"Does not match pattern '{said}'"
    title, said = SAID[name](kind, field) if name in SAID else (name, f"Violates `{name}`")
    return title, field, said


def _around(error: Any, message: Any) -> Iterator[Found]:
    """The `allOf`, `then` and `else` that an error lies in: they are violated too, and nobody offends by them."""
    for number, depth in keywords(error):
        step = error.evaluation_path[number]
        if step in PARENTS:
            title, said = PARENTS[step]
            yield (title, dotted(_named(error.instance_path, message)[:depth]), said), None


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


def _twins(items: list[Any]) -> Iterator[tuple[int, int]]:
    """Each item that is equal to one before, with the last such, told by their JSON: to Python 1 is True."""
    seen: dict[str, int] = {}
    is_any = False
    for number, item in enumerate(items):
        text = as_json(item)
        if text in seen:
            is_any = True
            yield seen[text], number
        seen[text] = number
    if not is_any:
        yield 0, len(items) - 1  # 1e30 and 10**30, say
